"""Backups as streams: what a file is, told by its content and never by its name, and its plain content.

A file may be locked (age), compressed (zstd, gzip), both or neither; inside is an archive of PostgreSQL (`custom`), a
script (`sql`), a SQLite file (`sqlite`) or the files of a server (`base`). Every layer is checked to its end: a cut or
changed file raises Damaged.
"""

from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from config.db.errors import Refused
from config.ops.backup import encryption
from config.ops.backup.compression import DAMAGE, zstd
from config.ops.backup.encryption import Keys, WrongKey
from config.ops.backup.manifest import Damaged

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from config.ops.backup.passphrase import Reader

AGE, ZSTD, GZIP = "age", "zstd", "gzip"
CUSTOM, SQL, SQLITE, BASE = "custom", "sql", "sqlite", "base"
COMPRESSION_MAGIC = {b"\x28\xb5\x2f\xfd": ZSTD, b"\x1f\x8b": GZIP}
AGE_BEGINS = b"age-encryption.org/v1\n"
PASSPHRASE_BEGINS = AGE_BEGINS + b"-> scrypt "
CUSTOM_BEGINS = b"PGDMP"
# The file that every base backup of a server has; we pack it first.
BASE_FIRST = "backup_label"
SQLITE_BEGINS = b"SQLite format 3\x00"
SQL_BEGINS = tuple(rb"-- /* \ SET BEGIN CREATE DROP PRAGMA INSERT COPY SELECT".split())
HEAD = 512  # bytes that are enough to tell what a file is
MOST_LAYERS = 4
PIECE = 128 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class PlainStream:
    """The plain content of a backup: read it to its end, because the end is where a cut shows.

    `layers` are the wrappings that were taken off, the outermost first; `content` is what was inside.
    """

    name: str
    layers: tuple[str, ...]
    content: str
    source: Reader

    def read(self, size: int = PIECE) -> bytes:
        """Return up to `size` bytes, none at the end. Raises Damaged, WrongKey, or Refused where reading fails."""
        with _readable(self.name):
            return self.source.read(size)

    def pieces(self, size: int = PIECE) -> Iterator[bytes]:
        """Yield everything that is left. Raises as `read`."""
        while piece := self.read(size):
            yield piece


@contextmanager
def open_backup(path: Path, keys: Keys | None = None) -> Iterator[PlainStream]:
    """Open a backup file for reading its plain content. Raises as `plain_stream`."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    with file, plain_stream(file, name=str(path), keys=keys) as stream:
        yield stream


@contextmanager
def plain_stream(source: BinaryIO, *, name: str, keys: Keys | None = None) -> Iterator[PlainStream]:
    """Take the wrappings off `source`, which need not be a file on disk; `name` stands for it in errors.

    Raises Refused for content that is no backup and where a key is missing, Damaged, and WrongKey.
    """
    with ExitStack() as opened:
        layers: list[str] = []
        current: Reader = source
        while True:
            with _readable(name):
                head, current = _peeked(current)
            layer = _layer(head)
            if layer is None:
                break
            if len(layers) == MOST_LAYERS:
                raise Refused(f"{name} is wrapped more than {MOST_LAYERS} times: that is no backup.")
            layers.append(layer)
            current = _unwrapped(layer, head, current, name, keys or Keys(), opened)
        yield PlainStream(name, tuple(layers), _content(head, name), current)


def _layer(head: bytes) -> str | None:
    if head.startswith(AGE_BEGINS):
        return AGE
    return next((layer for magic, layer in COMPRESSION_MAGIC.items() if head.startswith(magic)), None)


def _content(head: bytes, name: str) -> str:
    if head.startswith(CUSTOM_BEGINS):
        return CUSTOM
    if head.startswith(SQLITE_BEGINS):
        return SQLITE
    if head.startswith(BASE_FIRST.encode() + b"\x00"):
        return BASE
    if b"\x00" not in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").upper().startswith(SQL_BEGINS):
        return SQL
    found = "is empty" if not head else "begins as none of them does"
    raise Refused(
        f"{name} {found}: a backup is an archive of pg_dump, an SQL script or a SQLite file, "
        "plain or compressed with zstd or gzip, encrypted with age or not."
    )


def _unwrapped(layer: str, head: bytes, source: Reader, name: str, keys: Keys, opened: ExitStack) -> Reader:
    if layer == ZSTD:
        return cast("Reader", opened.enter_context(zstd.ZstdFile(cast("BinaryIO", source), "rb")))
    if layer == GZIP:
        return opened.enter_context(gzip.GzipFile(fileobj=cast("BinaryIO", source), mode="rb"))
    by_passphrase = head.startswith(PASSPHRASE_BEGINS)
    if by_passphrase and not keys.passphrase:
        raise Refused(f"{name} is locked with a passphrase: give it with --passphrase-file or BACKUP_ENCRYPTION_KEY.")
    if not by_passphrase and not keys.identities:
        raise Refused(f"{name} is encrypted: give the key of one of its recipients with --identity FILE.")
    return opened.enter_context(_decrypting(source, keys, by_passphrase=by_passphrase))


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turn what the layers raise into one sentence about the file."""
    try:
        yield
    except WrongKey as error:
        raise WrongKey(f"{name} stays closed: {error}") from error
    except EOFError as error:
        raise Damaged(f"{name} is damaged: it is cut.") from error
    except (*DAMAGE, ValueError) as error:
        raise Damaged(f"{name} is damaged: {error}.") from error
    except OSError as error:
        raise Refused(f"{name} cannot be read: {error.strerror or error}.") from error


def _peeked(source: Reader) -> tuple[bytes, Reader]:
    head = b""
    while len(head) < HEAD and (piece := source.read(HEAD - len(head))):
        head += piece
    return head, cast("Reader", io.BufferedReader(cast("io.RawIOBase", _Again(head, source)), PIECE))


class _Again(io.RawIOBase):
    """A stream whose beginning was read already and is read again."""

    def __init__(self, head: bytes, rest: Reader) -> None:
        self.head, self.rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        buffer = memoryview(buffer)
        piece, self.head = self.head[: len(buffer)], self.head[len(buffer) :]
        piece = piece or self.rest.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def _decrypting(sealed: Reader, keys: Keys, *, by_passphrase: bool) -> Iterator[Reader]:
    """Yield the opened content: the library pushes, our readers pull, so a thread and a pipe stand between."""
    read_end, write_end = os.pipe()
    failures: list[Exception] = []

    def work() -> None:
        # What a reader that stopped early leaves in the buffer cannot be written, and nobody misses it.
        with suppress(BrokenPipeError), os.fdopen(write_end, "wb", buffering=PIECE) as plain:
            try:
                encryption.decrypt(sealed, plain, keys, by_passphrase=by_passphrase)
            except Exception as error:  # noqa: BLE001 - raised again where the content is read
                failures.append(error)

    thread = threading.Thread(target=work, name="decrypting", daemon=True)
    thread.start()
    with os.fdopen(read_end, "rb", buffering=0) as plain:
        try:
            yield _Joined(plain, thread, failures)
        finally:
            # Closed first: a writer that nobody reads would wait for ever.
            plain.close()
            thread.join()


class _Joined:
    """The reading end of the pipe, whose end counts only if the thread that fills it ended well."""

    def __init__(self, plain: BinaryIO | io.FileIO, thread: threading.Thread, failures: list[Exception]) -> None:
        self.plain, self.thread, self.failures = plain, thread, failures

    def read(self, size: int, /) -> bytes:
        piece = self.plain.read(size)
        if not piece:
            self.thread.join()
            if self.failures:
                raise self.failures[0]
        return cast("bytes", piece)
