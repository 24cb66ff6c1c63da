from __future__ import annotations

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self) -> None:
        """Listen to the apps below."""
        from leads import receivers

        receivers.connect()
