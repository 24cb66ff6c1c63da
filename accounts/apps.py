from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Watch the tables that cached answers depend on, and who signs in."""
        from accounts import receivers

        receivers.connect()
