from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.checks import Tags
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.utils import timezone

from config.commands import CONFIGURATION
from config.db.errors import Refused
from config.ops.app_schemas import arrange_tables, make_schemas
from config.ops.direct import use_direct_database
from config.ops.migrating import alone, missing_for_fake, with_rights

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(migrate.Command):
    help = (
        "Applies migrations, one run at a time, waiting at most MIGRATION_LOCK_TIMEOUT for locks. "
        "With --fake it marks them as applied, if the tables they would make are there. "
        "Example: manage.py migrate --no-input --backup var/backups"
    )

    # The pages are checked where they are served: loading them takes as long as all the rest of a start.
    requires_system_checks = (CONFIGURATION, Tags.models, Tags.database)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--backup",
            type=Path,
            metavar="DIR",
            help="Back up the database to this folder first; without a backup, stop.",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run checks and migrations under our lock; the checks already connect, which sets up a new SQLite file."""
        alias = options["database"]
        try:
            use_direct_database(alias)
            with alone(connections[alias]), with_rights(connections[alias]):
                return super().execute(*args, **options)
        except (Refused, InconsistentMigrationHistory) as error:
            raise CommandError(str(error)) from error

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the backup and the schemas, migrate as Django does, and put new tables where they belong."""
        connection = connections[options["database"]]
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        if options["backup"]:
            # Imported for this alone: the programs that only migrate do not need it.
            from config.ops.backup.run import back_up_before

            backup = back_up_before(connection, options["backup"].absolute(), now=timezone.now())
            self.stdout.write(f"Backed up the database to {backup}")
        make_schemas(connection)
        moved = arrange_tables(connection)
        if options["fake"]:
            self._refuse_fake_without_tables(**options)
        super().handle(*args, **options)
        moved += arrange_tables(connection)
        if moved and options["verbosity"]:
            targets = ", ".join(sorted({move.target for move in moved}))
            self.stdout.write(f"Moved {len(moved)} tables into the schemas {targets}")

    def _refuse_fake_without_tables(self, **options: Any) -> None:
        missing = missing_for_fake(connections[options["database"]], options["app_label"], options["migration_name"])
        if missing:
            raise CommandError(
                f"Not marked as applied, because the database lacks {', '.join(missing[:20])}"
                f"{f' and {len(missing) - 20} more' if len(missing) > 20 else ''}: run migrate without --fake."
            )
