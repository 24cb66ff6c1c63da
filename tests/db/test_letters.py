"""Look-ups in any case fold all letters, on SQLite as on PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Value

from accounts.models.users import Role
from config.db.letters import LowerCase
from inventory.models import Car
from inventory.queries import CarFilters, PartFilters, car_list, part_list
from leads.queries import LeadFilters, leads_for
from tests.builders import NOON, make_car, make_category, make_lead, make_part, make_user, make_vehicle

pytestmark = pytest.mark.django_db

NAMES = ("Äänekosken Škoda", "aanekosken skoda", "ÅSTRÖM 100%_\\ñ", "Straße", "STRASSE", "Ñandú")


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"name__icontains": "äänekosken"}, {"Äänekosken Škoda"}),
        ({"name__icontains": "ŠKODA"}, {"Äänekosken Škoda"}),
        ({"name__iexact": "ÄÄNEKOSKEN ŠKODA"}, {"Äänekosken Škoda"}),
        ({"name__iexact": "äänekosken"}, set()),
        ({"name__istartswith": "ñ"}, {"Ñandú"}),
        ({"name__iendswith": "DÚ"}, {"Ñandú"}),
        # What would be a pattern is a text like any other.
        ({"name__icontains": "100%_\\Ñ"}, {"ÅSTRÖM 100%_\\ñ"}),
        ({"name__iexact": "åström 100%_\\ñ"}, {"ÅSTRÖM 100%_\\ñ"}),
        ({"name__icontains": "0_"}, set()),
        ({"name__iexact": "%"}, set()),
        # A letter that has no capital of its own stays itself.
        ({"name__iexact": "strasse"}, {"STRASSE"}),
        ({"name__iexact": "STRAßE"}, {"Straße"}),
        # Other columns and expressions.
        ({"name__icontains": F("model")}, {"Äänekosken Škoda"}),
        ({"name__iexact": F("name")}, set(NAMES)),
        ({"name__iendswith": Value("100%_\\Ñ")}, {"ÅSTRÖM 100%_\\ñ"}),
        ({"year__icontains": "01"}, set(NAMES)),
    ],
)
def test_any_case_is_that_of_every_alphabet(condition: dict[str, Any], found: set[str]) -> None:
    for name in NAMES:
        make_car(name=name, model="KOSKEN š", year=2018)

    assert set(Car.objects.filter(**condition).values_list("name", flat=True)) == found


def test_what_has_no_value_is_not_like_anything() -> None:
    make_car(vin=None)

    assert not Car.objects.filter(vin__icontains="").exists()


def test_a_text_in_small_letters_is_so_in_every_alphabet() -> None:
    make_car(name="ÄÄNEKOSKEN ŠKODA 1%")

    assert Car.objects.values_list(LowerCase("name"), flat=True).get() == "äänekosken škoda 1%"


def test_stock_and_leads_are_found_in_any_case() -> None:
    car = make_car(make="Škoda")
    part = make_part(vehicle=make_vehicle(model="Ömega"), is_listed=True)
    lead = make_lead(message="Nouto ÄÄNEKOSKELTA")

    assert [card.public_id for card in car_list(CarFilters(make="ŠKODA"), now=NOON).items] == [car.public_id]
    assert [card.public_id for card in part_list(PartFilters(model="öMEG")).items] == [part.public_id]
    assert list(leads_for(make_user(Role.SUPER_ADMIN), LeadFilters(text="äänekoske"))) == [lead]


@pytest.mark.sqlite_only
@pytest.mark.django_db(transaction=True)
def test_a_file_is_whole_for_programs_without_our_functions() -> None:
    make_car(make="škoda"), make_category("Öljyt ja Ärrät")
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as plain, plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        plain.execute("UPDATE inventory_car SET make = 'ŠKODA'")
        plain.execute("UPDATE inventory_category SET name = 'Ääret'")
