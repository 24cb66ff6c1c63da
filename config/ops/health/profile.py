"""The server's settings against the recommended profile."""

from __future__ import annotations

from datetime import date, timedelta

from config.ops.health.look import Look
from config.ops.health.report import Column, Section, State

KILOBYTE, MEGABYTE = 2**10, 2**20

# For a machine with 1.5 to 2 GB of memory that the database has to itself; docs/operations.md has larger ones.
RECOMMENDED = {
    "max_connections": 100,
    "shared_buffers": 256 * MEGABYTE,
    "effective_cache_size": 1024 * MEGABYTE,
    "work_mem": 16 * MEGABYTE,
    "maintenance_work_mem": 64 * MEGABYTE,
}
# Off, they lose data when the power goes, or let tables grow without end.
MUST_BE_ON = {
    "fsync": "a power cut destroys the database",
    "full_page_writes": "a power cut destroys pages that were being written",
}
UNITS = {"B": 1, "kB": KILOBYTE, "8kB": 8 * KILOBYTE, "MB": MEGABYTE}

SQLITE_RECOMMENDED: dict[str, int | str] = {
    "journal_mode": "wal",
    "synchronous": 1,
    "foreign_keys": 1,
    "busy_timeout": 20_000,
}


def profile(look: Look) -> Section:
    """Compare the settings with those recommended."""
    section = Section("settings")
    columns = (
        Column("setting", "Setting"),
        Column("actual", "Here"),
        Column("recommended", "Recommended"),
        Column("verdict", "Verdict"),
    )
    if look.on_sqlite:
        actual = {name: look.value(f"PRAGMA {name}") for name in SQLITE_RECOMMENDED}
        rows = [
            (name, actual[name], wanted, _verdict(actual[name], wanted)) for name, wanted in SQLITE_RECOMMENDED.items()
        ]
        section.table("profile", "Settings", columns, rows, source="PRAGMA of this connection")
        return section
    found = {
        name: (value, unit)
        for name, value, unit in look.rows(
            "SELECT name, setting, unit FROM pg_settings WHERE name = ANY(%s)", [[*RECOMMENDED, *MUST_BE_ON]]
        )
    }
    rows = []
    for name, wanted in RECOMMENDED.items():
        value, unit = found[name]
        here = int(value) * UNITS.get(unit or "B", 1)
        shown = str(here) if unit is None else _memory(here)
        rows.append((name, shown, str(wanted) if unit is None else _memory(wanted), _verdict(here, wanted)))
    section.table("profile", "Settings", columns, rows, source="pg_settings")
    section.notes.append(
        "The profile assumes that the database has 1.5 to 2 GB of memory to itself; docs/operations.md has larger ones."
    )
    _version(look, section)
    for name, consequence in MUST_BE_ON.items():
        value = found[name][0]
        section.figure(name, value, source="pg_settings")
        if value != "on":
            section.find(State.WARNING, f"{name} is {value}: {consequence}. Set {name} = on.")
    return section


def end_of_life(major: int) -> date:
    """Return the day after which the PostgreSQL project corrects no more errors in a major version.

    Releases come each November, counted from 10 in 2017, and are kept for five years, up to the second Thursday of that
    November: https://www.postgresql.org/support/versioning/.
    """
    november = date(2012 + major, 11, 1)
    return november + timedelta(days=(3 - november.weekday()) % 7 + 7)


def _version(look: Look, section: Section) -> None:
    major = look.server_version[0]
    end = end_of_life(major)
    section.figure("end_of_life", str(end), source=f"PostgreSQL's release policy, for version {major}")
    if look.now.date() > end:
        section.find(
            State.WARNING,
            f"PostgreSQL {major} gets no security updates since {end}: back up, and restore into a newer server.",
        )


def _verdict(here: int | str, wanted: int | str) -> str:
    if here == wanted:
        return "as recommended"
    if isinstance(here, int) and isinstance(wanted, int):
        return "more" if here > wanted else "less"
    return "differs"


def _memory(amount: int) -> str:
    return f"{amount // MEGABYTE} MB" if amount >= MEGABYTE else f"{amount // KILOBYTE} kB"
