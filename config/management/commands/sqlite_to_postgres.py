"""`manage.py sqlite_to_postgres`."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from config import env
from config.db.errors import Refused
from config.ops.transfer.findings import sentence
from config.ops.transfer.forecourt import OlderMigrations
from config.ops.transfer.older import make_migrated_copy
from config.ops.transfer.run import Order, Plan, Result, carry_out, planned
from config.ops.transfer.source import source_path
from config.ops.transfer.target import WrongTarget

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from config.ops.transfer.layout import Finding

BAD_ROWS, FINDINGS, WRONG_USAGE = 1, 3, 2


class RateColumn(ProgressColumn):
    """Shows how many steps a second are done."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


class Command(BaseCommand):
    """Moves a SQLite file into PostgreSQL, all of it or nothing."""

    help = (
        "Moves a SQLite file, of Forecourt or of PartPal (Prisma), into PostgreSQL in one transaction, and proves that "
        "every row arrived. The file is only read. Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 done but "
        "rows stayed behind. Example: manage.py sqlite_to_postgres dev.db --dry-run --report rehearsal.json"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument(
            "source", nargs="?", help="the SQLite file, as a path or as file:./dev.db; without it SQLITE_URL says which"
        )
        parser.add_argument(
            "--target", metavar="URL", help="the PostgreSQL database; without it POSTGRES_URL, else DATABASE_URL"
        )
        parser.add_argument("--dry-run", action="store_true", help="read and check everything, write nothing")
        parser.add_argument(
            "--on-error",
            choices=("stop", "quarantine"),
            default="stop",
            help="when rows are bad: list them all and change nothing (stop, the default), or leave them and what "
            "hangs on them behind and move the rest (quarantine)",
        )
        parser.add_argument(
            "--report", type=Path, metavar="FILE", help="write every finding and the proof to FILE, as JSON"
        )
        parser.add_argument(
            "--merge", action="store_true", help="the target has rows already: add what is missing, update the rest"
        )
        parser.add_argument(
            "--keep-expired", action="store_true", help="move sessions and tokens that are over as well"
        )
        parser.add_argument(
            "--migrated-copy",
            type=Path,
            metavar="FILE",
            help="if the file is of an older version, copy it to FILE, migrate the copy and move that",
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print the result as JSON; asks nothing"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, source: str | None, as_json: bool, yes: bool, verbosity: int, **options: Any) -> None:
        """Look, ask, move, tell."""
        self.as_json, self.verbosity = as_json, verbosity
        self.asks = not yes and not as_json
        name = source or env.text("SQLITE_URL")
        if not name:
            raise CommandError("Name the SQLite file, or set SQLITE_URL.", returncode=WRONG_USAGE)
        order = Order(
            source=source_path(name),
            target=options["target"] or env.secret("POSTGRES_URL"),
            dry_run=options["dry_run"],
            on_error=options["on_error"],
            report=options["report"],
            merge=options["merge"],
            keep_expired=options["keep_expired"],
        )
        if as_json and not yes and not order.dry_run:
            raise CommandError("--json asks nothing: write --yes as well.", returncode=WRONG_USAGE)
        try:
            result = self.run(order, options["migrated_copy"])
        except WrongTarget as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from error
        except Refused as error:
            raise CommandError(str(error)) from error
        self.tell(result, order)
        if result.stayed_behind:
            sys.exit(FINDINGS if order.on_error == "quarantine" else BAD_ROWS)

    def run(self, order: Order, migrated_copy: Path | None) -> Result:
        """Carry the order out, on a migrated copy if the file is too old."""
        try:
            return self.run_once(order)
        except OlderMigrations as older:
            copy = migrated_copy or self.offered_copy(order.source, older)
        self.say(f"Copying {order.source} to {copy} and migrating the copy.")
        make_migrated_copy(order.source, copy)
        return self.run_once(replace(order, source=copy))

    def offered_copy(self, source: Path, older: OlderMigrations) -> Path:
        """Return where the person at the terminal wants a migrated copy. Raises the refusal if there is none."""
        if not self.asks or not sys.stdin.isatty():
            raise older
        copy = source.with_name(f"{source.stem}-migrated{source.suffix or '.sqlite3'}")
        self.stdout.write(str(older))
        if input(f"Type yes to make the copy {copy} and move that: ") != "yes":
            raise older
        return copy

    def run_once(self, order: Order) -> Result:
        """Carry the order out."""
        began = time.monotonic()
        with planned(order) as plan:
            self.show(plan)
            if not order.dry_run:
                self.confirm(plan)
            with self.watching() as watcher:
                result = carry_out(plan, now=timezone.now(), watcher=watcher)
        result.seconds = round(time.monotonic() - began, 3)
        return result

    def show(self, plan: Plan) -> None:
        """Say what was found."""
        rows = f"{sum(plan.rows.values()):,} rows in {sum(1 for count in plan.rows.values() if count)} tables"
        self.say(f"Source: {plan.order.source}, layout {plan.layout.name}, {rows}")
        self.say(f"Target: {plan.shown_target or 'not looked at (no --target)'}")
        for table, count in plan.elsewhere.items():
            self.say(f"Not part of the layout, stays where it is: {table} ({count:,} rows)")

    def confirm(self, plan: Plan) -> None:
        """Ask before anything is written. Raises Refused without a yes."""
        if not self.asks:
            return
        if not sys.stdin.isatty():
            raise Refused("Nobody is there to ask: write --yes to move the rows, or --dry-run to look first.")
        if input(f"Type yes to move the rows into {plan.shown_target}: ") != "yes":
            raise Refused("Nothing was moved.")

    @contextmanager
    def watching(self) -> Iterator[Lines | Bar]:
        """Yield what shows the progress: a bar on a terminal, lines elsewhere."""
        console = Console(stderr=True)
        if not console.is_terminal or not self.verbosity:
            yield Lines(self)
            return
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[step]}"),
        )  # fmt: skip
        with Progress(*columns, console=console) as progress:
            yield Bar(self, progress)

    def say(self, line: str) -> None:
        """Tell a person at once what happens; programs get the result alone."""
        if self.verbosity and not self.as_json:
            self.stdout.write(line)
            self.stdout.flush()

    def worth_telling(self, finding: Finding) -> bool:
        """Whether the finding is told while it is found: bad rows always, the rest to those who want all."""
        return finding.outcome == "bad" or self.verbosity > 1

    def tell(self, result: Result, order: Order) -> None:
        """Print the result."""
        if self.as_json:
            self.stdout.write(json.dumps(result.as_json(), indent=2, default=str))
            return
        for line in (*_outcomes(result), *_proof(result), *_merged(result), *_ending(result, order)):
            self.say(line)


