"""Connections to PostgreSQL outside of Django's set and its pool, for what needs a session of its own."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from config.database_url import shown_url
from config.db.connecting import patiently
from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.postgresql.base import DatabaseWrapper

CANCEL_SECONDS, CANCEL_EVERY = 5.0, 0.1


def use_direct_database(alias: str) -> None:
    """Point this process to ``DIRECT_DATABASE_URL``, because locks and settings do not survive PgBouncer.

    Raises Refused when PGBOUNCER is on and there is no such URL.
    """
    if alias != DEFAULT_DB_ALIAS or not settings.PGBOUNCER:
        return
    if settings.DIRECT_DATABASE is None:
        raise Refused("PGBOUNCER is on: set DIRECT_DATABASE_URL to PostgreSQL's own address, for a session of our own.")
    connections[alias].close()
    connections.settings[alias] = connections.configure_settings({alias: settings.DIRECT_DATABASE})[alias]
    del connections[alias]


@contextmanager
def direct_connection(connection: BaseDatabaseWrapper, *, program: str = "") -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to the same database, in autocommit mode, and close it afterwards.

    The server shows `program`, if given, as the name of who is connected. It fails at once where the pool would go on
    trying. Raises Refused when the server cannot be reached.
    """
    parameters = cast("DatabaseWrapper", connection).get_connection_params()
    if program:
        parameters["application_name"] = program
    try:
        session = patiently(lambda: psycopg.Connection.connect(**parameters, autocommit=True))
    except psycopg.OperationalError as error:
        raise Refused(f"{shown_url(connection.settings_dict)} cannot be reached: {str(error).strip()}") from error
    with session:
        yield session


def interrupt(session: psycopg.Connection[Any], has_ended: Callable[[float], bool]) -> None:
    """Cancel what another thread does in `session`.

    `has_ended` waits for at most so many seconds and says whether that thread is done.
    """
    # Once is not enough: between two statements the server has nothing to cancel.
    while not has_ended(CANCEL_EVERY):
        with suppress(psycopg.Error):
            session.cancel_safe(timeout=CANCEL_SECONDS)


def refuse_unreachable(connection: BaseDatabaseWrapper) -> None:
    """Raise Refused when the database cannot be reached, without the pool's patience."""
    if connection.vendor == "postgresql":
        with direct_connection(connection):
            return
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise Refused(f"{shown_url(connection.settings_dict)} cannot be reached: {str(error).strip()}") from error
