"""A folder as one stream, in tar's format, and back."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, cast

from config.db.errors import Refused
from config.ops.backup.manifest import Damaged
from config.ops.backup.streams import BASE_FIRST, PIECE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from config.ops.backup.streams import PlainStream


class Packed:
    """The content of a folder as a stream; its first entry is the one by which it is recognised."""

    def __init__(self, folder: Path) -> None:
        self.pieces, self.ready = _pieces(folder), b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end. Raises OSError."""
        while not self.ready:
            piece = next(self.pieces, None)
            if piece is None:
                return b""
            self.ready = piece
        given, self.ready = self.ready[:size], self.ready[size:]
        return given


def _pieces(folder: Path) -> Iterator[bytes]:
    first = folder / BASE_FIRST
    for path in [first, *sorted(path for path in folder.rglob("*") if path != first)]:
        entry = tarfile.TarInfo(str(path.relative_to(folder)))
        entry.mtime = int(path.stat().st_mtime)
        if path.is_dir():
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            yield entry.tobuf(tarfile.PAX_FORMAT)
            continue
        entry.mode, entry.size = 0o600, path.stat().st_size
        yield entry.tobuf(tarfile.PAX_FORMAT)
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def unpack(stream: PlainStream, folder: Path) -> None:
    """Write everything into the new `folder`, and read the stream to its end. Raises Damaged, Refused or OSError."""
    folder.mkdir(mode=0o700)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as packed:
            packed.extractall(folder, filter="data")
            for _ in stream.pieces():
                pass
    except tarfile.TarError as error:
        raise Damaged(f"{stream.name} is damaged: {error}.") from error
    if not (folder / BASE_FIRST).exists():
        raise Refused(f"{stream.name} is no base backup: it has no {BASE_FIRST}.")
