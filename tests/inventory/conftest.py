"""What tests of the stock share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from config.audit import announced


@pytest.fixture
def announcements() -> Iterator[list[dict[str, Any]]]:
    """Everything that was announced during the test, in order."""
    heard: list[dict[str, Any]] = []

    def hear(**facts: Any) -> None:
        heard.append(facts)

    announced.connect(hear, weak=False)
    yield heard
    announced.disconnect(hear)
