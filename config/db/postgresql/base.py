"""PostgreSQL as Django has it, but for how connections are made: commands are patient, and have no pool."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.backends.postgresql import base
from psycopg import IsolationLevel

from config.db import connecting


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

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
