"""What the tests of the HTTP API share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_limit(settings: Settings) -> None:
    """Let a test ask as often as it likes."""
    settings.API_RATE_LIMIT = 0


@pytest.fixture
def ask(client: Client) -> Ask:
    """Ask for an address under /api/v1/ and return the answer's content, which must have come with `status`."""

    def get(address: str, *, status: int = 200, **headers: str) -> Any:
        response = client.get(f"/api/v1/{address}", headers=headers)
        assert response.status_code == status, response.content
        return response.json()

    return get
