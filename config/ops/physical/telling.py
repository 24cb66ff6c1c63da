"""A recovery as a person at a terminal sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.filesize import decimal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.ops.physical.recovery import Plan, Recovered

GUIDE = "docs/point-in-time.md"


def plan_lines(plan: Plan, *, dry_run: bool) -> Iterator[str]:
    """Yield what was found and what would happen."""
    for entry in plan.chain:
        manifest = entry.manifest
        of = f"{manifest.started_at:%Y-%m-%d %H:%M:%S} UTC"
        yield f"{entry.backup}: {manifest.kind}, {decimal(manifest.size)}, of {of}"
    yield (
        f"log: {plan.wish.log_folder}"
        if plan.has_log
        else f"log: none in {plan.wish.log_folder}, only the backup's own"
    )
    moment = (
        f"as of {plan.wish.to_time:%Y-%m-%d %H:%M:%S.%f} UTC" if plan.wish.to_time else "as late as the log reaches"
    )
    would = "Would restore" if dry_run else "Restoring"
    yield f"{would} PostgreSQL {plan.server_major} {moment} into {plan.wish.into} ({decimal(plan.needed)} on the way)."
    if dry_run:
        yield "Nothing was changed."


def recovered_lines(result: Recovered) -> Iterator[str]:
    """Yield what was done and what a person does next."""
    rows = f"{sum(result.rows.values()):,} rows in {len(result.rows)} tables, " if result.rows else ""
    last = f"last change at {result.reached}" if result.reached else "no change after the base backup"
    into = result.plan.wish.into
    yield f"{into}: {rows}{last}, {result.seconds:.1f} s"
    yield f"It is shut down in order and archives nothing. `pg_ctl -D {into} start` starts it; {GUIDE} says what next."
