from __future__ import annotations

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"

    def ready(self) -> None:
        """Listen to the apps below."""
        from inventory import receivers

        receivers.connect()
