"""Databases of a test's own, beside the one that Django makes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from config.database_url import parse_database_url
from config.ops.scratch import connected
from tests.config.variables import PROJECT

Manage = Callable[..., subprocess.CompletedProcess[str]]


def settings_of(url: str) -> dict[str, object]:
    parsed = parse_database_url("DATABASE_URL", url, PROJECT).config
    return parsed | {"OPTIONS": parsed.get("OPTIONS", {})}


def execute(url: str, *statements: str) -> None:
    with connected(url) as own, own.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def tables(url: str) -> set[str]:
    with connected(url) as own:
        return set(own.introspection.table_names())
