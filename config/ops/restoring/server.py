"""The PostgreSQL server around the database that is restored: who is connected, and keeping other restores away.

All of it happens on the maintenance database, because nobody can rename or drop the database that he is connected to.
"""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg import sql

from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.direct import direct_connection
from config.ops.restoring.properties import (
    Properties,
    access_statements,
    carry_over,
    creation_statement,
    read_properties,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.postgresql.base import DatabaseWrapper

# The name under which restores look at the database that they will replace.
PROGRAM = "forecourt restore"
MAINTENANCE_DATABASES = ("postgres", "template1")
# Whose lock nobody holds was left behind by a killed process. Nobody gives such a name to a database of his own.
UNFINISHED_PREFIX = "forecourt_restore_"
UNFINISHED = re.compile(rf"{UNFINISHED_PREFIX}[0-9a-f]{{12}}")
UNLIMITED = {"statement_timeout": "0", "idle_session_timeout": "0", "lock_timeout": "0", "synchronous_commit": "on"}


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is connected to a database."""

    pid: int
    user: str
    application: str
    client: str
    since: datetime | None
    state: str

    def __str__(self) -> str:
        # The server tells the rest to those alone who may watch others.
        known = [f"from {self.client}", f"connected since {self.since:%Y-%m-%d %H:%M:%S} UTC"] if self.since else []
        who = f"process {self.pid}: {self.application or 'unnamed program'} of {self.user}"
        return ", ".join([who, *known, *([self.state] if self.state else [])])


@contextmanager
def maintenance_session(connection: BaseDatabaseWrapper) -> Iterator[psycopg.Connection[Any]]:
    """Yield a session beside the database that the connection means. Raises Refused when there can be none."""
    with _open(connection) as session:
        for name, value in UNLIMITED.items():
            session.execute("SELECT set_config(%s, %s, false)", [name, value])
        # Times are shown in UTC whatever the server's zone is.
        session.execute("SET TIME ZONE 'UTC'")
        yield session


def _open(connection: BaseDatabaseWrapper) -> psycopg.Connection[Any]:
    parameters = cast("DatabaseWrapper", connection).get_connection_params()
    failure: psycopg.Error | None = None
    for name in MAINTENANCE_DATABASES:
        try:
            return psycopg.Connection.connect(**{**parameters, "dbname": name}, autocommit=True)
        except psycopg.OperationalError as error:
            failure = failure or error
    server = shown_url({**connection.settings_dict, "NAME": MAINTENANCE_DATABASES[0]})
    raise Refused(f"{server} cannot be reached: {str(failure).strip()}") from failure


def exists(server: psycopg.Connection[Any], name: str) -> bool:
    """Return whether there is such a database."""
    return server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def major(server: psycopg.Connection[Any]) -> int:
    """Return the server's major version."""
    return server.info.server_version // 10_000


def sessions_of(server: psycopg.Connection[Any], name: str) -> list[Session]:
    """Return who is connected to a database, the longest first.

    The server's own workers do not count, nor do restores, which only look, and wait for each other by their lock.
    """
    found = server.execute(
        "SELECT pid, usename, coalesce(application_name, ''), coalesce(host(client_addr), 'this machine'),"
        " backend_start, coalesce(state, '') FROM pg_stat_activity"
        # Without the right to watch others their kind is not shown; workers have no user.
        " WHERE datname = %s AND usename IS NOT NULL AND coalesce(application_name, '') <> %s"
        " AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender') ORDER BY backend_start, pid",
        [name, PROGRAM],
    )
    return [Session(*row) for row in found.fetchall()]


def end_sessions(server: psycopg.Connection[Any], name: str) -> None:
    """End every session of a database that we may end."""
    for session in sessions_of(server, name):
        with suppress(psycopg.errors.InsufficientPrivilege):
            server.execute("SELECT pg_terminate_backend(%s)", [session.pid])


def keep_others_away(server: psycopg.Connection[Any], name: str) -> None:
    """Let nobody else restore the database for as long as the session lasts. Raises Refused when somebody does."""
    if not _lock(server, f"restore {name}"):
        raise Refused(f"Another restore of {name} is running: wait for it.")


def unfinished_name(server: psycopg.Connection[Any]) -> str:
    """Return the name of a database to fill, which others take for abandoned once the session is gone."""
    while True:
        name = f"{UNFINISHED_PREFIX}{secrets.token_hex(6)}"
        if _lock(server, name):
            return name


@contextmanager
def scratch_database(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """Yield the name of an empty database, like the live one, which is gone after the block. Raises Refused."""
    with maintenance_session(connection) as server:
        remove_abandoned(server)
        name = unfinished_name(server)
        properties = None
        if exists(server, str(connection.settings_dict["NAME"])):
            with direct_connection(connection, program=PROGRAM) as session:
                properties = read_properties(session)
        create(server, name, properties)
        try:
            if properties:
                carry_over(server, access_statements(name, properties))
            yield name
        finally:
            # If the server is gone, the next restore removes it.
            with suppress(psycopg.Error):
                drop(server, name)


def create(server: psycopg.Connection[Any], name: str, properties: Properties | None) -> None:
    """Make an empty database, like the one described. Raises Refused when we may not."""
    try:
        server.execute(creation_statement(name, properties))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused("; ".join(missing_rights(server)) or str(error)) from error


def missing_rights(server: psycopg.Connection[Any]) -> list[str]:
    """Return a sentence about each right that we need and do not have."""
    row = server.execute("SELECT current_user, rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
    user, may = row.fetchone() or ("", False)
    advice = f"give --target with the URL of the owner, or, as an administrator: ALTER ROLE {user} CREATEDB"
    return [] if may else [f"{user} may not make databases: {advice}"]


def remove_abandoned(server: psycopg.Connection[Any]) -> list[str]:
    """Drop what killed restores left behind and return the names; what we may not drop stays."""
    found = server.execute("SELECT datname FROM pg_database WHERE pg_has_role(datdba, 'USAGE') ORDER BY datname")
    removed = []
    for (name,) in found.fetchall():
        if UNFINISHED.fullmatch(name) and _lock(server, name):
            drop(server, name)
            server.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
            removed.append(name)
    return removed


def drop(server: psycopg.Connection[Any], name: str, *, force: bool = True) -> None:
    """Drop a database; with `force` who is connected to it is sent away."""
    statement = "DROP DATABASE IF EXISTS {}" + (" WITH (FORCE)" if force else "")
    server.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _lock(server: psycopg.Connection[Any], what: str) -> bool:
    # The lock ends with the session, however our process ends.
    row = server.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [what]).fetchone()
    return row == (True,)
