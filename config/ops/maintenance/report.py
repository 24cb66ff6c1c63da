"""The maintenance report: a dated file with sizes, rows, indexes, dead rows and slow statements."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from config.db.errors import Refused
from config.ops.health.look import SYSTEM_SCHEMAS
from config.ops.health.report import Column, Report, Section
from config.ops.health.run import examine, look_at
from config.ops.health.terminal import write
from config.ops.maintenance.archives import archive_root, prepare

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.health.look import Look

SECTIONS = ("size", "tables", "indexes", "queries")
# As many rows per table as anybody has tables and indexes.
ALL_ROWS = 10_000
MEBIBYTE = 1 << 20
# From above so many dead rows, and bytes of an index, on.
DEAD_ROWS = ((1000, "high"), (100, "medium"))
INDEX_SIZES = ((10 * MEBIBYTE, "large"), (MEBIBYTE, "medium"))


def grade(value: float, marks: tuple[tuple[int, str], ...], otherwise: str) -> str:
    """Return the word of the first mark that `value` is above; one that stands on a mark belongs to the next word."""
    return next((word for mark, word in marks if value > mark), otherwise)


def maintenance_report(connection: BaseDatabaseWrapper, *, now: datetime) -> Report:
    """Look at everything that the report has."""
    look = look_at(connection, now=now, limit=ALL_ROWS, unused=True)
    report = examine(look, SECTIONS)
    if len(report.sections) == len(SECTIONS):
        report.sections.append(dead_rows(look))
    return report


def dead_rows(look: Look) -> Section:
    """List the tables by dead rows and the indexes by size, each with its class."""
    section = Section("dead rows")
    if look.on_sqlite:
        free, pages, size = (look.value(f"PRAGMA {name}") for name in ("freelist_count", "page_count", "page_size"))
        section.figure("free", free * size, "bytes", source="PRAGMA freelist_count * page_size; vacuum gives it back")
        section.figure("free_pages", free, source=f"of {pages} pages")
        return section
    tables = look.rows(
        "SELECT schemaname, relname, n_live_tup, n_dead_tup FROM pg_stat_user_tables ORDER BY 4 DESC, 1, 2"
    )
    section.table(
        "tables",
        "Tables by dead rows",
        (
            Column("schema", "Schema"), Column("table", "Table"), Column("rows", "Rows"),
            Column("dead_rows", "Dead rows"), Column("class", "Class"),
        ),
        [(*row, grade(row[3], DEAD_ROWS, "low")) for row in tables],
        source="pg_stat_user_tables; above 1000 dead rows high, above 100 medium",
    )  # fmt: skip
    indexes = look.rows(
        f"""SELECT n.nspname, c.relname, pg_relation_size(c.oid)
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'i' AND n.nspname NOT IN {SYSTEM_SCHEMAS} ORDER BY 3 DESC, 1, 2"""  # noqa: S608 - a constant
    )
    section.table(
        "indexes",
        "Indexes by size",
        (
            Column("schema", "Schema"),
            Column("index", "Index"),
            Column("size", "Size", "bytes"),
            Column("class", "Class"),
        ),
        [(*row, grade(row[2], INDEX_SIZES, "small")) for row in indexes],
        source="pg_relation_size; above 10 MiB large, above 1 MiB medium",
    )
    return section


def write_report(report: Report, connection: BaseDatabaseWrapper, folder: Path, *, now: datetime) -> Path:
    """Write the report as text under a name with its date, whole or not at all, and return the path.

    Raises Refused when the folder cannot be written.
    """
    moment = now.astimezone(UTC)
    name = f"maintenance_{archive_root(folder, connection).name}_{moment:%Y%m%d_%H%M%S}.txt"
    prepare(folder, "Reports")
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"Maintenance report of {report.database}, {moment:%Y-%m-%d %H:%M:%S} UTC\n\n")
            write(report, file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(folder / name)
    except OSError as error:
        raise Refused(f"The report cannot be written to {folder}: {error.strerror}.") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    return folder / name
