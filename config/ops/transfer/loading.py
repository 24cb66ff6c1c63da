"""Sending the rows of a layout's moves to PostgreSQL by COPY, block by block, and counting what became of each."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import BigIntegerField, Model
from psycopg import sql

from config.db.errors import Refused
from config.ops.transfer.checksums import Checksum, has_integer_key, new_checksum
from config.ops.transfer.findings import Tally
from config.ops.transfer.keys import RowKeys
from config.ops.transfer.layout import Finding
from config.ops.transfer.source import count_rows, read_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from typing import IO

    import psycopg

    from config.ops.transfer.findings import Findings
    from config.ops.transfer.layout import Move, Target

# Client and server work at the same time only while blocks are small. In characters.
BLOCK = 65_536
SPOOL_BLOCK = 131_072  # bytes
PROGRESS_ROWS = 2_000
# The sequence must be able to go on for a while.
HIGHEST_KEY = 2**62
HIGHEST_SMALL_KEY = 2**31 - 2


class Writer(Protocol):
    """Takes the lines of one table."""

    def write(self, block: bytes) -> None:
        """Send whole lines."""

    def close(self) -> None:
        """Say that there are no more lines."""

    def abandon(self) -> None:
        """Give up: nothing of what was sent is to stay."""


class CopyWriter:
    """Sends lines to a table of an open transaction by COPY."""

    def __init__(self, session: psycopg.Connection[Any], table: str, columns: Sequence[str]) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        self._open = ExitStack()
        cursor = self._open.enter_context(session.cursor())
        self._copy = self._open.enter_context(cursor.copy(statement))
        self.write: Callable[[bytes], None] = self._copy.write

    def close(self) -> None:
        """See `Writer`."""
        self._open.close()

    def abandon(self) -> None:
        """See `Writer`."""
        stopped = RuntimeError("the load was stopped")
        with suppress(RuntimeError):
            self._open.__exit__(RuntimeError, stopped, None)


@dataclass(slots=True)
class Loaded:
    """What was sent into one table."""

    target: Target
    checksum: Checksum


@dataclass(slots=True)
class Loader:
    """Carries the rows of one source. Without `open_writer` they are only read and checked."""

    source: sqlite3.Connection
    keys: RowKeys
    findings: Findings
    progress: Callable[[str, int], None]
    """Is told a table of the source, and how many of its rows were read."""
    open_writer: Callable[[type[Model], Sequence[str]], Writer] | None = None
    is_loaded: Callable[[Target], None] = lambda target: None
    """Is told of every table to which all rows are sent or on their way."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    loaded: dict[type[Model], Loaded] = field(default_factory=dict)
    _noted: RowKeys = field(default_factory=RowKeys)
    _writer: Writer | None = None
    _child_keys: dict[type[Model], int] = field(default_factory=dict)

    def carry(self, move: Move) -> None:
        """Read, convert and send all rows of one source table, and then the rows that came along."""
        tally = self.tallies[move.table] = Tally(move.table, count_rows(self.source, move.table))
        checksum = self._begin(move.target)
        with ExitStack() as spools:
            # Until a COPY is over, its connection understands nothing else, not even that all is taken back.
            spools.callback(self._abandon)
            children = [_Spool(child, self._begin(child), self._child_keys, spools) for child in move.children]
            self._send_rows(move, tally, checksum, children)
            self.is_loaded(move.target)
            for spool in children:
                self._open(spool.target)
                spool.drain(self._write)
                self._close()
                self.is_loaded(spool.target)

    def stop_writing(self) -> None:
        """Go on without sending anything: the rest of the file is only read and checked."""
        self._abandon()
        self.open_writer = None

    def _abandon(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.abandon()

    def count_again(self, tally: Tally, rowid: int, finding: Finding) -> None:
        """Count a row that was sent by what was found out about it since."""
        was_noted = self._noted.is_refused(tally.table, rowid)
        if finding.outcome == "note":
            tally.moved, tally.noted = (tally.moved, tally.noted) if was_noted else (tally.moved - 1, tally.noted + 1)
            self._noted.refuse(tally.table, rowid)
            return
        tally.moved, tally.noted = tally.moved - (not was_noted), tally.noted - was_noted
        if finding.because_of:
            tally.hanging += 1
        else:
            tally.bad += 1

    def _begin(self, target: Target) -> Checksum:
        loaded = self.loaded.setdefault(target.model, Loaded(target, new_checksum(target.model)))
        return loaded.checksum

    def _open(self, target: Target) -> None:
        self._writer = self.open_writer(target.model, target.columns) if self.open_writer else None

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, block: bytes) -> None:
        if self._writer is not None:
            self._writer.write(block)

    def _send_rows(self, move: Move, tally: Tally, checksum: Checksum, children: list[_Spool]) -> None:
        convert, findings, table = move.convert, self.findings, move.table
        child_lines: list[list[str]] = [spool.lines for spool in children]
        lines: list[str] = []
        size = count = 0
        refuse_key = _key_refusal(self.source, self.keys, findings, move)
        early = findings.early.get(table, set())
        self._open(move.target)
        findings.in_row = True
        for row in read_rows(self.source, move.select):
            count += 1
            line = None if refuse_key and refuse_key(row) else convert(row, child_lines)
            if line is None or findings.fresh or early:
                self._count(tally, row, was_moved=line is not None)
            else:
                tally.moved += 1
            if line is not None:
                lines.append(line)
                size += len(line)
                if size > BLOCK:
                    self._flush(lines, checksum, children)
                    size = 0
            if count % PROGRESS_ROWS == 0:
                self.progress(table, count)
        findings.in_row = False
        self._flush(lines, checksum, children)
        self._close()
        self.progress(table, count)

    def _count(self, tally: Tally, row: Sequence[Any], *, was_moved: bool) -> None:
        findings = self.findings
        if was_moved:
            if findings.fresh or str(row[1]) in findings.early.get(tally.table, ()):
                tally.noted += 1
                self._noted.refuse(tally.table, row[0])
            else:
                tally.moved += 1
        elif not self.keys.is_refused(tally.table, row[0]):
            tally.left_out += 1
        elif findings.row_hangs and not findings.row_is_bad:
            tally.hanging += 1
        else:
            tally.bad += 1
        findings.next_row()

    def _flush(self, lines: list[str], checksum: Checksum, children: list[_Spool]) -> None:
        if lines:
            lines.append("")
            block = "\n".join(lines).encode()
            checksum.add(block, len(lines) - 1)
            self._write(block)
            lines.clear()
        for spool in children:
            spool.take()


