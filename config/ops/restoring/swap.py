"""Putting a restored database in the place of the live one: two renames in one transaction.

PostgreSQL renames a database only while nobody is connected, and keeps newcomers waiting from the moment at which it is
asked to. So there is never a moment without a database of that name, and a process killed at any point changes nothing.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from config.db.errors import Refused
from config.ops.restoring.server import Session, end_sessions, exists, maintenance_session, sessions_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

LONGEST_NAME = 63  # bytes
HASH = 12  # hexadecimal digits that tell long names apart
STAMP = re.compile(r"_before_\d{8}_\d{6}(_\d+)?")
PATIENCE = 60.0  # seconds in which who is connected may leave
ENDING_EVERY = 0.05  # seconds
SHOWN_SESSIONS = 10


class StillConnected(Refused):
    """Somebody is connected to the database that is to be replaced."""


def kept_name(server: psycopg.Connection[Any], name: str, at: datetime) -> str:
    """Return a free name under which the replaced database is kept; `at` is in UTC."""
    number = 1
    while True:
        suffix = f"_before_{at:%Y%m%d_%H%M%S}{f'_{number}' if number > 1 else ''}"
        if not exists(server, kept := _begin(name, suffix) + suffix):
            return kept
        number += 1


def _begin(name: str, suffix: str) -> str:
    """Return what of a name fits before the suffix: all of it, or its beginning with a hash of all of it."""
    whole, room = name.encode(), LONGEST_NAME - len(suffix)
    if len(whole) <= room:
        return name
    mark = f"_{hashlib.sha256(whole).hexdigest()[:HASH]}"
    return whole[: room - len(mark)].decode(errors="ignore") + mark


def kept_databases(server: psycopg.Connection[Any], name: str) -> list[str]:
    """Return the databases that restores of `name` replaced and kept, the oldest first."""
    found = server.execute("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname").fetchall()
    return [other for (other,) in found if _is_kept(other, name)]


def without_its_name(server: psycopg.Connection[Any], name: str) -> str | None:
    """Return a sentence when no database has the name, and one that a restore moved away may be it."""
    if exists(server, name) or not (kept := kept_databases(server, name)):
        return None
    return (
        f"There was no database {name}, and {kept[-1]} may be it: a restore with --drop-database that is killed leaves"
        f' it so. To give its name back while nothing else has it: ALTER DATABASE "{kept[-1]}" RENAME TO "{name}"'
    )


def _is_kept(other: str, name: str) -> bool:
    stamp = STAMP.search(other)
    if stamp is None or stamp.end() != len(other):
        return False
    return other[: stamp.start()] == _begin(name, stamp[0])


def refuse_connected(server: psycopg.Connection[Any], name: str) -> None:
    """Raise StillConnected, saying who it is, when somebody is connected to the database."""
    if sessions := sessions_of(server, name):
        raise StillConnected(in_use(name, sessions))


def in_use(name: str, sessions: list[Session]) -> str:
    """Return a sentence about who is connected to a database that is to be replaced."""
    lines = [f"  {session}" for session in sessions[:SHOWN_SESSIONS]]
    if len(sessions) > SHOWN_SESSIONS:
        lines.append(f"  and {len(sessions) - SHOWN_SESSIONS} more")
    who = "1 session is" if len(sessions) == 1 else f"{len(sessions)} sessions are"
    return "\n".join(
        [
            f"{who} connected to {name}, and what is written from now on would be lost:",
            *lines,
            "Stop the application, or write --disconnect to end these sessions.",
        ]
    )


def swap(
    connection: BaseDatabaseWrapper,
    server: psycopg.Connection[Any],
    *,
    restored: str,
    live: str,
    kept: str | None,
    disconnect: bool,
) -> None:
    """Give `restored` the name `live`, and what has it so far the name `kept`, if there is something.

    Raises StillConnected, or Refused with what the server said; then both are as they were.
    """
    away = [(live, kept)] if kept is not None else []
    _rename_all(connection, server, [*away, (restored, live)], disconnect=disconnect and kept is not None)


def move_away(
    connection: BaseDatabaseWrapper, server: psycopg.Connection[Any], *, live: str, kept: str, disconnect: bool
) -> None:
    """Give the live database the name `kept`, which nobody knows, so that nobody writes into it any more.

    Raises StillConnected, or Refused with what the server said; then it has its own name.
    """
    _rename_all(connection, server, [(live, kept)], disconnect=disconnect)


def _rename_all(
    connection: BaseDatabaseWrapper,
    server: psycopg.Connection[Any],
    names: list[tuple[str, str]],
    *,
    disconnect: bool,
) -> None:
    """Rename databases in one transaction, once nobody is connected to the first."""
    live = names[0][0]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with _ending(connection, live, wanted=disconnect), server.transaction():
                for name, other in names:
                    server.execute(_rename(name, other))
        except psycopg.errors.ObjectInUse as error:
            if time.monotonic() > deadline:
                refuse_connected(server, live)
                raise Refused(f"{live} cannot be replaced: {error.diag.message_detail or error}") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise Refused(
                f"{live} cannot be renamed: {error.diag.message_primary}. Connect as its owner, who needs CREATEDB."
            ) from error
        else:
            return


def _rename(name: str, other: str) -> sql.Composed:
    return sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(other))


@contextmanager
def _ending(connection: BaseDatabaseWrapper, name: str, *, wanted: bool) -> Iterator[None]:
    """End the sessions of a database for as long as the block lasts; newcomers wait for the renaming anyway."""
    if not wanted:
        yield
        return
    done = threading.Event()
    with maintenance_session(connection) as session:

        def work() -> None:
            # When the server goes away the renaming fails as well, and says so.
            with suppress(psycopg.OperationalError):
                while not done.is_set():
                    end_sessions(session, name)
                    done.wait(ENDING_EVERY)

        thread = threading.Thread(target=work, name="ending sessions", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
