"""What nobody types but anybody can send: it is refused or left out, and never an error of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from inventory.models import Part
from tests.builders import make_lead, make_part

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.staff.urls")]

NO_KEYS = ["abc", "1.5", "-", "999999999999999999999999", "\x00", "٣x"]


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_prefilled_relation_that_is_no_key_is_left_empty(staff_client: Client, key: str) -> None:
    response = staff_client.get("/admin/inventory/vehicle/add/", {"seller": key})
    assert response.status_code == 200


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_posted_relation_that_is_no_key_is_an_error_of_its_field(staff_client: Client, key: str) -> None:
    response = staff_client.post("/admin/inventory/vehicle/add/", {"seller": key, "make": "Volvo"})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["seller"]


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_relation_asked_for_by_an_action_that_is_no_key_is_an_error_on_the_question(
    staff_client: Client, key: str
) -> None:
    lead = make_lead()
    data: dict[str, Any] = {"action": "assign_leads", "index": 0, "_selected_action": [lead.pk]}
    response = staff_client.post("/admin/leads/lead/", {**data, "staff_confirmed": 1, "assigned_to": key})
    assert response.status_code == 200
    assert response.context["form"].errors["assigned_to"]


@pytest.mark.parametrize(
    "query",
    [
        "created_at__year=99999",
        "name__regex=(((((",
        "name__iregex=a",
        "seller__name__regex=a",
        "status__exact__regex=a",
        "name__icontains=a",
        "price__year=1",
        "created_at__date__year=2026",
        "price__gte=abc",
        "id__in=abc",
        "pk__regex=1",
        "nothing__regex=a",
        "nothing=1",
        "created_at__year=0",
        "created_at__year=9999",
        "created_at__year=999999999999999999999999",
        "created_at__year=abc",
        "created_at__month=3",
        "created_at__year=2026&created_at__day=3",
        "created_at__year=2026&created_at__month=13",
        "created_at__year=2026&created_at__month=2&created_at__day=30",
    ],
)
@pytest.mark.parametrize("view", ["", "export/"])
def test_what_the_list_does_not_offer_cannot_be_asked_in_its_address(
    staff_client: Client, view: str, query: str
) -> None:
    make_part()
    response = staff_client.get(f"/admin/inventory/part/{view}?{query}")
    assert response.status_code == 302
    assert response.headers["Location"].endswith("?e=1")


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("price__gte=abc&name__exact=Door", ": price__gte=abc"),
        ("p=700", ": p=700"),
        ("created_at__month=3", ": created_at__month=3"),
        ("category__exact__year=zzz", ": category__exact__year=zzz"),
        ("price__year=2026&name__exact=Door", ": price__year=2026"),
        ("nothing=1", ": nothing=1"),
        ("price__gte=abc&p=700", ""),
    ],
)
@pytest.mark.parametrize("view", ["", "export/"])
def test_the_list_says_what_of_its_address_was_not_understood(
    staff_client: Client, view: str, query: str, wrong: str
) -> None:
    response = staff_client.get(f"/admin/inventory/part/{view}?{query}", follow=True)
    told = [str(message) for message in response.context["messages"]]
    assert told == [f"The address of the list was not understood{wrong}. Here are all rows."]


@pytest.mark.parametrize("digits", [20, 21, 5_000])
def test_a_page_of_many_digits_is_none_of_the_list_and_is_not_repeated_whole(staff_client: Client, digits: int) -> None:
    make_part()
    response = staff_client.get("/admin/inventory/part/", {"p": "9" * digits}, follow=True)
    (told,) = [str(message) for message in response.context["messages"]]
    assert told.startswith("The address of the list was not understood: p=999")
    assert len(told) < 300


@pytest.mark.parametrize("position", ["9" * 5_000, "-" + "9" * 5_000, "999", "x", ""])
def test_an_order_by_a_column_that_is_not_there_is_that_of_the_table(staff_client: Client, position: str) -> None:
    part = make_part()
    response = staff_client.get("/admin/inventory/part/", {"o": position})
    assert list(response.context["cl"].result_list) == [part]


def test_a_regular_expression_is_no_filter_on_a_list_without_dates(staff_client: Client) -> None:
    for query in ("created_at__year=99999", "name__regex=(((((", "business_hours__monday=1"):
        response = staff_client.get(f"/admin/accounts/seller/?{query}")
        assert (response.status_code, response.headers["Location"]) == (302, "/admin/accounts/seller/?e=1")


def test_the_years_months_and_days_of_the_list_can_be_opened(staff_client: Client) -> None:
    part = make_part()
    day = Part.objects.get(pk=part.pk).created_at
    query = {"created_at__year": day.year, "created_at__month": day.month}
    for more in ({}, {"created_at__day": day.day}):
        response = staff_client.get("/admin/inventory/part/", {**query, **more})
        assert list(response.context["cl"].result_list) == [part]


@pytest.mark.parametrize("levels", [51, 900, 2_000, 100_000])
def test_json_of_too_many_levels_is_an_error_of_its_field(staff_client: Client, levels: int) -> None:
    text = '{"a":' * levels + "1" + "}" * levels
    response = staff_client.post("/admin/inventory/car/add/", {"paragraphs": text})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["paragraphs"][0].startswith("This is too deeply nested")


@pytest.mark.parametrize(
    "query", ["price__gte=1e999", "id__gte=99999999999999999999999", "id__in=99999999999999999999999"]
)
def test_a_number_beyond_what_a_column_holds_is_no_error_of_ours(staff_client: Client, query: str) -> None:
    assert staff_client.get(f"/admin/inventory/part/?{query}").status_code in {200, 302}


@pytest.mark.parametrize("key", NO_KEYS)
@pytest.mark.parametrize("relation", ["groups", "user_permissions"])
def test_posted_relations_to_many_of_which_one_is_no_key_are_an_error_of_their_field(
    staff_client: Client, relation: str, key: str
) -> None:
    group = Group.objects.create(name="Buyers")
    response = staff_client.post("/admin/accounts/user/add/", {relation: [str(group.pk), key]})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors[relation]
