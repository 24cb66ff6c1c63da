from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from config.db.errors import Refused
from config.ops.direct import use_direct_database
from config.ops.maintenance.run import Outcome, maintain
from config.ops.maintenance.steps import step_names


class Command(BaseCommand):
    help = (
        "Does what is due: run it daily from cron or a timer. Running it again changes nothing. "
        "Exit code 1 when a step failed. Example: manage.py maintain --only subscriptions --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--only", action="append", default=[], choices=step_names(), metavar="STEP",
            help=f"Run this step alone; may be given several times. Steps: {', '.join(step_names())}.",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="Count what would change, and change nothing.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")

    def handle(self, *, only: list[str], dry_run: bool, as_json: bool, verbosity: int, **options: Any) -> None:
        """Run the steps and say what each did."""
        outcomes = []
        use_direct_database(DEFAULT_DB_ALIAS)
        try:
            for outcome in maintain(now=timezone.now(), only=only, dry_run=dry_run):
                outcomes.append(outcome)
                if not as_json:
                    self._say(outcome, dry_run, verbosity)
        except Refused as error:
            raise CommandError(str(error)) from error
        if as_json:
            steps = [asdict(outcome) for outcome in outcomes]
            self.stdout.write(json.dumps({"dry_run": dry_run, "steps": steps}, indent=2))
        if any(outcome.error for outcome in outcomes):
            sys.exit(1)

    def _say(self, outcome: Outcome, dry_run: bool, verbosity: int) -> None:
        if outcome.error:
            self.stderr.write(f"{outcome.step}: failed: {outcome.error}")
        elif verbosity:
            would = "would " if dry_run else ""
            self.stdout.write(f"{outcome.step}: {would}{outcome.does}: {outcome.rows}")
