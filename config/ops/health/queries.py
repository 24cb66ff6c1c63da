"""The slowest statements, as pg_stat_statements has counted them."""

from __future__ import annotations

from django.conf import settings

from config.ops.health.look import HIDDEN_STATEMENT, Look, percent
from config.ops.health.report import Column, Section
from config.redaction import normalized_sql

EXTENSION = "pg_stat_statements"
TEXT_LENGTH = 300
# Below so few calls a share of slow ones says nothing.
ENOUGH_CALLS = 100

HOW_TO_PRELOAD = "add pg_stat_statements to shared_preload_libraries in postgresql.conf and restart the server"


def queries(look: Look) -> Section:
    """List the statements with the highest mean time."""
    section = Section("queries")
    if look.on_sqlite:
        section.missing.append(
            "SQLite counts no statements; those that take longer than SLOW_QUERY_MS "
            f"({settings.SLOW_QUERY_MS} ms) are in the log."
        )
        return section
    way = _way_to_extension(look)
    if way:
        section.missing.append(way)
        return section
    _statements(look, section)
    if look.value(f"SELECT count(*) FROM {_view(look)} WHERE query = %s", [HIDDEN_STATEMENT]):  # noqa: S608 - quoted
        section.unread.append(f"The statements of other roles are hidden from {look.role}: {look.monitor_hint}.")
    return section


def _way_to_extension(look: Look) -> str:
    """Return how to get the extension, or '' when it is there and works."""
    steps = []
    if not look.value("SELECT count(*) FROM pg_available_extensions WHERE name = %s", [EXTENSION]):
        steps.append("install PostgreSQL's contrib package (postgresql-contrib)")
    # Its own settings are known once it is loaded; the list of libraries itself is for administrators.
    if not look.value("SELECT count(*) FROM pg_settings WHERE name = %s", [f"{EXTENSION}.max"]):
        steps.append(HOW_TO_PRELOAD)
    if not look.value("SELECT count(*) FROM pg_extension WHERE extname = %s", [EXTENSION]):
        steps.append(f"run CREATE EXTENSION {EXTENSION} in this database")
    return f"Statements are not counted. As an administrator: {'; '.join(steps)}." if steps else ""


def _view(look: Look) -> str:
    schema = look.value(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = %s",
        [EXTENSION],
    )
    quote = look.connection.ops.quote_name
    return f"{quote(schema)}.{quote(EXTENSION)}"


def _statements(look: Look, section: Section) -> None:
    view = _view(look)
    # Names changed with PostgreSQL 13 and 17, and a server that was upgraded may keep an old version of the extension.
    present = {name for (name,) in look.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [view]
    )}  # fmt: skip
    total, mean, worst = (
        f"{part}_exec_time" if "total_exec_time" in present else f"{part}_time" for part in ("total", "mean", "max")
    )
    reading = "shared_blk_read_time" if "shared_blk_read_time" in present else "blk_read_time"
    here = f"{view} WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"  # noqa: S608 - a quoted name
    rows = look.rows(
        f"""SELECT query, calls, {total}, {mean}, {worst}, rows, {reading} FROM {here}
             ORDER BY {mean} DESC, query LIMIT %s""",  # noqa: S608 - names of columns
        [look.limit],
    )
    statements, calls, slow = look.row(
        f"""SELECT count(*), coalesce(sum(calls), 0)::bigint,
                   coalesce(sum(calls) FILTER (WHERE {mean} > %s), 0)::bigint FROM {here}""",  # noqa: S608 - as above
        [settings.SLOW_QUERY_MS or 1000],
    )
    section.table(
        "statements",
        "Statements by mean time",
        (
            Column("mean", "Mean", "ms"),
            Column("max", "Longest", "ms"),
            Column("total", "Total", "ms"),
            Column("calls", "Calls"),
            Column("rows", "Rows"),
            Column("reading", "Reading", "ms"),
            Column("text", "Statement"),
        ),
        [
            # Statements that define something keep their literals, a role's password among them.
            (avg, longest, whole, count, returned, read, normalized_sql(text or "")[:TEXT_LENGTH])
            for text, count, whole, avg, longest, returned, read in rows
        ],
        source=f"{EXTENSION} since its last reset; {reading} needs track_io_timing",
        left_out=statements - len(rows),
    )
    section.figure("calls", calls, source=f"{EXTENSION}.calls")
    share = percent(slow, calls)
    section.figure("slow_share", share, "%", source=f"calls of statements with {mean} above SLOW_QUERY_MS")
    if calls >= ENOUGH_CALLS:
        look.weigh(section, "slow_share", share, f"{share:g} % of the calls are of slow statements; the list has them")
