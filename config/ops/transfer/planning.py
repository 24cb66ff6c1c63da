"""What is to be done, and whether the source and the target are fit for it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.transfer import target
from config.ops.transfer.findings import refuse_unfit_report
from config.ops.transfer.forecourt import ForecourtLayout
from config.ops.transfer.partpal import PartPal
from config.ops.transfer.source import count_rows, open_source, recognised, table_names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.transfer.layout import Layout

# What programs keep beside the rows; nobody misses it.
BOOKKEEPING = {"django_migrations", "_prisma_migrations"}
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done."""

    source: Path
    target: str = ""
    """The target's URL; without one DATABASE_URL says where to. A rehearsal needs neither."""
    dry_run: bool = False
    on_error: Literal["stop", "quarantine"] = "stop"
    report: Path | None = None
    merge: bool = False
    keep_expired: bool = False


@dataclass(slots=True)
class Plan:
    """A source and a target that were looked at and fit."""

    order: Order
    source: sqlite3.Connection
    layout: Layout
    connection: BaseDatabaseWrapper | None
    rows: dict[str, int]
    """How many rows each table of the source has."""
    elsewhere: dict[str, int]
    """Tables with rows that are not part of the layout and stay where they are."""

    @property
    def shown_target(self) -> str:
        return shown_url(self.connection.settings_dict) if self.connection else ""


def layouts() -> list[Layout]:
    """Return the kinds of files that can be moved."""
    return [ForecourtLayout(), PartPal()]


@contextmanager
def planned(order: Order) -> Iterator[Plan]:
    """Open the source and look at the target. Raises Refused when one of them is not as it must be."""
    if order.report is not None:
        refuse_unfit_report(order.report, order.source)
    with ExitStack() as stack:
        source = stack.enter_context(open_source(order.source))
        layout = recognised(order.source, source, layouts())
        connection = None
        if order.target or target.is_set() or not order.dry_run:
            connection = stack.enter_context(target.target_database(order.target))
            target.refuse_unfit(connection, layout.models)
            if not order.merge:
                refuse_filled(connection, layout)
        elif order.merge:
            raise Refused(
                "--merge compares with the target: name it with --target or DATABASE_URL, also for a rehearsal."
            )
        rows = {table: count_rows(source, table) for table in layout.tables}
        others = set(table_names(source)) - set(layout.tables) - BOOKKEEPING
        elsewhere = {table: count for table in sorted(others) if (count := count_rows(source, table))}
        yield Plan(order, source, layout, connection, rows, elsewhere)


def refuse_filled(connection: BaseDatabaseWrapper, layout: Layout) -> None:
    """Raise Refused when one of the tables that the layout fills already has rows."""
    filled = target.rows_in(connection, [model for model in layout.models if model not in layout.matched])
    if not filled:
        return
    told = [f"{table} {rows:,}" for table, rows in filled.items()]
    more = f" and {len(told) - EXAMPLES} more tables" if len(told) > EXAMPLES else ""
    raise Refused(
        f"{shown_url(connection.settings_dict)} is not empty: {', '.join(told[:EXAMPLES])}{more}. "
        "Move into a new, migrated database, or write --merge to add what is missing and bring the rest up to date."
    )
