"""Whether the database is what the code expects."""

from __future__ import annotations

from django.conf import settings

from config.ops.health.look import Look
from config.ops.health.report import Section, State
from config.ops.migrating import migration_status


def migrations(look: Look) -> Section:
    """Count applied and pending migrations."""
    section = Section("migrations")
    status = migration_status(look.connection)
    pending = [f"{entry.app}.{name}" for entry in status for name in entry.pending]
    source = "django_migrations against the code's migrations"
    section.figure("applied", sum(len(entry.applied) for entry in status), source=source)
    section.figure("pending", len(pending), source=source)
    if pending:
        section.find(
            State.WARNING if settings.START_WITH_PENDING_MIGRATIONS else State.CRITICAL,
            f"{len(pending)} migrations are pending, the first is {pending[0]}: run `manage.py migrate`.",
        )
    return section
