"""A filtered list as a file."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import UserIdentity
from tests.builders import make_part, make_seller, make_user, make_vehicle

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.staff.urls"), pytest.mark.any_engine]

PARTS = "/admin/inventory/part/export/"


def body(response: Any) -> str:
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def table(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body(response))))


@pytest.fixture
def parts() -> None:
    seller = make_seller(name="Päijänne “Auto”, Lahti", phone="+358 40 1234567", city="Lahti")
    make_part(name="=HYPERLINK(1)", price=Decimal(900), vehicle=make_vehicle(seller=seller))
    make_part(name='Quote " and, comma\nand line', price=Decimal(100), vehicle=make_vehicle(seller=seller))
    make_part(name="Elsewhere", price=Decimal(5))


def test_the_file_has_the_filtered_searched_and_sorted_rows_with_the_picked_columns(
    staff_client: Client, parts: None
) -> None:
    query = {"f": "seller.city:is:Lahti", "o": "3", "column": ["price", "seller", "seller.phone"], "format": "csv"}
    assert table(staff_client.get(PARTS, query)) == [
        ["Price", "Seller", "Seller: Phone"],
        ["100.00", "Päijänne “Auto”, Lahti", "'+358 40 1234567"],
        ["900.00", "Päijänne “Auto”, Lahti", "'+358 40 1234567"],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_taken_for_a_formula(staff_client: Client, start: str) -> None:
    make_part(name=f"{start}cmd|' /C calc'!A0")
    rows = table(staff_client.get(PARTS, {"column": "name", "format": "csv"}))
    assert rows[1] == [f"'{start}cmd|' /C calc'!A0"]


def test_cells_keep_quotes_commas_and_lines(staff_client: Client, parts: None) -> None:
    rows = table(staff_client.get(PARTS, {"column": "name", "format": "csv", "q": "Quote"}))
    assert rows[1] == ['Quote " and, comma\nand line']


def test_the_file_for_excel_says_that_it_is_utf8(staff_client: Client, parts: None) -> None:
    assert body(staff_client.get(PARTS, {"column": "name", "format": "excel"})).startswith('\ufeff"Name"\r\n')


@pytest.mark.parametrize(
    ("name", "cell"),
    [("x;=1+1", "x;'=1+1"), ("x\t@y", "x\t'@y"), ("x\n-1", "x\n'-1"), ("=1;=2", "'=1;'=2"), ("1; 2-1", "1; 2-1")],
)
def test_nothing_behind_a_separator_of_excel_is_taken_for_a_formula(name: str, cell: str, staff_client: Client) -> None:
    make_part(name=name, price=Decimal(5))
    (_, row) = body(staff_client.get(PARTS, {"column": ["name", "price"], "format": "excel"})).split("\r\n", 1)
    assert row == f'"{cell}","5.00"\r\n'


def test_json_keeps_types_and_names_fields_by_key(staff_client: Client, parts: None) -> None:
    query = {"column": ["name", "price", "is_listed", "seller.city"], "format": "json", "q": "Quote"}
    assert json.loads(body(staff_client.get(PARTS, query))) == [
        {"name": 'Quote " and, comma\nand line', "price": "100.00", "is_listed": False, "seller.city": "Lahti"}
    ]


def test_rows_are_read_as_the_file_is_sent_and_in_one_query(
    staff_client: Client, parts: None, django_assert_num_queries: Any
) -> None:
    query = {"column": ["name", "seller", "vehicle", "vehicle.seller", "category.name"], "format": "csv"}
    response = staff_client.get(PARTS, query)
    with django_assert_num_queries(1):
        assert body(response).count("\r\n") == 4


def test_the_page_offers_own_columns_ticked_and_remembers_picked_ones(staff_client: Client, parts: None) -> None:
    page = staff_client.get(PARTS, {"f": "price:between:50.."}).content.decode()
    assert "2 parts" in page
    assert 'name="column" value="price" checked' in page
    assert 'name="column" value="seller.city">' in page
    assert 'name="f" value="price:between:50.."' in page
    page = staff_client.get(PARTS, {"column": "seller.city"}).content.decode()
    assert 'name="column" value="seller.city" checked' in page
    assert 'name="column" value="price">' in page


def test_without_a_column_the_page_asks_for_one(staff_client: Client, parts: None) -> None:
    assert "Choose at least one column." in staff_client.get(PARTS, {"format": "csv"}).content.decode()


def test_secrets_never_leave(staff_client: Client) -> None:
    UserIdentity.objects.create(user=make_user(), provider="google", provider_account_id="1", access_token="s3cret")
    query = {"column": ["provider", "access_token", "user.password"], "format": "csv"}
    assert table(staff_client.get("/admin/accounts/useridentity/export/", query)) == [["Provider"], ["google"]]


def test_a_filter_that_is_not_understood_exports_nothing(staff_client: Client, parts: None) -> None:
    query = {"f": "price:is:cheap", "column": "name", "format": "csv"}
    assert table(staff_client.get(PARTS, query)) == [["Name"]]


def test_a_seller_exports_own_rows_only(seller_client: Client, seller: Any, parts: None) -> None:
    make_part(name="Own", vehicle=make_vehicle(seller=seller))
    assert table(seller_client.get(PARTS, {"column": "name", "format": "csv"})) == [["Name"], ["Own"]]


def test_who_may_not_view_the_table_may_not_export_it(seller_client: Client) -> None:
    assert seller_client.get("/admin/leads/lead/export/").status_code == 403


def test_an_export_is_announced_with_what_was_taken(
    staff_client: Client, superuser: Any, parts: None, heard: list[dict[str, Any]]
) -> None:
    staff_client.get(PARTS, {"f": "price:between:50..", "column": ["name", "price"], "format": "json"})
    exported = [each for each in heard if each["event_type"] == "EXPORT_DATA"]
    assert [(each["action"], each["actor"], each["metadata"]) for each in exported] == [
        (
            "other",
            superuser,
            {
                "model": "inventory.Part",
                "format": "json",
                "columns": ["name", "price"],
                "filters": {"f": ["price:between:50.."]},
                "count": 2,
            },
        )
    ]
