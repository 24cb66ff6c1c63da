from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from config.commands import DataCommand
from config.db.errors import Refused
from config.ops.direct import refuse_unreachable
from config.ops.migrating import migration_status


class Command(DataCommand):
    help = (
        "Shows the applied and pending migrations of each app; exit code 1 when one is pending. "
        "Example: manage.py migration_status --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="The database's alias; default: %(default)s.")

    def handle(self, *, as_json: bool, database: str, **options: Any) -> None:
        """Print the table."""
        try:
            refuse_unreachable(connections[database])
        except Refused as error:
            raise CommandError(str(error)) from error
        status = migration_status(connections[database])
        pending = sum(len(entry.pending) for entry in status)
        if as_json:
            self.stdout.write(_as_json(status, pending))
        else:
            self.stdout.write(f"{'app':<16}{'applied':>8}{'pending':>8}")
            for entry in status:
                line = f"{entry.app:<16}{len(entry.applied):>8}{len(entry.pending):>8}  {', '.join(entry.pending)}"
                self.stdout.write(line.rstrip())
        if pending:
            sys.exit(1)


def _as_json(status: list[Any], pending: int) -> str:
    return json.dumps({"pending": pending, "apps": [asdict(entry) for entry in status]}, indent=2)
