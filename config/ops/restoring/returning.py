"""Rows of a backup on their way back into the live database, whatever its engine."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg

from config.db.errors import Refused
from config.ops.restoring import rows_postgresql, rows_sqlite
from config.ops.restoring.content import plain_content, sqlite_content
from config.ops.restoring.engines import refuse_other_engine
from config.ops.restoring.rows import Backup, Live, Returning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.encryption import Keys
    from config.ops.restoring.order import Watcher
    from config.ops.restoring.source import Source


@contextmanager
def returning(
    connection: BaseDatabaseWrapper,
    source: Source,
    keys: Keys,
    *,
    table: str,
    where: str,
    jobs: int,
    watcher: Watcher,
) -> Iterator[Returning]:
    """Yield the matching rows of a backup, ready to be brought back. Raises Refused, also for what the block does."""
    watcher.phase("checking the backup")
    try:
        with ExitStack() as opened:
            live: Live
            backup: Backup
            if connection.vendor == "sqlite":
                content, file = opened.enter_context(sqlite_content(source, keys))
                refuse_other_engine(source, content, connection)
                live, backup = opened.enter_context(rows_sqlite.sessions(connection, file))
            else:
                plain = opened.enter_context(plain_content(source, keys))
                refuse_other_engine(source, plain.content, connection)
                watcher.phase("restoring beside the database")
                live, backup = opened.enter_context(rows_postgresql.sessions(connection, plain, jobs))
            watcher.phase("looking for the rows")
            yield Returning(live, backup, table, where)
    except (psycopg.Error, sqlite3.Error) as error:
        raise Refused(f"Nothing was brought back: {str(error).strip()}") from error
