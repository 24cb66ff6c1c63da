"""What tests of cached reads share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import caches
from pytest_django import Settings
from redis import Redis

from config.cache import shelf


@pytest.fixture
def server(settings: Settings) -> Iterator[Redis]:
    """The cache server, empty, with reads cached in it."""
    settings.CACHE_READS = True
    caches["default"].clear()
    client = shelf.server()
    assert client is not None
    yield client
    caches["default"].clear()
