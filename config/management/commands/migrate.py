from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.exceptions import InconsistentMigrationHistory

from config.db.errors import Refused
from config.ops.migrating import alone, create_schema, missing_for_fake, use_direct_database


class Command(migrate.Command):
    help = (
        "Applies migrations, one run at a time, waiting at most MIGRATION_LOCK_TIMEOUT for locks. "
        "With --fake it marks them as applied, if the tables they would make are there. "
        "Example: manage.py migrate --no-input"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run Django's migrate under our lock."""
        alias = options["database"]
        try:
            use_direct_database(alias)
            with alone(connections[alias]):
                create_schema(connections[alias])
                if options["fake"]:
                    self._refuse_fake_without_tables(**options)
                super().handle(*args, **options)
        except (Refused, InconsistentMigrationHistory) as error:
            raise CommandError(str(error)) from error

    def _refuse_fake_without_tables(self, **options: Any) -> None:
        missing = missing_for_fake(connections[options["database"]], options["app_label"], options["migration_name"])
        if missing:
            raise CommandError(
                f"Not marked as applied, because the database lacks {', '.join(missing[:20])}"
                f"{f' and {len(missing) - 20} more' if len(missing) > 20 else ''}: run migrate without --fake."
            )
