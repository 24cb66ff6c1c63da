"""Rows of SQLite on their way back; see `rows`."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from config.db.errors import Refused
from config.ops.restoring.rows import STAGE, Reference, Table, quoted
from config.ops.restoring.sqlite import live_path

# ruff: noqa: S608  # statements are put together from quoted names of the database's own catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from django.db.backends.base.base import BaseDatabaseWrapper


BUSY_SECONDS = 20.0
# How SQLite marks columns that it computes.
GENERATED = (2, 3)


class LiveRows:
    """The live file; see `rows.Live`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        database.execute("PRAGMA foreign_keys = ON")

    def table(self, name: str) -> Table:
        """See `rows.Live`."""
        columns, key = _columns(self.database, name), _key(self.database, name)
        if not key:
            raise Refused(f"{name} has no primary key, so nobody could tell which rows are there already.")
        return Table(
            name=quoted(name),
            columns=tuple(column for column, _, _ in columns),
            needed=tuple(column for column, needed, _ in columns if needed),
            key=tuple(key),
            references=tuple(self._references(name)),
        )

    def _references(self, name: str) -> Iterator[Reference]:
        keys: dict[int, list[tuple[str, str, str | None]]] = {}
        for number, _, table, column, target, *_ in self.database.execute(
            "SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq", [name]
        ):
            keys.setdefault(number, []).append((table, column, target))
        for parts in keys.values():
            table = parts[0][0]
            # Without a name the primary key is meant.
            targets = [target for _, _, target in parts if target] or _key(self.database, table)
            yield Reference(tuple(column for _, column, _ in parts), quoted(table), tuple(targets))

    def stage(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """See `rows.Live`."""
        # Columns without a type take every value as it is.
        self.database.execute(f"CREATE TEMPORARY TABLE {STAGE} ({', '.join(map(quoted, columns))})")
        marks = ", ".join("?" for _ in columns)
        self.database.execute("BEGIN")
        self.database.executemany(f"INSERT INTO {STAGE} VALUES ({marks})", rows)
        self.database.execute("COMMIT")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """See `rows.Live`."""
        return self.database.execute(query).fetchall()

    def change(self, statement: str) -> int:
        """See `rows.Live`."""
        return self.database.execute(statement).rowcount

    def transaction(self) -> AbstractContextManager[Any]:
        """See `rows.Live`."""
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def advance_keys(self, table: Table) -> None:
        """Do nothing: SQLite never gives out a key that is lower than the highest."""


class BackupRows:
    """A backup as a file; see `rows.Backup`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        database.execute("PRAGMA query_only = ON")

    def columns(self, name: str) -> list[str]:
        """See `rows.Backup`."""
        return [column for column, _, _ in _columns(self.database, name, "the backup")]

    def matching(self, name: str, columns: Sequence[str], condition: str) -> Iterator[Sequence[Any]]:
        """See `rows.Backup`."""
        names = ", ".join(map(quoted, columns))
        try:
            yield from self.database.execute(f"SELECT {names} FROM {quoted(name)} WHERE (\n{condition}\n)")
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise Refused(f"The condition cannot be evaluated: {error}.") from error


def _columns(database: sqlite3.Connection, name: str, where: str = "the database") -> list[tuple[str, bool, int]]:
    """Return a table's columns, whether each must be given, and its place in the primary key. Raises Refused."""
    found = database.execute("SELECT * FROM pragma_table_xinfo(?)", [name]).fetchall()
    columns = [
        (column, bool(required and default is None and not place), place)
        for _, column, _, required, default, place, hidden in found
        if hidden not in GENERATED
    ]
    if not columns:
        raise Refused(f"There is no table {name} in {where}.")
    return columns


def _key(database: sqlite3.Connection, name: str) -> list[str]:
    return [column for _, column in sorted((place, column) for column, _, place in _columns(database, name) if place)]


@contextmanager
def sessions(connection: BaseDatabaseWrapper, backup: sqlite3.Connection) -> Iterator[tuple[LiveRows, BackupRows]]:
    """Yield the live file, and the backup that was opened. Raises Refused."""
    path = live_path(connection)
    if not path.exists():
        raise Refused(f"There is no file {path} to bring rows back to: restore the whole backup.")
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as live:
        yield LiveRows(live), BackupRows(backup)
