"""One maintenance run at a time: a second one is told so at once, and leaves the work to the first."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import psycopg

from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.direct import direct_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.sqlite3.base import DatabaseWrapper

# Advisory locks are numbers; this one stands for "somebody maintains this database".
LOCK_KEY = int.from_bytes(b"maintain", "big")
# SQLite has no lock that outlasts a transaction; a file of this name beside the database stands in for it.
LOCK_SUFFIX = ".maintain.lock"


@contextmanager
def alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Keep other runs of maintenance on this database away for the block. Raises Refused while one is at work."""
    if connection.vendor == "postgresql":
        # On a session of its own: steps may lose theirs, and the lock must not go with it.
        with direct_connection(connection) as lock:
            lock.execute("SELECT set_config('idle_session_timeout', '0', false)")
            got = lock.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY]).fetchone()
            if got != (True,):
                raise _at_work(connection)
            try:
                yield
            finally:
                # Closing alone would let go of it a moment later, and a run that begins at once would be refused.
                with suppress(psycopg.Error):
                    lock.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
        return
    if cast("DatabaseWrapper", connection).is_in_memory_db():
        yield
        return
    with locked_file(Path(f"{connection.settings_dict['NAME']}{LOCK_SUFFIX}"), _at_work(connection)):
        yield


@contextmanager
def locked_file(path: Path, taken: Refused) -> Iterator[None]:
    """Hold a lock on the file `path` for the block. Raises `taken` if somebody else does, and Refused if it cannot be.

    The file stays: if it were removed, a third run could lock a new one while the second holds the old.
    """
    try:
        file = path.open("w")
    except OSError as error:
        raise Refused(f"Cannot write {path}: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken from None
        yield


def _at_work(connection: BaseDatabaseWrapper) -> Refused:
    return Refused(
        f"Another maintenance run is at work on {shown_url(connection.settings_dict)}: it does what is due. "
        "Wait until it has ended."
    )
