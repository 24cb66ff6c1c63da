"""Each combination that cannot work is found, says so, and says what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

SQLITE = {"ENGINE": "config.db.sqlite", "NAME": "/data/stock.sqlite3", "OPTIONS": {}}
SECRET = "kJ8#mQ2$vX5^zR7&wT4*yU9!aS3@dF6%gH1+bN0=cL_pE-iO~x7"
PRODUCTION: dict[str, Any] = {
    "ENVIRONMENT": "production",
    "DEBUG": False,
    "SECRET_KEY": SECRET,
    "FIELD_ENCRYPTION_KEYS": [SECRET],
    "REDIS_URL": "redis://cache/0",
    "DATABASE_POOL_REQUESTED": None,
}


def postgresql(**options: Any) -> dict[str, Any]:
    return {
        "ENGINE": "config.db.postgresql",
        "NAME": "stock",
        "HOST": "db.example.org",
        "PORT": 5432,
        "OPTIONS": {"sslmode": "require"} | options,
    }


def found(database: dict[str, Any], *, deploy: bool = False, **changed: Any) -> list[CheckMessage]:
    """Run our checks with production settings but for `changed`."""
    with override_settings(**PRODUCTION | changed):
        # Django keeps the live connections in step with DATABASES, so only the dictionary is exchanged.
        before = dict(settings.DATABASES)
        settings.DATABASES.update(default=database)
        try:
            messages = run_checks(tags=["configuration"], include_deployment_checks=deploy)
        finally:
            settings.DATABASES.update(before)
    return messages


def ids(database: dict[str, Any], **changed: Any) -> list[str]:
    messages = found(database, **changed)
    assert all(message.hint for message in messages)
    return sorted(str(message.id).removeprefix("forecourt.") for message in messages)


def test_sound_settings_have_no_findings_on_either_engine() -> None:
    assert ids(postgresql(), deploy=True) == []
    assert ids(SQLITE, deploy=True) == []


def test_pool() -> None:
    assert ids(SQLITE, DATABASE_POOL_REQUESTED=5) == ["W001"]
    assert ids(postgresql(), DATABASE_POOL_REQUESTED=5, PGBOUNCER=True, DIRECT_DATABASE=postgresql()) == ["E002"]
    assert ids(postgresql(), DATABASE_POOL_REQUESTED=5) == []
    assert ids(SQLITE, DATABASE_POOL_REQUESTED=0) == []


def test_pgbouncer() -> None:
    assert ids(SQLITE, PGBOUNCER=True) == ["E003"]
    assert ids(postgresql(), PGBOUNCER=True) == ["W005"]
    assert ids(postgresql(), PGBOUNCER=True, DIRECT_DATABASE=postgresql(), SEARCH_PATH=("shop",)) == ["E004"]


def test_replicas_are_other_servers_of_the_same_kind() -> None:
    replica = postgresql() | {"HOST": "replica.example.org"}
    assert ids(postgresql(), DATABASE_REPLICAS=[replica]) == []
    assert ids(SQLITE, DATABASE_REPLICAS=[replica]) == ["E021"]
    assert ids(postgresql(), DATABASE_REPLICAS=[replica, postgresql()]) == ["E022"]
    assert ids(postgresql(), DATABASE_REPLICAS=[replica | {"OPTIONS": {"sslmode": "prefer"}}]) == ["E010"]


def test_schemas_per_app_need_postgresql_and_names_of_their_own() -> None:
    assert ids(SQLITE, SCHEMA_PER_APP=True) == ["E019"]
    assert ids(postgresql(), SCHEMA_PER_APP=True) == []
    assert ids(postgresql(), SCHEMA_PER_APP=True, DEFAULT_SCHEMA="leads") == ["E020"]


def test_variables_and_options_without_effect_are_named() -> None:
    ignored = found(postgresql(), PG_VARIABLES_IGNORED=["PG_HOST", "PG_USER"])
    assert [message.id for message in ignored] == ["forecourt.W006"]
    assert "PG_HOST, PG_USER" in str(ignored[0].msg)
    unknown = found(postgresql(), DATABASE_URL_UNKNOWN_OPTIONS=("zz",))
    assert [message.id for message in unknown] == ["forecourt.W007"]
    assert "zz" in str(unknown[0].msg)


def test_row_security_needs_postgresql() -> None:
    assert ids(SQLITE, ENABLE_ROW_SECURITY=True) == ["E008"]
    assert ids(postgresql(), ENABLE_ROW_SECURITY=True) == []


def test_the_shadow_database_is_never_the_real_one() -> None:
    assert ids(postgresql(), SHADOW_DATABASE=postgresql()) == ["E009"]
    assert ids(postgresql() | {"HOST": "pool"}, DIRECT_DATABASE=postgresql(), SHADOW_DATABASE=postgresql()) == ["E009"]
    assert ids(postgresql(), SHADOW_DATABASE=postgresql() | {"NAME": "shadow"}) == []


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_production_demands_encryption_over_the_network(mode: str) -> None:
    assert ids(postgresql(sslmode=mode)) == ["E010"]
    assert ids(postgresql(), PGBOUNCER=True, DIRECT_DATABASE=postgresql(sslmode=mode)) == ["E010"]
    assert ids(postgresql(sslmode=mode), ENVIRONMENT="staging") == []
    assert ids(postgresql(sslmode=mode) | {"HOST": "/run/postgresql"}) == []


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_production_accepts_each_mode_that_encrypts(mode: str) -> None:
    assert ids(postgresql(sslmode=mode)) == []


def test_certificate_files_exist_and_the_key_is_private(tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert ids(postgresql(sslkey=str(key))) == ["E011"]
    key.touch(mode=0o600)
    assert ids(postgresql(sslkey=str(key), sslcert=str(key))) == []
    key.chmod(0o604)
    assert ids(postgresql(sslkey=str(key))) == ["E012"]


@pytest.mark.parametrize("secret", ["short", "ab" * 40, "development-only-" + SECRET])
def test_a_secret_that_can_be_guessed(secret: str) -> None:
    assert ids(postgresql(), SECRET_KEY=secret) == ["E013"]
    assert ids(postgresql(), FIELD_ENCRYPTION_KEYS=[SECRET, secret]) == ["E013"]
    assert ids(postgresql(), SECRET_KEY=secret, ENVIRONMENT="development") == []


def test_what_shows_internals_is_for_development_alone() -> None:
    assert ids(postgresql(), DEBUG=True) == ["E014"]
    assert ids(postgresql(), LOG_SQL=True) == ["E015"]
    assert ids(postgresql(), LOG_SQL=True, DEBUG=True, ENVIRONMENT="development") == []


def test_several_processes_need_a_shared_cache() -> None:
    assert ids(postgresql(), REDIS_URL="", WEB_CONCURRENCY=2) == ["W016"]
    assert ids(postgresql(), REDIS_URL="", WEB_CONCURRENCY=1) == []


@pytest.mark.parametrize("password", ["admin123", "Password123", "eleven-char"])
def test_a_deployment_refuses_an_administrator_password_that_can_be_guessed(password: str) -> None:
    assert ids(postgresql(), deploy=True, ADMIN_PASSWORD=password) == ["E017"]
    assert ids(postgresql(), deploy=False, ADMIN_PASSWORD=password) == []
    assert ids(postgresql(), deploy=True, ADMIN_PASSWORD="quite-a-long-one") == []
