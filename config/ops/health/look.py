"""One look at a database: what all sections are given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from config.ops.health.report import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.health.report import Section
    from config.ops.health.thresholds import Threshold

# What PostgreSQL shows instead of another role's statement to those who may not see it.
HIDDEN_STATEMENT = "<insufficient privilege>"
# Names in which PostgreSQL keeps its own tables.
SYSTEM_SCHEMAS = "('pg_catalog', 'information_schema', 'pg_toast')"


@dataclass
class Look:
    """What to look at, and how: `limit` rows per table, `now` as the present.

    `unused` asks for all indexes that nobody uses, `integrity` for reading the whole file of a SQLite database,
    `explain` for the whole plan of one of the staff site's lists or the marketplace's reads.
    """

    connection: BaseDatabaseWrapper
    thresholds: Mapping[str, Threshold]
    now: datetime
    backup_folder: Path
    metrics_folder: Path
    limit: int = 10
    unused: bool = False
    integrity: bool = False
    explain: str = ""

    @property
    def on_sqlite(self) -> bool:
        return self.connection.vendor == "sqlite"

    @cached_property
    def server_version(self) -> tuple[int, ...]:
        """The server's version, such as (15, 4)."""
        return tuple(self.connection.get_database_version())

    @cached_property
    def role(self) -> str:
        """Who reads, on PostgreSQL."""
        return str(self.value("SELECT current_user"))

    @property
    def monitor_hint(self) -> str:
        """What to run so that we see them."""
        return f"run, as an administrator: GRANT pg_monitor TO {self.connection.ops.quote_name(self.role)}"

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query gives."""
        with self.connection.cursor() as cursor:
            # Without parameters a percent sign stands for itself.
            cursor.execute(sql, list(parameters) if parameters else None)
            return [tuple(row) for row in cursor.fetchall()]

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        """Return the first row."""
        return self.rows(sql, parameters)[0]

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first value of the first row."""
        return self.row(sql, parameters)[0]

    def weigh(self, section: Section, threshold: str, value: float, text: str) -> None:
        """Add a finding to `section` when `value` is beyond the named threshold; `text` says what is wrong."""
        mark = self.thresholds[threshold]
        state = mark.state(value)
        limit = mark.critical if state is State.CRITICAL else mark.warning
        section.find(state, f"{text} ({'below' if mark.low_is_bad else 'above'} {limit:g} {mark.unit}).")


# How many connections the server has for roles such as ours; the second reserve came with PostgreSQL 16.
USABLE_CONNECTIONS = """current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)"""
USABLE_CONNECTIONS_SOURCE = "max_connections without those reserved for administrators"


def percent(part: float, whole: float) -> float:
    """Return how much `part` is of `whole`, in percent with one place; 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0
