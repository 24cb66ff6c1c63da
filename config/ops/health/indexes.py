"""The indexes: what uses them, and which are worth nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.ops.health.look import SYSTEM_SCHEMAS, Look
from config.ops.health.report import Column, Section, State
from config.ops.health.tables import sqlite_sizes

if TYPE_CHECKING:
    from typing import Any

# An index counts as unused once its table was looked into by other indexes this often.
ENOUGH_SCANS = 1000
# An index is bloated when more than this share of it is air.
BLOAT_SHARE = 50  # %
MEGABYTE = 1_000_000

_COLUMNS = (
    Column("schema", "Schema"),
    Column("table", "Table"),
    Column("index", "Index"),
    Column("size", "Size", "bytes"),
    Column("scans", "Scans"),
    Column("rows_read", "Rows read"),
    Column("rows_fetched", "Rows fetched"),
    Column("unique", "Unique"),
    Column("definition", "Definition"),
)

_INDEXES = f"""
    SELECT n.nspname, t.relname, c.relname, pg_relation_size(c.oid), coalesce(s.idx_scan, 0),
           coalesce(s.idx_tup_read, 0), coalesce(s.idx_tup_fetch, 0), i.indisunique, pg_get_indexdef(c.oid),
           EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid AND contype IN ('p', 'u', 'x')), i.indisvalid,
           coalesce((SELECT sum(o.idx_scan) FROM pg_stat_user_indexes o WHERE o.relid = t.oid), 0)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = c.oid
     WHERE n.nspname NOT IN {SYSTEM_SCHEMAS} AND n.nspname NOT LIKE 'pg_temp%' AND c.relkind = 'i'
     ORDER BY 4 DESC, 1, 2, 3"""  # noqa: S608 - a constant

# Two indexes of one table repeat each other when kind, columns, operators, order, expressions and condition agree;
# the one that holds a rule, or else the older, is the one to keep.
_DUPLICATES = f"""
    SELECT n.nspname, t.relname, c.relname, first_value(c.relname) OVER same, pg_relation_size(c.oid),
           row_number() OVER same,
           EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid AND contype IN ('p', 'u', 'x'))
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname NOT IN {SYSTEM_SCHEMAS} AND n.nspname NOT LIKE 'pg_temp%' AND c.relkind = 'i'
    WINDOW same AS (
        PARTITION BY i.indrelid, c.relam, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text,
                     pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)
        ORDER BY i.indisprimary DESC, i.indisunique DESC, c.oid
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     ORDER BY 1, 2, 3"""  # noqa: S608 - a constant

# What a B-tree would take if it were packed anew: per entry 8 bytes of header and 4 of line pointer (storage manual,
# "Database Page Layout"), the columns' average widths as the planner knows them, padded to 8; 90 % of a page is filled.
# Entries that share a page with their equals take less, so what this finds is at least there.
_BLOATED = f"""
    WITH widths AS (
        SELECT i.indexrelid, count(*) AS columns, count(s.avg_width) AS known, sum(s.avg_width) AS width
          FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
          JOIN pg_namespace n ON n.oid = t.relnamespace
          JOIN pg_attribute a ON a.attrelid = i.indexrelid
          LEFT JOIN pg_attribute ta ON ta.attrelid = t.oid AND ta.attnum = i.indkey[a.attnum - 1] AND ta.attnum > 0
          LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND (
                    (s.tablename = t.relname AND s.attname = ta.attname)
                    OR (ta.attnum IS NULL AND s.tablename = c.relname AND s.attname = a.attname))
         WHERE n.nspname NOT IN {SYSTEM_SCHEMAS} GROUP BY 1
    ), needs AS (
        SELECT c.oid, c.relpages, n.nspname, t.relname AS table_name, c.relname,
               ceil(c.reltuples * (12 + ceil(w.width / 8.0) * 8)
                    / ((current_setting('block_size')::int - 40) * 0.9)) + 1 AS pages
          FROM widths w JOIN pg_index i ON i.indexrelid = w.indexrelid JOIN pg_class c ON c.oid = w.indexrelid
          JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_am m ON m.oid = c.relam
         WHERE m.amname = 'btree' AND w.known = w.columns AND c.reltuples >= 0
    )
    SELECT nspname, table_name, relname, relpages::bigint * current_setting('block_size')::int,
           ((relpages - pages) * current_setting('block_size')::int)::bigint,
           round(100.0 * (relpages - pages)::numeric / relpages, 1)::float
      FROM needs WHERE relpages > pages AND 100.0 * (relpages - pages) / relpages > {BLOAT_SHARE}
     ORDER BY 5 DESC, 1, 2, 3"""  # noqa: S608 - constants


def indexes(look: Look) -> Section:
    """List the indexes, largest first, then those that nobody uses, that repeat others, and that are mostly air."""
    section = Section("indexes")
    if look.on_sqlite:
        _sqlite(look, section)
        return section
    rows = look.rows(_INDEXES)
    section.figure("indexes", len(rows), source="pg_index")
    source = "pg_stat_user_indexes since the statistics were reset; pg_get_indexdef"
    section.table("indexes", "Indexes, largest first", _COLUMNS, [row[:9] for row in rows], source=source,
                  limit=look.limit)  # fmt: skip
    unused = [row for row in rows if not row[4] and not row[7] and not row[9]]
    section.table(
        "unused", "Indexes without a scan, unique and primary ones left out", _COLUMNS, [row[:9] for row in unused],
        source=source, limit=None if look.unused else look.limit,
    )  # fmt: skip
    _weigh_unused(look, section, unused)
    for schema, _, index, *_, valid, _ in rows:
        if not valid:
            section.find(State.WARNING, f"The index {schema}.{index} is invalid: drop it and create it again.")
    _duplicates(look, section)
    _bloated(look, section)
    return section


def _weigh_unused(look: Look, section: Section, unused: list[tuple[Any, ...]]) -> None:
    """Name the largest of the unused ones whose tables are in use; an idle table's say nothing."""
    for row in unused:
        schema, _, index, size, *_, table_scans = row
        if table_scans >= ENOUGH_SCANS:
            _waste(
                look, section, size,
                f"The index {schema}.{index} takes {size / MEGABYTE:,.1f} MB and was not used in {table_scans:,} scans "
                "of its table: drop it in a migration, unless a rare report needs it",
            )  # fmt: skip


