"""With SCHEMA_PER_APP each app's tables lie in a PostgreSQL schema of their own, and everything works as before."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from config.database_url import url_of
from config.ops.row_security import OWN_ROWS
from config.ops.scratch import connected
from tests.commands import manage as manage_py
from tests.config.databases import Manage, execute, settings_of
from tests.own_database import copy_database, made_once, pattern_name

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]

APPS = {"accounts", "analytics", "inventory", "leads"}
ON = {"SCHEMA_PER_APP": "true"}
ALL_TABLES = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
SAME_SCHEMA = "The schema is what the models and migrations say.\n"


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with connected(url) as own, own.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def homes(url: str) -> dict[str, set[str]]:
    """The schemas in which the tables of an app lie, by what their names begin with; `django` stands for the rest."""
    found: dict[str, set[str]] = {}
    for schema, table in ask(url, ALL_TABLES):
        prefix = table.partition("_")[0]
        found.setdefault(prefix if prefix in APPS else "django", set()).add(schema)
    return found


SEPARATE = {**{app: {app} for app in APPS}, "django": {"public"}}
TOGETHER = {name: {"public"} for name in (*APPS, "django")}


def schemas(url: str) -> set[str]:
    return {name for (name,) in ask(url, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'")}


@pytest.fixture(scope="module")
def separate_pattern(pattern: str, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database in which each app has its schema, to be copied by `separate`."""

    def make() -> None:
        copy_database(str(settings_of(pattern)["NAME"]), name, database_url)
        environment = {"ENV_FILE": os.devnull, "DATABASE_URL": url_of(settings_of(database_url), name=name)} | ON
        done = manage_py("migrate", "--no-input", environment=environment)
        assert done.returncode == 0, done.stderr

    name = pattern_name("separate")
    made_once(tmp_path_factory, name, make)
    return name


@pytest.fixture
def separate(url: str, separate_pattern: str, database_url: str) -> None:
    """Let the test's own database be one in which each app has its schema."""
    copy_database(separate_pattern, str(settings_of(url)["NAME"]), database_url)


def test_a_new_database_has_the_tables_of_each_app_in_its_schema_and_one_goes_back_to_zero_and_forward_again(
    manage: Manage, url: str
) -> None:
    first = manage("migrate", "--no-input", **ON)
    assert first.returncode == 0, first.stderr
    assert "tables into the schemas accounts, analytics, inventory, leads" in first.stdout
    assert homes(url) == SEPARATE
    sequences = dict(ask(url, "SELECT sequencename, schemaname FROM pg_sequences"))
    assert sequences["inventory_part_id_seq"] == "inventory"

    again = manage("migrate", "--no-input", **ON)
    assert (again.returncode, "No migrations to apply." in again.stdout, "Moved" in again.stdout) == (0, True, False)

    back = manage("migrate", "analytics", "zero", **ON)
    assert back.returncode == 0, back.stderr
    assert "analytics" not in homes(url)
    forward = manage("migrate", "--no-input", **ON)
    assert forward.returncode == 0, forward.stderr
    assert homes(url) == SEPARATE
    sound = manage("verify_database", "--json", **ON)
    assert json.loads(sound.stdout)["problems"] == []
    assert json.loads(sound.stdout)["schema_compared"]


@pytest.mark.usefixtures("migrated")
def test_rows_stay_when_the_setting_comes_and_goes(manage: Manage, url: str) -> None:
    assert manage("seed", "--profile", "minimal").returncode == 0
    people = ask(url, "SELECT id, email FROM accounts_user")

    early = manage("verify_start", **ON)
    assert early.returncode == 0, early.stderr
    on = manage("migrate", "--no-input", **ON)
    assert on.returncode == 0, on.stderr
    assert homes(url) == SEPARATE
    assert ask(url, "SELECT id, email FROM accounts.accounts_user") == people

    off = manage("migrate", "--no-input")
    assert off.returncode == 0, off.stderr
    assert "tables into the schemas public" in off.stdout
    assert homes(url) == TOGETHER
    assert not schemas(url) & APPS
    sound = json.loads(manage("verify_database", "--json").stdout)
    assert (sound["problems"], sound["schema_compared"]) == ([], True)
    assert ask(url, "SELECT id, email FROM public.accounts_user") == people
    assert len(people) == 1


@pytest.mark.usefixtures("separate")
@pytest.mark.parametrize("command", ["verify_start", "verify_database", "schema_diff"])
def test_without_the_setting_tables_in_other_schemas_are_named_with_the_way_out(manage: Manage, command: str) -> None:
    refused = manage(command)
    assert refused.returncode == 1
    assert (
        "has its tables in the schemas accounts, analytics, inventory, leads, and SCHEMA_PER_APP is off: "
        "run `manage.py migrate`, which moves them back, or set SCHEMA_PER_APP=true."
    ) in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.usefixtures("separate")
def test_a_table_in_the_wrong_schema_is_one_difference_and_in_any_a_constraint_that_never_held_is_found(
    manage: Manage, url: str
) -> None:
    execute(
        url,
        "ALTER TABLE leads.leads_lead SET SCHEMA public",
        "ALTER TABLE leads.leads_voucher ADD CONSTRAINT never_checked CHECK (id > 0) NOT VALID",
    )
    found = json.loads(manage("verify_database", "--json", **ON).stdout)
    assert [problem for problem in found["problems"] if "never_checked" not in problem] == [
        (
            "The schema differs: table leads_lead is a table in the schema public; "
            "the migrations make: a table in the schema leads"
        )
    ]
    assert "The constraint never_checked of leads_voucher was never validated." in found["problems"]


