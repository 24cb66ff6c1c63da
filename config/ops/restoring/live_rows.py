"""The rows of the live PostgreSQL database, counted while the backup is read."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from config.db.errors import Refused
from config.ops.backup.contents import postgresql_rows
from config.ops.direct import direct_connection, interrupt
from config.ops.restoring.server import PROGRAM, exists, maintenance_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

LiveRows = Future[dict[str, int]]


@contextmanager
def counted_meanwhile(connection: BaseDatabaseWrapper) -> Iterator[LiveRows]:
    """Count the rows per "schema.table" for as long as the block lasts; there are none where there is no database.

    The result raises Refused or psycopg.Error when the server gives no answer.
    """
    rows: LiveRows = Future()
    with ExitStack() as opened:
        try:
            with maintenance_session(connection) as server:
                is_there = exists(server, str(connection.settings_dict["NAME"]))
            if is_there:
                session = opened.enter_context(direct_connection(connection, program=PROGRAM))
                rows = opened.enter_context(ThreadPoolExecutor(1)).submit(_counted, session)
                # Whoever does not want the backup any more does not wait for the rows either.
                opened.callback(interrupt, session, lambda seconds: bool(wait([rows], seconds).done))
            else:
                rows.set_result({})
        except (Refused, psycopg.Error) as error:
            rows.set_exception(error)
        yield rows


def _counted(session: psycopg.Connection[Any]) -> dict[str, int]:
    with session.transaction():
        session.execute("SET TRANSACTION READ ONLY")
        session.execute("SELECT set_config('statement_timeout', '0', true)")
        return postgresql_rows(session)
