"""docs/security.md typed on a server of its own: each role does its work and nothing else, also after a restore."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from accounts.lockout import WINDOW_SECONDS
from analytics.setting_keys import SETTINGS
from config.headers import PERMISSIONS_POLICY
from config.ops import servers
from config.ops.backup.clients import newest_client
from config.ops.programs import Search
from config.staff.secrets import is_secret
from tests import commands
from tests.docs.pages import type_commands
from tests.ops.restoring.rights import rights_of

pytestmark = pytest.mark.postgres_only

PAGE = "security.md"
ROLES = ("owner", "app", "read", "backup")
# Signs in, makes a row, changes it and removes it, as a person in the admin does; and a person is removed for good.
STAFF_WORK = """
from django.test import Client
from django.test.utils import setup_test_environment
from accounts.models import User
from accounts.services.removal import remove_user_for_good
from analytics.models import AuditLog
from inventory.models import Category
from tests.admin.forms import send
setup_test_environment()
for name in ("boss", "other"):
    User.objects.create_superuser(email=f"{name}@example.org", password="correct horse battery")
client = Client()
assert client.login(username="boss@example.org", password="correct horse battery")
page = "/admin/inventory/category/"
assert send(client, page + "add/", name="Tow bars", slug="tow-bars").status_code == 302
key = Category.objects.get(slug="tow-bars").pk
assert send(client, f"{page}{key}/change/", name="Hooks").status_code == 302
assert client.post(f"{page}{key}/delete/", {"post": "yes"}).status_code == 302
entries = AuditLog.objects.filter(entity_type="inventory.category")
assert entries.filter(actor__email="boss@example.org").count() == 3
boss = User.objects.get(email="boss@example.org")
remove_user_for_good(user=boss, actor=User.objects.get(email="other@example.org"))
assert entries.filter(actor=None, actor_label__contains="boss").count() == 3
"""


@dataclass(frozen=True)
class Place:
    """A server on which the page was typed, and the folder in which it was."""

    admin: str
    folder: Path
    environment: dict[str, str]
    outputs: list[str]

    def url(self, role: str) -> str:
        """The address that the page wrote for a role."""
        return (self.folder / f"{role}.url").read_text().strip()

    def manage(self, role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run manage.py as a role."""
        own = {"DATABASE_URL_FILE": str(self.folder / f"{role}.url"), "PATH": os.environ["PATH"]}
        with chdir(self.folder):
            return commands.manage(*arguments, environment=self.environment | own)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The page, typed from nothing."""
    folder = tmp_path_factory.mktemp("security")
    given = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    with pytest.MonkeyPatch.context() as patch, servers.postgresql(Search(environment=given)) as server:
        patch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{newest_client('psql').path.parent}")
        parts = conninfo_to_dict(server.url)
        address = quote(str(parts["host"]), safe="") + (f":{parts['port']}" if "port" in parts else "")
        admin = server.url.removesuffix("/forecourt") + "/postgres"
        with psycopg.connect(admin, autocommit=True) as session:
            session.execute("DROP DATABASE forecourt")
            ask_for_passwords(session, str(parts["user"]))
        environment = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        environment |= {"ENV_FILE": os.devnull, "SERVER": address, "ADMIN_URL": admin}
        outputs = type_commands(PAGE, folder=folder, environment=environment)
        yield Place(admin, folder, environment, outputs)


def ask_for_passwords(session: psycopg.Connection[tuple[object, ...]], administrator: str) -> None:
    """Let the server trust nobody but the administrator."""
    row = session.execute("SELECT setting, pg_read_file(setting) FROM pg_settings WHERE name = 'hba_file'").fetchone()
    assert row is not None
    rules = [f"local all {administrator} trust", "local all all scram-sha-256", *str(row[1]).splitlines()]
    write = sql.SQL("COPY (SELECT unnest({}::text[])) TO {}").format(sql.Literal(rules), sql.Literal(row[0]))
    session.execute(write)
    session.execute("SELECT pg_reload_conf()")


def refused(url: str, statement: str) -> bool:
    """Whether the server lets the role not do it, for want of a right."""
    with psycopg.connect(url) as session:
        try:
            session.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            return True
        finally:
            session.rollback()
    return False


MAY = {
    "owner": [
        "CREATE TABLE mine (id integer)",
        "ALTER TABLE inventory_part ADD mine integer",
        "DROP TABLE leads_lead CASCADE",
    ],
    "app": [
        "SELECT password FROM accounts_user",
        "INSERT INTO inventory_category (name, slug) SELECT 'x', 'x' WHERE false",
        "UPDATE inventory_part SET name = name",
        "DELETE FROM django_session",
        "UPDATE analytics_auditlog SET actor_id = NULL",
        "SELECT nextval('inventory_part_id_seq')",
    ],
    "read": ["SELECT * FROM inventory_part", "SELECT id, email, name FROM accounts_user", "SELECT * FROM leads_lead"],
    "backup": [
        "SELECT password FROM accounts_user",
        "SELECT * FROM django_session",
        "SELECT * FROM inventory_part_id_seq",
    ],
}
MAY_NOT = {
    "owner": ["CREATE ROLE mine", "SELECT pg_read_file('/etc/passwd')", "ALTER ROLE forecourt_app SUPERUSER"],
    "app": [
        "CREATE TABLE mine (id integer)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (id integer)",
        "ALTER TABLE inventory_part ADD mine integer",
        "ALTER TABLE inventory_part DISABLE ROW LEVEL SECURITY",
        "CREATE INDEX ON inventory_part (name)",
        "DROP TABLE inventory_part",
        "TRUNCATE analytics_auditlog",
        "DELETE FROM analytics_auditlog",
        "UPDATE analytics_auditlog SET description = ''",
        "DELETE FROM django_migrations",
        "SELECT setval('inventory_part_id_seq', 1)",
        "SET ROLE forecourt_owner",
    ],
    "read": [
        "SET TRANSACTION READ WRITE; INSERT INTO inventory_part (name) VALUES ('x')",
        "SET TRANSACTION READ WRITE; UPDATE inventory_part SET name = 'x'",
        "SET TRANSACTION READ WRITE; DELETE FROM inventory_part",
        "SET TRANSACTION READ WRITE; CREATE TABLE mine (id integer)",
        "SET TRANSACTION READ WRITE; CREATE TEMPORARY TABLE mine (id integer)",
        "SET TRANSACTION READ WRITE; SELECT nextval('inventory_part_id_seq')",
        "SELECT * FROM django_session",
        "SELECT password FROM accounts_user",
        "SELECT u FROM accounts_user u",
    ],
    "backup": [
        "INSERT INTO inventory_part (name) VALUES ('x')",
        "UPDATE inventory_part SET name = 'x'",
        "DELETE FROM inventory_part",
        "CREATE TABLE mine (id integer)",
    ],
}  # fmt: skip


def wrongly_refused_or_let(place: Place) -> list[str]:
    """Return what is not as the page says."""
    wrong = [f"{role} may not: {it}" for role in ROLES for it in MAY[role] if refused(place.url(role), it)]
    return wrong + [f"{role} may: {it}" for role in ROLES for it in MAY_NOT[role] if not refused(place.url(role), it)]


def test_every_command_does_what_it_should_and_refusals_are_for_want_of_a_right(place: Place) -> None:
    told = "\n".join(place.outputs)
    assert told.count("permission denied for") == 2
    assert "restored" in told
    assert "no issues" in place.outputs[-1]
    assert all((place.folder / f"{role}.url").stat().st_mode & 0o777 == 0o600 for role in ROLES)


def test_each_role_may_do_its_work_and_nothing_else(place: Place) -> None:
    assert wrongly_refused_or_let(place) == []


def test_nobody_gets_in_without_the_password(place: Place) -> None:
    for role in ROLES:
        password = (place.folder / f"{role}.password").read_text().strip()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(place.url(role).replace(password, "f" * 48))


def test_reports_read_every_column_but_secrets(place: Place) -> None:
    with psycopg.connect(place.url("read")) as session:
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                readable = session.execute(
                    "SELECT has_column_privilege(%s, %s, 'SELECT')", [model._meta.db_table, field.column]
                ).fetchone()
                wanted = not is_secret(field) and model._meta.db_table != "django_session"
                assert readable == (wanted,), f"{model._meta.label}.{field.name}"


def test_the_back_office_works_with_the_rights_of_its_role(place: Place) -> None:
    worked = place.manage("app", "shell", "--no-imports", "--command", STAFF_WORK)

    assert worked.returncode == 0, worked.stderr


def test_tables_of_a_later_migration_are_open_to_the_application_and_closed_to_reports(place: Place) -> None:
    with psycopg.connect(place.url("owner"), autocommit=True) as session:
        session.execute("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY, name text)")
    try:
        assert not refused(place.url("app"), "INSERT INTO later (name) VALUES ('x')")
        assert refused(place.url("read"), "SELECT * FROM later")
    finally:
        with psycopg.connect(place.url("owner"), autocommit=True) as session:
            session.execute("DROP TABLE later")


def test_the_grants_can_be_given_again_and_take_away_what_was_added_by_hand(place: Place) -> None:
    before = rights_of(place.url("owner"))
    with psycopg.connect(place.url("owner"), autocommit=True) as session:
        session.execute("GRANT ALL ON analytics_auditlog, accounts_user TO forecourt_app, forecourt_read, PUBLIC")
        session.execute("REVOKE SELECT ON inventory_part FROM forecourt_app, forecourt_read")
    assert rights_of(place.url("owner")) != before

    options = ("--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction", "--file", "grants.sql")
    done = place.manage("owner", "dbshell", "--", *options)

    assert done.returncode == 0, done.stderr
    assert rights_of(place.url("owner")) == before


def test_a_restore_by_the_owner_changes_no_right_of_anybody(place: Place) -> None:
    with psycopg.connect(place.url("owner"), autocommit=True) as session:
        session.execute("COMMENT ON DATABASE forecourt IS 'the shop'")
        session.execute("ALTER DATABASE forecourt SET work_mem = '7MB'")
    before = rights_of(place.url("owner"))
    assert "forecourt_read" in str(before)

    backed_up = place.manage("backup", "backup", "--output", "backups")
    done = place.manage("owner", "restore", "latest", "--yes", "--output", "backups")

    assert backed_up.returncode == 0, backed_up.stderr
    assert done.returncode == 0, done.stderr
    assert "is kept as forecourt_before_" in done.stdout
    assert rights_of(place.url("owner")) == before
    assert wrongly_refused_or_let(place) == []


def test_what_the_owner_may_not_give_back_to_another_role_is_told(place: Place) -> None:
    with psycopg.connect(place.url("owner"), autocommit=True) as session:
        session.execute("CREATE VIEW reports AS SELECT id FROM inventory_part")
    assert place.manage("backup", "backup", "--output", "backups").returncode == 0
    with psycopg.connect(place.admin.replace("/postgres", "/forecourt"), autocommit=True) as session:
        session.execute("ALTER VIEW reports OWNER TO forecourt_read")

    done = place.manage("owner", "restore", "latest", "--yes", "--output", "backups")
    with psycopg.connect(place.url("owner"), autocommit=True) as session:
        session.execute("DROP VIEW reports")

    assert done.returncode == 3
    assert "public.reports could not be given back to forecourt_read: " in done.stderr


@pytest.fixture(scope="module")
def text() -> str:
    return (Path(settings.BASE_DIR) / "docs" / PAGE).read_text(encoding="utf-8")


def test_the_limits_and_headers_are_those_of_the_code(text: str) -> None:
    attempts = {3: "three", 5: "five", 10: "ten"}[int(SETTINGS["security.login_attempts"].default)]
    assert f"After {attempts} failed sign-ins" in text
    assert f"closed for {WINDOW_SECONDS // 60} minutes" in text
    assert len(re.findall(r"\w+=\(\)", PERMISSIONS_POLICY)) == 5
    assert "no camera, place, microphone, payment or USB" in text
