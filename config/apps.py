from __future__ import annotations

import atexit

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db import connections


def close_database_connections() -> None:
    """Close every connection of this thread and the pools of the process."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


class ForecourtConfig(AppConfig):
    name = "config"
    label = "config"
    verbose_name = "Forecourt"

    def ready(self) -> None:
        """Register the system checks, and leave no connection open behind the process."""
        from config import checks  # noqa: F401 - the import registers them, and needs the apps loaded

        atexit.register(close_database_connections)


class StaffAdminConfig(AdminConfig):
    default_site = "config.admin.StaffSite"
