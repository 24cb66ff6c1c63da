"""The tables: how big, how many rows, and how many dead ones wait for a vacuum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import OperationalError

from config.ops.health.look import SYSTEM_SCHEMAS, Look
from config.ops.health.report import Column, Section, State

if TYPE_CHECKING:
    from typing import Any

# Autovacuum comes when its own limit is passed; at this many times the limit it should have been there long ago.
PATIENCE = 2


def tables(look: Look) -> Section:
    """List the tables, largest first."""
    section = Section("tables")
    if look.on_sqlite:
        _sqlite(look, section)
    else:
        _postgresql(look, section)
    return section


def _postgresql(look: Look, section: Section) -> None:
    rows = look.rows(
        f"""SELECT n.nspname, c.relname, pg_total_relation_size(c.oid), pg_table_size(c.oid), pg_indexes_size(c.oid),
                   s.n_live_tup, s.n_dead_tup, greatest(s.last_vacuum, s.last_autovacuum),
                   greatest(s.last_analyze, s.last_autoanalyze)
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
             WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN {SYSTEM_SCHEMAS} AND n.nspname NOT LIKE 'pg_temp%'
             ORDER BY 3 DESC, 1, 2"""  # noqa: S608 - a constant
    )
    section.table(
        "tables",
        "Tables, largest first",
        (
            Column("schema", "Schema"),
            Column("table", "Table"),
            Column("total", "Total", "bytes"),
            Column("data", "Rows' size", "bytes"),
            Column("indexes", "Indexes", "bytes"),
            Column("rows", "Rows"),
            Column("dead_rows", "Dead rows"),
            Column("vacuumed_at", "Vacuumed (UTC)"),
            Column("analyzed_at", "Analyzed (UTC)"),
        ),
        rows,
        source="pg_total_relation_size with indexes; rows as pg_stat_user_tables estimates them",
        limit=look.limit,
    )
    section.figure("tables", len(rows), source="pg_class")
    dead = sum(row[6] or 0 for row in rows)
    section.figure("dead_rows", dead, source="pg_stat_user_tables.n_dead_tup, all tables")
    _weigh_dead_rows(look, section, rows)


def _weigh_dead_rows(look: Look, section: Section, rows: list[tuple[Any, ...]]) -> None:
    base, scale = look.row(
        """SELECT current_setting('autovacuum_vacuum_threshold')::float,
                  current_setting('autovacuum_vacuum_scale_factor')::float"""
    )
    for schema, table, _, _, _, live, dead, *_ in rows:
        if dead and dead > PATIENCE * (base + scale * live):
            look.weigh(
                section, "dead_rows", dead,
                f"{schema}.{table} has {dead:,} dead rows beside {live:,} live ones, and autovacuum has not come: "
                f"run VACUUM (ANALYZE) {schema}.{table}",
            )  # fmt: skip
    if look.value("SELECT current_setting('autovacuum')") != "on":
        section.find(State.WARNING, "Autovacuum is off: tables grow without end. Set autovacuum = on.")


def _sqlite(look: Look, section: Section) -> None:
    names = [name for (name,) in look.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    columns = [Column("table", "Table"), Column("rows", "Rows")]
    counts = {name: look.value(f"SELECT count(*) FROM {look.connection.ops.quote_name(name)}") for name in names}  # noqa: S608 - names of tables
    sizes = sqlite_sizes(look)
    section.figure("tables", len(names), source="sqlite_schema")
    if sizes is None:
        section.missing.append(
            "SQLite was built without dbstat, so there are no sizes per table: "
            "use a build with SQLITE_ENABLE_DBSTAT_VTAB."
        )
        rows: list[tuple[Any, ...]] = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        section.table("tables", "Tables, most rows first", columns, rows, source="count(*)", limit=look.limit)
        return
    owners = dict(look.rows("SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index'"))
    indexes: dict[str, int] = dict.fromkeys(names, 0)
    for index, table in owners.items():
        indexes[table] = indexes.get(table, 0) + sizes.get(index, 0)
    rows = [
        (name, counts[name], sizes.get(name, 0) + indexes[name], sizes.get(name, 0), indexes[name]) for name in names
    ]
    columns += [
        Column("total", "Total", "bytes"),
        Column("data", "Rows' size", "bytes"),
        Column("indexes", "Indexes", "bytes"),
    ]
    rows.sort(key=lambda row: (-row[2], row[0]))
    section.table(
        "tables", "Tables, largest first", columns, rows, source="dbstat, in whole pages; count(*)", limit=look.limit
    )


def sqlite_sizes(look: Look) -> dict[str, int] | None:
    """Return the bytes of each table and index in a SQLite file, or None when this build cannot tell."""
    try:
        return dict(look.rows("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE"))
    except OperationalError:
        return None
