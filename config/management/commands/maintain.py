from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from config.commands import DataCommand
from config.database_url import shown_url
from config.db.errors import Refused
from config.management.arguments import answer
from config.ops.direct import use_direct_database
from config.ops.health.report import Report, State, as_json
from config.ops.health.run import examine, look_at
from config.ops.health.terminal import write
from config.ops.maintenance.integrity import Finding, find_problems, fix_counters
from config.ops.maintenance.periods import PERIODS, deploy_section, log_section
from config.ops.maintenance.report import maintenance_report, write_report
from config.ops.maintenance.run import Outcome, maintain
from config.ops.maintenance.steps import STEPS, Task, step_names
from config.ops.maintenance.unarchive import unarchive
from config.ops.migrating import session_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

DONE_WITH_FINDINGS = 3
_MODES = ("period", "report", "integrity", "unarchive")
_LOCKED = (
    "VACUUM FULL writes {what} of {database} anew. Each table is locked meanwhile, even for those who read it, "
    "and needs as much free disk again. Type yes to go on: "
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every mode."""

    connection: BaseDatabaseWrapper
    now: datetime
    dry_run: bool
    as_json: bool
    verbosity: int


class Command(DataCommand):
    help = (
        "Does what is due: run it daily from cron or a timer. Running it again changes nothing. "
        "Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 done, and something was found. "
        "Example: manage.py maintain --only audit --only parts --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        by_name = ", ".join(step.name for step in STEPS if step.only_by_name)
        parser.add_argument(
            "--only", action="append", default=[], choices=step_names(), metavar="STEP",
            help=f"Run this step alone; may be given several times. Steps: {', '.join(step_names())}. "
            f"Without it: all but {by_name}.",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="Count what would change, and change nothing.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")
        tables = parser.add_argument_group(f"for {by_name}")
        tables.add_argument("--table", default="", metavar="NAME", help="This table alone.")
        tables.add_argument("--index", default="", metavar="NAME", help="This index alone, with --only reindex.")
        tables.add_argument(
            "--full", action="store_true",
            help="With --only vacuum: write the tables anew, each locked even for readers meanwhile. Asks first.",
        )  # fmt: skip
        tables.add_argument("--yes", action="store_true", help="Do not ask.")
        modes = parser.add_argument_group("other than steps").add_mutually_exclusive_group()
        modes.add_argument(
            "--period", choices=PERIODS, help="Do what belongs to this period, and print what is left for people."
        )
        modes.add_argument(
            "--report", nargs="?", type=Path, const=Path(settings.REPORT_DIR), metavar="FOLDER",
            help=f"Write a dated report into this folder; default: REPORT_DIR ({settings.REPORT_DIR}).",
        )  # fmt: skip
        modes.add_argument(
            "--integrity", action="store_true", help="Look for rows that contradict each other or the database's rules."
        )
        modes.add_argument(
            "--unarchive", type=Path, metavar="PATH",
            help="Bring back the rows of an archive: its folder, or the file of one table.",
        )  # fmt: skip
        parser.add_argument("--fix", action="store_true", help="With --integrity: put wrong counts right.")

    def handle(self, *, dry_run: bool, as_json: bool, verbosity: int, **options: Any) -> None:
        """Do what was asked, print, and set the exit code."""
        _check_usage(dry_run=dry_run, **options)
        use_direct_database(DEFAULT_DB_ALIAS)
        asked = Asked(connections[DEFAULT_DB_ALIAS], timezone.now(), dry_run, as_json, verbosity)
        try:
            if options["integrity"]:
                self._integrity(asked, fix=options["fix"])
            elif options["unarchive"]:
                self._unarchive(asked, options["unarchive"])
            elif options["report"]:
                self._report(asked, options["report"].absolute())
            elif options["period"]:
                self._period(asked, options["period"])
            else:
                self._steps(asked, **options)
        except Refused as error:
            raise CommandError(str(error)) from error

    # Steps

    def _steps(
        self, asked: Asked, *, only: list[str], table: str, index: str, full: bool, yes: bool, **options: Any
    ) -> None:
        if full and not (yes or asked.dry_run):
            self._ask_for_full(asked, table)
        task = Task(asked.now, table=table, index=index, full=full)
        outcomes = self._run(asked, only, task)
        if asked.as_json:
            self._print({"dry_run": asked.dry_run, "steps": [asdict(outcome) for outcome in outcomes]})
        if any(outcome.error for outcome in outcomes):
            sys.exit(1)

    def _run(self, asked: Asked, only: list[str], task: Task) -> list[Outcome]:
        outcomes = []
        with self._progress(asked) as progress:
            task = replace(task, progress=progress)
            for outcome in maintain(now=asked.now, only=only, dry_run=asked.dry_run, task=task):
                outcomes.append(outcome)
                if not asked.as_json:
                    self._say(outcome, asked)
        return outcomes

    def _say(self, outcome: Outcome, asked: Asked) -> None:
        if outcome.error:
            self.stderr.write(f"{outcome.step}: failed: {outcome.error}")
        elif asked.verbosity:
            would = "would " if asked.dry_run else ""
            self.stdout.write(f"{outcome.step}: {would}{outcome.does}: {outcome.rows}")

    def _ask_for_full(self, asked: Asked, table: str) -> None:
        question = _LOCKED.format(what=table or "all tables", database=shown_url(asked.connection.settings_dict))
        if not sys.stdin.isatty():
            raise Refused(f"{question.partition(' Type yes')[0]} Nobody can be asked here: say --yes.")
        if answer(question).strip() != "yes":
            raise Refused("Nothing was changed.")

    # Other modes

    def _integrity(self, asked: Asked, *, fix: bool) -> None:
        with session_settings(asked.connection, statement_timeout="0"):
            fixed = fix_counters() if fix else 0
            findings = list(find_problems())
        if asked.as_json:
            self._print({"fixed": fixed, "findings": [asdict(finding) for finding in findings]})
        else:
            self._say_findings(findings, fixed if fix else None, asked)
        if findings:
            sys.exit(DONE_WITH_FINDINGS)

    def _say_findings(self, findings: list[Finding], fixed: int | None, asked: Asked) -> None:
        if fixed is not None and asked.verbosity:
            self.stdout.write(f"{fixed} counts were put right.")
        for finding in findings:
            more = ", ..." if finding.rows > len(finding.examples) else ""
            self.stdout.write(
                f"{finding.check}: {finding.table}: {finding.rows} rows: {finding.text} "
                f"({', '.join(finding.examples)}{more})"
            )
        if any(finding.fixable for finding in findings):
            self.stdout.write("Counts are put right by: manage.py maintain --integrity --fix")
        if not findings and asked.verbosity:
            self.stdout.write("Nothing contradicts anything.")

    def _unarchive(self, asked: Asked, path: Path) -> None:
        hooks = {step.name: step.policy.returned for step in STEPS if step.policy}
        with session_settings(asked.connection, statement_timeout="0"):
            results = unarchive(path, returned=hooks, dry_run=asked.dry_run)
        if asked.as_json:
            self._print({"dry_run": asked.dry_run, "tables": [asdict(result) for result in results]})
            return
        for result in results if asked.verbosity else ():
            would = "would come back" if asked.dry_run else "came back"
            emptied = "".join(
                f", {number} links left empty ({name})" for name, number in sorted(result.emptied.items())
            )
            self.stdout.write(f"{result.table}: {result.written} rows {would}, {result.there} were there{emptied}")

    def _report(self, asked: Asked, folder: Path) -> None:
        report = maintenance_report(asked.connection, now=asked.now)
        path = write_report(report, asked.connection, folder, now=asked.now)
        if asked.as_json:
            self._print({"path": str(path), **as_json(report)})
        elif asked.verbosity:
            self.stdout.write(str(path))

    def _period(self, asked: Asked, name: str) -> None:
        period = PERIODS[name]
        outcomes = self._run(asked, list(period.steps), Task(asked.now)) if period.steps else []
        report = examine(look_at(asked.connection, now=asked.now), period.sections)
        if name == "daily":
            report.sections.append(log_section(now=asked.now))
        if period.deploy_checks:
            report.sections.append(deploy_section())
        path = None
        if period.report and not asked.dry_run:
            full = maintenance_report(asked.connection, now=asked.now)
            path = write_report(full, asked.connection, Path(settings.REPORT_DIR), now=asked.now)
        if asked.as_json:
            steps = [asdict(outcome) for outcome in outcomes]
            shown = str(path) if path else None
            checklist = list(period.checklist)
            self._print({"steps": steps, "health": as_json(report), "report": shown, "checklist": checklist})
        else:
            self._say_period(report, path, period.checklist, asked)
        if any(outcome.error for outcome in outcomes):
            sys.exit(1)
        # What is not set up is no finding of a period.
        if any(finding for section in report.sections for finding in section.findings):
            sys.exit(DONE_WITH_FINDINGS)

    def _say_period(self, report: Report, path: Path | None, checklist: tuple[str, ...], asked: Asked) -> None:
        if asked.verbosity or report.state is not State.FINE:
            write(report, cast("IO[str]", self.stdout), brief=not asked.verbosity)
        if path and asked.verbosity:
            self.stdout.write(f"\nReport: {path}")
        if asked.verbosity:
            self.stdout.write("\nLeft for people:")
            for line in checklist:
                self.stdout.write(f"  [ ] {line}")

    def _print(self, result: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(result, indent=2, ensure_ascii=False))

    @contextmanager
    def _progress(self, asked: Asked) -> Iterator[Callable[[int], None]]:
        """Yield a function that is told how many rows an archiving step has seen: shown on a terminal alone."""
        if asked.as_json or not asked.verbosity or not sys.stderr.isatty():
            yield lambda rows: None
            return
        from rich.console import Console

        with Console(stderr=True).status("Working") as status:
            yield lambda rows: status.update(f"Archiving: {rows:,} rows")


def _check_usage(
    *, dry_run: bool, only: list[str], table: str, index: str, full: bool, fix: bool, **options: Any
) -> None:
    mode = next((name for name in _MODES if options[name]), "")
    if fix and mode != "integrity":
        raise _wrong("--fix belongs to --integrity.")
    if only and mode:
        raise _wrong(f"--only and --{mode} do not go together.")
    if dry_run and mode in {"report", "integrity"}:
        raise _wrong(f"--{mode} changes nothing in the database: leave out --dry-run.")
    of_tables = {step.name for step in STEPS if step.only_by_name}
    if (table or index or full) and (not only or not set(only) <= of_tables):
        raise _wrong(f"--table, --index and --full belong to --only {', '.join(sorted(of_tables))}.")
    if full and only != ["vacuum"]:
        raise _wrong("--full belongs to --only vacuum.")
    if index and (only != ["reindex"] or table):
        raise _wrong("--index belongs to --only reindex, without --table.")


def _wrong(message: str) -> CommandError:
    return CommandError(message, returncode=2)
