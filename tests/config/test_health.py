"""What probes are told: alive, and ready or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection, connections
from django.test import Client, override_settings

from config import health
from config.health import examine

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_look() -> Iterator[None]:
    """Forget what earlier tests saw, and let later ones forget what this one saw."""
    health._examined.forget()
    yield
    health._examined.forget()


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point new connections to where no database is."""
    away = {"HOST": "127.0.0.1", "PORT": "1", "PASSWORD": "hush"}
    if connection.vendor == "sqlite":
        away = {"NAME": "/nowhere/hush.sqlite3"}
    monkeypatch.setitem(connections.settings, "default", connections.settings["default"] | away)


@pytest.fixture
def cache_away() -> Iterator[None]:
    """Point the cache to where no server is."""
    nowhere: dict[str, Any] = settings.CACHES["default"] | {"LOCATION": "redis://:hush@127.0.0.1:1/0"}
    with override_settings(CACHES={"default": nowhere}):
        yield


def ask(client: Client) -> tuple[int, dict[str, str]]:
    response = client.get("/readyz")
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, json.loads(response.content)


def test_alive_is_answered_without_the_database(client: Client, database_away: None) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"alive\n")


def test_ready_says_when_it_looked_and_how_each_part_is(client: Client) -> None:
    status, answer = ask(client)
    assert status == 200
    assert answer.pop("at").endswith("+00:00")
    assert answer == {"status": "healthy", "database": "ok", "migrations": "ok", "cache": "ok"}


def test_without_the_database_it_is_not_ready_and_names_no_host_or_password(
    client: Client, database_away: None
) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    answer = json.loads(response.content)
    assert answer["status"] == "unhealthy"
    assert answer["database"] == "no answer"
    assert answer["migrations"] == "not known without the database"
    assert b"hush" not in response.content
    assert b"127.0.0.1" not in response.content


@pytest.mark.django_db(transaction=True)
def test_while_a_migration_is_pending_it_is_not_ready(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name, applied FROM django_migrations WHERE app = 'sessions'")
        row = cursor.fetchone()
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        try:
            status, answer = ask(client)
            health._examined.forget()
            with override_settings(START_WITH_PENDING_MIGRATIONS=True):
                allowed, degraded = ask(client)
        finally:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", row)
    assert (status, answer["status"], answer["migrations"]) == (503, "unhealthy", "1 pending")
    # Servers that may start so must also get requests.
    assert (allowed, degraded["status"], degraded["migrations"]) == (200, "degraded", "1 pending")


def test_without_the_cache_pages_work_so_it_stays_ready_and_says_so(client: Client, cache_away: None) -> None:
    status, answer = ask(client)
    assert (status, answer["status"]) == (200, "degraded")
    assert answer["cache"] == "no answer; pages are slower without it"


def test_a_crowd_of_probes_is_one_question(client: Client, database_away: None) -> None:
    assert ask(client)[0] == 503
    first = ask(client)
    assert ask(client) == first


def test_it_looks_with_a_connection_of_its_own_and_leaves_none_behind() -> None:
    before = connection.connection
    condition = examine()
    assert connection.connection is before
    assert condition.ready
    assert condition.answer is not None
    assert 0 < condition.answer < 60


def test_what_it_sees_of_the_cache_is_the_cache_in_use() -> None:
    assert caches["default"].get("nothing") is None
    assert [part.name for part in examine().parts] == ["database", "migrations", "cache"]
    with override_settings(REDIS_URL=""):
        assert [part.name for part in examine().parts] == ["database", "migrations"]


def test_probes_are_answered_over_plain_http(client: Client) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert client.get("/readyz/").status_code in {301, 404}
