"""The backup that shall be restored: which it is, whether it is whole, and its plain content on disk.

Nothing is done to a database before the backup was read to its end: that is where a cut shows.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from config.db.errors import Refused
from config.ops.backup.catalogue import latest
from config.ops.backup.clients import newest_client
from config.ops.backup.encryption import Keys
from config.ops.backup.manifest import Damaged, Manifest, check_backup, manifest_path, read_manifest
from config.ops.backup.running import running
from config.ops.backup.streams import CUSTOM, CUSTOM_BEGINS, HEAD, SQL, plain_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.streams import PlainStream

DIRECTORY = "directory"
STANDARD_INPUT, LATEST = "-", "latest"
TAIL = 4096  # bytes at the end of a script that are enough to find its last line
END_OF_SCRIPT = b"PostgreSQL database dump complete"
DUMPED_FROM = re.compile(rb"(?m)^(?:;    |--) Dumped from database version:? (\d[\w.]*)")
DUMPED_BY = re.compile(rb"(?m)^(?:;    |--) Dumped by pg_dump version:? (\d[\w.]*)")
SPARE = 64 << 20  # bytes that stay free in the folder of temporary files


@dataclass(frozen=True, slots=True)
class Source:
    """A backup that was named, as `name` in messages; `manifest` is None where there is none."""

    path: Path
    manifest: Manifest | None
    alias: str = ""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.alias or str(self.path)

    @property
    def size(self) -> int:
        """Its bytes on disk."""
        if self.manifest:
            return self.manifest.size
        parts = self.path.rglob("*") if self.path.is_dir() else [self.path]
        return sum(part.stat().st_size for part in parts if part.is_file())


@dataclass(frozen=True, slots=True)
class Content:
    """What is inside of a backup that was read to its end.

    `kind` is "custom", "directory", "sql" or "sqlite"; `plain_size` counts bytes; `server_version` and
    `program_version` are those that PostgreSQL's programs write into their dumps, "" where they do not; `checks` says
    what was proven.
    """

    kind: str
    layers: tuple[str, ...] = ()
    plain_size: int = 0
    server_version: str = ""
    program_version: str = ""
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """The plain content of a backup in a file, or folder, that programs can open by its path."""

    path: Path
    content: Content


@contextmanager
def found_source(name: str, connection: BaseDatabaseWrapper, folder: Path) -> Iterator[Source]:
    """Yield the backup of that name: a path, "latest" of the database in `folder`, or "-". Raises Refused."""
    if name == STANDARD_INPUT:
        with ExitStack() as opened:
            file = _temporary_file(opened)
            shutil.copyfileobj(sys.stdin.buffer, file)
            file.flush()
            yield Source(_path_of(file), None, "standard input")
        return
    if name == LATEST:
        entry = latest(folder, connection)
        yield Source(entry.backup, entry.manifest)
        return
    path = Path(name).resolve()
    if not path.exists():
        raise Refused(f"There is no file {path}: `manage.py restore --list` shows the backups that there are.")
    # A manifest that cannot be read is worse than none: what it belongs to is not what was written.
    yield Source(path, read_manifest(manifest_path(path)) if manifest_path(path).exists() else None)


@dataclass(slots=True)
class _Reading:
    """What is learnt while a backup is read to its end."""

    content: str = ""
    layers: tuple[str, ...] = ()
    head: bytes = b""
    tail: bytes = b""
    plain_size: int = 0
    size: int = 0
    sha256: str = ""
    checks: list[str] = field(default_factory=list)


def look_into(source: Source, keys: Keys) -> Content:
    """Read the backup to its end without writing anything, and return what it is. Raises Refused or Damaged."""
    if source.path.is_dir():
        return _checked_folder(source, source.path)
    with _Listing() as listing:
        reading = _read(source, keys, listing.feed)
        return _content(source, reading, listing.header() if reading.content == CUSTOM else reading.head)


def read_plain(source: Source, keys: Keys, take: Callable[[bytes], object]) -> None:
    """Read the backup to its end, and hand its plain content to `take` piece by piece. Raises Refused or Damaged."""
    _read(source, keys, take)


@contextmanager
def plain_content(source: Source, keys: Keys) -> Iterator[Plain]:
    """Read the backup to its end, and yield its plain content as a file. Raises Refused or Damaged."""
    if source.path.is_dir():
        yield Plain(source.path, _checked_folder(source, source.path))
        return
    with ExitStack() as opened:
        file = _temporary_file(opened)
        _refuse_without_room(source)
        reading = _read(source, keys, file.write)
        file.flush()
        path = _path_of(file)
        yield Plain(path, _content(source, reading, _listed(path) if reading.content == CUSTOM else reading.head))


def _temporary_file(opened: ExitStack) -> BinaryIO:
    file = opened.enter_context(tempfile.NamedTemporaryFile(prefix="forecourt-restore-", delete=False))  # noqa: SIM115
    if _has_descriptors_as_files():
        # Without a name nothing of it stays behind, even if this process is killed.
        Path(file.name).unlink()
    else:
        opened.callback(Path(file.name).unlink, missing_ok=True)
    return cast("BinaryIO", file)


def _has_descriptors_as_files() -> bool:
    return Path(f"/proc/{os.getpid()}/fd").is_dir()


def _path_of(file: BinaryIO) -> Path:
    # Each of pg_restore's processes opens the path for itself, so it must not be one of its own descriptors.
    return Path(f"/proc/{os.getpid()}/fd/{file.fileno()}") if _has_descriptors_as_files() else Path(file.name)


def _refuse_without_room(source: Source) -> None:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    needed = source.manifest.plain_size if source.manifest else source.size
    if free < needed + SPARE:
        raise Refused(
            f"{source.name} needs {needed:,} bytes while it is restored and {folder} has {free:,}: set TMPDIR to a "
            "folder on a larger disk."
        )


def _read(source: Source, keys: Keys, take: Callable[[bytes], object]) -> _Reading:
    """Read everything, hand the plain content to `take` piece by piece, and compare it all with the manifest."""
    try:
        with ExitStack() as opened:
            raw = _Hashing(opened.enter_context(source.path.open("rb", buffering=0)))
            stream = opened.enter_context(plain_stream(cast("BinaryIO", raw), name=source.name, keys=keys))
            reading = _Reading(content=stream.content, layers=stream.layers)
            _drain(stream, reading, take)
            # What follows the end of the outermost layer counts for the checksum as well.
            while raw.read(1 << 16):
                pass
            reading.size, reading.sha256 = raw.size, raw.digest.hexdigest()
    except OSError as error:
        raise Refused(f"{source.name} cannot be read, or not be unpacked: {error.strerror or error}.") from error
    _compare(source, reading)
    return reading


def _drain(stream: PlainStream, reading: _Reading, take: Callable[[bytes], object]) -> None:
    for piece in stream.pieces():
        if len(reading.head) < HEAD:
            reading.head += piece[:HEAD]
        reading.tail = (reading.tail + piece)[-TAIL:] if len(piece) < TAIL else piece[-TAIL:]
        reading.plain_size += len(piece)
        take(piece)


def _compare(source: Source, reading: _Reading) -> None:
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


def _refuse_cut_script(source: Source, reading: _Reading) -> None:
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


def _content(source: Source, reading: _Reading, header: bytes) -> Content:
    if reading.content == CUSTOM:
        reading.checks.append("table of contents")
    server, program = (found[1].decode() if found else "" for found in _versions(header))
    manifest = source.manifest
    return Content(
        kind=reading.content,
        layers=reading.layers,
        plain_size=reading.plain_size,
        server_version=server or (manifest.server_version if manifest else ""),
        program_version=program or (manifest.program_version if manifest else ""),
        checks=tuple(reading.checks),
    )


def _versions(header: bytes) -> tuple[re.Match[bytes] | None, re.Match[bytes] | None]:
    return DUMPED_FROM.search(header), DUMPED_BY.search(header)


def _checked_folder(source: Source, folder: Path) -> Content:
    if not (folder / "toc.dat").exists():
        raise Refused(f"{folder} is no backup: a folder of pg_dump has a file toc.dat.")
    checks = []
    if source.manifest:
        check_backup(source.manifest, folder)
        checks += ["manifest", "SHA-256"]
    server, program = (found[1].decode() if found else "" for found in _versions(_listed(folder)))
    return Content(
        kind=DIRECTORY,
        plain_size=source.manifest.plain_size if source.manifest else 0,
        server_version=server,
        program_version=program,
        checks=(*checks, "table of contents"),
    )


def _listed(archive: Path) -> bytes:
    """Return what `pg_restore --list` says about an archive. Raises Refused, also when it cannot be read."""
    with running([str(newest_client("pg_restore").path), "--list", str(archive)], dict(os.environ)) as program:
        listed = program.process.stdout.read() if program.process.stdout else b""
        program.check()
    return listed


class _Listing:
    """`pg_restore --list` on an archive as it streams by; does nothing with anything else."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with us
        self.begun, self.wants_more = False, False

    def __enter__(self) -> _Listing:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
        self.output.close()

    def feed(self, piece: bytes) -> None:
        """Hand over the next part."""
        if not self.begun:
            self.begun = True
            self.wants_more = piece.startswith(CUSTOM_BEGINS)
        if not self.wants_more:
            return
        if self.process is None:
            command = [str(newest_client("pg_restore").path), "--list"]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=self.output, stderr=subprocess.PIPE, bufsize=0
            )
        try:
            cast("BinaryIO", self.process.stdin).write(piece)
        except BrokenPipeError:
            self.wants_more = False

    def header(self) -> bytes:
        """Return what it said. Raises Damaged when it could not read the table of contents."""
        if self.process:
            _, errors = self.process.communicate()
            if self.process.returncode:
                raise Damaged(f"pg_restore cannot list the archive: {errors.decode(errors='replace').strip()}")
        self.output.seek(0)
        return self.output.read()


class _Hashing:
    """Sums up what is read through it."""

    def __init__(self, source: io.FileIO) -> None:
        self.source, self.digest, self.size = source, hashlib.sha256(), 0

    def read(self, size: int, /) -> bytes:
        piece = self.source.read(size) or b""
        self.digest.update(piece)
        self.size += len(piece)
        return piece
