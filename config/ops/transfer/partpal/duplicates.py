"""Rows of which only one can be moved, because they are the same once they are written in their normal form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    Normal = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Keeper:
    """The row that keeps a value which others have as well."""

    rowid: int
    id: str


def unchanged(text: str) -> str:
    """The normal form of what is unique as it is written."""
    return text


def duplicates(source: sqlite3.Connection, table: str, column: str, normal: Normal) -> dict[int, Keeper]:
    """Return the rows whose value another row has in another spelling, each with the row that keeps it.

    That is the one written in normal form, else the one of which the fewest characters change, else the first.
    SQLite sorts, in files of its own when there is much, so that no memory is needed for rows without a double.
    """
    if normal is unchanged and is_unique(source, table, column):
        return {}
    # A name of its own: SQLite does not replace a function while another query is open.
    function = f"normal_form_of_{table}_{column}"
    source.create_function(function, 1, _on_bytes(normal), deterministic=True)
    groups = source.execute(
        f'SELECT {function}(CAST("{column}" AS BLOB)) AS form, group_concat(rowid) FROM "{table}"'  # noqa: S608 - our names
        " GROUP BY form HAVING count(*) > 1 AND form IS NOT NULL"
    ).fetchall()
    refused: dict[int, Keeper] = {}
    for _, rowids in groups:
        rows = [_row(source, table, column, int(rowid)) for rowid in rowids.split(",")]
        rows.sort(key=lambda row: (_changes(row[2], normal), row[0]))
        keeper = Keeper(rows[0][0], rows[0][1])
        refused |= {rowid: keeper for rowid, _, _ in rows[1:]}
    return refused


def is_unique(source: sqlite3.Connection, table: str, column: str) -> bool:
    """Whether an index of the file keeps the column's values apart."""
    indexes = source.execute('SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', [table]).fetchall()
    return any(
        source.execute("SELECT name FROM pragma_index_info(?)", [name]).fetchall() == [(column,)] for (name,) in indexes
    )


def _on_bytes(normal: Normal) -> Callable[[bytes], bytes | None]:
    """Return `normal` for SQLite, which hands text that is not UTF-8 over as bytes only."""

    def function(raw: bytes | None) -> bytes | None:
        try:
            return normal(raw.decode()).encode() or None if raw else None
        except UnicodeDecodeError:
            return None

    return function


def _row(source: sqlite3.Connection, table: str, column: str, rowid: int) -> tuple[int, str, str]:
    (name, raw) = source.execute(
        f'SELECT CAST(id AS BLOB), CAST("{column}" AS BLOB) FROM "{table}" WHERE rowid = ?',  # noqa: S608 - our names
        [rowid],
    ).fetchone()
    return rowid, (name or b"").decode("utf-8", "surrogateescape"), raw.decode()


def _changes(text: str, normal: Normal) -> int:
    kept = normal(text)
    return sum(before != after for before, after in zip(text, kept, strict=False)) + abs(len(text) - len(kept))
