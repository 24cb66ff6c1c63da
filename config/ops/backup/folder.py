"""PostgreSQL's folder format: one file per table, dumped by several processes at once, compressed by pg_dump itself."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import TYPE_CHECKING, BinaryIO, cast

from config.ops.backup.compression import DAMAGE, zstd
from config.ops.backup.manifest import Damaged, FileEntry, flush_folder
from config.ops.backup.streams import PIECE
from config.ops.backup.writing import forget

if TYPE_CHECKING:
    from pathlib import Path

ZSTD_SINCE = 16


class FolderCompression(Enum):
    """How pg_dump compresses the files; the value is what the manifest says."""

    ZSTD = "zstd"
    GZIP = "gzip"
    NONE = "none"

    @classmethod
    def best(cls, pg_dump_major: int) -> FolderCompression:
        """Return the best one that this version of pg_dump may know; its build may still lack it."""
        return cls.ZSTD if pg_dump_major >= ZSTD_SINCE else cls.GZIP

    @property
    def option(self) -> str:
        """What pg_dump's --compress takes."""
        return {"zstd": "zstd:3", "gzip": "6", "none": "0"}[self.value]


def read_back_folder(folder: Path, *, jobs: int) -> tuple[tuple[FileEntry, ...], int]:
    """Flush and read every file, and return their sizes and checksums, and the size of everything before compression.

    Raises Damaged or OSError.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(lambda file: _read_back(file, folder), files))
    flush_folder(folder)
    return tuple(entry for entry, _ in results), sum(plain_size for _, plain_size in results)


def _read_back(file: Path, folder: Path) -> tuple[FileEntry, int]:
    with file.open("rb", buffering=0) as opened:
        os.fsync(opened.fileno())
        forget(opened.fileno())
        hashing = _Hashing(opened)
        source = cast("BinaryIO", hashing)
        content: BinaryIO = source
        if file.suffix == ".zst":
            content = cast("BinaryIO", zstd.ZstdFile(source, "rb"))
        elif file.suffix == ".gz":
            content = cast("BinaryIO", gzip.GzipFile(fileobj=source, mode="rb"))
        plain_size = 0
        try:
            while piece := content.read(PIECE):
                plain_size += len(piece)
        except DAMAGE as error:
            raise Damaged(f"{file.name} does not read back as it was written: look after the disk.") from error
    return FileEntry(str(file.relative_to(folder)), hashing.size, hashing.digest.hexdigest()), plain_size


class _Hashing:
    """Sums up what is read through it."""

    def __init__(self, source: io.FileIO) -> None:
        self.source, self.digest, self.size = source, hashlib.sha256(), 0

    def read(self, size: int, /) -> bytes:
        piece = self.source.read(size) or b""
        self.digest.update(piece)
        self.size += len(piece)
        return piece