class Lines:
    """Progress as lines: one per phase, and one per tenth of the rows."""

    def __init__(self, command: Command) -> None:
        self._command, self._total, self._told, self._name = command, 0, 0, ""

    def phase(self, name: str, total: int) -> None:
        """See `run.Watcher`."""
        self._name, self._total, self._told = name, total, 0
        if total:
            self._command.say(f"{name.capitalize()}: {total:,}")

    def advance(self, step: str, done: int) -> None:
        """See `run.Watcher`."""
        tenth = done * 10 // self._total if self._total else 0
        if self._name == "rows" and tenth > self._told:
            self._told = tenth
            self._command.say(f"  {done:,} of {self._total:,} ({step})")

    def found(self, finding: Finding) -> None:
        """See `run.Watcher`."""
        if self._command.worth_telling(finding):
            self._command.stderr.write(f"{finding.outcome}: {sentence(finding)}")


class Bar:
    """Progress as a bar."""

    def __init__(self, command: Command, progress: Progress) -> None:
        self._command, self._progress = command, progress
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
        if self._command.worth_telling(finding):
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


def _ending(result: Result, order: Order) -> Iterator[str]:
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
    if result.stayed_behind and not result.committed and order.on_error == "stop":
        yield "Nothing was moved, because of the bad rows above. Correct them, or write --on-error quarantine."
    elif result.dry_run:
        yield "This was a rehearsal: nothing was written."
    elif result.committed:
        yield f"Took {result.seconds:,.1f} s."
        yield "What to do next: set DATABASE_URL to this database, then run `manage.py backup`."
