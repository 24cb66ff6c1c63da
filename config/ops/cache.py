"""The cache server as those who run it see it: is it there, what does it say, and emptying what is ours in it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import caches

from config.cache import shelf
from config.cache.warming import warm
from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from redis import Redis

    from config.cache.warming import Warmed

BATCH_KEYS = 1000


class CacheAway(Refused):
    """The cache server does not answer."""


@contextmanager
def cache_server() -> Iterator[Redis | None]:
    """Give a client of the cache server, None without ``REDIS_URL``; unlike pages, who asks here learns of errors.

    Raises CacheAway when the server does not answer in the block.
    """
    if not settings.REDIS_URL:
        yield None
        return
    # The client's library takes long to load, and most commands need none.
    from django_redis import get_redis_connection
    from redis.exceptions import RedisError

    try:
        yield get_redis_connection("default")
    except (RedisError, shelf.CacheAway) as error:
        raise CacheAway(f"The cache server of REDIS_URL does not answer: {error}") from error


@contextmanager
def required_cache_server() -> Iterator[Redis]:
    """Give the client. Raises Refused when there is no server, CacheAway when it does not answer."""
    with cache_server() as server:
        if server is None:
            raise Refused("REDIS_URL is not set: each process caches in its own memory, where no command reaches it.")
        yield server


def own_keys(server: Redis) -> Iterator[str]:
    """Yield our keys, whatever their version, without keeping the server from its work."""
    prefix = caches["default"].key_prefix
    for key in server.scan_iter(match=f"{prefix}:*", count=BATCH_KEYS):
        yield key.decode(errors="replace")


def ping(server: Redis) -> float:
    """Return how many milliseconds the server takes to answer."""
    # The first question also connects.
    server.ping()
    start = time.perf_counter()
    server.ping()
    return 1000 * (time.perf_counter() - start)


def warmed(*, now: datetime) -> Iterator[Warmed]:
    """Ask ahead what visitors ask first. Raises Refused where nothing would be kept."""
    if not settings.CACHE_READS:
        raise Refused("CACHE_READS is false: no answers are kept. Set it to true, here and for the web server.")
    return warm(now=now)


def flush(server: Redis) -> int:
    """Remove our keys, and nothing of anybody else's, and return how many went."""
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
