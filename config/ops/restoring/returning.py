"""Rows of a backup on their way back into the live database, whatever its engine."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from config.db.errors import Refused
from config.ops.restoring.rows import Returning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.restoring.order import Watcher
    from config.ops.restoring.source import Plain


@contextmanager
def returning(
    connection: BaseDatabaseWrapper, plain: Plain, *, table: str, condition: str, jobs: int, watcher: Watcher
) -> Iterator[Returning]:
    """Yield the matching rows of a backup, ready to be brought back. Raises Refused, also for what the block does."""
    watcher.phase("restoring beside the database")
    try:
        if connection.vendor == "sqlite":
            from config.ops.restoring import rows_sqlite

            with rows_sqlite.sessions(connection, plain) as (live_file, backup_file):
                watcher.phase("looking for the rows")
                yield Returning(live_file, backup_file, table, condition)
            return
        from config.ops.restoring import rows_postgresql

        with rows_postgresql.sessions(connection, plain, jobs) as (live, backup):
            watcher.phase("looking for the rows")
            yield Returning(live, backup, table, condition)
    except (psycopg.Error, sqlite3.Error) as error:
        raise Refused(f"Nothing was brought back: {str(error).strip()}") from error