def _waste(look: Look, section: Section, size: float, text: str) -> None:
    """Report wasted space: notable from the lower mark on, a warning from the upper; it is never an emergency."""
    mark = look.thresholds["wasted_index"]
    if size / MEGABYTE > mark.critical:
        section.find(State.WARNING, f"{text}.")
    elif size / MEGABYTE > mark.warning:
        section.notes.append(f"{text}.")


def _duplicates(look: Look, section: Section) -> None:
    rows = [
        (schema, table, index, keep, size)
        for schema, table, index, keep, size, place, holds_rule in look.rows(_DUPLICATES)
        if place > 1 and not holds_rule
    ]
    columns = (
        Column("schema", "Schema"),
        Column("table", "Table"),
        Column("index", "Index"),
        Column("same_as", "Same as"),
        Column("size", "Size", "bytes"),
    )
    section.table("duplicate", "Indexes that repeat another one", columns, rows, source="pg_index", limit=look.limit)
    for schema, _, index, keep, size in rows:
        _waste(look, section, size, f"The index {schema}.{index} repeats {keep}: drop it in a migration")


def _bloated(look: Look, section: Section) -> None:
    columns = (
        Column("schema", "Schema"),
        Column("table", "Table"),
        Column("index", "Index"),
        Column("size", "Size", "bytes"),
        Column("air", "Air", "bytes"),
        Column("air_share", "Share", "%"),
    )
    rows = look.rows(_BLOATED)
    source = "estimate for B-trees from pg_class and pg_stats, as of the last ANALYZE"
    section.table("bloated", f"Indexes of which more than {BLOAT_SHARE} % is air", columns, rows, source=source,
                  limit=look.limit)  # fmt: skip
    for schema, _, index, _, air, share in rows:
        _waste(
            look, section, air,
            f"{share:g} % of the index {schema}.{index} is air: run REINDEX INDEX CONCURRENTLY {schema}.{index}",
        )  # fmt: skip


def _sqlite(look: Look, section: Section) -> None:
    sizes = sqlite_sizes(look) or {}
    rows = [
        (table, index, sizes.get(index), bool(unique), definition)
        for table, index, unique, definition in look.rows(
            """SELECT s.tbl_name, s.name, l."unique", s.sql
                 FROM sqlite_schema s JOIN pragma_index_list(s.tbl_name) l ON l.name = s.name
                WHERE s.type = 'index'"""
        )
    ]
    rows.sort(key=lambda row: (-(row[2] or 0), row[0], row[1]))
    columns = (
        Column("table", "Table"),
        Column("index", "Index"),
        Column("size", "Size", "bytes"),
        Column("unique", "Unique"),
        Column("definition", "Definition"),
    )
    section.figure("indexes", len(rows), source="sqlite_schema")
    section.table("indexes", "Indexes, largest first", columns, rows, source="sqlite_schema, dbstat", limit=look.limit)
    section.notes.append("SQLite does not count how often an index is used.")
    _sqlite_duplicates(look, section)


def _sqlite_duplicates(look: Look, section: Section) -> None:
    by_content: dict[tuple[Any, ...], list[tuple[str, bool]]] = {}
    for table, index, unique, sql, content in look.rows(
        """SELECT s.tbl_name, s.name, l."unique", coalesce(s.sql, ''),
                  (SELECT group_concat(coalesce(x.name, '?') || ' ' || x."desc" || ' ' || x.coll)
                     FROM pragma_index_xinfo(s.name) x WHERE x.key)
             FROM sqlite_schema s JOIN pragma_index_list(s.tbl_name) l ON l.name = s.name
            WHERE s.type = 'index' ORDER BY l."unique" DESC, s.rootpage"""
    ):
        # Expressions and conditions show only in the text; those that have one are the same when the text is.
        text = sql.partition("(")[2] if "?" in content or " WHERE " in sql.upper() else ""
        by_content.setdefault((table, content, text), []).append((index, bool(unique)))
    rows = [
        (table, index, same[0][0])
        for (table, _, _), same in by_content.items()
        for index, unique in same[1:]
        if not unique
    ]
    columns = (Column("table", "Table"), Column("index", "Index"), Column("same_as", "Same as"))
    section.table(
        "duplicate", "Indexes that repeat another one", columns, rows, source="pragma_index_xinfo", limit=look.limit
    )
    for _, index, keep in rows:
        section.notes.append(f"The index {index} repeats {keep}: drop it in a migration.")
