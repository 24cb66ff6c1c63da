"""The points of a lead, factor by factor."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from analytics.settings import set_setting
from leads.models.leads import LeadPriority
from leads.scoring import (
    DEFAULT_RULES,
    FREE_MAIL_DOMAINS,
    ScoringRules,
    contains_word,
    current_rules,
    priority_for,
    quality_label,
    score_lead,
)

LOWEST: dict[str, Any] = {"name": "Ann", "email": "ann@gmail.com", "phone": "", "message": "Hi", "has_car": False}


def test_the_lowest_score_is_15() -> None:
    score, factors = score_lead(**LOWEST)
    assert score == 15
    assert factors == {"personal_email": 5, "partial_name": 5, "minimal_message": 5}


def test_all_factors_together_are_cut_at_100_and_kept_as_they_are() -> None:
    message = "I would like to buy this car as soon as the test drive is done, and trade in my old one. " * 2
    score, factors = score_lead(
        name="Ann Lee", email="ann@lee.example", phone="+358 40 1", message=message, has_car=True
    )
    assert score == 100
    assert factors == {
        "phone_provided": 20,
        "business_email": 10,
        "full_name": 10,
        "detailed_message": 30,
        "car_interest": 30,
        "urgent_contact": 10,
        "purchase_intent": 10,
    }
    assert sum(factors.values()) == 120


@pytest.mark.parametrize(
    ("length", "factor", "points"),
    [
        (20, "minimal_message", 5),
        (21, "short_message", 10),
        (50, "short_message", 10),
        (51, "medium_message", 20),
        (100, "medium_message", 20),
        (101, "detailed_message", 30),
    ],
)
def test_a_message_on_a_boundary_stays_in_the_lower_band(length: int, factor: str, points: int) -> None:
    factors = score_lead(**LOWEST | {"message": "x" * length}).factors
    assert [(name, factors[name]) for name in factors if name.endswith("_message")] == [(factor, points)]


@pytest.mark.parametrize("domain", ["gmail.com", "luukku.com", "suomi24.fi", "mweb.co.za", "webmail.co.za"])
def test_free_mail_is_personal_in_finland_and_south_africa_too(domain: str) -> None:
    assert domain in FREE_MAIL_DOMAINS
    assert "personal_email" in score_lead(**LOWEST | {"email": f"Ann@{domain.upper()}"}).factors


def test_a_domain_that_only_ends_like_free_mail_is_a_business() -> None:
    assert "business_email" in score_lead(**LOWEST | {"email": "ann@notgmail.com"}).factors


def test_blanks_are_neither_a_telephone_number_nor_a_second_name() -> None:
    factors = score_lead(**LOWEST | {"phone": "   ", "name": " Ann "}).factors
    assert "phone_provided" not in factors
    assert "full_name" not in factors


@pytest.mark.parametrize(
    ("message", "factor"),
    [
        ("Voinko tulla TÄNÄÄN?", "urgent_contact"),
        (unicodedata.normalize("NFD", "Voinko tulla tänään?"), "urgent_contact"),
        ("Call me asap!", "urgent_contact"),
        ("Lo necesito mañana.", "urgent_contact"),
        ("Haluan ostaa auton", "purchase_intent"),
        ("Sopisiko koeajo?", "purchase_intent"),
        ("A test   drive?", "purchase_intent"),
        ("Quiero comprar este coche", "purchase_intent"),
    ],
)
def test_words_of_three_languages_count(message: str, factor: str) -> None:
    assert score_lead(**LOWEST | {"message": message}).factors[factor] == 10


@pytest.mark.parametrize("message", ["Ostoskori on tyhjä", "I know nothing", "snow tyres", "Nytkö jo", "the buyer"])
def test_a_word_inside_another_word_does_not_count(message: str) -> None:
    factors = score_lead(**LOWEST | {"message": message}).factors
    assert not {"urgent_contact", "purchase_intent"} & set(factors)


def test_two_words_of_one_list_count_once() -> None:
    assert score_lead(**LOWEST | {"message": "now now asap"}).factors["urgent_contact"] == 10


def test_no_words_are_found_by_an_empty_list() -> None:
    assert not contains_word("now", ())


@pytest.mark.parametrize(
    ("score", "priority", "quality"),
    [
        (100, LeadPriority.URGENT, "high"),
        (80, LeadPriority.URGENT, "high"),
        (79, LeadPriority.HIGH, "high"),
        (70, LeadPriority.HIGH, "high"),
        (69, LeadPriority.HIGH, "medium"),
        (60, LeadPriority.HIGH, "medium"),
        (59, LeadPriority.MEDIUM, "medium"),
        (40, LeadPriority.MEDIUM, "medium"),
        (39, LeadPriority.LOW, "low"),
        (0, LeadPriority.LOW, "low"),
    ],
)
def test_priority_and_quality_follow_from_the_score(score: int, priority: LeadPriority, quality: str) -> None:
    assert (priority_for(score), quality_label(score)) == (priority, quality)


@pytest.mark.django_db
def test_without_settings_the_rules_are_the_defaults() -> None:
    assert current_rules() == DEFAULT_RULES


@pytest.mark.django_db
def test_staff_change_the_rules() -> None:
    set_setting("leads.urgent_words", {"sv": ["Genast"]})
    set_setting("leads.free_mail_domains", ["posti.example"])
    set_setting("leads.high_priority_from", 50)
    rules = current_rules()
    assert rules == ScoringRules(
        urgent_words=("genast",), free_mail_domains=frozenset({"posti.example"}), high_priority_from=50
    )
    request = LOWEST | {"email": "a@posti.example", "message": "genast"}
    assert score_lead(**request, rules=rules).factors == {
        "personal_email": 5,
        "partial_name": 5,
        "minimal_message": 5,
        "urgent_contact": 10,
    }
    assert priority_for(50, rules) == LeadPriority.HIGH
