"""Copying a SQLite database while others write into it."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from config.db.errors import Refused
from config.ops.backup.contents import sqlite_checksums, sqlite_migrations, sqlite_rows
from config.ops.backup.draft import FULL, Contents, Draft, Wanted
from config.ops.backup.manifest import Damaged
from config.ops.backup.writing import write_backup

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.folders import WorkFolder
    from config.ops.backup.passphrase import Reader

# Where the file's header says which journal its readers and writers must know.
JOURNAL_VERSIONS = 18


def copy_sqlite(connection: BaseDatabaseWrapper, work: WorkFolder, wanted: Wanted) -> Draft:
    """Write a backup into the work folder. Raises Refused, Damaged or OSError, leaving what it wrote."""
    if wanted.kind != FULL:
        raise Refused(
            f"--type {wanted.kind}: a SQLite database is one file, which is copied as a whole; leave --type out."
        )
    if wanted.jobs:
        raise Refused("--jobs: a SQLite database is one file, which one process copies; leave --jobs out.")
    path = work.path / "backup"
    name = str(connection.settings_dict["NAME"])
    if not Path(name).exists():
        # SQLite would make an empty one, and that would look like a good backup.
        raise Refused(f"There is no SQLite file {name}: DATABASE_URL names another place, or nothing was migrated yet.")
    connection.ensure_connection()
    try:
        with private_database(work.path / "copy") as copy:
            copy.copy_of(connection.connection)
            with ThreadPoolExecutor(1) as pool:
                contents = pool.submit(_checked_contents, copy.database, checksums=wanted.checksums)
                written = write_backup(
                    cast("Reader", copy.file),
                    path,
                    compress=wanted.compress,
                    lock=wanted.lock,
                    progress=wanted.progress,
                )
                found = contents.result()
    except sqlite3.Error as error:
        raise Refused(f"The database could not be copied to {work.path.parent}: {error}.") from error
    version = sqlite3.sqlite_version
    return Draft(
        path=path,
        suffix=f".sqlite3{'.zst' if wanted.compress else ''}{'.age' if wanted.lock else ''}",
        archive="sqlite",
        compression="zstd" if wanted.compress else "none",
        size=written.size,
        sha256=written.sha256,
        plain_size=written.plain_size,
        server_version=version,
        program_version=version,
        contents=found,
    )


@contextmanager
def private_database(path: Path) -> Iterator[PrivateDatabase]:
    """Yield an empty SQLite file at `path` which only this process can reach, and nobody by its name.

    The name is gone as soon as the file is open, so nothing of its content stays behind, even if we are killed.
    """
    with ExitStack() as opened:
        file = opened.enter_context(path.open("x+b", buffering=0))
        try:
            os.fchmod(file.fileno(), 0o600)
            target = opened.enter_context(_opened(path, "mode=rw"))
            # Other journals and locks would need the name.
            target.execute("PRAGMA locking_mode = EXCLUSIVE")
            target.execute("PRAGMA journal_mode = OFF")
            reader = opened.enter_context(_opened(path, "mode=rw&nolock=1"))
            for database in (target, reader):
                # SQLite opens a file only when it needs it.
                database.execute("PRAGMA schema_version").fetchone()
        finally:
            path.unlink()
        yield PrivateDatabase(file, target, reader)


def _opened(path: Path, options: str) -> closing[sqlite3.Connection]:
    address = f"file:{quote(str(path))}?{options}"
    return closing(sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None))


@dataclass(frozen=True, slots=True)
class PrivateDatabase:
    """A SQLite file without a name: fill it by `copy_of` or `write`, then read it as a file or as a database."""

    file: io.FileIO
    target: sqlite3.Connection
    database: sqlite3.Connection
    """To be used by one thread at a time."""

    def copy_of(self, source: sqlite3.Connection) -> None:
        """Fill it by SQLite's online backup."""
        # In one step: in smaller ones it would begin again whenever somebody writes.
        source.backup(self.target)
        self._need_no_journal()

    def write(self, content: Iterable[bytes]) -> None:
        """Fill it with the bytes of a SQLite file."""
        for piece in content:
            self.file.write(piece)
        self._need_no_journal()

    def _need_no_journal(self) -> None:
        """Mark the file as one without a write-ahead log, which would need a name; each opening chooses anew."""
        self.target.close()
        os.pwrite(self.file.fileno(), b"\x01\x01", JOURNAL_VERSIONS)
        self.file.seek(0)


def _checked_contents(copy: sqlite3.Connection, *, checksums: bool) -> Contents:
    try:
        verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict == "ok":
            return Contents(sqlite_migrations(copy), sqlite_rows(copy), sqlite_checksums(copy) if checksums else {})
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    raise Damaged(f"The database itself is damaged: {verdict}. Restore the last good backup, and look after the disk.")
