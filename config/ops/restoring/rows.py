"""Bringing single rows back out of a backup: those that are missing are added, and no row that is there is changed.

The condition is evaluated in the backup alone, where nothing can be written. What matches is put beside the live table,
so that everything else is asked of the live database in its own words, the same on both engines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

STAGE = "forecourt_brought_back"
MOST_SHOWN = 20

# ruff: noqa: S608  # statements are put together from quoted names of the database's own catalogue


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: its columns, and the columns of the quoted table that they point to."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A live table; `name` is quoted, `columns` are those that can be written, `needed` those without a default."""

    name: str
    columns: tuple[str, ...]
    needed: tuple[str, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """How many rows match the condition in the backup, and how many of these are there already.

    `left_out` are columns of the backup that the live table does not have.
    """

    table: str
    matching: int
    there: int
    left_out: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many rows are to be brought back."""
        return self.matching - self.there


class Live(Protocol):
    """A live database, in a session of its own."""

    def table(self, name: str) -> Table:
        """Describe a table. Raises Refused when there is none, or none with a primary key."""

    def stage(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put rows of the backup into the temporary table `STAGE`."""

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""

    def change(self, statement: str) -> int:
        """Run a statement and return how many rows it wrote."""

    def transaction(self) -> AbstractContextManager[Any]:
        """Run the block in one transaction."""

    def advance_keys(self, table: Table) -> None:
        """Let no new row get the key of one that was brought back."""


class Backup(Protocol):
    """A backup that was restored somewhere else, for reading."""

    def columns(self, name: str) -> list[str]:
        """Return a table's columns. Raises Refused when there is no such table."""

    def matching(self, name: str, columns: Sequence[str], condition: str) -> Iterable[Sequence[Any]]:
        """Yield the rows that match. Raises Refused when the condition cannot be evaluated."""


class Returning:
    """Rows of one table on their way back."""

    def __init__(self, live: Live, backup: Backup, name: str, condition: str) -> None:
        """Put what matches beside the live table. Raises Refused."""
        self.live, self.name = live, name
        self.table = live.table(name)
        in_backup = backup.columns(name)
        self.columns = _common_columns(self.table, in_backup, name)
        self.left_out = tuple(column for column in in_backup if column not in self.columns)
        live.stage(self.table, self.columns, backup.matching(name, self.columns, condition))

    def look(self) -> Found:
        """Count. Raises Refused when rows point to others that are not there."""
        (matching,) = self.live.ask(f"SELECT count(*) FROM {STAGE}")[0]
        (there,) = self.live.ask(f"SELECT count(*) FROM {STAGE} s WHERE {self._is_there()}")[0]
        self._refuse_dangling()
        return Found(self.name, matching, there, self.left_out)

    def bring_back(self) -> int:
        """Add the missing rows and return how many; all of them or none. Raises Refused."""
        columns = ", ".join(map(quoted, self.columns))
        with self.live.transaction():
            self._refuse_dangling()
            missing = f"SELECT {columns} FROM {STAGE} s WHERE NOT {self._is_there()}"
            brought = self.live.change(f"INSERT INTO {self.table.name} ({columns}) {missing}")
            self.live.advance_keys(self.table)
        return brought

    def _is_there(self) -> str:
        same = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in self.table.key)
        return f"EXISTS (SELECT 1 FROM {self.table.name} t WHERE {same})"

    def _refuse_dangling(self) -> None:
        lines: list[str] = []
        ways: list[str] = []
        for reference in self.table.references:
            if rows := self._dangling(reference):
                lines += [_dangling_line(self.table, reference, row) for row in rows]
                ways.append(_way_out(reference, [row[len(self.table.key) :] for row in rows]))
        if lines:
            more = ["  and more"] if len(lines) > MOST_SHOWN else []
            raise Refused(
                "\n".join(
                    [
                        "Nothing was brought back, because what these rows belong to is not there:",
                        *lines[:MOST_SHOWN],
                        *more,
                        "Bring that back first:",
                        *ways,
                    ]
                )
            )

    def _dangling(self, reference: Reference) -> list[tuple[Any, ...]]:
        """Return key and reference of rows that point to others which are not there, a few more than are shown."""
        if not set(reference.columns) <= set(self.columns):
            return []
        pairs = list(zip(reference.columns, reference.targets, strict=True))
        same = " AND ".join(f"x.{quoted(target)} = s.{quoted(column)}" for column, target in pairs)
        places = [reference.table]
        if reference.table == self.table.name and set(reference.targets) <= set(self.columns):
            # A row may come back together with the one that it points to.
            places.append(STAGE)
        given = [f"s.{quoted(column)} IS NOT NULL" for column in reference.columns]
        absent = [f"NOT EXISTS (SELECT 1 FROM {place} x WHERE {same})" for place in places]
        shown = ", ".join(f"s.{quoted(name)}" for name in (*self.table.key, *reference.columns))
        return self.live.ask(
            f"SELECT {shown} FROM {STAGE} s WHERE {' AND '.join([*given, f'NOT {self._is_there()}', *absent])} "
            f"ORDER BY {shown} LIMIT {MOST_SHOWN + 1}"
        )


def _dangling_line(table: Table, reference: Reference, row: tuple[Any, ...]) -> str:
    key, target = row[: len(table.key)], row[len(table.key) :]
    return f"  {_pairs(table.key, key)}: {_pairs(reference.columns, target)} is not in {plain(reference.table)}"


def _way_out(reference: Reference, targets: list[tuple[Any, ...]]) -> str:
    """Return the options that bring back what is missing, as far as it was found."""
    names, values = ", ".join(reference.targets), dict.fromkeys(targets)
    if len(reference.targets) == 1:
        listed = ", ".join(_literal(value) for (value,) in values)
    else:
        names = f"({names})"
        listed = ", ".join(f"({', '.join(map(_literal, row))})" for row in values)
    return f'  --table {plain(reference.table)} --where "{names} IN ({listed})"'


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def _pairs(names: Sequence[str], values: Sequence[Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))


def _common_columns(table: Table, backup_columns: list[str], name: str) -> list[str]:
    """Return the columns that are copied. Raises Refused when the two tables do not fit."""
    # A column that is computed is computed again.
    if lacking := [column for column in table.needed if column not in backup_columns]:
        raise Refused(
            f"{name} of the backup has no {', '.join(lacking)}, without which there can be no row now: the backup is "
            "of an older version. Restore it into a database of its own with --target, and migrate that."
        )
    return [column for column in backup_columns if column in table.columns]


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def plain(table: str) -> str:
    """Return a quoted name of a table without the quotes, for people."""
    return table.replace('"', "")
