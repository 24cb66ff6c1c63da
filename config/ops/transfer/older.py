"""Copies of SQLite files of an older version, brought up to this one: the original is never touched."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from config.database_url import SQLITE, url_of
from config.db.errors import Refused
from config.ops.scratch import run_migrations
from config.ops.transfer.source import open_source

if TYPE_CHECKING:
    from pathlib import Path


def make_migrated_copy(source: Path, copy: Path) -> None:
    """Copy `source` as it is now to `copy` and apply all migrations there.

    Raises Refused, leaving no copy behind, when there is such a file already or when it does not work out.
    """
    if copy.exists():
        raise Refused(f"{copy} exists already: name a file that does not, or move that one with this command.")
    unfinished = copy.with_name(f".{copy.name}.unfinished")
    try:
        # Nobody else may read it: it holds everything that the original holds.
        os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        with open_source(source) as original, closing(sqlite3.connect(unfinished)) as target:
            original.backup(target)
        done = run_migrations(url_of({"ENGINE": SQLITE, "NAME": str(unfinished.absolute())}))
        if done.returncode:
            raise Refused(f"The copy could not be migrated:\n{done.stderr.strip()[-2000:]}")
        unfinished.rename(copy)
    except OSError as error:
        raise Refused(f"{copy} cannot be written: {error.strerror}.") from error
    finally:
        for suffix in ("", "-wal", "-shm", "-journal", ".migrate.lock"):
            with suppress(OSError):
                unfinished.with_name(f"{unfinished.name}{suffix}").unlink(missing_ok=True)
