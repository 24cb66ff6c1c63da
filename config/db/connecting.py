"""Connecting to PostgreSQL: commands wait for a server that is just starting, and pools find it when it is back.

Only connecting is repeated. A statement never is: nobody knows whether the server carried it out before it went away.
"""

from __future__ import annotations

import logging
import random
import re
import time
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import psycopg
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable

ConnectionT = TypeVar("ConnectionT")

FIRST_WAIT = 1.0  # seconds; each further one is twice as long
# What many clients that lost the same server would else do all at the same moment.
JITTER = 0.25
# A pool whose server is away tries at least this often, so that it notices soon when the server is back.
RECONNECT_SECONDS = 1.0

# The server is there and refuses, but will not for long; any other refusal stands.
_SOON = re.compile(r"starting up|shutting down|recovery|not yet accepting|too many|remaining connection slots")

logger = logging.getLogger("forecourt.connecting")

# Pools that could not reach their server when they tried last.
_away: WeakSet[Any] = WeakSet()
_is_command = False


def be_command() -> None:
    """Let this process, in which no request waits, be patient when it connects, and do without a pool."""
    global _is_command  # noqa: PLW0603 - a process is a command or serves requests
    _is_command = True


def is_command() -> bool:
    """Say whether this process runs a command."""
    return _is_command


def patiently(
    connect: Callable[[], ConnectionT],
    *,
    retries: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
    dice: Callable[[], float] = random.random,
) -> ConnectionT:
    """Return what `connect` returns, trying again after 1, 2, 4 ... seconds while the server is away.

    `retries` are ``DATABASE_RETRIES`` in a command, else none. `dice` gives numbers from 0 to 1, which make each wait
    up to a quarter shorter or longer. Raises psycopg.OperationalError as the last try did.
    """
    if retries is None:
        retries = settings.DATABASE_RETRIES if _is_command else 0
    for turn in range(retries):
        try:
            return connect()
        except psycopg.OperationalError as error:
            if not may_pass(error):
                raise
            wait = FIRST_WAIT * 2**turn * (1 + JITTER * (2 * dice() - 1))
            logger.warning("The database cannot be reached: trying again in %.1f s.", wait)
            sleep(wait)
    return connect()


def may_pass(error: psycopg.OperationalError) -> bool:
    """Say whether the same connect may succeed in a moment: nobody listens, or a server that is busy or not ready."""
    text = str(error)
    return "FATAL" not in text or _SOON.search(text) is not None


def keep_trying(pool: Any) -> None:
    """Let a pool that could not reach its server begin anew while somebody waits for a connection."""
    statistics = pool.get_stats()
    # While others of its connections live, the server is there and bears no more of them.
    if not statistics.get("pool_size"):
        _away.add(pool)
    if statistics.get("requests_waiting"):
        # It grows by one where it is empty, which is connecting now.
        pool.check()


def take(pool: Any, connect: Callable[[], Any]) -> Any:
    """Return a connection from the pool; while its server is away nobody waits as long as for one that is in use.

    `connect` makes a connection beside the pool. Raises psycopg.OperationalError.
    """
    pool.open()
    if pool in _away:
        # A server that is away mostly refuses at once; one that is back should not be missed for a moment.
        connect().close()
        _away.discard(pool)
    until = time.monotonic() + pool.timeout
    while True:
        try:
            return pool.getconn(timeout=min(RECONNECT_SECONDS, until - time.monotonic()))
        except psycopg.OperationalError:
            if pool in _away or time.monotonic() >= until:
                raise