class _Spool:
    """The rows that come along with those of another table, until that table is loaded: in a file without a name."""

    def __init__(self, target: Target, checksum: Checksum, keys: dict[type[Model], int], stack: ExitStack) -> None:
        self.target = target
        self.lines: list[str] = []
        self._checksum, self._keys = checksum, keys
        self._file: IO[bytes] = stack.enter_context(tempfile.TemporaryFile(prefix="forecourt-"))  # noqa: SIM115

    def take(self) -> None:
        """Give the waiting lines their keys and put them into the file. Raises Refused when the disk is full."""
        if not self.lines:
            return
        first = self._keys.get(self.target.model, 0) + 1
        block = "".join([f"{key}\t{line}\n" for key, line in enumerate(self.lines, first)]).encode()
        self._keys[self.target.model] = first + len(self.lines) - 1
        self._checksum.add(block, len(self.lines))
        self.lines.clear()
        try:
            self._file.write(block)
        except OSError as error:
            raise refused_spool(error) from error

    def drain(self, write: Callable[[bytes], None]) -> None:
        """Send what the file holds."""
        self._file.seek(0)
        while block := self._file.read(SPOOL_BLOCK):
            write(block)


def refused_spool(error: OSError) -> Refused:
    """Return the refusal for a file of waiting lines that cannot be written."""
    return Refused(
        f"The temporary folder {tempfile.gettempdir()} cannot be written: {error.strerror}. "
        "Make room, or set TMPDIR to a folder that has some."
    )


def _key_refusal(
    source: sqlite3.Connection, keys: RowKeys, findings: Findings, move: Move
) -> Callable[[Sequence[Any]], bool] | None:
    """Return what refuses a row whose rowid is no key for its table, or None where all rowids of the table are."""
    model = move.target.model
    if not has_integer_key(model):
        return None
    key = model._meta.pk
    highest = HIGHEST_KEY if isinstance(key, BigIntegerField) else HIGHEST_SMALL_KEY
    # Asked one by one, SQLite looks at both ends of the table and not at all of it.
    (first,), (last,) = (
        source.execute(f'SELECT {end}(rowid) FROM "{move.table}"').fetchone()  # noqa: S608 - a layout's table
        for end in ("min", "max")
    )
    if first is None or (first >= 1 and last <= highest):
        return None

    def refuse(row: Sequence[Any]) -> bool:
        rowid = row[0]
        if 1 <= rowid <= highest:
            return False
        keys.refuse(move.table, rowid)
        message = f"its internal number is not between 1 and {highest}, and cannot be its key"
        findings.add(Finding("bad", move.table, str(row[1]), "rowid", "key_out_of_range", message, rowid))
        return True

    return refuse
