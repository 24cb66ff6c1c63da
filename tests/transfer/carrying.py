"""Moves carried out without the loader: what becomes of every row, and whether PostgreSQL takes the lines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from config.ops.transfer.keys import RowKeys
from config.ops.transfer.layout import Context, Finding, Target
from config.ops.transfer.partpal import PartPal
from config.ops.transfer.source import read_rows

if TYPE_CHECKING:
    from pathlib import Path

    from django.db.models import Model

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class Carried:
    """What became of a file."""

    lines: dict[type[Model], list[str]] = field(default_factory=dict)
    targets: dict[type[Model], Target] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    outcomes: dict[str, dict[int, str]] = field(default_factory=dict)
    """Of each table and rowid: moved, noted, left out, bad or hanging."""
    unlike: list[str] = field(default_factory=list)
    """Rows of which the short way and the careful one say different things."""

    def found(self, table: str = "", outcome: str = "") -> list[tuple[str, str, str]]:
        """Return id, column and reason of the findings."""
        chosen = [f for f in self.findings if f.table in {table or f.table} and f.outcome in {outcome or f.outcome}]
        return [(finding.id, finding.column, finding.reason) for finding in chosen]

    def count(self, table: str, outcome: str) -> int:
        return list(self.outcomes[table].values()).count(outcome)


def carry(path: Path, *, keep_expired: bool = False, now: datetime = NOW) -> Carried:
    """Read and convert all rows of a file."""
    carried = Carried()
    keys = RowKeys()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as source:
        context = Context(source, keys, carried.findings.append, now, keep_expired)
        for move in PartPal().moves(context):
            lines: list[str] = []
            children: list[list[str]] = [[] for _ in move.children]
            outcomes = carried.outcomes[move.table] = {}
            for row in read_rows(source, move.select):
                before = len(carried.findings), [len(child) for child in children]
                line = move.convert(row, children)
                fresh = carried.findings[before[0] :]
                outcomes[row[0]] = _outcome(line, fresh, refused=keys.is_refused(move.table, row[0]))
                if line is not None:
                    lines.append(line)
                _compare(carried, move, row, line, children, before)
            carried.targets[move.target.model] = move.target
            carried.lines[move.target.model] = lines
            for target, child in zip(move.children, children, strict=True):
                carried.targets[target.model] = target
                carried.lines[target.model] = [f"{key}\t{line}" for key, line in enumerate(child, 1)]
    return carried


def _outcome(line: str | None, fresh: list[Finding], *, refused: bool) -> str:
    bad = [finding for finding in fresh if finding.outcome == "bad"]
    if line is not None:
        assert not refused
        assert not bad
        return "noted" if fresh else "moved"
    if not refused:
        assert fresh
        assert not bad
        return "left out"
    assert bad
    return "hanging" if all(finding.because_of for finding in bad) else "bad"


def _compare(carried: Carried, move: Any, row: Any, line: str | None, children: list[list[str]], before: Any) -> None:
    """Convert the row again in the careful way, and see whether the same comes out."""
    rows = move.convert.__self__
    if not hasattr(rows, "with_care"):
        return
    found, made = carried.findings[before[0] :], [child[n:] for child, n in zip(children, before[1], strict=True)]
    again: list[list[str]] = [[] for _ in children]
    start = len(carried.findings)
    same = rows.with_care(row, again) == line and carried.findings[start:] == found and again == made
    del carried.findings[start:]
    if not same:
        carried.unlike.append(f"{move.table} {row}")


def load(carried: Carried) -> None:
    """Send the lines to the database under test, with all of its rules, and see the same lines come back."""
    with connection.cursor() as cursor:
        for model, lines in carried.lines.items():
            table, columns = model._meta.db_table, ", ".join(f'"{name}"' for name in carried.targets[model].columns)
            with cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
                copy.write("".join(f"{line}\n" for line in lines))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for model, lines in carried.lines.items():
            table, columns = model._meta.db_table, ", ".join(f'"{name}"' for name in carried.targets[model].columns)
            with cursor.copy(f'COPY (SELECT {columns} FROM "{table}" ORDER BY id) TO STDOUT') as copy:
                back = b"".join(bytes(block) for block in copy).decode().split("\n")[:-1]
            assert back == lines
