"""Who is connected, and how long the database takes to answer."""

from __future__ import annotations

import time

from config.ops.health.look import USABLE_CONNECTIONS, USABLE_CONNECTIONS_SOURCE, Look, percent
from config.ops.health.report import Column, Section

ACTIVITY = "pg_stat_activity"
# Where a session may not be seen its kind is not told either; the server's own have no role.
_CLIENTS = "usename IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'"


def connections(look: Look) -> Section:
    """Count the sessions of this database by role and state."""
    section = Section("connections")
    answer = _answer(look)
    section.figure("answer", answer, "ms", source="SELECT 1, timed from here")
    look.weigh(section, "answer", answer, f"The database took {answer:,.0f} ms to answer")
    if look.on_sqlite:
        section.notes.append("SQLite has no server: each process opens the file by itself, and nobody counts them.")
        return section
    _count(look, section)
    return section


def _answer(look: Look) -> float:
    look.connection.ensure_connection()
    start = time.perf_counter()
    look.value("SELECT 1")
    return round(1000 * (time.perf_counter() - start), 2)


def _count(look: Look, section: Section) -> None:
    rows = look.rows(
        f"""SELECT usename, coalesce(state, 'hidden'), count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND {_CLIENTS} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"""  # noqa: S608
    )
    columns = (Column("role", "Role"), Column("state", "State"), Column("sessions", "Sessions"))
    section.table("sessions", "Sessions of this database", columns, rows, source=ACTIVITY)
    if any(state == "hidden" for _, state, _ in rows):
        section.unread.append(f"The states of other roles' sessions are hidden from {look.role}: {look.monitor_hint}.")
    used, open_to_us = look.row(
        f"SELECT (SELECT count(*) FROM pg_stat_activity WHERE {_CLIENTS}), {USABLE_CONNECTIONS}"  # noqa: S608
    )
    section.figure("server_sessions", used, source=f"{ACTIVITY}, all databases")
    section.figure("server_limit", open_to_us, source=USABLE_CONNECTIONS_SOURCE)
    share = percent(used, open_to_us)
    section.figure("server_share", share, "%", source="server_sessions / server_limit")
    look.weigh(section, "connections", share, f"{used} of the server's {open_to_us} connections are taken")
