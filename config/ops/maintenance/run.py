"""One maintenance run: the steps one after another, and one record of what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction

from config.audit import announce
from config.db.errors import Refused
from config.ops.maintenance.alone import alone
from config.ops.maintenance.steps import STEPS, Step, Task
from config.ops.migrating import session_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

RECORD = "MAINTENANCE_RUN"
RECORDING, RECORDS = "record", "enter the run in the audit log"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step changed, or in a preview would change; `error` says why it failed."""

    step: str
    does: str
    rows: int
    error: str = ""


def maintain(
    *, now: datetime, only: Iterable[str] = (), dry_run: bool = False, task: Task | None = None,
    steps: Sequence[Step] = STEPS,
) -> Iterator[Outcome]:  # fmt: skip
    """Run the steps, or those named, and yield what each did; one that fails does not keep the others from running.

    A real run leaves one entry in the audit log, once all outcomes were taken; where that cannot be written, the last
    outcome says so. Raises Refused while another run is at work; a preview changes nothing and waits for nobody.
    """
    task = task or Task(now)
    names = set(only)
    wanted = [step for step in steps if (step.name in names if names else not step.only_by_name)]
    if dry_run:
        for step in wanted:
            yield _outcome(step, task, dry_run=True)
        return
    unbounded = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
    with alone(task.connection), session_settings(task.connection, **unbounded):
        outcomes: list[Outcome] = []
        error = ""
        try:
            for step in wanted:
                outcomes.append(_outcome(step, task, dry_run=False))
                yield outcomes[-1]
        finally:
            try:
                with transaction.atomic():
                    _record(outcomes)
            except DatabaseError as failure:
                error = str(failure).strip()
        if error:
            reason = f"the steps are done, but their entry in the audit log could not be written: {error}"
            yield Outcome(RECORDING, RECORDS, 0, reason)


def _outcome(step: Step, task: Task, *, dry_run: bool) -> Outcome:
    try:
        rows = step.preview(task) if dry_run else step.run(task)
    except Refused as refusal:
        return Outcome(step.name, step.does, 0, str(refusal))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported, and the next step has its turn
        return Outcome(step.name, step.does, 0, f"{type(error).__name__}: {error}")
    return Outcome(step.name, step.does, rows)


def _record(outcomes: list[Outcome]) -> None:
    changed = [f"{outcome.step} {outcome.rows}" for outcome in outcomes if outcome.rows]
    errors = [f"{outcome.step}: {outcome.error}" for outcome in outcomes if outcome.error]
    announce(
        "other",
        event_type=RECORD,
        description=f"Maintenance: {', '.join(changed) or 'nothing was due'}.",
        metadata={"steps": {outcome.step: outcome.rows for outcome in outcomes}},
        success=not errors,
        error_message="\n".join(errors),
    )
