"""Logs and error reports keep secrets to themselves."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from config.audit import RequestContext, acting
from config.redaction import RedactingFilter, RedactingFormatter, ReportFilter, redacted, redacted_sql


@pytest.mark.parametrize(
    "text",
    [
        "password=hush",
        "DB_PASSWORD = 'hush'",
        '{"access_token": "hush", "name": "Aino"}',
        "{'secret_key': 'hu\\'sh'}",
        "Authorization: Bearer hush",
        "cookie: sessionid=hush",
        "GET /x?token=hush&page=2",
        "postgresql://forecourt:hush@db/stock",
        "redis://:hush@cache:6379/0",
        "api-key=hush, next",
        "password='hush and the line ends",
    ],
)
def test_the_values_of_secret_names_are_hidden(text: str) -> None:
    assert "hush" not in redacted(text)
    assert "sh'" not in redacted(text)
    assert "[hidden]" in redacted(text)


@pytest.mark.parametrize(
    "text", ["GET /admin/inventory/car/?page=2", "Reserved car ABC-123 for lead 7", "https://example.org:8000/x@y"]
)
def test_plain_words_stay(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "part", ["x", "a.", "key", 'key="', "key='\\\\", "a://:", "key: \"'", "token ", "cookie=bearer "], ids=repr
)
def test_a_line_that_a_stranger_made_long_holds_nobody_up(part: str) -> None:
    assert redacted(part * 50_000)


def test_the_rest_of_the_line_stays() -> None:
    assert redacted('{"token": "hush", "name": "Aino"}') == '{"token": [hidden], "name": "Aino"}'


def test_a_statement_that_touches_a_secret_column_loses_its_texts() -> None:
    sql = """UPDATE "accounts_user" SET "password" = 'it''s hush', "name" = 'Aino' WHERE "id" = 7"""
    assert redacted_sql(sql) == (
        """UPDATE "accounts_user" SET "password" = '[hidden]', "name" = '[hidden]' WHERE "id" = 7"""
    )
    assert redacted_sql("""SELECT 1 FROM "car" WHERE "vin" = 'X'""") == """SELECT 1 FROM "car" WHERE "vin" = 'X'"""


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(RedactingFormatter("[{request_id}] {message}", style="{"))
    logger = logging.getLogger("django.db.backends")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.mark.django_db
def test_a_logged_query_shows_no_password_hash(log: tuple[logging.Logger, io.StringIO]) -> None:
    with CaptureQueriesContext(connection):
        get_user_model().objects.filter(password="pbkdf2$hush").exists()
    assert "\"password\" = '[hidden]'" in log[1].getvalue()
    assert "hush" not in log[1].getvalue()


def test_a_line_carries_the_request_it_belongs_to_and_tracebacks_are_hidden_too(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    with acting(RequestContext(request_id="trace-01")):
        try:
            int("token=hush")
        except ValueError:
            log[0].exception("%d of %s failed", 1, "token=hush")
    assert "[trace-01] 1 of token=[hidden] failed" in log[1].getvalue()
    assert "ValueError: invalid literal for int() with base 10: 'token=[hidden]" in log[1].getvalue()
    assert "hush" not in log[1].getvalue()


def test_error_reports_hide_our_own_settings_and_cookies() -> None:
    report = ReportFilter()
    settings = report.get_safe_settings()
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "REDIS_URL", "ADMIN_PASSWORD", "SESSION_COOKIE_NAME"):
        assert settings[name] in (report.cleansed_substitute, [report.cleansed_substitute])
    request = RequestFactory().get("/", headers={"Authorization": "Bearer hush", "Cookie": "sessionid=hush"})
    assert "hush" not in str(report.get_safe_request_meta(request))
