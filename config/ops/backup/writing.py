"""Writing a backup file from a stream: compressed, encrypted, and read back from the disk while it grows."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from config.ops.backup import encryption
from config.ops.backup.compression import zstd
from config.ops.backup.encryption import Keys, Lock
from config.ops.backup.manifest import Damaged, flush_folder
from config.ops.backup.streams import PIECE, plain_stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.ops.backup.passphrase import Reader

ZSTD_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.nb_workers: 2,
    # The library's own choice for this level, 8 MiB a job, takes 60 MB more and saves one byte in a hundred.
    zstd.CompressionParameter.job_size: 1 << 20,
    zstd.CompressionParameter.checksum_flag: 1,
}
# How much is written before the next part goes to the disk and is read back from there.
FLUSH_STEP = 16 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written and read back: its size and SHA-256, and the size of what went in, in bytes."""

    size: int
    sha256: str
    plain_size: int


class Lister:
    """`pg_restore --list` on an archive as it streams by: it reads the table of contents and ends."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen(
            [program, "--list"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.wants_more = True

    def feed(self, piece: bytes) -> None:
        """Hand over the next part of the archive."""
        if self.wants_more and self.process.stdin:
            try:
                self.process.stdin.write(piece)
            except BrokenPipeError:
                self.wants_more = False

    def check(self) -> None:
        """Raise Damaged unless the table of contents could be read."""
        _, errors = self.process.communicate()
        if self.process.returncode:
            raise Damaged(f"pg_restore cannot list the archive: {errors.decode(errors='replace').strip()}")

    def stop(self) -> None:
        """End the program, if it still runs."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stderr):
            if pipe:
                with suppress(OSError):
                    pipe.close()


def write_backup(
    source: Reader,
    file: Path,
    *,
    compress: bool,
    lock: Lock,
    progress: Callable[[int], None],
    lister: Lister | None = None,
) -> Written:
    """Write everything that `source` gives to the new `file`, flushed to the disk and read back from there.

    `progress` is told the bytes that went in so far. A file that is locked to others can only be compared with what
    was meant to be written; everything else is also unwrapped. Raises OSError, or Damaged when it does not read back.
    """
    with ExitStack() as opened:
        sink = opened.enter_context(_Sink(file))
        counted = _Counted(source, progress)
        read_back = _ReadBack(sink, lock, lister)
        if lister and not read_back.unwraps:
            counted.lister = lister
        opened.callback(read_back.stop)
        read_back.start()
        stream: Reader = _Compressed(counted) if compress else counted
        if lock:
            encryption.encrypt(stream, sink, lock)
        else:
            while piece := stream.read(PIECE):
                sink.write(piece)
        sink.finish()
        read_back.check(counted.size)
        if lister:
            lister.check()
        return Written(sink.size, sink.digest.hexdigest(), counted.size)


def forget(descriptor: int, begin: int = 0, size: int = 0) -> None:
    """Let the system drop a flushed part of a file (0: all of it) from memory, so that the disk answers for it."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, begin, size, os.POSIX_FADV_DONTNEED)


class _Counted:
    """Counts what is read, and lets the lister see it."""

    def __init__(self, source: Reader, progress: Callable[[int], None]) -> None:
        self.source, self.progress, self.size = source, progress, 0
        self.lister: Lister | None = None

    def read(self, size: int, /) -> bytes:
        piece = self.source.read(size)
        self.size += len(piece)
        self.progress(self.size)
        if self.lister:
            self.lister.feed(piece)
        return piece


class _Compressed:
    """A stream that gives the compressed form of another."""

    def __init__(self, source: Reader) -> None:
        self.source = source
        self.compressor = zstd.ZstdCompressor(options=ZSTD_OPTIONS)
        self.ready, self.ended = memoryview(b""), False

    def read(self, size: int, /) -> bytes:
        while not self.ready and not self.ended:
            piece = self.source.read(PIECE)
            self.ended = not piece
            self.ready = memoryview(self.compressor.compress(piece) if piece else self.compressor.flush())
        given, self.ready = self.ready[:size], self.ready[size:]
        return bytes(given)


class _Sink:
    """The file being written; tells who waits how far it is."""

    def __init__(self, file: Path) -> None:
        self.path, self.digest, self.size = file, hashlib.sha256(), 0
        self.ended = False
        self.grown = threading.Condition()
        self.descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self.descriptor)

    def write(self, piece: bytes, /) -> int:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]
        self.digest.update(piece)
        with self.grown:
            self.size += len(piece)
            self.grown.notify()
        return len(piece)

    def flush(self) -> None:
        """Do nothing: `finish` flushes; encrypting libraries insist on having this."""

    def finish(self) -> None:
        """Flush everything to the disk."""
        os.fsync(self.descriptor)
        flush_folder(self.path.parent)
        self.end()

    def end(self) -> None:
        """Say that nothing more will come."""
        with self.grown:
            self.ended = True
            self.grown.notify()


class _ReadBack(threading.Thread):
    """Follows a growing file: flushes parts of it to the disk, reads them from there, and unwraps what they hold."""

    def __init__(self, sink: _Sink, lock: Lock, lister: Lister | None) -> None:
        super().__init__(name="read back", daemon=True)
        self.sink, self.lister = sink, lister
        # What is locked to others stays closed to us.
        self.unwraps = not lock.recipients
        self.keys = Keys(passphrase=lock.passphrase)
        self.digest, self.position, self.flushed = hashlib.sha256(), 0, 0
        self.plain_size = 0
        self.failure: Exception | None = None
        self.stopped = False

    def run(self) -> None:
        try:
            if not self.unwraps:
                while self.read(PIECE):
                    pass
                return
            with plain_stream(cast("BinaryIO", self), name=str(self.sink.path), keys=self.keys) as stream:
                for piece in stream.pieces():
                    self.plain_size += len(piece)
                    if self.lister:
                        self.lister.feed(piece)
        except Exception as failure:  # noqa: BLE001 - raised again where the result is asked for
            self.failure = failure

    def read(self, size: int, /) -> bytes:
        """Return the next bytes of the file from the disk; called by whoever unwraps it, in this thread."""
        if self.position == self.flushed:
            self._flush_more()
        piece = os.pread(self.sink.descriptor, min(size, self.flushed - self.position), self.position)
        self.position += len(piece)
        self.digest.update(piece)
        return piece

    def _flush_more(self) -> None:
        with self.sink.grown:
            self.sink.grown.wait_for(lambda: self.sink.ended or self.sink.size >= self.flushed + FLUSH_STEP)
            size, ended = self.sink.size, self.sink.ended
        if self.stopped:
            raise InterruptedError("the backup was given up")
        if not ended:
            os.fsync(self.sink.descriptor)
        forget(self.sink.descriptor, self.flushed, size - self.flushed)
        self.flushed = size

    def check(self, plain_size: int) -> None:
        """Wait until everything is read. Raises Damaged unless it is what was written, or what reading raised."""
        self.join()
        if self.failure:
            raise self.failure
        whole = self.digest.digest() == self.sink.digest.digest() and self.position == self.sink.size
        if not whole or (self.unwraps and self.plain_size != plain_size):
            raise Damaged(f"{self.sink.path.name} does not read back as it was written: look after the disk.")

    def stop(self) -> None:
        """Give up, if it is not done yet."""
        self.stopped = True
        self.sink.end()
        self.join()
