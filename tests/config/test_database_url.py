"""Database URLs become Django's settings, and wrong ones are refused without showing the password."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.database_url import (
    DatabaseUrl,
    Limits,
    django_database,
    has_network_host,
    parse_database_url,
    shown_url,
    url_from_parts,
    url_of,
)

BASE = Path("/srv/forecourt")


def parse(url: str) -> DatabaseUrl:
    return parse_database_url("DATABASE_URL", url, BASE)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_spellings_select_postgresql_and_the_password_is_decoded(scheme: str) -> None:
    parsed = parse(f"{scheme}://us%2Fer:p%40ss%23%3A%2F%25@db.example.org:5433/stock")
    assert parsed.config == {
        "ENGINE": "config.db.postgresql",
        "USER": "us/er",
        "PASSWORD": "p@ss#:/%",
        "HOST": "db.example.org",
        "PORT": 5433,
        "NAME": "stock",
        "OPTIONS": {},
    }


def test_the_prisma_options_are_understood_and_others_are_kept_for_the_warning() -> None:
    parsed = parse(
        "postgresql://u:p@h/d?schema=shop&connection_limit=50&pool_timeout=30&connect_timeout=7&sslmode=require"
        "&sslcert=/c&sslkey=/k&sslrootcert=/r&pgbouncer=true&application_name=forecourt&statement_cache_size=5&zz=1"
    )
    assert (parsed.schema, parsed.pool_size, parsed.pool_timeout, parsed.pgbouncer) == ("shop", 50, 30, True)
    assert parsed.config["OPTIONS"] == {
        "connect_timeout": 7,
        "sslmode": "require",
        "sslcert": "/c",
        "sslkey": "/k",
        "sslrootcert": "/r",
        "application_name": "forecourt",
    }
    assert parsed.unknown_options == ("statement_cache_size", "zz")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://u@%2Ftmp%2FSocketFolder/d", "/tmp/SocketFolder", ""),  # noqa: S108
        ("postgresql://u@%2Ftmp%2FSocketFolder:5433/d", "/tmp/SocketFolder", 5433),  # noqa: S108
        ("postgresql://u@/d?host=/run/PG", "/run/PG", ""),
    ],
)
def test_a_unix_socket_keeps_its_folder_letter_by_letter(url: str, host: str, port: object) -> None:
    config = parse(url).config
    assert (config["HOST"], config["PORT"]) == (host, port)
    assert not has_network_host(config)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://root:hush-hush@h/d", "begins with 'mysql'"),
        ("hush-hush", "write postgresql://"),
        ("postgresql://u:hush#hush@h/d", "special characters of the password as %XX"),
        ("postgresql://u:hush-hush@h/", "names no database"),
        ("postgresql://u:hush-hush@h/d?connection_limit=many", "connection_limit='many' must be a whole number"),
        ("postgresql://u:hush-hush@h/d?sslmode=maybe", "sslmode must be one of disable"),
        ("postgresql://u:hush-hush@h/d?schema=a;b", "the schema 'a;b' is not a name"),
    ],
)
def test_a_wrong_url_is_refused_and_its_password_stays_hidden(url: str, reason: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        parse(url)
    assert reason in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)
    assert "hush@" not in str(caught.value)
    assert "hush-hush" not in str(caught.value) or url == "hush-hush"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///var/stock.sqlite3", "/srv/forecourt/var/stock.sqlite3"),
        ("sqlite:////data/stock.sqlite3", "/data/stock.sqlite3"),
        ("sqlite://:memory:", ":memory:"),
    ],
)
def test_a_sqlite_path_counts_from_the_project(url: str, name: str) -> None:
    assert parse(url).config == {"ENGINE": "config.db.sqlite", "NAME": name}


def test_sqlite_waits_for_its_lock_instead_of_failing_half_way() -> None:
    options = django_database(parse("sqlite:///a"), Limits())["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20
    assert "journal_mode=WAL" in options["init_command"]


def test_the_pool_has_the_size_and_patience_that_were_asked_for() -> None:
    database = django_database(parse("postgresql://u@h/d"), Limits(pool_size=50, pool_timeout=30, idle_timeout=10_000))
    pool = database["OPTIONS"]["pool"]
    assert (pool["min_size"], pool["max_size"], pool["timeout"], pool["max_idle"]) == (1, 50, 30, 10.0)
    assert database["CONN_MAX_AGE"] == 0
    assert database["CONN_HEALTH_CHECKS"] is True


def test_without_a_pool_size_there_is_no_pool() -> None:
    assert "pool" not in django_database(parse("postgresql://u@h/d"), Limits())["OPTIONS"]


def test_limits_and_schema_are_sent_when_a_session_begins() -> None:
    limits = Limits(connect_timeout=4500, statement_timeout=30_000, idle_timeout=10_000, search_path=("Shop", "leads"))
    options = django_database(parse("postgresql://u@h/d"), limits)["OPTIONS"]
    assert options["connect_timeout"] == 5
    assert options["options"] == (
        '-c search_path="Shop","leads" -c statement_timeout=30000 -c idle_in_transaction_session_timeout=10000'
    )


def test_behind_pgbouncer_nothing_is_sent_that_belongs_to_a_session() -> None:
    database = django_database(parse("postgresql://u@h:6432/d"), Limits(statement_timeout=30_000, pgbouncer=True))
    # Neither settings, nor statements whose plans the server keeps.
    assert database["OPTIONS"].keys().isdisjoint({"options", "prepare_threshold"})
    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_an_sslmode_in_the_url_wins_over_the_default() -> None:
    limits = Limits(sslmode="require")
    assert django_database(parse("postgresql://u@h/d"), limits)["OPTIONS"]["sslmode"] == "require"
    strict = django_database(parse("postgresql://u@h/d?sslmode=verify-full"), limits)
    assert strict["OPTIONS"]["sslmode"] == "verify-full"


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {"HOST": "db", "DATABASE": "stock", "USER": "us@er", "PASSWORD": "p@/:%?"}.items():
        monkeypatch.setenv(f"PG_{name}", value)
    return monkeypatch


def test_the_single_parts_make_the_same_settings_as_a_url(parts: pytest.MonkeyPatch) -> None:
    parts.setenv("PG_SSL", "true")
    parts.setenv("PG_PORT", "5433")
    assert parse(url_from_parts()).config == {
        "ENGINE": "config.db.postgresql",
        "USER": "us@er",
        "PASSWORD": "p@/:%?",
        "HOST": "db",
        "PORT": 5433,
        "NAME": "stock",
        "OPTIONS": {"sslmode": "require"},
    }


def test_half_of_the_parts_are_refused(parts: pytest.MonkeyPatch) -> None:
    parts.delenv("PG_DATABASE")
    with pytest.raises(ImproperlyConfigured, match="PG_HOST and PG_DATABASE belong together"):
        url_from_parts()


def test_no_parts_are_no_url() -> None:
    assert url_from_parts() == ""


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://us%40er:p%40%2F%3A%25@db.example.org:5433/stock?sslmode=require&connect_timeout=3",
        "postgresql://u:p@%2Ftmp%2FSocketFolder/d",
        "sqlite:////data/stock.sqlite3",
    ],
)
def test_the_url_of_a_database_leads_back_to_it(url: str) -> None:
    database: dict[str, Any] = django_database(parse(url), Limits(search_path=("Shop", "accounts")))
    again = parse(url_of(database))
    for key in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT"):
        assert again.config.get(key) == database.get(key)
    assert again.schema == (None if url.startswith("sqlite") else "Shop")


def test_what_people_are_shown_has_neither_user_nor_password() -> None:
    config = parse("postgresql://user:hush@db.example.org:5433/stock").config
    assert shown_url(config) == "PostgreSQL database stock on db.example.org:5433"
    assert shown_url(parse("sqlite:////data/a.sqlite3").config) == "SQLite file /data/a.sqlite3"
