"""Telling people what happens and what came of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from config.ops.transfer.findings import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.ops.transfer.layout import Finding
    from config.ops.transfer.run import Result

    Say = Callable[[str], None]


@contextmanager
def watching(say: Say, complain: Say, *, verbosity: int) -> Iterator[Lines | Bar]:
    """Yield what shows the progress: a bar on a terminal, lines through `say` elsewhere.

    Bad rows are told through `complain` as they are found, and with `verbosity` 2 notes as well.
    """
    console = Console(stderr=True)
    if not console.is_terminal or not verbosity:
        yield Lines(say, complain, tells_notes=verbosity > 1)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[step]}"),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        yield Bar(progress, tells_notes=verbosity > 1)


def summary(result: Result, *, stops: bool) -> Iterator[str]:
    """Yield the lines that tell the result; `stops` says whether bad rows stop the move."""
    yield from _outcomes(result)
    yield from _proof(result)
    yield from _merged(result)
    yield from _ending(result, stops=stops)


class RateColumn(ProgressColumn):
    """Shows how many steps a second are done."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


class Lines:
    """Progress as lines: one per phase, and one per tenth of the rows."""

    def __init__(self, say: Say, complain: Say, *, tells_notes: bool) -> None:
        self._say, self._complain, self._tells_notes = say, complain, tells_notes
        self._total, self._told, self._name = 0, 0, ""

    def phase(self, name: str, total: int) -> None:
        """See `run.Watcher`."""
        self._name, self._total, self._told = name, total, 0
        if total:
            self._say(f"{name.capitalize()}: {total:,}")

    def advance(self, step: str, done: int) -> None:
        """See `run.Watcher`."""
        tenth = done * 10 // self._total if self._total else 0
        if self._name == "rows" and tenth > self._told:
            self._told = tenth
            self._say(f"  {done:,} of {self._total:,} ({step})")

    def found(self, finding: Finding) -> None:
        """See `run.Watcher`."""
        if self._tells_notes or finding.outcome == "bad":
            self._complain(f"{finding.outcome}: {sentence(finding)}")


class Bar:
    """Progress as a bar."""

    def __init__(self, progress: Progress, *, tells_notes: bool) -> None:
        self._progress, self._tells_notes = progress, tells_notes
        self._task = progress.add_task("", total=None, step="")

    def phase(self, name: str, total: int) -> None:
        """See `run.Watcher`."""
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=total, step="")

    def advance(self, step: str, done: int) -> None:
        """See `run.Watcher`."""
        self._progress.update(self._task, completed=done, step=step)

    def found(self, finding: Finding) -> None:
        """See `run.Watcher`."""
        if self._tells_notes or finding.outcome == "bad":
            line = Text(f"{finding.outcome}: {sentence(finding)}")
            self._progress.console.print(line, soft_wrap=True)


def _outcomes(result: Result) -> Iterator[str]:
    heads = ("rows", "moved", "noted", "left out", "bad", "hang on bad")
    yield f"\n{'table':<32}" + "".join(f"{head:>13}" for head in heads)
    for tally in result.tables:
        if tally.rows:
            counts = (tally.rows, tally.moved, tally.noted, tally.left_out, tally.bad, tally.hanging)
            yield f"{tally.table:<32}" + "".join(f"{count:>13,}" for count in counts)


def _proof(result: Result) -> Iterator[str]:
    if result.proofs:
        yield f"\n{'target table':<32}{'rows':>13}  checksum of the source = of the target"
    for entry in result.proofs:
        if entry.rows_found:
            yield f"{entry.table:<32}{entry.rows_found:>13,}  {entry.checksum_sent[:16]} = {entry.checksum_found[:16]}"


def _merged(result: Result) -> Iterator[str]:
    if result.merged:
        yield f"\n{'target table':<32}{'created':>13}{'changed':>13}{'unchanged':>13}"
    for entry in result.merged:
        if entry.created or entry.changed or entry.unchanged:
            yield f"{entry.table:<32}{entry.created:>13,}{entry.changed:>13,}{entry.unchanged:>13,}"
    if result.merged:
        created, changed = (sum(getattr(entry, kind) for entry in result.merged) for kind in ("created", "changed"))
        yield f"{created:,} created, {changed:,} changed."


def _ending(result: Result, *, stops: bool) -> Iterator[str]:
    total = sum(tally.rows for tally in result.tables)
    moved = sum(tally.moved + tally.noted for tally in result.tables)
    left_out = sum(tally.left_out for tally in result.tables)
    verb = "was moved" if result.committed else "can be moved"
    yield ""
    if result.accounted:
        behind = f", {result.stayed_behind:,} stay behind" if result.stayed_behind else ""
        out = f", {left_out:,} left out by rule" if left_out else ""
        yield f"Every row is accounted for: of {total:,} rows {moved:,} {verb.replace('was', 'were')}{out}{behind}."
    if result.notes:
        yield f"{result.notes:,} notes{'' if result.report else '; --report FILE keeps them'}."
    if result.report:
        yield f"Report: {result.report}"
    if result.stayed_behind and not result.committed and stops:
        yield "Nothing was moved, because of the bad rows above. Correct them, or write --on-error quarantine."
    elif result.dry_run:
        yield "This was a rehearsal: nothing was written."
    elif result.committed:
        yield f"Took {result.seconds:,.1f} s."
        yield "What to do next: set DATABASE_URL to this database, then run `manage.py backup`."
