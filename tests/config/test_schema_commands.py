"""The commands that apply, verify, compare and reset the schema."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from psycopg import sql

from config.database_url import url_of
from config.db.errors import Refused
from config.ops.migrating import LOCK_KEY, LOCK_SUFFIX, session_settings
from config.ops.reset import push_models
from config.ops.schema import Difference, differences, read_catalog, split_definitions, unmigrated_changes
from config.ops.scratch import connected, migrate_from_zero, scratch_url
from config.ops.transfer.target import refuse_unmigrated
from tests.config.databases import Manage, execute, settings_of, tables
from tests.config.variables import PROJECT
from tests.servers import engine

pytestmark = pytest.mark.django_db


@pytest.mark.any_engine
def test_migrations_apply_once_and_are_reported(manage: Manage) -> None:
    pending = manage("migration_status")
    assert pending.returncode == 1
    assert "0001_initial" in pending.stdout

    first = manage("migrate", "--no-input")
    assert first.returncode == 0, first.stderr
    assert "Applying accounts.0001_initial" in first.stdout
    second = manage("migrate", "--no-input")
    assert (second.returncode, "No migrations to apply." in second.stdout) == (0, True)

    status = manage("migration_status", "--json")
    assert status.returncode == 0
    apps = {entry["app"]: entry for entry in json.loads(status.stdout)["apps"]}
    assert {"accounts", "inventory", "leads", "analytics"} <= apps.keys()
    assert apps["accounts"]["pending"] == []
    assert apps["accounts"]["applied"][0] == "0001_initial"


@contextmanager
def somebody_migrates(url: str) -> Iterator[None]:
    """Hold the lock of a running migrate for the block."""
    if engine() == "sqlite":
        with Path(f"{settings_of(url)['NAME']}{LOCK_SUFFIX}").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with connected(url) as own, own.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        yield


def test_a_second_migrate_waits_for_the_first_and_gives_up_in_time(manage: Manage, url: str) -> None:
    with somebody_migrates(url):
        refused = manage("migrate", "--no-input", MIGRATION_LOCK_TIMEOUT="200")
    assert refused.returncode == 1
    assert "Another migrate has been running on this database for more than 0.2 seconds" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert tables(url) == set()


def test_two_migrates_at_once_both_succeed(url: str) -> None:
    command = [sys.executable, str(PROJECT / "manage.py"), "migrate", "--no-input"]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = inherited | {"ENV_FILE": os.devnull, "DATABASE_URL": url, "MIGRATION_LOCK_TIMEOUT": "60000"}
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Applying accounts.0001_initial" in text for text in printed) == 1
    assert sum("No migrations to apply." in text for text in printed) == 1


@pytest.mark.any_engine
@pytest.mark.parametrize("command", ["migrate", "migration_status", "verify_start", "verify_database"])
def test_a_sqlite_file_that_cannot_be_opened_is_named(manage: Manage, tmp_path: Path, command: str) -> None:
    file = tmp_path / "nowhere" / "stock.sqlite3"
    refused = manage(command, DATABASE_URL=f"sqlite:///{file}")
    assert refused.returncode == 1
    assert f"SQLite file {file}" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_migrate_bounds_its_waits_and_puts_the_limits_back() -> None:
    def now(name: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s)", [name])
            return str(cursor.fetchone()[0])

    assert (now("lock_timeout"), now("statement_timeout")) == ("0", "30s")
    with session_settings(connection, lock_timeout="10000", statement_timeout="0"):
        assert (now("lock_timeout"), now("statement_timeout")) == ("10s", "0")
    assert (now("lock_timeout"), now("statement_timeout")) == ("0", "30s")


@pytest.mark.postgres_only
def test_another_schema_is_made_and_used(manage: Manage, url: str) -> None:
    assert manage("migrate", "--no-input", DEFAULT_SCHEMA="shop").returncode == 0
    with connected(url) as own, own.cursor() as cursor:
        cursor.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'accounts%%'")
        assert cursor.fetchall() == [("shop",)]
    assert manage("schema_diff", DEFAULT_SCHEMA="shop").stdout == "The schema is what the models and migrations say.\n"


@pytest.mark.postgres_only
def test_behind_pgbouncer_migrate_asks_for_a_direct_address_and_uses_it(manage: Manage, url: str) -> None:
    refused = manage("migrate", "--no-input", PGBOUNCER="true")
    assert refused.returncode == 1
    assert "set DIRECT_DATABASE_URL" in refused.stderr
    nowhere = "postgresql://u@127.0.0.1:1/nowhere"
    done = manage("migrate", "--no-input", PGBOUNCER="true", DATABASE_URL=nowhere, DIRECT_DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert "accounts_user" in tables(url)


@pytest.mark.any_engine
def test_marking_as_applied_needs_the_tables(manage: Manage, url: str) -> None:
    refused = manage("migrate", "accounts", "0001", "--fake")
    assert refused.returncode == 1
    assert "Not marked as applied, because the database lacks accounts_" in refused.stderr
    assert "django_migrations" not in tables(url)


@pytest.mark.any_engine
@pytest.mark.usefixtures("migrated")
def test_an_existing_schema_is_adopted_by_name_unless_a_column_is_missing(manage: Manage, url: str) -> None:
    execute(url, "DELETE FROM django_migrations WHERE app = 'sessions'")
    execute(url, "ALTER TABLE django_session RENAME COLUMN session_data TO content")
    refused = manage("migrate", "sessions", "0001", "--fake")
    assert refused.returncode == 1
    assert "the database lacks django_session.session_data: run migrate without --fake" in refused.stderr
    execute(url, "ALTER TABLE django_session RENAME COLUMN content TO session_data")
    adopted = manage("migrate", "sessions", "0001", "--fake")
    assert (adopted.returncode, "FAKED" in adopted.stdout) == (0, True), adopted.stderr


@pytest.mark.any_engine
@pytest.mark.postgres_only
@pytest.mark.usefixtures("migrated")
def test_a_role_that_may_not_read_the_history_learns_who_may(manage: Manage, url: str, plain_role: str) -> None:
    role = settings_of(plain_role)["USER"]
    execute(url, f'REVOKE ALL ON django_migrations FROM "{role}"')
    sentence = (
        f"PostgreSQL database {settings_of(url)['NAME']} on .*: the role {role} lacks a right "
        r"\(permission denied for table django_migrations\): connect as the role that owns the tables\."
    )

    done = manage("migrate", "--no-input", DATABASE_URL=plain_role)

    assert done.returncode == 1
    assert re.fullmatch(f"CommandError: {sentence}\n", done.stderr)
    with connected(plain_role) as connection, pytest.raises(Refused, match=sentence):
        refuse_unmigrated(connection, "the target")


@pytest.mark.any_engine
@pytest.mark.usefixtures("migrated")
def test_a_contradictory_history_is_one_sentence(manage: Manage, url: str) -> None:
    execute(url, "DELETE FROM django_migrations WHERE app = 'accounts'")
    refused = manage("migrate", "--no-input")
    assert refused.returncode == 1
    assert "is applied before its dependency accounts.0001_initial" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.any_engine
def test_a_deployment_without_its_migrations_is_not_fit(manage: Manage) -> None:
    pending = manage("verify_database")
    assert pending.returncode == 1
    assert "migrations are pending" in pending.stderr


@pytest.mark.any_engine
@pytest.mark.usefixtures("migrated")
def test_a_deployment_is_verified(manage: Manage) -> None:
    sound = manage("verify_database", "--json")
    assert sound.returncode == 0, sound.stdout
    report = json.loads(sound.stdout)
    assert (report["ok"], report["problems"], report["pending"]) == (True, [], [])
    assert report["rows"]["accounts_user"] == 0
    assert report["version"].startswith(("PostgreSQL 1", "SQLite 3"))


@pytest.mark.postgres_only
@pytest.mark.usefixtures("migrated")
def test_without_a_scratch_database_the_rest_is_verified_and_a_note_says_what_was_not(
    manage: Manage, plain_role: str
) -> None:
    note = (
        "The schema was not compared with the migrations: This needs a scratch database, and the user may not create "
        "one: set SHADOW_DATABASE_URL to an empty database."
    )
    sound = manage("verify_database", DATABASE_URL=plain_role)
    assert (sound.returncode, sound.stderr) == (0, f"{note}\n")
    assert sound.stdout.endswith("All migrations applied, no row breaks a constraint, writing works.\n")
    report = json.loads(manage("verify_database", "--json", DATABASE_URL=plain_role).stdout)
    assert (report["ok"], report["schema_compared"], report["notes"]) == (True, False, [note])


def break_a_rule(url: str) -> str:
    """Let rows of the log of the staff site break a rule, and return how that is told."""
    if connection.vendor == "sqlite":
        columns = "(id, action_time, object_repr, action_flag, change_message, user_id)"
        insert = f"INSERT INTO django_admin_log {columns} VALUES (1, '2026-01-01', 'x', 1, '', 999)"
        execute(url, "PRAGMA foreign_keys=OFF", insert)
        return "django_admin_log"
    execute(url, "ALTER TABLE django_admin_log ADD CONSTRAINT never_checked CHECK (object_repr <> 'x') NOT VALID")
    return "The constraint never_checked of django_admin_log was never validated."


def drop_a_rule(url: str) -> str:
    """Take a constraint of the cars away, and return its name."""
    with connected(url) as own:
        rules = {name for kind, name in read_catalog(own) if kind == "constraint" and name.startswith("inventory_car.")}
    rule = min(name.partition(".")[2] for name in rules if name.endswith("_known"))
    if engine() == "sqlite":
        with connected(url) as own, own.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'inventory_car'")
            parts = split_definitions(cursor.fetchone()[0].partition("(")[2].rpartition(")")[0])
            kept = ", ".join(part for part in parts if rule not in part)
            cursor.execute("PRAGMA writable_schema=ON")
            cursor.execute(
                "UPDATE sqlite_master SET sql = %s WHERE name = 'inventory_car'",
                [f'CREATE TABLE "inventory_car" ({kept})'],
            )
    else:
        execute(url, f'ALTER TABLE inventory_car DROP CONSTRAINT "{rule}"')
    return rule


@pytest.mark.usefixtures("migrated")
def test_rows_that_break_a_rule_and_a_rule_that_was_dropped_by_hand_are_found(manage: Manage, url: str) -> None:
    broken, rule = break_a_rule(url), drop_a_rule(url)
    found = manage("verify_database")
    assert found.returncode == 1
    assert broken in found.stderr
    assert f"The schema differs: constraint inventory_car.{rule} is missing" in found.stderr
    assert "constraints hold" not in found.stdout


@pytest.mark.postgres_only
def test_an_unreachable_database_is_one_sentence_without_the_password(manage: Manage) -> None:
    nowhere = "postgresql://user:hush@127.0.0.1:1/stock"
    for command in ("migrate", "verify_start"):
        result = manage(command, DATABASE_URL=nowhere, DATABASE_RETRIES="1")
        assert result.returncode == 1
        # A command waits for a server that is just starting; whoever starts the web server is told at once.
        assert ("trying again" in result.stderr) == (command == "migrate")
        assert "127.0.0.1" in result.stderr
        assert "Connection refused" in result.stderr
        assert "Traceback" not in result.stderr
        assert "hush" not in result.stderr + result.stdout


@pytest.mark.any_engine
def test_the_web_server_refuses_to_start_while_migrations_are_pending(manage: Manage) -> None:
    refused = manage("verify_start")
    assert refused.returncode == 1
    assert "run `manage.py migrate`, or set START_WITH_PENDING_MIGRATIONS=true" in refused.stderr
    assert manage("verify_start", START_WITH_PENDING_MIGRATIONS="true").returncode == 0


@pytest.mark.any_engine
@pytest.mark.usefixtures("migrated")
def test_the_web_server_starts_when_all_is_well(manage: Manage) -> None:
    assert manage("verify_start").returncode == 0


@pytest.mark.postgres_only
@pytest.mark.usefixtures("migrated")
def test_the_migrations_are_proven_from_zero_in_the_shadow_database_which_is_emptied(
    manage: Manage, database_url: str
) -> None:
    name = f"shadow_{os.getpid()}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            shadow = url_of(settings_of(database_url), name=name)
            execute(shadow, "CREATE TABLE left_over (id int)")
            proven = manage("verify_database", "--from-zero", SHADOW_DATABASE_URL=shadow)
            assert proven.returncode == 0, proven.stderr
            assert "The migrations apply from zero." in proven.stdout
            assert "left_over" not in tables(shadow)
            assert "accounts_user" in tables(shadow)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.any_engine
def test_a_migration_that_does_not_apply_is_reported(url: str) -> None:
    execute(url, "CREATE TABLE accounts_user (id integer)")
    with pytest.raises(Exception, match="The migrations do not apply from zero") as caught:
        migrate_from_zero(url)
    assert "already exists" in str(caught.value)


@pytest.mark.django_db
def test_no_scratch_database_is_left(database_url: str) -> None:
    with scratch_url(connection) as scratch:
        execute(scratch, "CREATE TABLE a (id integer)")
    if connection.vendor == "postgresql":
        with psycopg.connect(database_url) as server:
            names = server.execute("SELECT datname FROM pg_database").fetchall()
            assert (settings_of(scratch)["NAME"],) not in names
    else:
        assert not Path(str(settings_of(scratch)["NAME"])).exists()


@pytest.mark.usefixtures("migrated")
def test_drift_is_listed_and_its_absence_said(manage: Manage, url: str) -> None:
    same = manage("schema_diff")
    assert (same.returncode, same.stdout) == (0, "The schema is what the models and migrations say.\n"), same.stdout

    execute(
        url,
        "ALTER TABLE accounts_sellerlocation ADD COLUMN mood varchar(9)",
        "CREATE INDEX by_hand ON accounts_seller (created_at)",
        "CREATE TABLE by_hand_table (id integer PRIMARY KEY)",
        "DROP TABLE analytics_webvital",
    )
    drift = manage("schema_diff", "--json")
    assert drift.returncode == 1
    entries = {(entry["kind"], entry["name"]): entry for entry in json.loads(drift.stdout)["drift"]}
    assert set(entries) == {
        ("column", "accounts_sellerlocation.mood"),
        ("index", "accounts_seller.by_hand"),
        ("table", "by_hand_table"),
        ("table", "analytics_webvital"),
    }
    assert entries["table", "by_hand_table"]["expected"] == ""
    assert entries["table", "analytics_webvital"]["live"] == ""


@pytest.mark.postgres_only
@pytest.mark.usefixtures("migrated")
def test_drift_sees_types_nullability_defaults_and_constraints(manage: Manage, url: str) -> None:
    execute(
        url,
        "ALTER TABLE django_session ALTER COLUMN session_key TYPE varchar(41)",
        "ALTER TABLE django_session ALTER COLUMN session_data DROP NOT NULL",
        "ALTER TABLE django_session ALTER COLUMN expire_date SET DEFAULT now()",
        "ALTER TABLE django_session DROP CONSTRAINT django_session_pkey",
    )
    drift = manage("schema_diff")
    assert drift.returncode == 1
    assert drift.stdout.splitlines() == [
        "constraint django_session.django_session_pkey is missing; the migrations make: PRIMARY KEY (session_key)",
        (
            "index django_session.django_session_pkey is missing; the migrations make: "
            "CREATE UNIQUE INDEX django_session_pkey ON django_session USING btree (session_key)"
        ),
        (
            "column django_session.expire_date is timestamp with time zone NOT NULL DEFAULT now(); "
            "the migrations make: timestamp with time zone NOT NULL"
        ),
        "column django_session.session_data is text; the migrations make: text NOT NULL",
        (
            "column django_session.session_key is character varying(41) NOT NULL; "
            "the migrations make: character varying(40) NOT NULL"
        ),
    ]


def test_the_parts_of_a_missing_table_are_not_listed_again() -> None:
    expected = {("table", "car"): "table", ("column", "car.vin"): "text", ("column", "part.name"): "text"}
    assert differences(expected, {}) == [
        Difference("table", "car", "table", ""),
        Difference("column", "part.name", "text", ""),
    ]


def test_a_table_is_split_at_its_own_commas_only() -> None:
    body = """"a" decimal(8, 2) NOT NULL, "b,c" text DEFAULT ',)', CONSTRAINT "x" CHECK ("a" IN (1, 2))"""
    assert split_definitions(body) == [
        '"a" decimal(8, 2) NOT NULL',
        "\"b,c\" text DEFAULT ',)'",
        'CONSTRAINT "x" CHECK ("a" IN (1, 2))',
    ]


def test_every_change_of_the_models_has_its_migration() -> None:
    assert unmigrated_changes() == []


def test_a_reset_drops_everything_and_migrates(manage: Manage, url: str) -> None:
    execute(url, "CREATE TABLE left_over (id integer)")
    result = manage("reset_database", "--yes")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("is new.\n")
    assert "left_over" not in tables(url)
    assert "accounts_user" in tables(url)


@pytest.mark.any_engine
def test_a_reset_asks_and_without_anybody_there_refuses(manage: Manage, url: str) -> None:
    execute(url, "CREATE TABLE left_over (id integer)")
    refused = manage("reset_database")
    assert refused.returncode == 1
    assert "Nobody is there to ask: write --yes" in refused.stderr
    assert tables(url) == {"left_over"}


@pytest.mark.any_engine
@pytest.mark.parametrize("command", [("reset_database", "--yes"), ("push_schema", "sqlite:///elsewhere.sqlite3")])
def test_what_destroys_data_is_refused_outside_of_development(
    manage: Manage, url: str, command: tuple[str, ...]
) -> None:
    execute(url, "CREATE TABLE left_over (id integer)")
    refused = manage(*command, DEBUG="false")
    assert refused.returncode == 1
    assert "runs only with ENVIRONMENT=development and DEBUG=true" in refused.stderr
    assert tables(url) == {"left_over"}
    staging = {"ENVIRONMENT": "staging", "SECRET_KEY": "x" * 50, "FIELD_ENCRYPTION_KEYS": "x" * 50}
    assert manage(*command, "--skip-checks", **staging).returncode != 0
    assert tables(url) == {"left_over"}


@pytest.mark.django_db
def test_models_are_pushed_into_a_scratch_database_without_migrations(url: str) -> None:
    execute(url, "CREATE TABLE left_over (id integer)")
    assert push_models(url, connection) > 20
    assert {"accounts_user", "inventory_car", "leads_lead"} <= tables(url)
    assert not {"left_over", "django_migrations"} & tables(url)


@pytest.mark.any_engine
def test_pushing_asks_and_without_anybody_there_says_what_would_be_lost(
    manage: Manage, url: str, database_url: str
) -> None:
    execute(url, "CREATE TABLE left_over (id integer)", "INSERT INTO left_over VALUES (1), (2)")
    refused = manage("push_schema", url, DATABASE_URL=database_url)
    assert refused.returncode == 1
    assert "holds 1 tables with 2 rows. Nobody is there to ask: write --yes" in refused.stderr
    assert tables(url) == {"left_over"}
    done = manage("push_schema", url, "--yes", DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert "accounts_user" in tables(url)
    assert "left_over" not in tables(url)


@pytest.mark.postgres_only
def test_models_are_pushed_from_one_engine_to_the_other(manage: Manage, url: str, tmp_path: Path) -> None:
    file = f"sqlite:///{tmp_path / 'live.sqlite3'}"
    execute(url, "CREATE TABLE left_over (id integer)")
    there = manage("push_schema", url, "--yes", DATABASE_URL=file)
    assert there.returncode == 0, there.stderr
    assert tables(file) == set()
    made = tables(url)
    assert "left_over" not in made
    back = manage("push_schema", file, "--yes")
    assert back.returncode == 0, back.stderr
    assert tables(file) == made


@pytest.mark.any_engine
@pytest.mark.parametrize(("typed", "left"), [("yes", {"left_over"}), ("", {"left_over"}), ("THE NAME", None)])
def test_pushing_goes_on_when_the_name_is_typed_in_full(
    url: str, database_url: str, typed: str, left: set[str] | None
) -> None:
    execute(url, "CREATE TABLE left_over (id integer)")
    name = str(settings_of(url)["NAME"])
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(PROJECT / "manage.py"), "push_schema", url],
        env=os.environ | {"ENV_FILE": os.devnull, "DATABASE_URL": database_url},
        stdin=other_end,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(terminal, f"{name if typed == 'THE NAME' else typed}\n".encode())
    message = process.communicate()[1]
    os.close(terminal)
    os.close(other_end)
    if left is None:
        assert process.returncode == 0, message
        assert "left_over" not in tables(url)
    else:
        assert (process.returncode, message) == (1, "CommandError: Nothing was changed.\n")
        assert tables(url) == left


@pytest.mark.django_db
def test_models_are_never_pushed_into_the_live_database() -> None:
    live = url_of(connection.settings_dict)
    with (
        override_settings(DEBUG=True, ENVIRONMENT="development"),
        pytest.raises(CommandError, match="use reset_database"),
    ):
        call_command("push_schema", live, stdout=io.StringIO())
    assert settings.DATABASES["default"]["NAME"]


def test_a_wrong_argument_is_wrong_usage(manage: Manage) -> None:
    assert manage("migration_status", "--jsn").returncode == 2
