"""Fixtures of the maintenance tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def archive_folder(settings: Any, tmp_path: Path) -> Path:
    """A folder of archives that belongs to the test."""
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.REPORT_DIR = tmp_path / "reports"
    return tmp_path / "archive"
