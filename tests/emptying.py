"""Takes out what a test committed, and puts back what a migrated database holds.

Django's flush empties every table instead. That takes PostgreSQL half a second, and what data migrations wrote is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Rows = list[tuple[Any, ...]]


class FirstRows:
    """The rows that a database held when this was made."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.tables = self.connection.introspection.django_table_names(only_existing=True, include_views=False)
        self.rows = {table: self._rows_of(table) for table in self._filled_tables()}

    @property
    def connection(self) -> BaseDatabaseWrapper:
        # Not kept: a browser test runs in an event loop, where Django opens another.
        return connections[self.alias]

    def restore(self) -> None:
        """Empty the tables that hold other rows by now, and fill those again that held some."""
        quote = self.connection.ops.quote_name
        with self._alone(), self.connection.cursor() as cursor:
            changed = {
                table
                for table in {*self.rows, *self._filled_tables()}
                if table not in self.rows or self._rows_of(table) != self.rows[table]
            }
            for table in changed:
                cursor.execute(f"DELETE FROM {quote(table)}")
            for table in changed & self.rows.keys():
                places = ", ".join(["%s"] * len(self.rows[table][0]))
                cursor.executemany(f"INSERT INTO {quote(table)} VALUES ({places})", self.rows[table])
            if self.connection.vendor == "sqlite":
                # What ANALYZE wrote about rows that are gone would lead the plans of later tests.
                cursor.execute("DROP TABLE IF EXISTS sqlite_stat1")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Open a transaction without foreign keys and triggers, and with nobody else in the middle of a write."""
        if self.connection.vendor == "sqlite":
            with self.connection.constraint_checks_disabled(), transaction.atomic(self.alias):
                yield
            return
        with transaction.atomic(self.alias):
            with self.connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute(f"LOCK TABLE {', '.join(map(self.connection.ops.quote_name, self.tables))}")
            yield

    def _filled_tables(self) -> list[str]:
        asked = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {self.connection.ops.quote_name(table)})"
            for table in self.tables
        )
        return [table for (table,) in self._all(asked)]

    def _rows_of(self, table: str) -> Rows:
        return sorted(self._all(f"SELECT * FROM {self.connection.ops.quote_name(table)}"), key=repr)

    def _all(self, query: str) -> Rows:
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())
