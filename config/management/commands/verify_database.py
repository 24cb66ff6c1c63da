from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from config.commands import DataCommand
from config.db.errors import Refused
from config.ops.scratch import migrate_from_zero, scratch_url
from config.ops.verify import Verification, as_json, verify


class Command(DataCommand):
    help = (
        "Verifies a deployment: connection, migrations, rows per table, constraints, the schema against the one that "
        "the migrations make in a scratch database, and one write that is taken back. "
        "Exit code 1 when something is wrong. Example: manage.py verify_database --from-zero"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")
        parser.add_argument(
            "--from-zero",
            action="store_true",
            help="Also apply all migrations to an empty database: SHADOW_DATABASE_URL, or one made for it.",
        )
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="The database's alias; default: %(default)s.")

    def handle(self, *, as_json: bool, from_zero: bool, database: str, **options: Any) -> None:
        """Verify, print and set the exit code."""
        connection = connections[database]
        result = verify(connection)
        if from_zero:
            try:
                with scratch_url(connection) as url:
                    migrate_from_zero(url)
            except Refused as error:
                result.problems.append(str(error))
        if as_json:
            self.stdout.write(_as_json(result))
        else:
            self._print(result, from_zero=from_zero)
        if result.problems:
            sys.exit(1)

    def _print(self, result: Verification, *, from_zero: bool) -> None:
        self.stdout.write(f"{result.database}, {result.version or 'version unknown'}")
        self.stdout.write(f"Extensions: {', '.join(result.extensions) or 'none'}")
        for table, count in result.rows.items():
            self.stdout.write(f"{count:>12}  {table}")
        for sentence in (*result.notes, *result.problems):
            self.stderr.write(sentence)
        if not result.problems:
            proven = " The migrations apply from zero." if from_zero else ""
            schema = "the schema is as they make it, " if result.schema_compared else ""
            self.stdout.write(
                self.style.SUCCESS(
                    f"All migrations applied, {schema}no row breaks a constraint, writing works.{proven}"
                )
            )


def _as_json(result: Verification) -> str:
    return json.dumps(as_json(result), indent=2)
