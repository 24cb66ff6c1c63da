"""The cache server: what its address may be, and connections that give up at once while it is away."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

PAUSE = 5.0  # seconds


def check_redis_url(variable: str, url: str) -> None:
    """Raise ImproperlyConfigured unless `url` names a server or a socket; the error never repeats its password."""
    try:
        parts = urlsplit(url)
        place = parts.path if parts.scheme == "unix" else parts.hostname
        # Knows the schemes, and finds ports and options that are no numbers.
        ConnectionPool.from_url(url)
    except ValueError as error:
        raise _wrong(variable) from error
    if not place:
        raise _wrong(variable)


def _wrong(variable: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{variable} cannot be read: write redis://:password@host:6379/0, rediss:// for TLS, "
        "or unix:///path/of/socket?db=0."
    )


class PausingPool(ConnectionPool):
    """After a connect or a command that failed, every request for a connection fails at once for `PAUSE` seconds.

    A page asks the cache many times; without the pause each question would wait for its own timeout.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._paused_until = 0.0

    def get_connection(self, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self._paused_until:
            raise RedisConnectionError("The cache server did not answer; the next try is in a few seconds.")
        try:
            return super().get_connection(*args, **kwargs)
        except (RedisConnectionError, RedisTimeoutError):
            self._paused_until = time.monotonic() + PAUSE
            raise

    def release(self, connection: Any) -> None:
        # The client closes the connection of a command that got no answer, and no other.
        if not connection.is_connected:
            self._paused_until = time.monotonic() + PAUSE
        super().release(connection)
