"""`manage.py rescore_leads`: scores of leads by the rules of today."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from config.commands import DataCommand
from config.db.errors import Refused
from leads.services import rescore_leads

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from leads.services.rescoring import Rescored


class Command(DataCommand):
    help = (
        "Compute the score of every lead anew, and its priority unless staff chose it. "
        "Example: manage.py rescore_leads --dry-run"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what would change, and write nothing")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the counts as JSON")

    def handle(self, *args: Any, dry_run: bool, as_json: bool, verbosity: int, **options: Any) -> None:
        def report(counts: Rescored) -> None:
            if verbosity > 1 and not as_json:
                self.stdout.write(f"{counts.checked} leads checked")

        try:
            counts = rescore_leads(dry_run=dry_run, progress=report)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if as_json:
            self.stdout.write(json.dumps({"dry_run": dry_run, **asdict(counts)}))
        elif verbosity:
            self.stdout.write(_in_words(counts, dry_run=dry_run))


def _in_words(counts: Rescored, *, dry_run: bool) -> str:
    verb = "would change" if dry_run else "changed"
    return (
        f"{counts.checked} leads checked: {counts.scores_changed} scores and {counts.priorities_changed} priorities "
        f"{verb}; {counts.priorities_kept} priorities were chosen by staff and stay."
    )
