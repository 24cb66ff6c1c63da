"""Takes out what a test committed, and puts back what a migrated database holds.

Django's flush empties every table instead. That takes PostgreSQL half a second, and what data migrations wrote is gone.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Rows = list[tuple[Any, ...]]


class FirstRows:
    """The rows that a database held when this was made."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.rows = {table: self._rows_of(table) for table in self._filled_tables()}

    def restore(self) -> None:
        """Empty the tables that hold other rows by now, and fill those again that held some."""
        changed = {
            table
            for table in {*self.rows, *self._filled_tables()}
            if table not in self.rows or self._rows_of(table) != self.rows[table]
        }
        quote = self.connection.ops.quote_name
        # Foreign keys are looked at when the transaction ends, so any order will do.
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            if self.connection.vendor == "postgresql":
                # A test may have had them looked at after every statement.
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for table in changed:
                cursor.execute(f"DELETE FROM {quote(table)}")
            for table in changed & self.rows.keys():
                places = ", ".join(["%s"] * len(self.rows[table][0]))
                cursor.executemany(f"INSERT INTO {quote(table)} VALUES ({places})", self.rows[table])

    def _filled_tables(self) -> list[str]:
        tables = self.connection.introspection.django_table_names(only_existing=True, include_views=False)
        asked = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {self.connection.ops.quote_name(table)})" for table in tables
        )
        return [table for (table,) in self._all(asked)]

    def _rows_of(self, table: str) -> Rows:
        return sorted(self._all(f"SELECT * FROM {self.connection.ops.quote_name(table)}"), key=repr)

    def _all(self, query: str) -> Rows:
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())
