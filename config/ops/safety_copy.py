"""A copy of the whole database, taken before something is done to it that might go wrong."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from django.db.backends.postgresql.client import DatabaseClient

from config.db.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper


def write_safety_copy(connection: BaseDatabaseWrapper, folder: Path, *, now: datetime) -> Path:
    """Copy the database into `folder` and return the file, which is whole and was read back.

    It is an archive for `pg_restore` from PostgreSQL, a database file from SQLite. Raises Refused, leaving no file
    behind, when it cannot be written or does not read back.
    """
    on_postgresql = connection.vendor == "postgresql"
    name = Path(str(connection.settings_dict["NAME"])).stem or "database"
    file = folder / f"{name}_{now:%Y%m%d_%H%M%S_%f}.{'dump' if on_postgresql else 'sqlite3'}"
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Nobody else may read it: it holds everything that the database holds.
        os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
        (_dump if on_postgresql else _copy_file)(connection, unfinished)
        _flush(unfinished)
        unfinished.rename(file)
        _flush(folder)
    except (OSError, sqlite3.Error) as error:
        raise Refused(f"No copy of the database could be written to {folder}: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return file


def _dump(connection: BaseDatabaseWrapper, file: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise Refused("pg_dump is not installed: install PostgreSQL's client programs (postgresql-client).")
    (_, *arguments), settings = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    environment = {**os.environ, **(settings or {})}
    command = [program, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", *arguments]
    _run(command, environment)
    _run([str(Path(program).with_name("pg_restore")), "--list", str(file)], environment)


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def _copy_file(connection: BaseDatabaseWrapper, file: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(file)) as copy:
        # SQLite's online backup: consistent although others write meanwhile.
        connection.connection.backup(copy)
        verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if verdict != "ok":
        raise Refused(f"The copy of the database is damaged: {verdict}")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
