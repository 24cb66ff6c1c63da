"""Who waits for whom, and which transactions stay open."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from config.ops.health.look import HIDDEN_STATEMENT, Look
from config.ops.health.report import Column, Section, State
from config.redaction import normalized_sql

TEXT_LENGTH = 200

_WAITING = """
    SELECT a.pid, a.usename, extract(epoch FROM now() - a.query_start)::float, a.query,
           b.pid, b.usename, b.state, b.query
      FROM pg_stat_activity a CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS blocker
      LEFT JOIN pg_stat_activity b ON b.pid = blocker
     WHERE a.datname = current_database() ORDER BY 3 DESC NULLS LAST"""

_TRANSACTIONS = """
    SELECT pid, usename, state, extract(epoch FROM now() - xact_start)::float, query
      FROM pg_stat_activity
     WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
       AND backend_type = 'client backend'
     ORDER BY xact_start"""


def locks(look: Look) -> Section:
    """List the sessions that wait for a lock with those that hold it, and the oldest transactions."""
    section = Section("locks")
    if look.on_sqlite:
        _sqlite(look, section)
        return section
    _waiting(look, section)
    _transactions(look, section)
    hidden = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = %s"
    if look.value(hidden, [HIDDEN_STATEMENT]):
        section.unread.append(f"Other roles' transactions are hidden from {look.role}: {look.monitor_hint}.")
    return section


def _waiting(look: Look, section: Section) -> None:
    rows = [
        (pid, role, seconds, _short(text), blocker, blocker_role, blocker_state, _short(blocker_text))
        for pid, role, seconds, text, blocker, blocker_role, blocker_state, blocker_text in look.rows(_WAITING)
    ]
    section.figure("waiting", len({row[0] for row in rows}), source="pg_blocking_pids")
    section.table(
        "waiting",
        "Sessions that wait for a lock",
        (
            Column("pid", "Session"),
            Column("role", "Role"),
            Column("seconds", "Waits", "s"),
            Column("text", "For"),
            Column("blocker", "Held by"),
            Column("blocker_role", "Its role"),
            Column("blocker_state", "Its state"),
            Column("blocker_text", "Its last statement"),
        ),
        rows,
        source="pg_stat_activity, pg_blocking_pids",
        limit=look.limit,
    )
    for pid, _, seconds, _, blocker, *_ in rows:
        if seconds is not None:
            look.weigh(
                section, "lock_wait", seconds,
                f"Session {pid} has waited {seconds:,.0f} s for session {blocker}: let that one end, or end it with "
                f"SELECT pg_terminate_backend({blocker})",
            )  # fmt: skip


def _transactions(look: Look, section: Section) -> None:
    rows = [(pid, role, state, seconds, _short(text)) for pid, role, state, seconds, text in look.rows(_TRANSACTIONS)]
    section.table(
        "transactions",
        "Open transactions, oldest first",
        (
            Column("pid", "Session"),
            Column("role", "Role"),
            Column("state", "State"),
            Column("seconds", "Open for", "s"),
            Column("text", "Last statement"),
        ),
        rows,
        source="pg_stat_activity.xact_start",
        limit=look.limit,
    )
    for pid, _, state, seconds, _ in rows:
        look.weigh(
            section, "transaction", seconds,
            f"Session {pid} ({state}) has kept a transaction open for {seconds:,.0f} s, and vacuum must keep every row "
            f"that it may still see: end it with SELECT pg_terminate_backend({pid})",
        )  # fmt: skip
    prepared = look.value("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()")
    section.figure("prepared_transactions", prepared, source="pg_prepared_xacts")
    if prepared:
        section.find(
            State.WARNING,
            f"{prepared} prepared transactions keep their locks, and Forecourt makes none: "
            "ROLLBACK PREPARED what pg_prepared_xacts lists.",
        )


def _short(text: str | None) -> str:
    return normalized_sql(text or "")[:TEXT_LENGTH]


def _sqlite(look: Look, section: Section) -> None:
    """Ask whether somebody writes this very moment, without waiting and without changing anything."""
    name = str(look.connection.settings_dict["NAME"])
    if ":memory:" in name or "mode=memory" in name:
        return
    with closing(sqlite3.connect(name, timeout=0, isolation_level=None)) as probe:
        try:
            probe.execute("BEGIN IMMEDIATE")
            probe.execute("ROLLBACK")
            busy = False
        except sqlite3.OperationalError:
            busy = True
    section.figure("writer_active", busy, source="BEGIN IMMEDIATE without waiting, taken back at once")
    section.notes.append("SQLite has one writer at a time; the others wait in their processes, where nobody sees them.")
