"""How big the database is, and what of it is air."""

from __future__ import annotations

from pathlib import Path

from config.ops.health.look import Look, percent
from config.ops.health.report import Section, State

# A file of which more is free than this is worth compacting.
FREE_SHARE = 25  # %
LARGE_FILE = 100 * 2**20  # bytes


def size(look: Look) -> Section:
    """Measure the database."""
    section = Section("size")
    if look.on_sqlite:
        _sqlite(look, section)
        return section
    section.figure("database", look.value("SELECT pg_database_size(current_database())"), "bytes",
                   source="pg_database_size")  # fmt: skip
    temporary, deadlocks, rolled_back, committed, failures, since = look.row(
        """SELECT temp_bytes, deadlocks, xact_rollback, xact_commit, checksum_failures, stats_reset
             FROM pg_stat_database WHERE datname = current_database()"""
    )
    source = f"pg_stat_database since {since:%Y-%m-%d %H:%M} UTC" if since else "pg_stat_database since its creation"
    section.figure("temporary_files", temporary, "bytes", source=source)
    section.figure("deadlocks", deadlocks, source=source)
    section.figure("rolled_back", percent(rolled_back, rolled_back + committed), "%", source=source)
    section.figure("checksum_failures", failures, source=source)
    if failures:
        section.find(State.CRITICAL, f"{failures} pages failed their checksum: restore a backup on another disk.")
    _transaction_numbers(look, section)
    return section


def _transaction_numbers(look: Look, section: Section) -> None:
    """Say how many of the transaction numbers are used up; at 2^31 the server takes no more writes."""
    age = look.value("SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()")
    used = percent(age, 2**31)
    section.figure("transaction_numbers", used, "%", source="age(pg_database.datfrozenxid) / 2^31")
    look.weigh(
        section, "transaction_numbers", used,
        f"{used:g} % of the transaction numbers are used up: run VACUUM FREEZE, and find what keeps autovacuum away",
    )  # fmt: skip


def _sqlite(look: Look, section: Section) -> None:
    page, pages, free = (int(look.value(f"PRAGMA {name}")) for name in ("page_size", "page_count", "freelist_count"))
    section.figure("database", page * pages, "bytes", source="PRAGMA page_size * page_count")
    section.figure("free", page * free, "bytes", source="PRAGMA page_size * freelist_count")
    share = percent(free, pages)
    section.figure("free_share", share, "%", source="PRAGMA freelist_count / page_count")
    if share > FREE_SHARE and page * free > LARGE_FILE:
        section.find(State.WARNING, f"{share:g} % of the file is free: compact it with VACUUM.")
    log = Path(f"{look.connection.settings_dict['NAME']}-wal")
    bytes_logged = log.stat().st_size if log.exists() else 0
    section.figure("write_ahead_log", bytes_logged, "bytes", source=f"size of {log.name}")
    if bytes_logged > max(LARGE_FILE, page * pages):
        section.find(
            State.WARNING,
            "The write-ahead log is larger than the database: a reader that never ends keeps it from being emptied. "
            "Find it, then run PRAGMA wal_checkpoint(TRUNCATE).",
        )
    if look.integrity:
        found = [str(finding) for (finding,) in look.rows("PRAGMA quick_check(10)")]
        section.figure("integrity", ", ".join(found), source="PRAGMA quick_check")
        if found != ["ok"]:
            section.find(State.CRITICAL, f"The file is damaged ({found[0]}): restore a backup.")
