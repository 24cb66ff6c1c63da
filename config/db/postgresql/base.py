"""PostgreSQL as Django has it, but for how connections are made: commands are patient, and have no pool.

Besides, a cursor may be made quick.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base, operations
from psycopg import IsolationLevel
from psycopg.types.datetime import TimestamptzLoader

from config.db import connecting

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


class DatabaseOperations(operations.DatabaseOperations):
    """What Django makes of statements."""

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """Return a statement with its values, which do not stand in it where the server keeps its plan."""
        if isinstance(cursor, base.ServerBindingCursor):
            return str(self.compose_sql(sql, params))
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    ops_class = DatabaseOperations

    @property
    def pool(self) -> Any:
        """The pool of this process; None without one."""
        return None if connecting.is_command() else super().pool

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, or take a connection from the pool."""
        if self.pool:
            self.isolation_level = IsolationLevel.READ_COMMITTED
            return connecting.take(self.pool, partial(self.Database.connect, **conn_params))
        return connecting.patiently(partial(super().get_new_connection, conn_params))


def make_quick(cursor: CursorWrapper, *, keep_plan: bool) -> None:
    """Let a cursor read times without Django's detour: every session of ours has UTC.

    With `keep_plan` the server keeps the plans of statements that come again and again, unless there is PgBouncer.
    """
    if keep_plan:
        cursor.cursor = base.ServerBindingCursor(cursor.cursor.connection)  # type: ignore[call-arg]  # the stubs know no constructor
    cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
