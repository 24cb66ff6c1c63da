"""The API's description: served from our own server, and true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.staticfiles import finders
from django.core.exceptions import ValidationError
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from jsonschema_rs import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from config.wsgi import application
from inventory.queries import CAR_SORTS, PART_SORTS
from tests.builders import make_car, make_part, make_seller

pytestmark = pytest.mark.django_db

ROUTES = {
    *("/cars", "/cars/featured", "/cars/makes", "/cars/categories", "/cars/{name}", "/cars/{name}/related"),
    *("/parts", "/parts/facets", "/parts/featured", "/parts/{public_id}", "/categories", "/vouchers/nearby"),
    *("/sellers", "/sellers/nearby", "/sellers/rectangle", "/sellers/serving", "/sellers/provinces"),
    *("/sellers/cities", "/sellers/{public_id}", "/parts/autocomplete", "/search"),
}


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keep the connection that holds the test's transaction, at the end of a request and while requests are made up."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture
def description(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return found


def test_every_route_is_described_with_an_example_of_each_parameter(description: dict[str, Any]) -> None:
    assert {path.removeprefix("/api/v1") for path in description["paths"]} == ROUTES
    parameters = [
        (path, parameter["name"], parameter)
        for path, methods in description["paths"].items()
        for parameter in methods["get"].get("parameters", [])
    ]
    assert [(path, name) for path, name, each in parameters if "example" not in each] == []
    assert [(path, name) for path, name, each in parameters if not each.get("description")] == []


def test_every_answer_has_an_example_that_is_as_described(description: dict[str, Any]) -> None:
    wrong = []
    for path, methods in description["paths"].items():
        for status, found in methods["get"]["responses"].items():
            if "content" not in found:
                assert status in {"301", "304"}
                continue
            content = found["content"]["application/json"]
            shape = Draft202012Validator({**content["schema"], "components": description["components"]})
            wrong += [(path, status, each.message) for each in shape.iter_errors(content["example"])]
    assert wrong == []


def test_answers_in_the_callers_language_say_how_to_choose_it(client: Client, description: dict[str, Any]) -> None:
    for path, methods in description["paths"].items():
        names = {parameter["name"] for parameter in methods["get"].get("parameters", [])}
        address = path.format(name="x", public_id=make_seller().public_id)
        found = client.get(address, {"q": "x", "latitude": "1", "longitude": "1"})
        if found.status_code == 200:
            assert ({"X-Language", "lang"} <= names) == ("X-Language" in found.headers["Vary"]), path


@pytest.mark.parametrize(("path", "sorts"), [("/api/v1/cars", CAR_SORTS), ("/api/v1/parts", PART_SORTS)])
def test_the_orders_that_may_be_asked_for_are_those_of_the_list(
    path: str, sorts: dict[str, Any], description: dict[str, Any]
) -> None:
    (sort,) = [each for each in description["paths"][path]["get"]["parameters"] if each["name"] == "sort"]
    assert set(sort["schema"]["enum"]) == {"relevance", *sorts}


def test_no_car_can_have_the_address_of_a_list() -> None:
    lists = {path.removeprefix("/cars/") for path in ROUTES if path.startswith("/cars/") and "{" not in path}
    assert len(lists) == 3
    for slug in lists:
        with pytest.raises(ValidationError, match="address of a list"):
            make_car(slug=slug).full_clean()


def test_its_page_loads_from_our_own_server_alone(client: Client) -> None:
    page = client.get("/api/v1/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert page.headers["Content-Security-Policy"].count("'self'") > 3
    assert len(loaded) > 3
    assert [address for address in loaded if not finders.find(address.removeprefix("/static/"))] == []
    assert not re.search(rb"<script(?![^>]*(?:src=|application/json))", page.content)


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("mode", "checks"),
    [
        (GenerationMode.POSITIVE, [not_a_server_error, status_code_conformance, response_schema_conformance]),
        (GenerationMode.NEGATIVE, [not_a_server_error, response_schema_conformance]),
    ],
)
def test_no_request_makes_it_fail_and_every_answer_is_as_described(
    mode: GenerationMode, checks: list[Any], one_connection: None
) -> None:
    seller = make_seller(latitude=0.0, longitude=0.0)
    make_car(slug="skoda-octavia-2018", seller=seller)
    make_part(seller=seller, is_listed=True)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == len(ROUTES)

    for operation in operations:

        @settings(
            max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            case.validate_response(case.call(headers={"Accept-Encoding": "identity"}), checks=checks)

        # Without parameters there is nothing to get wrong.
        if mode == GenerationMode.POSITIVE or any(True for _ in operation.query):
            ask()
