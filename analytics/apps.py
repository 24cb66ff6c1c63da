from __future__ import annotations

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        """Write the audit log, and answer for the settings that staff may change."""
        from analytics import receivers
        from analytics.settings import get_settings
        from config.options import register_source

        receivers.connect()
        register_source(get_settings)
