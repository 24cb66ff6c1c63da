"""The engine of the one connection that leads to any replica.

It takes a replica that is fit, and keeps to it until the request ends. A read that fails with its replica is asked
again of the primary: reads change nothing, and outside of transactions none depends on another.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper

from config.db.postgresql import base
from config.db.replicas import nodes

# PostgreSQL's codes for a server that goes or comes, and for a query in the way of what is being replayed.
_GOING = "57P"
_IN_THE_WAY = {"40001", "40P01"}


class NoReplica(Exception):
    """None of the replicas can be reached."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to a replica, for reads outside of transactions."""

    node: nodes.Node | None = None

    @property
    def pool(self) -> Any:
        """The pool of the replica in use; None without one."""
        return self.node.pool if self.node else None

    def close_pool(self) -> None:
        """Close the pools of all replicas, and cease to look at them."""
        for node in nodes.replicas():
            node.close()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect to a replica that is fit. Raises NoReplica."""
        self.node = None
        for node in nodes.in_turn():
            try:
                connection = node.open()
            except psycopg.OperationalError:
                node.skip()
            else:
                self.node = node
                return connection
        raise NoReplica

    def _cursor(self, name: str | None = None) -> CursorWrapper:
        try:
            return super()._cursor(name)  # type: ignore[misc,no-any-return]  # the stubs know the public one alone
        except (NoReplica, OperationalError, InterfaceError):
            # The second where it was reached and went away before it could be used.
            self.leave()
            return connections[DEFAULT_DB_ALIAS].cursor()

    def chunked_cursor(self) -> CursorWrapper:
        """Return a cursor of the primary: the rest of an answer that comes in pieces cannot be asked for elsewhere."""
        return connections[DEFAULT_DB_ALIAS].chunked_cursor()

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        """Return a cursor whose reads do not fail with their replica."""
        return ReadingCursor(cursor, self)

    def make_debug_cursor(self, cursor: Any) -> CursorDebugWrapper:
        """Return such a cursor that also keeps its statements."""
        return ReadingDebugCursor(cursor, self)

    def fails(self, error: Exception) -> bool:
        """Say whether an error is about the replica and not about the query."""
        code = getattr(error.__cause__, "sqlstate", None) or ""
        return self.connection is None or self.connection.closed or code.startswith(_GOING) or code in _IN_THE_WAY

    def leave(self) -> None:
        """Let the next read find another replica."""
        if self.node:
            self.node.skip()
        with suppress(psycopg.Error, OperationalError, InterfaceError):
            self.close()


class ReadingCursor(CursorWrapper):
    """A cursor that asks the primary what its replica cannot answer."""

    def _execute(self, sql: Any, params: Any, *ignored: Any) -> Any:
        ask = super()._execute  # type: ignore[misc]  # the stubs know the public one alone
        try:
            return ask(sql, params, *ignored)
        except (OperationalError, InterfaceError) as error:
            replica = self.db
            if not isinstance(replica, DatabaseWrapper) or replica.in_atomic_block or not replica.fails(error):
                raise
        replica.leave()
        primary = connections[DEFAULT_DB_ALIAS].cursor()
        self.cursor, self.db = primary.cursor, primary.db
        return ask(sql, params, *ignored)


class ReadingDebugCursor(ReadingCursor, CursorDebugWrapper):
    """The same for when statements are kept, as while ``DEBUG`` is on."""
