from __future__ import annotations

import atexit
from typing import Any

import django_stubs_ext
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

from config.cache import writes
from config.error_tracking import start_tracking
from config.slow_queries import watch_statements

# Lets Django's generic classes be written with their types, such as ModelAdmin[Car], when the program runs. This is
# the first app, so no such class has been read yet.
django_stubs_ext.monkeypatch()


def close_database_connections() -> None:
    """Close every connection of this thread and the pools of the process."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def apply_row_security(using: str, **kwargs: Any) -> None:
    """Bring row security in line with the settings, once the tables stand."""
    from config.ops.row_security import apply_policies

    apply_policies(using=using)


class ForecourtConfig(AppConfig):
    name = "config"
    label = "config"
    verbose_name = "Forecourt"

    def ready(self) -> None:
        """Register the system checks, watch statements and errors, and leave no connection open behind the process."""
        from config import checks  # noqa: F401 - the import registers them, and needs the apps loaded

        connection_created.connect(watch_statements)
        writes.start()
        if settings.SENTRY_DSN:
            start_tracking(settings.SENTRY_DSN, environment=settings.ENVIRONMENT)
        atexit.register(close_database_connections)
        # The last app whose tables are made; an app without models, such as this one, gets no signal.
        post_migrate.connect(apply_row_security, sender=apps.get_app_config("analytics"))


class StaffAdminConfig(SimpleAdminConfig):
    """The staff site, which reads the apps' admin modules itself, and only where they are needed."""

    default_site = "config.admin.StaffSite"
