"""Throwaway databases beside the real one, filled by the migrations from zero."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import ConnectionHandler
from psycopg import sql

from config.database_url import POSTGRESQL, SQLITE, Limits, django_database, parse_database_url, url_of
from config.db.errors import Refused
from config.ops.app_schemas import misplaced_tables
from config.ops.direct import direct_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

# What a child process must not inherit: it would lead the child back to the real database.
DATABASE_VARIABLES = (
    "DATABASE_URL",
    "DIRECT_DATABASE_URL",
    "SHADOW_DATABASE_URL",
    "POSTGRES_URL",
    "PG_PASSWORD",
    "DATABASE_REPLICA_URLS",
)
OTHER_VARIABLES = ("PG_HOST", "PG_PORT", "PG_DATABASE", "PG_USER", "PG_SSL", "PGBOUNCER", "ENV_FILE")


@contextmanager
def scratch_url(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """Yield the URL of an empty database of the same engine, and remove it afterwards.

    On PostgreSQL that is ``SHADOW_DATABASE_URL``, emptied first, or a new database on the same server. Raises Refused
    when there is no such URL and the user may not create databases.
    """
    if connection.vendor == "sqlite":
        with tempfile.TemporaryDirectory(prefix="forecourt-") as folder:
            yield url_of({"ENGINE": SQLITE, "NAME": str(Path(folder) / "scratch.sqlite3")})
    elif settings.SHADOW_DATABASE and settings.SHADOW_DATABASE["ENGINE"] == POSTGRESQL:
        url = url_of(settings.SHADOW_DATABASE)
        with connected(url) as shadow:
            empty_schemas(shadow)
        yield url
    else:
        yield from _new_database(connection)


def _new_database(connection: BaseDatabaseWrapper) -> Iterator[str]:
    with direct_connection(connection) as server:
        server.execute("SET statement_timeout = 0")
        prefix = _remove_abandoned(server)
        name = f"{prefix}{secrets.token_hex(4)}"
        # The lock ends with this process, however it ends, and so tells the next one what was left behind.
        server.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        try:
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise Refused(
                "This needs a scratch database, and the user may not create one: "
                "set SHADOW_DATABASE_URL to an empty database."
            ) from error
        try:
            yield url_of(connection.settings_dict, name=name)
        finally:
            _drop(server, name)


def _remove_abandoned(server: psycopg.Connection[Any]) -> str:
    """Drop the scratch databases of killed processes that worked on this same database, and return their prefix."""
    row = server.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    prefix = f"forecourt_scratch_{row[0] if row else 0}_"
    found = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix]).fetchall()
    for (name,) in found:
        # Locks are known within one database only, which is why the prefix has its number.
        held = server.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
        if held == (True,):
            _drop(server, name)
            server.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
    return prefix


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def connected(url: str, variable: str = "URL") -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection to the database of `url`, under an alias of its own that lasts for the block.

    `variable` names the URL in errors. Raises ImproperlyConfigured when it cannot be read.
    """
    database = django_database(
        parse_database_url(variable, url, settings.BASE_DIR), Limits(search_path=settings.SEARCH_PATH)
    )
    connection = ConnectionHandler({DEFAULT_DB_ALIAS: database})[DEFAULT_DB_ALIAS]
    # Django looks connections up by alias, for transactions among others; under "default" it finds the real database.
    connection.alias = f"scratch_{secrets.token_hex(4)}"
    connections[connection.alias] = connection
    try:
        yield connection
    finally:
        connection.close()
        del connections[connection.alias]


def empty_schemas(connection: BaseDatabaseWrapper) -> None:
    """Drop every table, view and function of the PostgreSQL schemas that hold our tables."""
    quote = connection.ops.quote_name
    occupied = {*settings.SEARCH_PATH, *(move.source for move in misplaced_tables(connection))}
    with connection.cursor() as cursor:
        for schema in sorted(occupied):
            cursor.execute(f"DROP SCHEMA IF EXISTS {quote(schema)} CASCADE")
        for schema in settings.SEARCH_PATH:
            cursor.execute(f"CREATE SCHEMA {quote(schema)}")


def migrate_from_zero(url: str) -> str:
    """Apply all migrations to the empty database of `url` and return what migrate printed.

    Raises Refused with the end of the error output.
    """
    result = run_migrations(url)
    if result.returncode:
        raise Refused(
            f"The migrations do not apply from zero:\n{result.stdout[-500:]}\n{result.stderr.strip()[-2000:]}"
        )
    return result.stdout


def run_migrations(url: str) -> subprocess.CompletedProcess[str]:
    """Apply the migrations that the database of `url` lacks, and return how that went.

    It happens in a child process: a data migration that forgets which database it works on could otherwise write into
    the real one.
    """
    return subprocess.run(
        [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "migrate", "--no-input", "--skip-checks"],
        env=child_environment(url),
        capture_output=True,
        text=True,
        check=False,
    )


def child_environment(url: str) -> dict[str, str]:
    """Return this process's environment with `url` as its only database."""
    hidden = {*DATABASE_VARIABLES, *OTHER_VARIABLES, *(f"{name}_FILE" for name in DATABASE_VARIABLES)}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return environment | {"DATABASE_URL": url, "DATABASE_POOL_SIZE": "0", "ENV_FILE": os.devnull}
