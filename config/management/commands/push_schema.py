from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection

from config.commands import DataCommand
from config.db.errors import Refused
from config.management.arguments import answer
from config.ops.reset import Contents, contents, push_models, refuse_outside_development


class Command(DataCommand):
    help = (
        "Empties a scratch database and makes the tables of the current models there, without migration files. "
        "Example: manage.py push_schema sqlite:///var/scratch.sqlite3 --yes"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("url", help="The scratch database's URL; everything in it is dropped.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *, url: str, yes: bool, **options: Any) -> None:
        """Ask, make the tables and say how many."""
        try:
            refuse_outside_development("push_schema")
            if not yes:
                self._confirm(contents(url, connection))
            count = push_models(url, connection)
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"Made the tables of {count} models."))

    def _confirm(self, found: Contents) -> None:
        held = f"{found.database} holds {found.tables} tables with {found.rows} rows"
        if not sys.stdin.isatty():
            raise CommandError(f"{held}. Nobody is there to ask: write --yes to drop everything in it.")
        self.stdout.write(f"{held}; everything in it will be dropped.")
        if answer(f"Type {found.name} to go on: ") != found.name:
            raise CommandError("Nothing was changed.")
