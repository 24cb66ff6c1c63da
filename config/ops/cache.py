"""The cache server as those who run it see it: is it there, what does it say, and emptying what is ours in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import caches
from django_redis import get_redis_connection

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

BATCH_KEYS = 1000


def cache_server() -> Redis | None:
    """Return a client that raises its errors, where pages go on without a cache; None without ``REDIS_URL``."""
    if not settings.REDIS_URL:
        return None
    client: Redis = get_redis_connection("default")
    return client


def required_cache_server() -> Redis:
    """Return the client. Raises Refused when there is no server."""
    server = cache_server()
    if server is None:
        raise Refused("REDIS_URL is not set: each process caches in its own memory, where no command reaches it.")
    return server


def own_keys(server: Redis) -> Iterator[str]:
    """Yield our keys, whatever their version, without keeping the server from its work."""
    prefix = caches["default"].key_prefix
    for key in server.scan_iter(match=f"{prefix}:*", count=BATCH_KEYS):
        yield key.decode(errors="replace")


def ping(server: Redis) -> float:
    """Return how many milliseconds the server takes to answer. Raises redis.RedisError."""
    # The first question also connects.
    server.ping()
    start = time.perf_counter()
    server.ping()
    return 1000 * (time.perf_counter() - start)


def flush(server: Redis) -> int:
    """Remove our keys, and nothing of anybody else's, and return how many went. Raises redis.RedisError."""
    prefix = caches["default"].key_prefix
    removed = 0
    batch: list[bytes] = []
    for key in server.scan_iter(match=f"{prefix}:*", count=BATCH_KEYS):
        batch.append(key)
        if len(batch) == BATCH_KEYS:
            removed += _remove(server, batch)
            batch = []
    return removed + (_remove(server, batch) if batch else 0)


def _remove(server: Redis, keys: list[bytes]) -> int:
    # UNLINK frees the memory beside the server's work.
    return int(server.unlink(*keys))
