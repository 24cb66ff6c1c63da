"""`manage.py seed`."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from accounts.models.users import Role
from config.commands import DataCommand
from config.db.errors import Refused
from config.ops.direct import refuse_unreachable
from config.ops.seed import PROFILES, check_allowed, run_seed

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Iterator

    from config.ops.seeding.run import SeedRun, Tally


def moment(text: str) -> datetime:
    """Parse --now; a time without zone is UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def whole_number(text: str) -> int:
    """Parse a number of 0 or more."""
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


class RateColumn(ProgressColumn):
    """Shows how many rows a second are written."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f} rows/s")


class Command(DataCommand):
    """Loads demo data; running it again changes nothing."""

    help = (
        "Load demo data from fixtures/: creates what is missing, never changes what is there, all or nothing. "
        "Example: manage.py seed --profile minimal"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--profile", choices=PROFILES, default="demo", help="what to load (default: demo)")
        parser.add_argument("--force", action="store_true", help="load even where DEBUG is off")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--now", type=moment, metavar="TIME", help="count times back from here, such as 2026-03-02T12:00 (UTC)"
        )
        parser.add_argument(
            "--scale",
            type=whole_number,
            metavar="N",
            help="also add N times 10,000 made-up rows, of other random numbers",
        )
        parser.add_argument(
            "--random-seed",
            type=whole_number,
            default=1,
            metavar="S",
            help="which random numbers --scale takes (default: 1)",
        )

    def handle(self, *, profile: str, force: bool, now: datetime | None, **options: Any) -> None:
        self.is_talkative = options["verbosity"] > 0 and not options["json"]
        now, scale, random_seed = now or timezone.now(), options["scale"], options["random_seed"]
        if scale is not None:
            _check_range(scale, random_seed)
        try:
            check_allowed(debug=settings.DEBUG, force=force)
            refuse_unreachable(connection)
            run = run_seed(
                profile=profile,
                now=now,
                debug=settings.DEBUG,
                admin_email=settings.ADMIN_EMAIL,
                admin_password=settings.ADMIN_PASSWORD,
                say=self.say,
            )
            scaled: dict[str, int] = {}
            # What is shown once must not be lost if the rest fails.
            try:
                if not options["json"]:
                    self.print_result(profile, run)
                if scale is not None:
                    scaled = self.scale(scale, random_seed, now)
            finally:
                if options["json"]:
                    self.stdout.write(json.dumps(_as_json(profile, run, scaled), indent=2))
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        except DatabaseError as error:
            reason = str(error).splitlines()[0]
            message = (
                f"The database refused ({reason}), and this step wrote nothing. `manage.py migrate` makes missing "
                "tables; else a row that is there already stands in the way."
            )
            raise CommandError(message) from error

    def say(self, line: str) -> None:
        """Tell at once what happens now, also where the output is a file."""
        if self.is_talkative:
            self.stdout.write(line)
            self.stdout.flush()

    def print_result(self, profile: str, run: SeedRun) -> None:
        for line in _table(run.tallies):
            self.say(line)
        total = run.total
        self.say(
            f"\nProfile {profile}: {total.created:,} created, {total.changed:,} changed, {total.unchanged:,} unchanged."
        )
        for note in run.notes:
            self.say(note)
        self.print_sign_ins(run)

    def print_sign_ins(self, run: SeedRun) -> None:
        """Print the passwords that were made up, however quiet the run is: nobody can ask for them again."""
        made_up = [sign_in for sign_in in run.sign_ins if sign_in.password]
        if not made_up:
            return
        self.stdout.write("\nSign in with (these passwords are not shown again):")
        for sign_in in made_up:
            self.stdout.write(f"  {sign_in.email:<32} {sign_in.password}   {Role(sign_in.role).label}")
        self.stdout.flush()

    def scale(self, scale: int, random_seed: int, now: datetime) -> dict[str, int]:
        """Add the made-up rows; their makers are imported only here, which keeps the plain seed quick."""
        from config.ops.scale import ROWS_PER_BLOCK, run_scale

        self.say(f"\nAdding {scale * ROWS_PER_BLOCK:,} made-up rows")
        with self.progress_bar(scale * ROWS_PER_BLOCK) as progress:
            counts = run_scale(scale=scale, random_seed=random_seed, now=now, progress=progress)
        self.say("\n".join(f"{label:<32} {count:>12,}" for label, count in counts.items()))
        return counts

    @contextmanager
    def progress_bar(self, total: int) -> Iterator[Callable[[int], None]]:
        """Yield a function that is told how many rows are written: a bar on a terminal, a line per tenth elsewhere."""
        console = Console(stderr=True, quiet=not self.is_talkative)
        if not console.is_terminal:
            yield self.tell_tenths(total)
            return
        with Progress(BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task("rows", total=total)
            yield lambda rows: bar.update(task, completed=rows)

    def tell_tenths(self, total: int) -> Callable[[int], None]:
        """Return a function that says a line whenever another tenth of `total` rows is written."""
        told = 0

        def tell(rows: int) -> None:
            nonlocal told
            if rows * 10 // total > told:
                told = rows * 10 // total
                self.say(f"  {rows:,} of {total:,} rows")

        return tell


def _check_range(scale: int, random_seed: int) -> None:
    from config.ops.scale import LARGEST_SCALE, LARGEST_SEED

    if not 1 <= scale <= LARGEST_SCALE:
        raise CommandError(f"--scale {scale}: write a number from 1 to {LARGEST_SCALE}.")
    if random_seed > LARGEST_SEED:
        raise CommandError(f"--random-seed {random_seed}: write a number from 0 to {LARGEST_SEED}.")


def _table(tallies: dict[str, Tally]) -> Iterator[str]:
    yield f"\n{'model':<32} {'created':>9} {'changed':>9} {'unchanged':>9}"
    for label, tally in sorted(tallies.items()):
        yield f"{label:<32} {tally.created:>9,} {tally.changed:>9,} {tally.unchanged:>9,}"


def _as_json(profile: str, run: SeedRun, scaled: dict[str, int]) -> dict[str, Any]:
    return {
        "profile": profile,
        "models": {label: asdict(tally) for label, tally in sorted(run.tallies.items())},
        "total": asdict(run.total),
        "scaled": scaled,
        "sign_ins": [asdict(sign_in) for sign_in in run.sign_ins],
        "notes": run.notes,
    }
