"""Rows of PostgreSQL on their way back; see `rows`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from config.database_url import url_of
from config.db.errors import Refused
from config.ops.backup.clients import connection_environment
from config.ops.direct import direct_connection
from config.ops.restoring.loading import Destination, load
from config.ops.restoring.rows import STAGE, Reference, Table, quoted
from config.ops.restoring.server import major, scratch_database
from config.ops.scratch import connected

# ruff: noqa: S608  # statements are put together from quoted names of the database's own catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.restoring.content import Plain

# Without indexes: they take most of the time, and nobody looks anything up in the backup more than once.
SECTIONS = ("pre-data", "data")
ROWS_AT_ONCE = 1000
KIND_OF_TABLE = "SELECT c.oid FROM pg_class c WHERE c.oid = to_regclass(%s) AND relkind IN ('r', 'p')"
COLUMNS = (
    "SELECT attname, attnotnull AND NOT atthasdef AND attidentity = '' FROM pg_attribute"
    " WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
)
KEY = (
    "SELECT attname FROM pg_index CROSS JOIN unnest(indkey) WITH ORDINALITY AS part (attnum, place)"
    " JOIN pg_attribute a ON attrelid = indrelid AND a.attnum = part.attnum"
    " WHERE indrelid = %s AND indisprimary ORDER BY place"
)
REFERENCES = (
    "SELECT (SELECT array_agg(attname::text ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS p (attnum, place)"
    " JOIN pg_attribute a ON attrelid = conrelid AND a.attnum = p.attnum),"
    " nspname, relname,"
    " (SELECT array_agg(attname::text ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS p (attnum, place)"
    " JOIN pg_attribute a ON attrelid = confrelid AND a.attnum = p.attnum)"
    " FROM pg_constraint JOIN pg_class c ON c.oid = confrelid JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE conrelid = %s AND contype = 'f' ORDER BY conname"
)


class LiveRows:
    """The live database; see `rows.Live`."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self.session = session
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            session.execute("SELECT set_config(%s, '0', false)", [name])

    def table(self, name: str) -> Table:
        """See `rows.Live`."""
        oid, full_name = _found(self.session, name)
        columns = self.session.execute(COLUMNS, [oid]).fetchall()
        key = tuple(column for (column,) in self.session.execute(KEY, [oid]).fetchall())
        if not key:
            raise Refused(f"{name} has no primary key, so nobody could tell which rows are there already.")
        references = self.session.execute(REFERENCES, [oid]).fetchall()
        return Table(
            name=full_name,
            columns=tuple(column for column, _ in columns),
            needed=tuple(column for column, needed in columns if needed),
            key=key,
            references=tuple(
                Reference(tuple(own), f"{quoted(schema)}.{quoted(table)}", tuple(others))
                for own, schema, table, others in references
            ),
        )

    def stage(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """See `rows.Live`."""
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        make = sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT {} FROM {} WITH NO DATA")
        self.session.execute(make.format(sql.SQL(STAGE), names, sql.SQL(table.name)))
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.SQL(STAGE), names)
        with self.session.cursor() as cursor, cursor.copy(copy) as copying:
            for row in rows:
                copying.write_row(row)
        self.session.execute(f"ANALYZE {STAGE}")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """See `rows.Live`."""
        return self.session.execute(query).fetchall()

    def change(self, statement: str) -> int:
        """See `rows.Live`."""
        # A key that the server gives out can be written as well.
        return self.session.execute(statement.replace(") SELECT ", ") OVERRIDING SYSTEM VALUE SELECT ", 1)).rowcount

    def transaction(self) -> AbstractContextManager[Any]:
        """See `rows.Live`."""
        return self.session.transaction()

    def advance_keys(self, table: Table) -> None:
        """See `rows.Live`."""
        for column in table.key:
            row = self.session.execute("SELECT pg_get_serial_sequence(%s, %s)", [table.name, column]).fetchone()
            if row and row[0]:
                highest = f"SELECT max({quoted(column)}) AS key FROM {STAGE}"
                # pg_sequence_last_value is null while nothing was taken.
                self.session.execute(
                    f"SELECT setval(%s::regclass, key) FROM ({highest}) AS highest"
                    " WHERE COALESCE(pg_sequence_last_value(%s::regclass), 0) < key",
                    [row[0], row[0]],
                )


class BackupRows:
    """A backup in a scratch database; see `rows.Backup`."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self.session = session
        session.execute("SELECT set_config('statement_timeout', '0', false)")

    def columns(self, name: str) -> list[str]:
        """See `rows.Backup`."""
        oid, _ = _found(self.session, name, where="the backup")
        return [column for column, _ in self.session.execute(COLUMNS, [oid]).fetchall()]

    def matching(self, name: str, columns: Sequence[str], condition: str) -> Iterator[Sequence[Any]]:
        """See `rows.Backup`."""
        _, full_name = _found(self.session, name, where="the backup")
        # As text every value goes through unchanged, whatever its type.
        texts = ", ".join(f"{quoted(column)}::text" for column in columns)
        query = f"SELECT {texts} FROM {full_name} WHERE (\n{condition}\n)"
        try:
            with self.session.transaction(), self.session.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
                # Streaming takes one statement only, so nothing can follow the condition.
                yield from cursor.stream(query.encode(), size=ROWS_AT_ONCE)
        except psycopg.Error as error:
            raise Refused(f"The condition cannot be evaluated: {str(error).strip()}") from error


def _found(session: psycopg.Connection[Any], name: str, where: str = "the database") -> tuple[int, str]:
    """Return a table's number and quoted name. Raises Refused."""
    try:
        row = session.execute(KIND_OF_TABLE, [name]).fetchone()
    except psycopg.Error as error:
        raise Refused(f"{name!r} is no name of a table: {error.diag.message_primary}.") from error
    if row is None:
        raise Refused(f"There is no table {name} in {where}.")
    place = session.execute(
        "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = %s", [row[0]]
    ).fetchone()
    schema, table = place or ("", "")
    return row[0], f"{quoted(schema)}.{quoted(table)}"


@contextmanager
def sessions(connection: BaseDatabaseWrapper, plain: Plain, jobs: int) -> Iterator[tuple[LiveRows, BackupRows]]:
    """Yield the live database, and the backup in a scratch database beside it. Raises Refused."""
    with (
        scratch_database(connection) as name,
        connected(url_of(connection.settings_dict, name=name)) as scratch,
        direct_connection(connection) as live,
    ):
        load(plain, Destination(connection_environment(scratch), major(live)), jobs=jobs, sections=SECTIONS)
        with direct_connection(scratch) as backup:
            yield LiveRows(live), BackupRows(backup)
