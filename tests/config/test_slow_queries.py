"""The log of statements that take too long."""

from __future__ import annotations

import logging

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from accounts.models import User
from config.slow_queries import log_when_slow
from tests.config.test_settings import PRODUCTION, settings_of
from tests.servers import engine

pytestmark = pytest.mark.django_db


def slow_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "forecourt.slow_queries"]


def test_the_limit_is_half_a_second_in_development_and_a_second_elsewhere() -> None:
    assert settings_of({}, "SLOW_QUERY_MS") == {"SLOW_QUERY_MS": 500}
    assert settings_of(PRODUCTION, "SLOW_QUERY_MS") == {"SLOW_QUERY_MS": 1000}
    assert settings_of({"SLOW_QUERY_MS": "0"}, "SLOW_QUERY_MS") == {"SLOW_QUERY_MS": 0}


def test_every_connection_is_watched_once() -> None:
    connection.ensure_connection()
    assert connection.execute_wrappers.count(log_when_slow) == 1


def test_a_slow_statement_is_logged_with_its_duration_and_without_any_value(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), override_settings(SLOW_QUERY_MS=20), connection.cursor() as cursor:
        if engine() == "postgres":
            cursor.execute("SELECT pg_sleep(%s), 'Pekka', %s", [0.05, "pekka@example.org"])
        else:
            cursor.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) "
                "SELECT max(i), 'Pekka' FROM n",
                [400_000],
            )
    (line,) = slow_lines(caplog)
    milliseconds, _, text = line.partition(" ms: ")
    assert int(milliseconds) >= 20
    assert text in {
        "SELECT pg_sleep(%s), ?, %s",
        "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + ? FROM n WHERE i < %s) SELECT max(i), ? FROM n",
    }
    assert "ekka" not in caplog.text


def test_a_quick_statement_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), override_settings(SLOW_QUERY_MS=10_000):
        User.objects.filter(email="pekka@example.org").exists()
    assert slow_lines(caplog) == []


def test_a_slow_statement_that_fails_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING),
        override_settings(SLOW_QUERY_MS=0.0001),
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM no_such_table WHERE name = 'Pekka'")
    assert any(line.endswith("SELECT * FROM no_such_table WHERE name = ?") for line in slow_lines(caplog))
    assert "Pekka" not in " ".join(slow_lines(caplog))
