from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.db.errors import Refused
from config.ops.verify import verify_start


class Command(BaseCommand):
    help = (
        "Says whether the web server may start: the settings pass their checks, the database answers and no migration "
        "is pending. gunicorn runs it first. Example: manage.py verify_start"
    )
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse, or say nothing."""
        try:
            verify_start(connection)
        except Refused as error:
            raise CommandError(str(error)) from error
