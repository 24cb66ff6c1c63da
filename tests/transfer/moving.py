"""How tests move files and look at both sides."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.serializers import serialize
from django.db import connections

from config.database_url import Limits, django_database, parse_database_url
from config.ops.schema import Catalog, read_catalog
from config.ops.scratch import connected
from config.ops.transfer.layout import Finding


class Watch:
    """A watcher that acts when a phase begins."""

    def __init__(self, act_in: str = "", act: Callable[[], None] = lambda: None) -> None:
        self.act_in, self.act = act_in, act

    def phase(self, name: str, total: int) -> None:
        if name == self.act_in:
            self.act()

    def advance(self, step: str, done: int) -> None:
        pass

    def found(self, finding: Finding) -> None:
        pass


@dataclass(frozen=True)
class Done:
    """What the command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


def move(source: Path, *options: str, target: str = "") -> Done:
    """Run the command in this process, as a person would."""
    out, err = StringIO(), StringIO()
    arguments = [str(source), *(["--target", target] if target else []), *options]
    try:
        call_command("sqlite_to_postgres", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return Done(error.returncode, out.getvalue(), f"{err.getvalue()}{error}")
    except SystemExit as ended:
        return Done(int(ended.code or 0), out.getvalue(), err.getvalue())
    return Done(0, out.getvalue(), err.getvalue())


@contextmanager
def editing(path: Path) -> Iterator[sqlite3.Connection]:
    """Change a SQLite file as other programs can, past every rule."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        yield database
        database.commit()


def query(url: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement, parameters or None).fetchall()


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def catalog(url: str) -> Catalog:
    with connected(url) as connection:
        return read_catalog(connection)


def all_rows(url: str) -> list[Any]:
    """Return every row as Django tells it, but for the entry that the move itself leaves in the audit log."""
    with aliased(url) as alias:
        everything = apps.get_models(include_auto_created=True)
        rows = [row for model in everything for row in model._base_manager.using(alias).order_by("pk")]
        told = json.loads(serialize("json", rows, use_natural_foreign_keys=True, use_natural_primary_keys=True))
    told = [row for row in told if row["fields"].get("event_type") != "SQLITE_IMPORT"]
    for row in told:
        if row["model"] == "auth.group_permissions":
            # Every database has these rows from its migrations, under keys of its own.
            row["pk"] = None
    return sorted(told, key=lambda row: json.dumps(row, sort_keys=True))


@contextmanager
def aliased(url: str) -> Iterator[str]:
    """Let Django know the database for the block, and yield its alias."""
    parsed = parse_database_url("URL", url, settings.BASE_DIR)
    found = {"default": connections.settings["default"], "side": django_database(parsed, Limits())}
    connections.settings["side"] = connections.configure_settings(found)["side"]
    try:
        yield "side"
    finally:
        connections["side"].close()
        del connections["side"]
        del connections.settings["side"]


def contents(url: str) -> dict[str, int]:
    """Return how many rows each table of a PostgreSQL database has."""
    tables = [name for (name,) in query(url, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")]
    return {table: query(url, f'SELECT count(*) FROM "{table}"')[0][0] for table in tables}
