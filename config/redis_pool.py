"""Connections to the cache server that give up at once while it is away."""

from __future__ import annotations

import time
from typing import Any

from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

PAUSE = 5.0  # seconds


class PausingPool(ConnectionPool):
    """After a failed connect every request for a connection fails at once for `PAUSE` seconds.

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
