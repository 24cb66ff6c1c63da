"""What is done regularly, from cron or a timer: steps that can be run again at any time and then find nothing to do.

A new step is one entry in `STEPS`. A preview counts with the same selection that the run changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.models import Subscription
from accounts.services import expire_subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that maintenance does. `run` and `preview` return how many rows are, or would be, changed at a time."""

    name: str
    does: str
    run: Callable[[datetime], int]
    preview: Callable[[datetime], int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step changed, or in a preview would change; `error` says why it failed."""

    step: str
    does: str
    rows: int
    error: str = ""


STEPS = (
    Step(
        name="subscriptions",
        does="set subscriptions that passed their end to expired",
        run=expire_subscriptions,
        preview=lambda now: Subscription.objects.overdue(now=now).count(),
    ),
)


def step_names() -> list[str]:
    """Return the names of all steps in the order in which they run."""
    return [step.name for step in STEPS]


def maintain(*, now: datetime, only: Iterable[str] = (), dry_run: bool = False) -> Iterator[Outcome]:
    """Run the steps, or those named, and yield what each did; one that fails does not keep the others from running."""
    wanted = set(only) or set(step_names())
    for step in STEPS:
        if step.name in wanted:
            yield _outcome(step, now, dry_run)


def _outcome(step: Step, now: datetime, dry_run: bool) -> Outcome:
    try:
        rows = step.preview(now) if dry_run else step.run(now)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported, and the next step has its turn
        return Outcome(step.name, step.does, 0, f"{type(error).__name__}: {error}")
    return Outcome(step.name, step.does, rows)
