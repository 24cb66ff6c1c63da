"""`manage.py sqlite_to_postgres`."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from django.core.management.base import CommandError
from django.utils import timezone

from config import env
from config.cache import invalidate
from config.cache.families import NAMESPACES
from config.commands import DataCommand
from config.db.errors import Refused
from config.management.arguments import answer, ended_in_order
from config.management.output import Unheard, speak
from config.ops.transfer.findings import WrongReport, refuse_unfit_report
from config.ops.transfer.forecourt import OlderMigrations
from config.ops.transfer.older import make_migrated_copy
from config.ops.transfer.planning import Order, Plan, planned
from config.ops.transfer.run import ReportLost, Result, carry_out
from config.ops.transfer.source import source_path
from config.ops.transfer.target import WrongTarget
from config.ops.transfer.telling import summary, watching

if TYPE_CHECKING:
    from argparse import ArgumentParser

BAD_ROWS, FINDINGS, WRONG_USAGE = 1, 3, 2


class Command(DataCommand):
    """Moves a SQLite file into PostgreSQL, all of it or nothing."""

    help = (
        "Moves a SQLite file, of Forecourt or of PartPal (Prisma), into PostgreSQL in one transaction, and proves that "
        "every row arrived. The file is only read. Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 done but "
        "rows stayed behind or the result could not be told. Example: manage.py sqlite_to_postgres dev.db --dry-run "
        "--report rehearsal.json"
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
            with ended_in_order("Interrupted. Nothing was moved."):
                result = self.run(order, options["migrated_copy"])
        except (WrongTarget, WrongReport) as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from error
        except ReportLost as error:
            self.end_untold(error)
        except Unheard as error:
            raise CommandError(f"{error} Nothing was moved.") from error
        except Refused as error:
            raise CommandError(str(error)) from error
        try:
            self.tell(result, order)
        except Unheard as error:
            if result.committed:
                self.end_untold(error)
            raise CommandError(f"{error} Nothing was moved.") from error
        if result.stayed_behind:
            sys.exit(FINDINGS if order.on_error == "quarantine" else BAD_ROWS)

    def run(self, order: Order, migrated_copy: Path | None) -> Result:
        """Carry the order out, on a migrated copy if the file is too old."""
        if order.report is not None and migrated_copy is not None:
            refuse_unfit_report(order.report, order.source, migrated_copy)
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
        if answer(f"Type yes to make the copy {copy} and move that: ") != "yes":
            raise older
        return copy

    def run_once(self, order: Order) -> Result:
        """Carry the order out."""
        began = time.monotonic()
        with planned(order) as plan:
            self.show(plan)
            if not order.dry_run:
                self.confirm(plan)
            with watching(self.say, self.complain, verbosity=self.verbosity) as watcher:
                try:
                    result = carry_out(plan, now=timezone.now(), watcher=watcher)
                except ReportLost:
                    self.forget_answers()
                    raise
        if result.committed:
            try:
                self.forget_answers()
            except (KeyboardInterrupt, SystemExit) as error:
                raise ReportLost("It was interrupted.") from error
        result.seconds = round(time.monotonic() - began, 3)
        return result

    def forget_answers(self) -> None:
        """Let nobody be answered from before the move: rows came by COPY, past what tells the cache of writes."""
        invalidate(*NAMESPACES)

    def show(self, plan: Plan) -> None:
        """Say what was found."""
        rows = f"{sum(plan.rows.values()):,} rows in {sum(1 for count in plan.rows.values() if count)} tables"
        self.say(f"Source: {plan.order.source}, layout {plan.layout.name}, {rows}")
        self.say(f"Target: {plan.shown_target or 'not looked at (neither --target nor DATABASE_URL names one)'}")
        for table, count in plan.elsewhere.items():
            self.say(f"Not part of the layout, stays where it is: {table} ({count:,} rows)")

    def confirm(self, plan: Plan) -> None:
        """Ask before anything is written. Raises Refused without a yes."""
        if not self.asks:
            return
        if not sys.stdin.isatty():
            raise Refused("Nobody is there to ask: write --yes to move the rows, or --dry-run to look first.")
        if answer(f"Type yes to move the rows into {plan.shown_target}: ") != "yes":
            raise Refused("Nothing was moved.")

    def end_untold(self, error: Refused) -> NoReturn:
        """End with what tells programs that the rows are there, whether or not anybody can read the sentence."""
        with suppress(Unheard):
            speak(self.stderr, f"The move is done, but what came of it could not be told. {error}")
        sys.exit(FINDINGS)

    def say(self, line: str) -> None:
        """Tell a person at once what happens; programs get the result alone."""
        if self.verbosity and not self.as_json:
            speak(self.stdout, line)

    def complain(self, line: str) -> None:
        """Tell of a row, however little is to be said otherwise."""
        self.stderr.write(line)

    def tell(self, result: Result, order: Order) -> None:
        """Print the result."""
        if self.as_json:
            speak(self.stdout, json.dumps(result.as_json(), indent=2, default=str))
            return
        for line in summary(result, stops=order.on_error == "stop"):
            self.say(line)