@pytest.mark.usefixtures("migrated")
def test_a_table_of_that_name_in_the_apps_schema_stops_the_move_of_all(manage: Manage, url: str) -> None:
    execute(url, "CREATE SCHEMA leads", "CREATE TABLE leads.leads_lead (id integer)")
    refused = manage("migrate", "--no-input", **ON)
    assert refused.returncode == 1
    assert "the tables cannot be moved into the schemas that SCHEMA_PER_APP=true asks for" in refused.stderr
    assert 'relation "leads_lead" already exists in schema "leads"' in refused.stderr
    assert homes(url)["accounts"] == {"public"}
    duplicate = manage("schema_diff", **ON)
    assert "table leads.leads_lead is there, but no migration makes it" in duplicate.stdout


@pytest.mark.usefixtures("migrated")
def test_somebody_elses_schema_with_an_apps_name_is_left_alone(manage: Manage, url: str) -> None:
    execute(url, "CREATE SCHEMA analytics", "CREATE TABLE analytics.analytics_event (theirs integer)")
    done = manage("migrate", "--no-input")
    assert (done.returncode, "Moved" in done.stdout) == (0, False), done.stderr
    assert ("analytics", "analytics_event") in ask(url, ALL_TABLES)
    assert ("public", "analytics_event") in ask(url, ALL_TABLES)
    assert manage("schema_diff").stdout == SAME_SCHEMA


@pytest.mark.usefixtures("separate")
def test_what_others_keep_in_an_apps_schema_keeps_the_schema(manage: Manage, url: str) -> None:
    execute(url, "CREATE TABLE leads.report (id integer)")
    assert manage("migrate", "--no-input").returncode == 0
    assert schemas(url) & APPS == {"leads"}
    assert {table for schema, table in ask(url, ALL_TABLES) if schema == "leads"} == {"report"}


@pytest.mark.usefixtures("migrated")
def test_looking_at_the_plan_moves_nothing(manage: Manage, url: str) -> None:
    assert manage("migrate", "--plan", **ON).returncode == 0
    assert manage("migrate", "--check", **ON).returncode == 0
    assert homes(url) == TOGETHER
    assert not schemas(url) & APPS


@pytest.mark.usefixtures("migrated")
def test_a_role_that_may_not_make_schemas_gets_one_sentence(manage: Manage, url: str, plain_role: str) -> None:
    refused = manage("migrate", "--no-input", DATABASE_URL=plain_role, **ON)
    assert refused.returncode == 1
    assert "lacks one of the schemas public, accounts, inventory, leads, analytics" in refused.stderr
    assert "permission denied" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert homes(url) == TOGETHER


@pytest.mark.usefixtures("migrated")
def test_row_security_is_found_and_taken_away_in_any_schema(manage: Manage, url: str) -> None:
    policies = "SELECT schemaname FROM pg_policies"
    assert manage("migrate", "--no-input", ENABLE_ROW_SECURITY="true", **ON).returncode == 0
    again = manage("migrate", "--no-input", ENABLE_ROW_SECURITY="true", **ON)
    assert again.returncode == 0, again.stderr
    assert sorted(schema for (schema,) in ask(url, policies)) == sorted(table.partition("_")[0] for table in OWN_ROWS)
    assert "forecourt.W018" in manage("check", "--database", "default", ENABLE_ROW_SECURITY="true", **ON).stderr

    assert manage("migrate", "--no-input", **ON).returncode == 0
    assert ask(url, policies) == []


@pytest.mark.usefixtures("migrated")
def test_a_reset_empties_every_schema_whatever_the_setting_was_before(manage: Manage, url: str) -> None:
    assert manage("reset_database", "--seed", "minimal", "--yes", **ON).returncode == 0
    assert homes(url) == SEPARATE
    assert ask(url, "SELECT count(*) FROM accounts.accounts_user") == [(1,)]

    done = manage("reset_database", "--yes")
    assert done.returncode == 0, done.stderr
    assert homes(url) == TOGETHER
    assert not schemas(url) & APPS
    assert ask(url, "SELECT count(*) FROM accounts_user") == [(0,)]


@pytest.mark.usefixtures("separate")
def test_many_rows_at_once_find_their_tables(manage: Manage, url: str) -> None:
    scaled = manage("seed", "--profile", "minimal", "--scale", "1", **ON)
    assert scaled.returncode == 0, scaled.stderr
    assert ask(url, "SELECT count(*) > 0 FROM inventory.inventory_part") == [(True,)]


def test_a_schema_may_have_capital_letters(manage: Manage, url: str) -> None:
    done = manage("migrate", "--no-input", DEFAULT_SCHEMA="Shop", **ON)
    assert done.returncode == 0, done.stderr
    assert homes(url) == SEPARATE | {"django": {"Shop"}}
    assert manage("verify_start", DEFAULT_SCHEMA="Shop", **ON).returncode == 0


def test_pushed_models_lie_in_the_schemas_as_well(manage: Manage, url: str, database_url: str) -> None:
    done = manage("push_schema", url, "--yes", DATABASE_URL=database_url, **ON)
    assert done.returncode == 0, done.stderr
    assert homes(url) == SEPARATE
