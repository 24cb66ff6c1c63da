"""What nobody types but anybody can send: it is refused or left out, and never an error of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group
from django.db import DataError, connection
from django.test import Client

from config.staff.forms import JSONFormField
from inventory.models import Part, Vehicle
from tests.admin.forms import Fields
from tests.builders import make_lead, make_part, make_vehicle

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
    "text",
    [
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e400}',
        f'{{"a": {"9" * 5_000}}}',
        '{"a": "\\u0000"}',
        '{"\\u0000": 1}',
        '{"a": ["\\ud800"]}',
        '"\\udfff"',
    ],
)
def test_json_that_no_database_stores_is_an_error_of_its_field(staff_client: Client, text: str) -> None:
    response = staff_client.post("/admin/inventory/car/add/", {"paragraphs": text})
    assert response.status_code == 200
    assert "paragraphs" in response.context["adminform"].form.errors


def test_json_keeps_characters_beyond_the_first_plane() -> None:
    read: Any = JSONFormField().clean('{"🚗": ["\\ud83d\\ude97", 1e300, -5]}')
    assert read == {"🚗": ["🚗", 1e300, -5]}


@pytest.mark.postgres_only
def test_what_the_database_refuses_of_a_value_is_told_on_the_form(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = make_part()
    page = f"/admin/inventory/part/{part.pk}/change/"
    data = Fields(staff_client.get(page).content.decode()).values
    # A rule of the field that its form does not know.
    monkeypatch.setattr(Part._meta.get_field("name"), "validators", [])
    monkeypatch.setattr(Part._meta.get_field("name"), "max_length", 10_000)
    response = staff_client.post(page, {**data, "name": "x" * 5_000})
    assert response.status_code == 200
    assert "a value is too large for its field" in response.content.decode()


def test_more_rows_than_a_table_within_a_form_can_show_are_refused(staff_client: Client) -> None:
    response = staff_client.post("/admin/inventory/car/add/", {"images-TOTAL_FORMS": 2_000, "images-INITIAL_FORMS": 0})
    (images, *_) = (each.formset for each in response.context["inline_admin_formsets"])
    assert images.non_form_errors() == ["Save at most 100 rows of this table at once; the others were left out."]
    assert len(images.forms) == 100


@pytest.mark.parametrize("page", ["9" * 23, "9" * 5_000, "501"])
def test_no_page_of_choices_lies_beyond_what_is_read(staff_client: Client, page: str) -> None:
    asked = {"app_label": "inventory", "model_name": "vehicle", "field_name": "seller", "term": "", "page": page}
    assert staff_client.get("/admin/autocomplete/", asked).status_code in {200, 404}


@pytest.mark.parametrize("page", ["9" * 23, "9" * 5_000, "²", "-1", "0", "x"])
def test_a_page_of_related_rows_that_is_no_number_is_the_first(staff_client: Client, page: str) -> None:
    vehicle = make_vehicle()
    response = staff_client.get(f"/admin/accounts/seller/{vehicle.seller_id}/change/", {"vehicles-page": page})
    shown = [each.formset for each in response.context["inline_admin_formsets"] if each.formset.model is Vehicle]
    assert [form.instance for formset in shown for form in formset.forms] == [vehicle]


@pytest.mark.parametrize("moment", ["foo", "9999-12-31T23:59:59-10:00", "", "2026-02-30"])
def test_a_prefilled_time_that_cannot_be_read_is_left_empty(staff_client: Client, moment: str) -> None:
    response = staff_client.get("/admin/inventory/car/add/", {"published_at": moment})
    assert response.status_code == 200
    assert 'name="published_at_0"' in response.content.decode()


def test_a_prefilled_time_is_shown(staff_client: Client) -> None:
    page = staff_client.get("/admin/inventory/car/add/", {"published_at": "2026-03-31 14:30"}).content.decode()
    assert Fields(page).values["published_at_0"] == "2026-03-31"


@pytest.mark.parametrize("key", NO_KEYS)
def test_the_page_of_what_is_no_key_leads_to_the_list(staff_client: Client, key: str) -> None:
    for view in ("change", "history", "delete"):
        response = staff_client.get(f"/admin/inventory/part/{quote(key)}/{view}/")
        assert response.status_code in {302, 404}


@pytest.mark.postgres_only
@pytest.mark.parametrize("query", ["", "?e=1", "?p=1"])
def test_a_row_that_cannot_be_read_is_no_fault_of_the_address(staff_client: Client, query: str) -> None:
    part = make_part()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_part SET created_at = '10000-01-01 00:00+00' WHERE id = %s", [part.pk])
    with pytest.raises(DataError):
        staff_client.get(f"/admin/inventory/part/{query}")


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
