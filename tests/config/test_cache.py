"""The cache: Redis when there is one, and pages that work when it is away."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.test import override_settings
from django_redis.cache import RedisCache


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A server that lets everybody connect and never says a word, as a hanging one does."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        server.setblocking(False)
        yield server


def connections_to(server: socket.socket) -> int:
    """Return how many connections wait in the server's queue."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def cache_at(url: str) -> BaseCache:
    """Return a cache with the settings of the default one, at another address."""
    changed: dict[str, Any] = {"default": settings.CACHES["default"] | {"LOCATION": url}}
    with override_settings(CACHES=changed):
        return caches["default"]


def test_with_redis_values_are_shared_and_sessions_cached() -> None:
    assert settings.CACHES["default"]["BACKEND"] == "django_redis.cache.RedisCache"
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.cached_db"
    caches["default"].set("car", {"vin": "X"}, 60)
    # A second client of the same server, as another process would be.
    other = cache_at(settings.REDIS_URL)
    assert isinstance(other, RedisCache)
    assert other.get("car") == {"vin": "X"}


def test_an_absent_server_is_a_cache_of_misses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    cache = cache_at(f"redis://127.0.0.1:{port}/0")
    cache.set("car", 1)
    assert cache.get("car", "miss") == "miss"
    assert cache.get_many(["car"]) == {}
    assert cache.delete("car") is None


def test_a_hanging_server_is_asked_once_and_then_left_alone(silent_server: socket.socket) -> None:
    cache = cache_at(f"redis://127.0.0.1:{silent_server.getsockname()[1]}/0")
    for _ in range(20):
        assert cache.get("car", "miss") == "miss"
    assert connections_to(silent_server) == 1
