"""From a database URL to Django's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url


def database_from_url(url: str) -> dict[str, Any]:
    """Return the ``DATABASES`` entry for `url`."""
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if config["ENGINE"].endswith("sqlite3"):
        if config["NAME"] != ":memory:":
            Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        }
    return config
