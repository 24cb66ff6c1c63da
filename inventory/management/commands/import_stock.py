from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.db import reset_queries

from config.commands import DataCommand
from config.db.errors import Refused
from inventory.stock_import import KINDS, plan_import, run_import

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from inventory.stock_import import ImportReport

REJECTED = 3


class Command(DataCommand):
    help = (
        "Creates vehicles, parts or sellers from a CSV or JSON file, in one transaction. Rows that cannot be stored "
        "are reported with their numbers and the others created; then the exit code is 3. "
        "Example: manage.py import_stock parts yard.csv --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Report the same and write nothing.")
        parser.add_argument("--json", action="store_true", help="Print the report as JSON.")

    def handle(self, *args: Any, kind: str, file: Path, dry_run: bool, **options: Any) -> None:
        """Run the import and print its report."""
        run = plan_import if dry_run else run_import
        try:
            with file.open("rb") as stream:
                report = run(kind, stream, visible_to=None, progress=self._progress)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except Refused as error:
            raise CommandError(f"Nothing was written: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
        else:
            self._print(report)
        if report.rows.failed:
            sys.exit(REJECTED)

    def _progress(self, rows: int) -> None:
        # With DEBUG on, Django would keep the text of every statement.
        reset_queries()
        if self.stderr.isatty():
            self.stderr.write(f"\r{rows:,} rows read", ending="")

    def _print(self, report: ImportReport) -> None:
        rows = report.rows
        if self.stderr.isatty():
            self.stderr.write("")
        for finding in rows.findings:
            self.stdout.write(f"row {finding.row}: {finding.outcome}: {finding.reason}")
        if rows.findings_left_out:
            self.stdout.write(f"... and {rows.findings_left_out} more of this kind.")
        if report.unused_columns:
            self.stdout.write(f"Columns not used: {', '.join(report.unused_columns)}")
        self.stdout.write(f"Read as {report.format.upper()} in {report.encoding}.")
        done = "would be created" if report.dry_run else "created"
        self.stdout.write(
            f"{rows.processed} {report.kind} processed: {rows.created} {done}, {rows.skipped} skipped, "
            f"{rows.failed} rejected."
        )
