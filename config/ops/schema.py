"""What a database's schema is, and how two schemas differ.

The expected schema is not guessed from the models: the migrations build it in a scratch database, and the catalogs of
both are compared, so that constraints, expression indexes and triggers count as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from config.ops.app_schemas import refuse_tables_out_of_sight
from config.ops.scratch import connected, migrate_from_zero, scratch_url

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# (kind, name) -> definition; the names of columns, constraints, indexes and triggers are "table.name".
Catalog = dict[tuple[str, str], str]

_OWN = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.deptype = 'e')"
_POSTGRESQL_CATALOG = f"""
    WITH own AS (
        -- A table that another one of the search path hides keeps its schema's name, which tells the two apart.
        SELECT c.oid, c.relkind, n.nspname AS schema, format(' %I.%I ', n.nspname, c.relname) AS qualified,
               CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE n.nspname || '.' END || c.relname AS name
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY(current_schemas(false)) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
           AND {_OWN.format(oid="c.oid")}
    )
    SELECT CASE WHEN relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, name,
           CASE relkind WHEN 'r' THEN 'a table in the schema ' || schema
                        WHEN 'p' THEN 'a partitioned table in the schema ' || schema
                        ELSE pg_get_viewdef(oid) END
      FROM own
    UNION ALL
    SELECT 'column', own.name || '.' || a.attname,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                     'DEFAULT ' || pg_get_expr(f.adbin, f.adrelid), nullif(a.attidentity::text, ''),
                     nullif(a.attgenerated::text, ''), 'COLLATE ' || nullif(l.collname, 'default'))
      FROM pg_attribute a
      JOIN own ON own.oid = a.attrelid
      LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
      LEFT JOIN pg_collation l ON l.oid = a.attcollation
     WHERE own.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'constraint', own.name || '.' || k.conname, pg_get_constraintdef(k.oid)
      FROM pg_constraint k JOIN own ON own.oid = k.conrelid
     WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT 'index', own.name || '.' || i.relname,
           replace(pg_get_indexdef(x.indexrelid), own.qualified, ' ' || own.name || ' ')
      FROM pg_index x JOIN own ON own.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    UNION ALL
    SELECT 'trigger', own.name || '.' || t.tgname,
           replace(pg_get_triggerdef(t.oid), own.qualified, ' ' || own.name || ' ')
      FROM pg_trigger t JOIN own ON own.oid = t.tgrelid
     WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid)
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = ANY(current_schemas(false)) AND p.prokind IN ('f', 'p') AND {_OWN.format(oid="p.oid")}
"""  # noqa: S608 - no value comes from outside

_TABLE_BODY = re.compile(r"^CREATE TABLE .*?\((?P<body>.*)\)[^)]*$", re.DOTALL | re.IGNORECASE)
_FIRST_NAME = re.compile(r'"((?:[^"]|"")+)"|(\w+)')
_TEXT = re.compile(r"'(?:[^']|'')*'::character varying")
_LIST_OF_TEXTS = re.compile(rf"\(ARRAY\[({_TEXT.pattern}(?:, {_TEXT.pattern})*)\]\)::text\[\]")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the live schema is not the expected one; an empty definition means "not there"."""

    kind: str
    name: str
    expected: str
    live: str

    def __str__(self) -> str:
        if not self.live:
            return f"{self.kind} {self.name} is missing; the migrations make: {self.expected}"
        if not self.expected:
            return f"{self.kind} {self.name} is there, but no migration makes it: {self.live}"
        return f"{self.kind} {self.name} is {self.live}; the migrations make: {self.expected}"


def read_catalog(connection: BaseDatabaseWrapper) -> Catalog:
    """Return everything that the schemas of the connection's search path consist of."""
    if connection.vendor == "sqlite":
        return _read_sqlite(connection)
    with connection.cursor() as cursor:
        cursor.execute(_POSTGRESQL_CATALOG)
        return {(kind, name): definition for kind, name, definition in cursor.fetchall()}


def _read_sqlite(connection: BaseDatabaseWrapper) -> Catalog:
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        rows = cursor.fetchall()
    catalog: Catalog = {}
    for kind, name, table, statement in rows:
        if name.startswith("sqlite_"):
            continue
        definition = " ".join(statement.split())
        body = _TABLE_BODY.match(definition) if kind == "table" else None
        if body is None:
            catalog[kind, name if kind in {"table", "view"} else f"{table}.{name}"] = definition
            continue
        catalog[kind, name] = "table"
        for part in split_definitions(body["body"]):
            part_kind, part_name = _part_name(part)
            catalog[part_kind, f"{name}.{part_name}"] = part
    return catalog


def _part_name(part: str) -> tuple[str, str]:
    word = part.split(maxsplit=1)[0].upper()
    if word in {"UNIQUE", "PRIMARY", "CHECK", "FOREIGN"}:
        return "constraint", part
    kind, text = ("constraint", part.split(maxsplit=1)[1]) if word == "CONSTRAINT" else ("column", part)
    found = _FIRST_NAME.match(text)
    return kind, (found[1] or found[2]) if found else text


def split_definitions(body: str) -> list[str]:
    """Split what stands between a CREATE TABLE's brackets at the commas that separate columns and constraints."""
    parts, depth, quote, start = [], 0, "", 0
    for position, character in enumerate(body):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and depth == 0:
            parts.append(body[start:position].strip())
            start = position + 1
    return [*parts, body[start:].strip()]


def differences(expected: Catalog, live: Catalog) -> list[Difference]:
    """Return where the two catalogs differ, sorted by name; the parts of a missing or extra table are left out."""
    found = [
        Difference(*key, expected.get(key, ""), live.get(key, ""))
        for key in expected.keys() | live.keys()
        if _comparable(expected.get(key, "")) != _comparable(live.get(key, ""))
    ]
    whole = tuple(f"{entry.name}." for entry in found if entry.kind == "table" and not (entry.expected and entry.live))
    return sorted(
        (entry for entry in found if entry.kind == "table" or not entry.name.startswith(whole)),
        key=lambda entry: (entry.name, entry.kind),
    )


def _comparable(definition: str) -> str:
    # PostgreSQL casts a list of texts as a whole, and once it was dumped and restored each text by itself.
    return _LIST_OF_TEXTS.sub(lambda found: "ARRAY[" + _TEXT.sub(r"(\g<0>)::text", found[1]) + "]", definition)


def schema_drift(connection: BaseDatabaseWrapper) -> list[Difference]:
    """Return where the live schema differs from what the migrations make. Raises Refused without a scratch database."""
    refuse_tables_out_of_sight(connection)
    with scratch_url(connection) as url:
        migrate_from_zero(url)
        with connected(url) as scratch:
            expected = read_catalog(scratch)
    return differences(expected, read_catalog(connection))


def unmigrated_changes() -> list[str]:
    """Return the changes of the models that no migration makes yet, as sentences."""
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    return [
        f"{app}: {operation.describe()}"
        for app, migrations in sorted(changes.items())
        for migration in migrations
        for operation in migration.operations
    ]
