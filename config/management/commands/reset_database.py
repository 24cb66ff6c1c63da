from __future__ import annotations

import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import connection

from config.commands import DataCommand
from config.database_url import shown_url
from config.db.errors import Refused
from config.management.arguments import answer
from config.ops.reset import empty_database, refuse_outside_development


class Command(DataCommand):
    help = (
        "Drops everything in the development database, migrates, and seeds when asked to. "
        "Example: manage.py reset_database --seed demo --yes"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--seed", metavar="PROFILE", help="Seed this profile afterwards, such as demo.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *, seed: str | None, yes: bool, verbosity: int, **options: Any) -> None:
        """Ask, drop, migrate, seed."""
        try:
            refuse_outside_development("reset_database")
            if not yes:
                self._confirm()
        except Refused as error:
            raise CommandError(str(error)) from error
        empty_database(connection)
        call_command("migrate", interactive=False, verbosity=verbosity, stdout=self.stdout, stderr=self.stderr)
        if seed:
            call_command("seed", "--profile", seed, verbosity=verbosity, stdout=self.stdout, stderr=self.stderr)
        if verbosity:
            self.stdout.write(self.style.SUCCESS(f"{shown_url(connection.settings_dict)} is new."))

    def _confirm(self) -> None:
        name = str(connection.settings_dict["NAME"])
        if not sys.stdin.isatty():
            raise CommandError("Nobody is there to ask: write --yes to drop everything in the database.")
        self.stdout.write(f"Everything in {shown_url(connection.settings_dict)} will be dropped.")
        if answer(f"Type {name} to go on: ") != name:
            raise CommandError("Nothing was changed.")
