"""A look at Django's test database, and a database of a test's own for the command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.ops.health.look import Look
from config.ops.health.report import Section
from config.ops.health.run import SECTIONS
from config.ops.health.thresholds import DEFAULTS

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LookInto = Callable[..., Section]


@pytest.fixture
def look_into(tmp_path: Path) -> LookInto:
    """Look at one section of Django's test database; options are those of `Look`."""

    def section(name: str, **options: Any) -> Section:
        given: dict[str, Any] = {
            "thresholds": DEFAULTS,
            "now": NOW,
            "backup_folder": tmp_path / "backups",
            "metrics_folder": tmp_path / "metrics",
        }
        return SECTIONS[name](Look(connection=connection, **given | options))

    return section


def rows(section: Section, table: str) -> list[dict[str, Any]]:
    """Return a table's rows by the names of their columns."""
    found = section.tables[table]
    return [{column.key: value for column, value in zip(found.columns, row, strict=True)} for row in found.rows]
