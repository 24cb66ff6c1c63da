"""Copies of the database that follow this one, and how far behind they are."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings

from config.db.errors import Refused
from config.db.replicas.nodes import place_of, wrapper_of
from config.ops.direct import direct_connection
from config.ops.health.look import Look
from config.ops.health.report import Column, Section, State

FOLLOWS = "follows"


def replication(look: Look) -> Section:
    """List the replicas with their lag, the replication slots, and how the archiving of WAL goes."""
    section = Section("replication")
    if look.on_sqlite:
        section.notes.append("No replica: SQLite has no replication.")
        return section
    if look.value("SELECT pg_is_in_recovery()"):
        _replica(look, section)
    else:
        _primary(look, section)
        _read_from(look, section)
    _slots(look, section)
    _archiving(look, section)
    return section


def _replica(look: Look, section: Section) -> None:
    behind, lag = look.row(
        """SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint,
                  CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                       ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END::float"""
    )
    section.notes.append("This server is a replica itself.")
    section.figure("behind", behind, "bytes", source="pg_last_wal_receive_lsn - pg_last_wal_replay_lsn")
    section.figure("lag", lag, "s", source="pg_last_xact_replay_timestamp, 0 when all that came is replayed")
    if lag is not None:
        look.weigh(section, "replication_lag", lag, f"This replica is {lag:,.0f} s behind")


def _primary(look: Look, section: Section) -> None:
    rows = look.rows(
        """SELECT application_name, coalesce(host(client_addr), 'socket'), state, sync_state,
                  pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint, extract(epoch FROM replay_lag)::float
             FROM pg_stat_replication ORDER BY 1, 2"""
    )
    section.figure("replicas", len(rows), source="pg_stat_replication")
    if not rows:
        section.notes.append("No replica.")
        return
    section.table(
        "replicas",
        "Replicas",
        (
            Column("name", "Name"),
            Column("address", "Address"),
            Column("state", "State"),
            Column("sync", "Sync"),
            Column("behind", "Behind", "bytes"),
            Column("lag", "Lag", "s"),
        ),
        rows,
        source="pg_stat_replication: replay_lsn, replay_lag",
        limit=look.limit,
    )
    if any(state is None for _, _, state, *_ in rows):
        section.unread.append(f"The replicas' states are hidden from {look.role}: {look.monitor_hint}.")
    for name, address, *_, lag in rows:
        if lag is not None:
            look.weigh(section, "replication_lag", lag, f"The replica {name} at {address} is {lag:,.0f} s behind")


def _read_from(look: Look, section: Section) -> None:
    """List the replicas that the settings name, as they are reached from here."""
    rows = [_reached(look, database) for database in settings.DATABASE_REPLICAS]
    if not rows:
        return
    columns = (Column("replica", "Replica"), Column("state", "State"), Column("behind", "Behind", "bytes"))
    section.table("read_from", "Replicas for reads", columns, rows, source="DATABASE_REPLICA_URLS", limit=look.limit)
    for place, state, _ in rows:
        if state != FOLLOWS:
            section.find(State.WARNING, f"No reads go to the replica {place} of DATABASE_REPLICA_URLS: {state}.")


def _reached(look: Look, database: dict[str, Any]) -> tuple[str, str, int | None]:
    place = place_of(database)
    written = look.value("SELECT pg_current_wal_lsn()")
    try:
        with direct_connection(wrapper_of(database, "look")) as session:
            row = session.execute(
                "SELECT pg_is_in_recovery(), pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn())::bigint", [written]
            ).fetchone()
    except (Refused, psycopg.Error):
        return place, "it does not answer", None
    follows, behind = row or (False, None)
    return (place, FOLLOWS, max(0, behind or 0)) if follows else (place, "it follows no server", None)


def _slots(look: Look, section: Section) -> None:
    rows = look.rows(
        """SELECT slot_name, slot_type, active,
                  CASE WHEN pg_is_in_recovery() THEN NULL
                       ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint END
             FROM pg_replication_slots ORDER BY 1"""
    )
    section.figure("slots", len(rows), source="pg_replication_slots")
    if not rows:
        return
    columns = (
        Column("slot", "Slot"),
        Column("type", "Type"),
        Column("active", "Active"),
        Column("kept", "WAL kept", "bytes"),
    )
    section.table("slots", "Replication slots", columns, rows, source="pg_replication_slots", limit=look.limit)
    for slot, _, active, kept in rows:
        if not active:
            section.find(
                State.WARNING,
                f"Nobody reads the replication slot {slot}, and it keeps {(kept or 0) / 1_000_000:,.1f} MB of WAL "
                f"until the disk is full: start its reader, or SELECT pg_drop_replication_slot('{slot}').",
            )


def _archiving(look: Look, section: Section) -> None:
    mode = look.value("SELECT current_setting('archive_mode')")
    section.figure("archive_mode", mode, source="archive_mode")
    if mode == "off":
        return
    archived, at, failures, failed, failing = look.row(
        """SELECT last_archived_wal, last_archived_time, failed_count, last_failed_wal,
                  last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver"""
    )
    source = "pg_stat_archiver"
    section.figure("last_archived", archived, source=source)
    section.figure("last_archived_at", at, source=source)
    section.figure("archive_failures", failures, source=source)
    section.figure("last_failed", failed, source=source)
    if failing:
        section.find(
            State.CRITICAL,
            f"WAL is no longer archived: {failed} failed last. The server's log says why; until it works there is no "
            "restoring to a moment, and the disk fills.",
        )
