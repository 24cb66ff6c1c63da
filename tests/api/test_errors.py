"""Every answer that is no success has one shape, and tells what to do without telling what is inside."""

from __future__ import annotations

import pytest
from django.db import connection, connections
from django.test import Client

from tests.api.conftest import Ask
from tests.builders import make_car


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("cars?page=0", {"page"}),
        ("cars?page=-1&page_size=101", {"page", "page_size"}),
        ("cars?page=two", {"page"}),
        ("cars?sort=public_id", {"sort"}),
        ("cars?price_min=cheap&year_max=20000", {"price_min", "year_max"}),
        ("cars?make=%00", {"make"}),
        ("cars?cursor=forged", {"cursor"}),
        ("parts?condition=SHINY", {"condition"}),
        ("sellers/nearby?latitude=91&longitude=nan", {"latitude", "longitude"}),
        ("parts?latitude=-33.9", {"longitude"}),
        ("parts/facets?longitude=18.4", {"longitude"}),
        ("parts?radius_km=5", {"radius_km"}),
        ("sellers/nearby?radius_km=5", {"latitude", "longitude"}),
    ],
)
def test_what_cannot_be_understood_is_refused_by_field(address: str, fields: set[str], ask: Ask) -> None:
    error = ask(address, status=400)["error"]

    assert error["code"] == "validation"
    assert set(error["fields"]) == fields
    assert all(error["fields"].values())


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["cars/none", "cars/none/related", "parts/none", "sellers/none", "nowhere"])
def test_what_is_not_there_is_not_found(address: str, client: Client) -> None:
    response = client.get(f"/api/v1/{address}", headers={"X-Request-ID": "request-of-mine"})
    assert response.status_code == 404
    error = response.json()["error"]
    assert (error["code"], error["fields"], error["request_id"]) == ("not_found", {}, "request-of-mine")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_nothing_here_can_be_changed(client: Client) -> None:
    response = client.post("/api/v1/cars")
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET"


@pytest.mark.django_db
def test_a_request_with_too_much_in_it_is_refused(ask: Ask) -> None:
    assert ask(f"cars?{'&' * 1001}", status=400)["error"]["code"] == "bad_request"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["docs", "openapi.json"])
def test_the_description_can_only_be_read(address: str) -> None:
    response = Client(enforce_csrf_checks=True).post(f"/api/v1/{address}")
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")


@pytest.mark.django_db
def test_the_name_of_another_host_is_refused_in_the_same_shape(ask: Ask) -> None:
    assert ask("cars", status=400, host="evil.example")["error"]["code"] == "bad_request"


@pytest.mark.django_db
def test_the_head_of_an_answer_can_be_asked_for_alone(client: Client) -> None:
    assert client.head("/api/v1/cars").headers["ETag"] == client.get("/api/v1/cars").headers["ETag"]


@pytest.mark.django_db
def test_a_missing_table_sends_the_operator_to_the_migrations(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_carspecification RENAME TO elsewhere")
        try:
            response = client.get("/api/v1/cars/any")
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("ALTER TABLE elsewhere RENAME TO inventory_carspecification")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "schema")
    assert response.headers["Retry-After"] == "5"


@pytest.mark.django_db(transaction=True)
def test_without_the_database_callers_are_told_when_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {"NAME": "/nowhere/hush.sqlite3"} if connection.vendor == "sqlite" else {"HOST": "127.0.0.1", "PORT": "1"}
    with monkeypatch.context() as patch:
        for name, value in away.items():
            patch.setitem(connections["default"].settings_dict, name, value)
        connection.close()
        response = client.get("/api/v1/cars")
    connection.close()
    assert (response.status_code, response.json()["error"]["code"]) == (503, "no_database")
    assert response.headers["Retry-After"] == "5"
    assert b"127.0.0.1" not in response.content
    assert b"hush" not in response.content
    # And it goes on by itself as soon as there is one.
    assert client.get("/api/v1/cars").status_code == 200


@pytest.mark.django_db
def test_a_fault_of_ours_tells_nothing_of_what_is_inside(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_car(slug="car")
    # A statement with one value too few.
    monkeypatch.setattr("inventory.queries.cars._PUBLIC", "%s = %s AND c.id > 0")
    response = client.get("/api/v1/cars/car")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal")
    assert b"SELECT" not in response.content
