"""What the loader asks of a layout: which tables a source has, and how one of its rows becomes lines for COPY.

A line is what PostgreSQL's COPY would print for the same row (text format, no line end): then the content that was sent
and the content that comes back can be compared byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from django.db.models import Model

    SourceRow = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found in one row of the source.

    A "note" tells what was normalised, defaulted, decoded or left out; with a "bad" one the row cannot be moved.
    `because_of` names the bad row, as "table id", on which this one hangs.
    """

    outcome: Literal["note", "bad"]
    table: str
    id: str
    column: str
    reason: str
    """A code for programs, such as `orphan`."""
    message: str
    """The same as a sentence for people."""
    value: Any
    """What the source holds."""
    moved_as: Any = None
    """What stands for it in the target, of a note."""
    because_of: str = ""
    secret: bool = False
    """The value must be shown to nobody."""


class Keys(Protocol):
    """Which primary keys the rows of the source get, and which rows stay behind."""

    def key(self, table: str, rowid: int) -> int:
        """Return the primary key in the target of a row of the source's table."""

    def refuse(self, table: str, rowid: int) -> None:
        """Remember that this row is not moved."""

    def is_refused(self, table: str, rowid: int) -> bool:
        """Whether this row is not moved."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a layout works with."""

    source: sqlite3.Connection
    keys: Keys
    report: Callable[[Finding], None]
    """Takes a finding to the report. The row counts as bad, noted or moved by the worst that was said of it."""
    now: datetime
    keep_expired: bool = False
    """Whether sessions and tokens that are over are moved as well."""


@dataclass(frozen=True, slots=True)
class Target:
    """A table that lines go into: its model and the columns, in the order of a line's values."""

    model: type[Model]
    columns: tuple[str, ...]
    defaulted: frozenset[str] = frozenset()
    """Columns that the source does not know: a merge leaves them as they are in rows that the target already has."""


@dataclass(frozen=True, slots=True)
class Move:
    """How the rows of one source table are moved.

    `select` is asked for all rows in the order of their rowid. Its first column is the rowid and its second the id as
    people know it; the loader adds `WHERE t.rowid > ?` and `ORDER BY t.rowid`, so the table's alias is `t` and there
    is no other condition. Where text is not UTF-8, the bytes arrive as lone surrogates (Python's `surrogateescape`).

    `convert` returns the line for `target` that begins with the primary key, or None: then it has reported why the row
    is bad, or a note that says why it is left out, and has told the keys.
    `children` are the tables of rows that come along, such as a part's images; `convert` appends their lines, without
    the primary key that the loader puts first, to the lists that it is given, one for each child.
    """

    table: str
    target: Target
    select: str
    convert: Callable[[SourceRow, Sequence[list[str]]], str | None]
    children: tuple[Target, ...] = field(default=())


class Layout(Protocol):
    """A kind of file that can be moved."""

    name: str
    """As it is printed."""
    tables: tuple[str, ...]
    """The source's tables, each of which has a move."""
    models: tuple[type[Model], ...]
    """Where the lines go: the targets of the moves and their children."""
    matched: frozenset[type[Model]]
    """Those of the models of which every migrated database has rows, such as permissions. They stand for the same rows
    of the source, which are found by their natural key."""
    estimated: Mapping[str, str]
    """Columns of the target that the source does not know, and what was taken for them; the move's record tells it."""

    def recognises(self, source: sqlite3.Connection) -> bool:
        """Whether the file has this layout, or is meant to."""

    def refuse_unready(self, source: sqlite3.Connection) -> None:
        """Raise Refused, with what to do, when the file has this layout but not whole or not in this version."""

    def moves(self, context: Context) -> Iterable[Move]:
        """Return the moves in an order in which parents come first.

        What needs a look at a whole table, such as duplicates, is found before its move is given.
        """
