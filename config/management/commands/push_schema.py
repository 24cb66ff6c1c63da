from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from config.db.errors import Refused
from config.ops.reset import push_models, refuse_outside_development


class Command(BaseCommand):
    help = (
        "Empties a scratch database and makes the tables of the current models there, without migration files. "
        "Example: manage.py push_schema sqlite:///var/scratch.sqlite3"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the argument."""
        parser.add_argument("url", help="The scratch database's URL; everything in it is dropped.")

    def handle(self, *, url: str, **options: Any) -> None:
        """Make the tables and say how many."""
        try:
            refuse_outside_development("push_schema")
            count = push_models(url, connection)
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"Made the tables of {count} models."))
