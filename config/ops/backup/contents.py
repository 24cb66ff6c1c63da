"""What a database holds, in numbers that can be compared: rows per table, and a checksum per table.

A checksum is the sum of a 60 bit hash of every row, so the order of rows does not matter. On PostgreSQL the server
computes it from the row's text under fixed settings, equally in every version; on SQLite it comes from the values.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

# Ours and everybody's, in every schema, but not what an extension brings along: a dump leaves that out as well.
POSTGRESQL_TABLES = """
    SELECT nspname, relname
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
     WHERE relkind = 'r' AND relpersistence <> 't'
       AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                        WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid AND deptype = 'e')
     ORDER BY nspname, relname
"""
SQLITE_TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
)
MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY id"
# A row's text depends on these.
TEXT_SETTINGS = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmloption": "content",
    "search_path": "pg_catalog",
}


def postgresql_tables(session: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return the database's tables as schema and name."""
    return [(schema, name) for schema, name in session.execute(POSTGRESQL_TABLES).fetchall()]


def postgresql_rows(session: psycopg.Connection[Any]) -> dict[str, int]:
    """Count the rows of every table, by "schema.table"."""
    counts = {}
    for schema, name in postgresql_tables(session):
        row = session.execute(sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(schema, name))).fetchone()
        counts[f"{schema}.{name}"] = int(row[0]) if row else 0
    return counts


def postgresql_checksums(session: psycopg.Connection[Any]) -> dict[str, str]:
    """Compute the checksum of every table, by "schema.table". Changes settings of the session's transaction."""
    for setting, value in TEXT_SETTINGS.items():
        session.execute("SELECT pg_catalog.set_config(%s, %s, true)", [setting, value])
    row_hash = sql.SQL("('x' || substr(md5((t.*)::text), 1, 15))::bit(60)::bigint")
    checksums = {}
    for schema, name in postgresql_tables(session):
        row = session.execute(
            sql.SQL("SELECT coalesce(sum({}), 0)::text FROM ONLY {} t").format(row_hash, sql.Identifier(schema, name))
        ).fetchone()
        checksums[f"{schema}.{name}"] = str(row[0]) if row else "0"
    return checksums


def postgresql_migrations(session: psycopg.Connection[Any]) -> dict[str, str]:
    """Return the last applied migration of each app; nothing where there is no table of them."""
    if session.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
        return {}
    return dict(session.execute(MIGRATIONS).fetchall())


def sqlite_tables(database: sqlite3.Connection) -> list[str]:
    """Return the names of the database's tables."""
    return [name for (name,) in database.execute(SQLITE_TABLES)]


def sqlite_rows(database: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of every table."""
    return {
        name: int(database.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0])  # noqa: S608 - a table's name
        for name in sqlite_tables(database)
    }


def sqlite_checksums(database: sqlite3.Connection) -> dict[str, str]:
    """Compute the checksum of every table."""
    return {name: str(sum(_row_hashes(database, name))) for name in sqlite_tables(database)}


def _row_hashes(database: sqlite3.Connection, table: str) -> Iterator[int]:
    cursor = database.cursor()
    # As bytes: a text that is no UTF-8 must not stop us.
    before, database.text_factory = database.text_factory, bytes
    try:
        for row in cursor.execute(f"SELECT * FROM {_quoted(table)}"):  # noqa: S608 - a table's name
            digest = hashlib.md5(repr(row).encode(), usedforsecurity=False).digest()
            yield int.from_bytes(digest[:8], "big") >> 4
    finally:
        database.text_factory = before


def sqlite_migrations(database: sqlite3.Connection) -> dict[str, str]:
    """Return the last applied migration of each app; nothing where there is no table of them."""
    if "django_migrations" not in sqlite_tables(database):
        return {}
    return dict(database.execute(MIGRATIONS).fetchall())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def differences(expected: dict[str, int] | dict[str, str], found: dict[str, int] | dict[str, str]) -> list[str]:
    """Return where two sets of counts or checksums differ, as "table: expected 3, found 2"."""
    return [
        f"{table}: expected {expected.get(table, 'no such table')}, found {found.get(table, 'no such table')}"
        for table in sorted({*expected, *found})
        if expected.get(table) != found.get(table)
    ]
