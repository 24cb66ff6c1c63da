"""Building indexes on the server while rows of other tables are still being converted here.

There is one connection, because there is one transaction: while the server builds, lines for it wait in files, also
those of several tables one after the other.
"""

from __future__ import annotations

import os
import select
import tempfile
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg import pq

from config.ops.transfer.loading import refused_spool
from config.ops.transfer.target import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from config.ops.transfer.loading import Writer

# How much may wait in the files before the rows wait for the server, and how many blocks catch up with each new one.
LONGEST_QUEUE = 512 * 1024 * 1024  # bytes
CATCH_UP = 4
# Between two looks at a server that is asked to end.
PATIENCE, INTERRUPT_EVERY = 30.0, 0.1  # seconds


class Lines(Protocol):
    """All lines of a table, which wait in a file."""

    @property
    def kept(self) -> int:
        """How many bytes wait."""

    def send(self) -> None:
        """Send them through the session, which is free."""

    def discard(self) -> None:
        """Give them up."""


class Builder:
    """Sends statements and lines to the server one after the other, without waiting for the statements.

    While it `is_busy`, nothing else can be done with the session.
    """

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self._session, self._connection = session, session.pgconn
        self._waiting: deque[Part | Lines] = deque()
        self._running: Part | None = None

    @property
    def left(self) -> int:
        """How much is not built or sent yet."""
        return len(self._waiting) + (self._running is not None)

    @property
    def kept(self) -> int:
        """How many bytes of lines wait."""
        return sum(each.kept for each in self._waiting if not isinstance(each, Part))

    def submit(self, parts: Iterable[Part | Lines]) -> None:
        """Build or send these as soon as what comes before them is there."""
        self._waiting.extend(parts)

    def is_busy(self) -> bool:
        """Take note of what is done, begin what is next, and say whether anything is left. Raises psycopg.Error."""
        while self._running is not None or self._waiting:
            if self._running is None:
                following = self._waiting.popleft()
                if not isinstance(following, Part):
                    self._send(following)
                    continue
                self._begin(following)
            self._connection.consume_input()
            if self._connection.is_busy():
                return True
            self._collect()
        return False

    def wait(self, progress: Callable[[Part, int], None] = lambda part, left: None) -> None:
        """Return when everything is built; `progress` is told the part in hand and how many are left."""
        while self.is_busy():
            if self._running is not None:
                progress(self._running, self.left)
            select.select([self._connection.socket], [], [], 0.5)

    def cancel(self) -> None:
        """Stop, so that the transaction can be taken back."""
        while self._waiting:
            given_up = self._waiting.popleft()
            if not isinstance(given_up, Part):
                given_up.discard()
        if self._running is not None:
            with suppress(psycopg.Error):
                self._interrupt()

    def _interrupt(self) -> None:
        # A server that has not begun with the statement yet does not hear that it is to stop.
        while self._connection.is_busy():
            with suppress(psycopg.Error):
                self._session.cancel_safe(timeout=PATIENCE)
            select.select([self._connection.socket], [], [], INTERRUPT_EVERY)
            self._connection.consume_input()
        self._collect()

    @staticmethod
    def _send(lines: Lines) -> None:
        try:
            lines.send()
        except BaseException:
            # The session understands nothing else until they are given up.
            lines.discard()
            raise

    def _begin(self, part: Part) -> None:
        self._running = part
        self._connection.send_query(part.restore.encode())
        while self._connection.flush():
            select.select([], [self._connection.socket], [])

    def _collect(self) -> None:
        self._running = None
        error: psycopg.Error | None = None
        while result := self._connection.get_result():
            if result.status == pq.ExecStatus.FATAL_ERROR:
                error = psycopg.errors.error_from_result(result)
        if error is not None:
            raise error


class PatientWriter:
    """Sends lines as soon as the builder leaves the session free, and keeps them in a file until then.

    Lines that are all kept when the table ends are left to the builder.
    """

    def __init__(self, builder: Builder, open_writer: Callable[[], Writer]) -> None:
        self._builder, self._open_writer = builder, open_writer
        self._writer: Writer | None = None
        self._queue: deque[int] = deque()
        self._file = tempfile.TemporaryFile(prefix="forecourt-", buffering=0)  # noqa: SIM115 - closed with the writer
        self._read = self._written = 0

    def write(self, block: bytes) -> None:
        """See `loading.Writer`."""
        if self.kept + self._builder.kept > LONGEST_QUEUE:
            self._builder.wait()
        if self._writer is None and not self._builder.is_busy():
            self._writer = self._open_writer()
        if self._writer is not None and not self._queue:
            self._writer.write(block)
            return
        self._keep(block)
        if self._writer is not None:
            self._catch_up(CATCH_UP)

    def close(self) -> None:
        """See `loading.Writer`."""
        if self._writer is None and self._builder.is_busy():
            self._builder.submit([self])
        else:
            self.send()

    @property
    def kept(self) -> int:
        """See `Lines`."""
        return self._written - self._read

    def send(self) -> None:
        """See `Lines`."""
        if self._writer is None:
            self._writer = self._open_writer()
        self._catch_up(len(self._queue))
        self._writer.close()
        self._file.close()

    def discard(self) -> None:
        """See `Lines`."""
        if self._writer is not None:
            self._writer.abandon()
        self._file.close()

    def abandon(self) -> None:
        """See `loading.Writer`."""
        self._builder.cancel()
        self.discard()

    def _keep(self, block: bytes) -> None:
        try:
            os.pwrite(self._file.fileno(), block, self._written)
        except OSError as error:
            raise refused_spool(error) from error
        self._queue.append(len(block))
        self._written += len(block)

    def _catch_up(self, blocks: int) -> None:
        assert self._writer is not None  # noqa: S101 - the callers opened it
        for _ in range(min(blocks, len(self._queue))):
            size = self._queue.popleft()
            self._writer.write(os.pread(self._file.fileno(), size, self._read))
            self._read += size
        if not self._queue:
            self._read = self._written = 0
            self._file.truncate(0)
