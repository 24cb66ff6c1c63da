"""Sessions of the back office end by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.models.users import Role
from accounts.session_limits import ACTIVE_AT, NOTED_EVERY, SIGNED_IN_AT
from analytics.settings import set_setting
from tests.builders import PASSWORD, make_user

pytestmark = pytest.mark.django_db

PAGE = "/admin/password_change/"
MINUTE, HOUR = 60, 3600
AWAY = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
        "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 0.05},
    }
}


@pytest.fixture(params=["cached_db", "db", "cached_db without a cache"], autouse=True)
def sessions(request: pytest.FixtureRequest, settings: Settings) -> None:
    """The ways in which sessions are kept: with Redis, without it, and while it is away."""
    engine, _, is_away = request.param.partition(" ")
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    if is_away:
        settings.CACHES = AWAY


@pytest.fixture
def user() -> User:
    return make_user(Role.ADMIN, password=PASSWORD)


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    assert is_signed_in(client)
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def earlier(client: Client, *, signed_in: float = 0, active: float = 0) -> None:
    """Let the sign-in and the last activity be so many seconds longer ago."""
    session: Any = client.session
    session[SIGNED_IN_AT] -= signed_in
    session[ACTIVE_AT] -= active
    session.save()


def seconds_to_live() -> float:
    return (Session.objects.get().expire_date - timezone.now()).total_seconds()


def test_ends_after_an_hour_without_activity(client: Client) -> None:
    earlier(client, signed_in=HOUR, active=HOUR // 2)
    assert is_signed_in(client)
    earlier(client, signed_in=HOUR, active=HOUR)
    assert not is_signed_in(client)
    assert not Session.objects.exists()
    assert client.cookies["sessionid"].value == ""


def test_ends_a_day_after_the_sign_in_whatever_is_done(client: Client) -> None:
    earlier(client, signed_in=23 * HOUR)
    assert is_signed_in(client)
    earlier(client, signed_in=HOUR)
    assert not is_signed_in(client)


def test_both_limits_are_settings_that_count_for_open_sessions(client: Client) -> None:
    earlier(client, signed_in=2 * HOUR, active=90 * MINUTE)
    set_setting("security.session_timeout_minutes", 120)
    set_setting("security.session_lifetime_hours", 3)
    assert is_signed_in(client)
    set_setting("security.session_lifetime_hours", 2)
    assert not is_signed_in(client)


def test_a_shorter_time_without_activity_counts_for_open_sessions(client: Client) -> None:
    earlier(client, active=10 * MINUTE)
    set_setting("security.session_timeout_minutes", 10)
    assert not is_signed_in(client)


def test_a_new_sign_in_begins_anew(client: Client, user: User) -> None:
    earlier(client, signed_in=24 * HOUR)
    assert not is_signed_in(client)
    client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    assert is_signed_in(client)


def test_is_written_again_only_when_the_last_activity_is_a_minute_ago(client: Client) -> None:
    def writes() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert is_signed_in(client)
        return sum("UPDATE" in query["sql"] and "django_session" in query["sql"] for query in queries)

    earlier(client, active=NOTED_EVERY)
    assert writes() == 1
    earlier(client, active=-NOTED_EVERY)
    assert writes() == 0


def test_the_row_ends_with_the_session(client: Client) -> None:
    assert 0 < seconds_to_live() <= HOUR
    earlier(client, signed_in=24 * HOUR - 10 * MINUTE, active=NOTED_EVERY)
    assert is_signed_in(client)
    assert 0 < seconds_to_live() <= 10 * MINUTE


def test_one_that_does_not_say_when_it_began_is_over(client: Client) -> None:
    session: Any = client.session
    del session[SIGNED_IN_AT]
    session.save()
    assert not is_signed_in(client)


def test_the_http_api_reads_no_session(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/api/v1/sellers/provinces").status_code == 200
    assert not [query for query in queries if "django_session" in query["sql"]]
