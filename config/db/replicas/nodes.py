"""The replicas of this process, and which of them are fit to be read from.

Each one is watched by a thread of its own, with connections of its own, so that no request ever waits for a look: it
reads what was last seen, and believes it for a few seconds only. So a look that hangs takes its replica out of use.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import ConnectionHandler

from config.db.replicas.lag import Lag

if TYPE_CHECKING:
    from decimal import Decimal

    from config.db.postgresql.base import DatabaseWrapper

LOOK_SECONDS = 1.0
# A replica that lacks something gets this long to receive what was just written, which is no lag.
UNDERWAY_SECONDS = 0.1
# How long what was seen is believed.
TRUSTED_SECONDS = 4
CONNECT_SECONDS = 2
# A server that takes longer to answer is as good as dead, although its connections live.
ANSWER_SECONDS = 2.0

_WRITTEN = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() - '0/0'::pg_lsn END"
# A server that was promoted goes its own way: it is no replica any more.
_REPLAYED = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0'::pg_lsn END"

logger = logging.getLogger("forecourt.replicas")


@dataclass(frozen=True, slots=True)
class Seen:
    """When a replica was looked at, and how many seconds it was behind then."""

    at: float
    lag: float


class Node:
    """One replica."""

    def __init__(self, number: int, database: dict[str, Any], primary: dict[str, Any]) -> None:
        self.place = place_of(database)
        self._opener = wrapper_of(database, f"replica-{number}")
        self._lines = _Line(wrapper_of(primary, "primary")), _Line(wrapper_of(database, "look"))
        self._seen: Seen | None = None
        self._watcher: threading.Thread | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._was_fit: bool | None = None
        self._opened: WeakSet[psycopg.Connection[Any]] = WeakSet()

    @property
    def pool(self) -> Any:
        """The pool of connections to this replica; None without one."""
        return self._opener.pool

    def open(self) -> Any:
        """Return a connection to this replica, from the pool if there is one. Raises psycopg.OperationalError."""
        connection = self._opener.get_new_connection(self._opener.get_connection_params())
        with self._lock:
            self._opened.add(connection)
        return connection

    def _cut(self) -> None:
        """Let nobody go on waiting for an answer of this replica."""
        with self._lock:
            opened = list(self._opened)
        for connection in opened:
            cut(connection)

    def close(self) -> None:
        """Close the connections that nobody uses, and look no more until somebody asks."""
        self._opener.close_pool()
        self._ended.set()

    def seen(self) -> Seen | None:
        """Return what was seen last, if that was a moment ago; begin to look where nobody does."""
        if self._watcher is None or not self._watcher.is_alive():
            self._watch()
        seen = self._seen
        return seen if seen is not None and time.monotonic() - seen.at <= TRUSTED_SECONDS else None

    def is_fit(self) -> bool:
        """Say whether this replica answers and is not too far behind."""
        seen = self.seen()
        return seen is not None and seen.lag <= settings.REPLICA_MAX_LAG

    def skip(self) -> None:
        """Leave this replica out until it has been looked at again."""
        self._seen = None

    def _watch(self) -> None:
        with self._lock:
            # After a fork the thread is the parent's.
            if self._watcher is None or not self._watcher.is_alive():
                self._ended = threading.Event()
                name = f"look-at-{self.place}"
                self._watcher = threading.Thread(target=self._look_on, args=[self._ended], name=name, daemon=True)
                self._watcher.start()

    def _look_on(self, ended: threading.Event) -> None:
        lag, written = Lag(), None
        primary, replica = self._lines
        while not ended.is_set():
            at = time.monotonic()
            try:
                written = primary.ask(_WRITTEN) or written
            except psycopg.Error:
                # While the primary is away nothing is written that a replica could lack.
                at = time.monotonic()
            try:
                replayed = replica.ask(_REPLAYED)
                if replayed is not None and written is not None and replayed < written:
                    ended.wait(UNDERWAY_SECONDS)
                    replayed = replica.ask(_REPLAYED)
            except psycopg.Error as error:
                self.skip()
                self._cut()
                self._tell(is_fit=False, reason=str(error).strip().partition("\n")[0])
            else:
                self._note(at, lag, written, replayed)
            ended.wait(LOOK_SECONDS)
        primary.close()
        replica.close()

    def _note(self, at: float, lag: Lag, written: Decimal | None, replayed: Decimal | None) -> None:
        if replayed is None:
            self._seen = None
            self._tell(is_fit=False, reason="it is no replica")
        elif written is not None:
            self._seen = Seen(at, lag.seconds(at, primary=written, replica=replayed))
            self._tell(is_fit=self._seen.lag <= settings.REPLICA_MAX_LAG, reason=f"it is {self._seen.lag:.0f} s behind")

    def _tell(self, *, is_fit: bool, reason: str) -> None:
        if is_fit == self._was_fit:
            return
        self._was_fit = is_fit
        if is_fit:
            logger.info("Reads go to the replica %s.", self.place)
        else:
            logger.warning("No reads go to the replica %s: %s.", self.place, reason)


class _Line:
    """A connection beside the pool, made anew after it failed."""

    def __init__(self, wrapper: DatabaseWrapper) -> None:
        self._wrapper = wrapper
        self._session: psycopg.Connection[Any] | None = None

    def ask(self, question: str) -> Decimal | None:
        """Return the answer. Raises psycopg.Error."""
        if self._session is None:
            parameters = self._wrapper.get_connection_params() | {"connect_timeout": CONNECT_SECONDS}
            self._session = psycopg.Connection.connect(**parameters, autocommit=True)
        impatience = threading.Timer(ANSWER_SECONDS, cut, [self._session])
        impatience.start()
        try:
            row = self._session.execute(question).fetchone()
        except psycopg.Error:
            self.close()
            raise
        finally:
            impatience.cancel()
        return row[0] if row else None

    def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            with suppress(psycopg.Error):
                self._session.close()
            self._session = None


def cut(connection: psycopg.Connection[Any]) -> None:
    """Break a connection off, so that whoever waits for its answer gets an error; for another thread than theirs."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def place_of(database: dict[str, Any]) -> str:
    """Return where a server is, for people, without user and password."""
    return f"{database.get('HOST') or 'local'}:{database.get('PORT') or 5432}/{database['NAME']}"


def wrapper_of(database: dict[str, Any], name: str) -> DatabaseWrapper:
    """Return what knows how to connect to a database; its pool, if it has one, is found under the name."""
    wrapper = ConnectionHandler({DEFAULT_DB_ALIAS: database})[DEFAULT_DB_ALIAS]
    wrapper.alias = name
    return cast("DatabaseWrapper", wrapper)


_replicas: list[Node] = []
_replicas_lock = threading.Lock()
_turns = count()


def replicas() -> list[Node]:
    """Return all replicas of this process."""
    if not _replicas:
        # Two threads must not make, and watch, each replica twice.
        with _replicas_lock:
            if not _replicas:
                primary = connections.settings[DEFAULT_DB_ALIAS]
                _replicas.extend(Node(number, one, primary) for number, one in enumerate(settings.DATABASE_REPLICAS, 1))
    return _replicas


def any_fit() -> bool:
    """Say whether a replica is fit."""
    return any(node.is_fit() for node in replicas())


def in_turn() -> list[Node]:
    """Return the replicas that are fit, each time beginning with the next one."""
    found = [node for node in replicas() if node.is_fit()]
    first = next(_turns) % len(found) if found else 0
    return found[first:] + found[:first]
