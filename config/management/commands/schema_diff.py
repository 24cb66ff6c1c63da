from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from config.commands import DataCommand
from config.db.errors import Refused
from config.ops.schema import Difference, schema_drift, unmigrated_changes


class Command(DataCommand):
    help = (
        "Compares the live schema with the one that the migrations make in a scratch database, and the models with the "
        "migrations. Exit code 1 when they differ. Example: manage.py schema_diff"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="The database's alias; default: %(default)s.")

    def handle(self, *, as_json: bool, database: str, **options: Any) -> None:
        """Print the differences and set the exit code."""
        try:
            drift = schema_drift(connections[database])
        except Refused as error:
            raise CommandError(str(error)) from error
        changes = unmigrated_changes()
        if as_json:
            self.stdout.write(_as_json(drift, changes))
        else:
            for difference in drift:
                self.stdout.write(str(difference))
            for change in changes:
                self.stdout.write(f"{change}: no migration makes this change of the models; run makemigrations.")
            if not drift and not changes:
                self.stdout.write(self.style.SUCCESS("The schema is what the models and migrations say."))
        if drift or changes:
            sys.exit(1)


def _as_json(drift: list[Difference], changes: list[str]) -> str:
    return json.dumps({"drift": [asdict(entry) for entry in drift], "unmigrated": changes}, indent=2)
