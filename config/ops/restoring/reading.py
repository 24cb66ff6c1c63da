"""Reading a backup to its end, where a cut shows: nothing is done to a database before."""

from __future__ import annotations

import hashlib
import io
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, cast

from config.db.errors import Refused
from config.ops.backup.manifest import Damaged
from config.ops.backup.streams import HEAD, SQL, plain_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.ops.backup.encryption import Keys
    from config.ops.restoring.source import Source

TAIL = 4096  # bytes at the end of a script that are enough to find its last line
END_OF_SCRIPT = b"PostgreSQL database dump complete"


@dataclass(slots=True)
class Reading:
    """What is learnt while a backup is read to its end."""

    content: str = ""
    layers: tuple[str, ...] = ()
    head: bytes = b""
    tail: bytes = b""
    plain_size: int = 0
    size: int = 0
    sha256: str = ""
    checks: list[str] = field(default_factory=list)

    def note(self, piece: bytes) -> None:
        """Take note of the next piece of plain content."""
        if len(self.head) < HEAD:
            self.head += piece[:HEAD]
        self.tail = (self.tail + piece)[-TAIL:] if len(piece) < TAIL else piece[-TAIL:]
        self.plain_size += len(piece)


def pieces_of(source: Source, keys: Keys, reading: Reading) -> Iterator[bytes]:
    """Yield the plain content of a backup, note in `reading` what it is, and compare it all with the manifest.

    Raises Refused or Damaged, at the end if not before.
    """
    try:
        with ExitStack() as opened:
            raw = _Hashing(opened.enter_context(source.path.open("rb", buffering=0)))
            stream = opened.enter_context(plain_stream(cast("BinaryIO", raw), name=source.name, keys=keys))
            reading.content, reading.layers = stream.content, stream.layers
            for piece in stream.pieces():
                reading.note(piece)
                yield piece
            # What follows the end of the outermost layer counts for the checksum as well.
            while raw.read(1 << 16):
                pass
            reading.size, reading.sha256 = raw.size, raw.digest.hexdigest()
    except OSError as error:
        raise Refused(f"{source.name} cannot be read, or not be unpacked: {error.strerror or error}.") from error
    _compare(source, reading)


def _compare(source: Source, reading: Reading) -> None:
    manifest = source.manifest
    if manifest:
        if manifest.size != reading.size:
            raise Damaged(
                f"{source.name} is damaged: it has {reading.size:,} bytes, its manifest says {manifest.size:,}."
            )
        if manifest.sha256 != reading.sha256:
            raise Damaged(f"{source.name} is damaged: its SHA-256 is not the one in its manifest.")
        if manifest.plain_size != reading.plain_size or manifest.archive != reading.content:
            raise Damaged(f"{source.name} unpacks to something else than its manifest says.")
        reading.checks += ["manifest", "SHA-256"]
    if reading.layers:
        reading.checks.append(f"{' in '.join(reversed(reading.layers))} to its end")
    if reading.content == SQL:
        _refuse_cut_script(source, reading)
        reading.checks.append("end marker")


def _refuse_cut_script(source: Source, reading: Reading) -> None:
    if reading.head.startswith(b"PRAGMA"):
        raise Refused(
            f"{source.name} is a script of sqlite3's .dump: make a file of it with `sqlite3 new.sqlite3 < script`, and "
            "restore that."
        )
    if b"PostgreSQL database cluster dump" in reading.head:
        raise Refused(
            f"{source.name} is a dump of a whole cluster (pg_dumpall): restore it with psql into a cluster of its own, "
            "and back up the database there."
        )
    if END_OF_SCRIPT not in reading.tail:
        raise Damaged(f'{source.name} is cut: it does not end with "{END_OF_SCRIPT.decode()}" as dumps do.')


class _Hashing:
    """Sums up what is read through it."""

    def __init__(self, source: io.FileIO) -> None:
        self.source, self.digest, self.size = source, hashlib.sha256(), 0

    def read(self, size: int, /) -> bytes:
        piece = self.source.read(size) or b""
        self.digest.update(piece)
        self.size += len(piece)
        return piece
