"""Copying a SQLite database while others write into it."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from config.db.errors import Refused
from config.ops.backup.contents import sqlite_checksums, sqlite_migrations, sqlite_rows
from config.ops.backup.draft import FULL, Contents, Draft, Wanted
from config.ops.backup.manifest import Damaged
from config.ops.backup.writing import write_backup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.folders import WorkFolder


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
        with private_database(work.path / "copy") as (file, copy):
            # SQLite's online backup, in one step: in smaller ones it would begin again whenever somebody writes.
            connection.connection.backup(copy)
            with ThreadPoolExecutor(1) as pool:
                contents = pool.submit(_checked_contents, copy, checksums=wanted.checksums)
                written = write_backup(file, path, compress=wanted.compress, lock=wanted.lock, progress=wanted.progress)
                found = contents.result()
    except sqlite3.Error as error:
        raise Refused(f"The database could not be copied: {error}.") from error
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
def private_database(path: Path, content: Iterable[bytes] = ()) -> Iterator[tuple[BinaryIO, sqlite3.Connection]]:
    """Yield a new SQLite file, filled with `content`, and a connection to it, for one thread at a time.

    The file has no name while it is used, so nothing of it stays behind, even if this process is killed.
    """
    with ExitStack() as opened:
        file = opened.enter_context(path.open("x+b", buffering=0))
        os.fchmod(file.fileno(), 0o600)
        try:
            for piece in content:
                file.write(piece)
            database = opened.enter_context(
                closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None))
            )
            # Other journals would need the name; these also make SQLite open the file, which it does late.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA schema_version").fetchone()
        finally:
            path.unlink()
        yield cast("BinaryIO", file), database


def _checked_contents(copy: sqlite3.Connection, *, checksums: bool) -> Contents:
    verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if verdict != "ok":
        raise Damaged(
            f"The database itself is damaged: {verdict}. Restore the last good backup, and look after the disk."
        )
    return Contents(sqlite_migrations(copy), sqlite_rows(copy), sqlite_checksums(copy) if checksums else {})
