"""Looking after tables and indexes: statistics, the room of deleted rows, indexes built anew."""

from __future__ import annotations

from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from psycopg import sql

from config.db.errors import Refused
from config.ops.direct import direct_connection
from config.ops.health.look import SYSTEM_SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from django.db.backends.base.base import BaseDatabaseWrapper

Name = tuple[str, str]

# SQLite looks at so many rows per index, which is enough for its shape.
SQLITE_ANALYSIS_ROWS = 1000


def wanted_tables(connection: BaseDatabaseWrapper, table: str = "") -> list[Name]:
    """Return the tables that are meant, as schema and name: all, or the one that is named.

    Raises Refused if there is none of that name.
    """
    return _wanted(connection, "table", table, _POSTGRESQL_TABLES, _SQLITE_TABLES)


def wanted_indexes(connection: BaseDatabaseWrapper, table: str = "", index: str = "") -> list[Name]:
    """Return the indexes that are meant: all, those of a table, or the one that is named. Raises as `wanted_tables`."""
    if index:
        return _wanted(connection, "index", index, _POSTGRESQL_INDEXES, _SQLITE_INDEXES)
    names = _names(connection, _POSTGRESQL_INDEXES, _SQLITE_INDEXES)
    if not table:
        return [name for name, _ in names]
    owners = wanted_tables(connection, table)
    return [name for name, owner in names if (name[0], owner) in owners]


_POSTGRESQL_TABLES = f"""
    SELECT n.nspname, c.relname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN {SYSTEM_SCHEMAS} AND n.nspname NOT LIKE 'pg_temp%%'
     ORDER BY 1, 2"""  # noqa: S608 - a constant
_POSTGRESQL_INDEXES = f"""
    SELECT n.nspname, i.relname, t.relname
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
      JOIN pg_namespace n ON n.oid = i.relnamespace
     WHERE i.relkind = 'i' AND n.nspname NOT IN {SYSTEM_SCHEMAS} AND n.nspname NOT LIKE 'pg_temp%%'
     ORDER BY 1, 2"""  # noqa: S608 - a constant
_SQLITE_TABLES = "SELECT '', name, name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%%' ORDER BY 2"
_SQLITE_INDEXES = "SELECT '', name, tbl_name FROM sqlite_schema WHERE type = 'index' ORDER BY 2"


def _names(connection: BaseDatabaseWrapper, postgresql: str, sqlite: str) -> list[tuple[Name, str]]:
    with connection.cursor() as cursor:
        cursor.execute(postgresql if connection.vendor == "postgresql" else sqlite, [])
        return [((schema, name), owner) for schema, name, owner in cursor.fetchall()]


def _wanted(connection: BaseDatabaseWrapper, kind: str, wanted: str, postgresql: str, sqlite: str) -> list[Name]:
    names = [name for name, _ in _names(connection, postgresql, sqlite)]
    if not wanted:
        return names
    found = [(schema, name) for schema, name in names if wanted in {name, f"{schema}.{name}"}]
    if not found:
        close = get_close_matches(wanted, [name for _, name in names], n=3)
        hint = f": is it {' or '.join(close)}?" if close else "; dbhealth lists them."
        raise Refused(f"There is no {kind} {wanted}{hint}")
    return found


@contextmanager
def _session(connection: BaseDatabaseWrapper) -> Iterator[psycopg.Connection[Any]]:
    """Yield a session outside of any transaction, in which statements may take their time."""
    with direct_connection(connection) as session:
        session.execute("SELECT set_config('statement_timeout', '0', false)")
        yield session


def analyze(connection: BaseDatabaseWrapper, table: str = "") -> int:
    """Refresh the planner's statistics of all tables or one; return of how many."""
    tables = wanted_tables(connection, table)
    if connection.vendor == "postgresql":
        with _session(connection) as session:
            for name in tables:
                session.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(*name)))
    else:
        _analyze_sqlite(connection, tables if table else [])
    return len(tables)


def _analyze_sqlite(connection: BaseDatabaseWrapper, tables: list[Name]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {SQLITE_ANALYSIS_ROWS}")
        if not tables:
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA optimize")
        for _, name in tables:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(name)}")


def vacuum(connection: BaseDatabaseWrapper, table: str = "", *, full: bool = False) -> int:
    """Vacuum and analyze all tables or one; return how many.

    `full` writes PostgreSQL's tables anew and gives the room back to the disk; each is locked, even for readers, as
    long as that takes. SQLite always writes the whole file anew. Raises Refused for one table of SQLite.
    """
    if connection.vendor == "sqlite":
        if table:
            raise Refused("SQLite vacuums the whole file, not one table: leave out --table.")
        return _vacuum_sqlite(connection)
    tables = wanted_tables(connection, table)
    how = sql.SQL("VACUUM (FULL, ANALYZE) {}" if full else "VACUUM (ANALYZE) {}")
    with _session(connection) as session:
        for name in tables:
            session.execute(how.format(sql.Identifier(*name)))
    return len(tables)


def _vacuum_sqlite(connection: BaseDatabaseWrapper) -> int:
    if connection.in_atomic_block:
        raise Refused("SQLite vacuums only outside of a transaction.")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
    tables = wanted_tables(connection)
    _analyze_sqlite(connection, [])
    return len(tables)


def reindex(connection: BaseDatabaseWrapper, table: str = "", index: str = "") -> int:
    """Build indexes anew: all, those of a table, or one; return how many. On PostgreSQL nobody is kept out meanwhile.

    Raises Refused, having dropped what was half built, if PostgreSQL could not build one.
    """
    indexes = wanted_indexes(connection, table, index)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for _, bare_name in indexes:
                cursor.execute(f"REINDEX {connection.ops.quote_name(bare_name)}")
        return len(indexes)
    with _session(connection) as session:
        for name in indexes:
            _reindex_postgresql(session, name)
    return len(indexes)


def _reindex_postgresql(session: psycopg.Connection[Any], name: Name) -> None:
    import psycopg

    try:
        session.execute(sql.SQL("REINDEX INDEX CONCURRENTLY {}").format(sql.Identifier(*name)))
    except psycopg.Error as error:
        # PostgreSQL leaves the half-built one behind, under the name with this ending.
        half_built = sql.Identifier(name[0], f"{name[1][:58]}_ccnew")
        session.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(half_built))
        raise Refused(f"The index {name[1]} could not be built anew: {' '.join(str(error).split())}") from error
