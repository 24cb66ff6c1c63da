from __future__ import annotations

import json
import sys
from typing import IO, Any, NoReturn, cast

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from config.commands import DataCommand
from config.ops.health.plans import Explainable
from config.ops.health.report import State, as_json
from config.ops.health.run import ONLY_BY_NAME, SECTIONS, examine, look_at
from config.ops.health.terminal import write


class MonitoringParser(CommandParser):
    """A parser for which wrong usage is an unknown state: 2 would tell monitoring that the database is critical."""

    def error(self, message: str) -> NoReturn:
        if not self.called_from_command_line:
            raise CommandError(message, returncode=int(State.UNKNOWN))
        self.print_usage(sys.stderr)
        self.exit(int(State.UNKNOWN), f"UNKNOWN: {message}\n")


class Command(DataCommand):
    help = (
        "Shows how the database and what belongs to it are. Exit codes as monitoring plugins have them: "
        "0 fine, 1 warning, 2 critical, 3 unknown. Example: manage.py dbhealth --section backups --section disk"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser with our exit code."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = MonitoringParser
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--section", action="append", default=[], choices=SECTIONS, metavar="SECTION", dest="sections",
            help=f"Look at this section alone; may be given several times. Sections: {', '.join(SECTIONS)}. "
            f"Without it: all but {' and '.join(sorted(ONLY_BY_NAME))}.",
        )  # fmt: skip
        parser.add_argument("--limit", type=_positive, default=10, help="Rows per table; default: %(default)s.")
        parser.add_argument(
            "--unused", action="store_true", help="List all indexes without a scan, and no other section unless named."
        )
        parser.add_argument(
            "--integrity", action="store_true", help="On SQLite, also read the whole file and look for damage."
        )
        parser.add_argument(
            "--explain", choices=Explainable(), default="", metavar="NAME",
            help="Show how the database finds the first page of a staff list, such as inventory.part, or what a read "
            "of the marketplace asks for, such as car.by-slug; `--section plans` lists all names.",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="The database's alias; default: %(default)s.")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run; whatever keeps it from looking is an unknown state as well."""
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            error.returncode = int(State.UNKNOWN)
            raise

    def handle(
        self, *, sections: list[str], limit: int, unused: bool, integrity: bool, explain: str, as_json: bool,
        database: str, verbosity: int, **options: Any,
    ) -> None:  # fmt: skip
        """Look, print and set the exit code."""
        if unused and "indexes" not in sections:
            sections = [*sections, "indexes"]
        if explain and "plans" not in sections:
            sections = [*sections, "plans"]
        if database not in connections:
            raise CommandError(f"There is no database {database}: choose from {', '.join(connections)}.")
        look = look_at(connections[database], limit=limit, unused=unused, integrity=integrity, explain=explain)
        report = examine(look, sections)
        if as_json:
            self.stdout.write(_json(report))
        elif verbosity or report.state is not State.FINE:
            write(report, cast("IO[str]", self.stdout), brief=not verbosity)
        sys.exit(int(report.state))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _json(report: Any) -> str:
    return json.dumps(as_json(report), indent=2, ensure_ascii=False)
