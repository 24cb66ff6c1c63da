"""What the planner knows about columns, without any value out of the rows."""

from __future__ import annotations

from config.ops.health.look import SYSTEM_SCHEMAS, Look
from config.ops.health.report import Column, Section


def columns(look: Look) -> Section:
    """List the planner's statistics; samples of values, which it also keeps, are personal data and stay unread."""
    section = Section("columns")
    if look.on_sqlite:
        _sqlite(look, section)
        return section
    rows = look.rows(
        f"""SELECT schemaname, tablename, attname, n_distinct::float, correlation::float, null_frac::float, avg_width
              FROM pg_stats WHERE schemaname NOT IN {SYSTEM_SCHEMAS} ORDER BY 1, 2, 3"""  # noqa: S608 - a constant
    )
    section.table(
        "columns",
        "Columns as the planner sees them",
        (
            Column("schema", "Schema"),
            Column("table", "Table"),
            Column("column", "Column"),
            Column("distinct_values", "Distinct values"),
            Column("correlation", "Correlation"),
            Column("null_share", "Null"),
            Column("width", "Width", "bytes"),
        ),
        rows,
        source="pg_stats as of the last ANALYZE; a negative number of distinct values is a share of the rows",
        limit=look.limit,
    )
    if not rows:
        section.missing.append("There are no statistics yet, or none that this role may see: run ANALYZE as the owner.")
    return section


def _sqlite(look: Look, section: Section) -> None:
    analyzed = look.rows("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'")
    statistics = look.rows("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2") if analyzed else []
    if not statistics:
        section.missing.append("There are no statistics yet: run ANALYZE.")
        return
    section.table(
        "indexes",
        "Indexes as the planner sees them",
        (Column("table", "Table"), Column("index", "Index"), Column("statistics", "Rows, and rows per equal key")),
        statistics,
        source="sqlite_stat1 as of the last ANALYZE",
        limit=look.limit,
    )
