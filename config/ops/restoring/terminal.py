"""A restore as a person at a terminal sees it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.ops.restoring.drill import Drill
    from config.ops.restoring.order import Outcome, Plan

MOST_TABLES = 40


class Quiet:
    """Tells nobody."""

    def phase(self, name: str) -> None:
        """Say what begins now; see `Watcher`."""

    def size(self, done: int) -> None:
        """Say how many bytes are there; see `Watcher`."""

    def pause(self) -> None:
        """Let others write."""


class Lines(Quiet):
    """One line per phase."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write

    def phase(self, name: str) -> None:
        """See `Watcher`."""
        # A restore half done goes on, whoever can hear of it.
        with suppress(OSError):
            self.write(f"{name.capitalize()} ...")


class Moving(Quiet):
    """One line that moves."""

    def __init__(self) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[size]}"),
        )
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.progress.add_task("", total=None, size="")

    def __enter__(self) -> Moving:
        return self

    def __exit__(self, *exception: object) -> None:
        self.progress.stop()

    def pause(self) -> None:
        """See `Quiet`."""
        self.progress.stop()

    def phase(self, name: str) -> None:
        """See `Watcher`."""
        self.progress.start()
        self.progress.reset(self.task, description=name, size="")

    def size(self, done: int) -> None:
        """See `Watcher`."""
        self.progress.update(self.task, size=decimal(done))


def plan_lines(plan: Plan, *, dry_run: bool) -> Iterator[str]:
    """Yield what was found and what would happen."""
    manifest, content = plan.source.manifest, plan.content
    of = f", {manifest.kind}, of {manifest.started_at:%Y-%m-%d %H:%M:%S} UTC" if manifest else ""
    version = f", PostgreSQL {content.server_version}" if content.server_version and content.kind != "sqlite" else ""
    yield f"Backup:  {plan.source.name}, {decimal(plan.source.size)}{of}{version}"
    unproven = "" if manifest else " (it has no manifest: rows cannot be compared)"
    yield f"Checked: {', '.join(content.checks) or 'nothing to check it by'}{unproven}"
    yield f"Target:  {plan.target}"
    yield from _row_lines(plan)
    for sentence in plan.unknown:
        yield f"Unknown: {sentence}"
    for sentence in plan.warnings:
        yield f"Look:    {sentence}"
    yield "Would:" if dry_run else "Will:"
    yield from (f"  {number}. {step}" for number, step in enumerate(plan.steps, 1))
    if dry_run:
        for obstacle in plan.obstacles:
            yield f"It would be refused: {obstacle}"
        yield "Nothing was changed."


def _row_lines(plan: Plan) -> Iterator[str]:
    if plan.now is None and plan.after is None:
        return
    now, after = plan.now or {}, plan.after or {}
    tables = sorted({*now, *after})
    if plan.now is not None and plan.after is not None:
        same = [table for table in tables if now.get(table) == after.get(table)]
        tables = [table for table in tables if table not in same]
        if same:
            yield f"Tables with as many rows now as after: {len(same)}"
    if tables:
        yield f"{'table':<44}{'rows now':>14}{'after':>14}"
    for table in tables[:MOST_TABLES]:
        yield f"{table:<44}{_count(plan.now, table):>14}{_count(plan.after, table):>14}"
    if len(tables) > MOST_TABLES:
        yield f"and {len(tables) - MOST_TABLES} more tables; --json shows all."
    totals = (f"{sum(counts.values()):,}" if counts is not None else "?" for counts in (plan.now, plan.after))
    yield f"{'all':<44}" + "".join(f"{total:>14}" for total in totals)


def _count(counts: dict[str, int] | None, table: str) -> str:
    if counts is None:
        return "?"
    return f"{counts[table]:,}" if table in counts else "-"


def outcome_lines(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """Yield what was done."""
    rows = f"{sum(outcome.rows.values()):,} rows in {len(outcome.rows)} tables"
    yield f"Restored {plan.target}: {rows}, in {outcome.seconds:.1f} s."
    yield f"Checked: {', '.join(outcome.checks)}"
    yield str(outcome.migrations)
    if outcome.safety_backup:
        yield f"The database as it was before: {outcome.safety_backup}"
    if outcome.kept:
        yield f"What was replaced is kept as {outcome.kept}; `manage.py restore --drop-old` removes it."


def drill_lines(result: Drill) -> Iterator[str]:
    """Yield how a drill went."""
    yield f"{result.file}: {sum(result.rows.values()):,} rows in {len(result.rows)} tables, in {result.seconds:.1f} s."
    yield f"Checked: {', '.join(result.checks)}"
    yield str(result.migrations)
    yield "Its manifest says that it was restored." if result.recorded else "It has no manifest to remember this."


def rows_of(count: int) -> str:
    """Return a number of rows in words."""
    return "1 row" if count == 1 else f"{count:,} rows"
