"""What every response carries, and where the first addresses lead."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings

pytestmark = pytest.mark.django_db


def directives(client: Client, path: str) -> dict[str, str]:
    policy = client.get(path).headers["Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


def test_the_first_page_leads_to_the_admin(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/admin/"
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_pages_load_from_our_own_server_alone(client: Client) -> None:
    assert directives(client, "/") == {
        "default-src": "'self'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "img-src": "'self'",
        "object-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
    }


def test_the_admin_is_loosened_by_what_its_theme_needs_and_never_by_inline_scripts(client: Client) -> None:
    policy = directives(client, "/admin/login/")
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["img-src"] == "'self' data:"
    assert policy["default-src"] == "'self'"


def test_every_response_has_the_security_headers(client: Client) -> None:
    headers = client.get("/admin/login/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Permissions-Policy"].startswith("camera=(), geolocation=()")
    assert len(headers["X-Request-ID"]) == 32


def test_a_plain_request_is_sent_to_https_but_a_probe_is_answered(client: Client) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=60):
        assert client.get("/admin/").headers["Location"] == "https://testserver/admin/"
        assert client.get("/healthz").content == b"alive\n"
        assert client.get("/healthz", secure=True).headers["Strict-Transport-Security"].startswith("max-age=60")


def test_a_probe_asks_no_database(client: Client, django_assert_num_queries: pytest.FixtureRequest) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]  # pytest-django's fixture is a context manager
        assert client.get("/healthz").status_code == 200
