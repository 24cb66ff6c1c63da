"""What is inside of a backup, read to its end and put where programs can use it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from config.db.errors import Refused
from config.ops.backup.clients import newest_client
from config.ops.backup.manifest import Damaged, check_backup
from config.ops.backup.running import running
from config.ops.backup.sqlite import private_database
from config.ops.backup.streams import CUSTOM, CUSTOM_BEGINS
from config.ops.restoring.reading import Reading, pieces_of
from config.ops.restoring.temporary import ELSEWHERE, PREFIX, path_of, temporary_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.ops.backup.encryption import Keys
    from config.ops.restoring.source import Source

DIRECTORY = "directory"
DUMPED_FROM = re.compile(rb"(?m)^(?:;    |--) Dumped from database version:? (\d[\w.]*)")
DUMPED_BY = re.compile(rb"(?m)^(?:;    |--) Dumped by pg_dump version:? (\d[\w.]*)")
SPARE = 64 << 20  # bytes that stay free in the folder of temporary files


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


def look_into(source: Source, keys: Keys) -> Content:
    """Read the backup to its end without writing anything, and return what it is. Raises Refused or Damaged."""
    if source.path.is_dir():
        return _checked_folder(source, source.path)
    reading = Reading()
    with _Listing() as listing:
        for piece in pieces_of(source, keys, reading):
            listing.feed(piece)
        return _content(source, reading, listing.header() if reading.content == CUSTOM else reading.head)


@contextmanager
def plain_content(source: Source, keys: Keys) -> Iterator[Plain]:
    """Read the backup to its end, and yield its plain content as a file. Raises Refused or Damaged."""
    if source.path.is_dir():
        yield Plain(source.path, _checked_folder(source, source.path))
        return
    reading = Reading()
    with ExitStack() as opened:
        file = temporary_file(opened)
        _refuse_without_room(source)
        _write(file, pieces_of(source, keys, reading))
        path = path_of(file)
        yield Plain(path, _content(source, reading, _listed(path) if reading.content == CUSTOM else reading.head))


def _write(file: BinaryIO, pieces: Iterable[bytes]) -> None:
    try:
        for piece in pieces:
            file.write(piece)
        file.flush()
    except OSError as error:
        folder = tempfile.gettempdir()
        raise Refused(f"The backup cannot be unpacked to {folder}: {error.strerror}. {ELSEWHERE}") from error


@contextmanager
def sqlite_content(source: Source, keys: Keys) -> Iterator[tuple[Content, sqlite3.Connection]]:
    """Read the backup of a SQLite database to its end, and yield it as an open one. Raises Refused or Damaged."""
    reading = Reading()
    path = Path(tempfile.gettempdir()) / f"{PREFIX}{secrets.token_hex(6)}"
    with private_database(path) as private:
        private.write(pieces_of(source, keys, reading))
        yield _content(source, reading, b""), private.database


def _refuse_without_room(source: Source) -> None:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    needed = source.manifest.plain_size if source.manifest else source.size
    if free < needed + SPARE:
        raise Refused(
            f"{source.name} needs {needed:,} bytes while it is restored and {folder} has {free:,}. {ELSEWHERE}"
        )


def _content(source: Source, reading: Reading, header: bytes) -> Content:
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
