"""The pages of errors: in the site's look, and able to show when nothing else is."""

from __future__ import annotations

import pytest
from django.core.handlers.exception import convert_exception_to_response
from django.db import OperationalError, connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.views.defaults import bad_request, server_error
from pytest_django import Settings

from tests.admin.test_pages import Loaded
from tests.builders import PASSWORD, make_user


def test_an_error_of_ours_is_told_without_asking_the_database() -> None:
    response = server_error(RequestFactory().get("/"))
    page = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong here" in page
    assert [each for each in Loaded(page).addresses if "//" in each] == []


def test_a_request_that_makes_no_sense_is_told() -> None:
    response = bad_request(RequestFactory().get("/"), Exception())
    assert (response.status_code, b"cannot be understood" in response.content) == (400, True)


@pytest.mark.django_db
def test_an_unknown_page_costs_no_query_and_names_the_way_back(client: Client, settings: Settings) -> None:
    settings.DEBUG = False
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/nowhere/")
    assert (response.status_code, len(queries)) == (404, 0)
    assert reverse("admin:index") in response.content.decode()


@pytest.mark.django_db
def test_a_form_from_elsewhere_is_refused_in_words() -> None:
    make_user("ADMIN", email="a@example.org", password=PASSWORD)
    client = Client(enforce_csrf_checks=True)
    response = client.post(reverse("admin:login"), {"username": "a@example.org", "password": PASSWORD})
    assert (response.status_code, "This form has expired" in response.content.decode()) == (403, True)


def test_an_outage_that_no_view_met_is_told_alike() -> None:
    def fail(request: HttpRequest) -> HttpResponse:
        raise OperationalError("A session could not be stored.")

    # What Django puts around each middleware.
    response = convert_exception_to_response(fail)(RequestFactory().post("/admin/login/"))
    assert isinstance(response, HttpResponse)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", [True, False])
def test_without_the_database_people_are_told_to_come_again(
    debug: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = debug
    client = Client()
    client.force_login(make_user("SUPER_ADMIN"))
    away = {"NAME": "/nowhere/hush.sqlite3"} if connection.vendor == "sqlite" else {"HOST": "127.0.0.1", "PORT": "1"}
    with monkeypatch.context() as patch:
        for name, value in away.items():
            patch.setitem(connections["default"].settings_dict, name, value)
        connection.close()
        response = client.get(reverse("admin:index"))
    connection.close()
    page = response.content.decode()
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "The database does not answer" in page
    assert "127.0.0.1" not in page
    assert "hush" not in page
    assert client.get(reverse("admin:index")).status_code == 200
