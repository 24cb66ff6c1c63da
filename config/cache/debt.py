"""Telling the cache server of writes, now or when it is back."""

from __future__ import annotations

import atexit
import logging
import threading
from typing import TYPE_CHECKING

from config.cache import shelf
from config.cache.families import NAMESPACES
from config.cache.shelf import CacheAway

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5.0


class Debt:
    """Whether the cache server is still to hear of writes, and a thread that tells it when it is back.

    Until then other processes may hand out what was true before: which answers it was does not matter any more, and
    all end.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._failures = 0
        self._lock = threading.Lock()

    def open(self) -> None:
        """Note that the server did not hear of a write."""
        with self._lock:
            self._failures += 1
            if self.is_open:
                return
            self.is_open = True
        logger.warning("The cache server does not answer; until it knows of the last writes, answers are not cached.")
        threading.Thread(target=self._pay_later, name="cache-debt", daemon=True).start()

    def pay(self) -> bool:
        """Tell the server, and say whether it knows of all writes now."""
        client = shelf.server()
        before = self._failures
        try:
            if client is not None:
                shelf.end(client, NAMESPACES)
        except CacheAway:
            return False
        with self._lock:
            self.is_open = self._failures != before
        return not self.is_open

    def pay_or_tell(self) -> None:
        """Try a last time before the process ends."""
        if self.is_open and not self.pay():
            logger.error(
                "The cache server never heard of the last writes: run `manage.py cache_admin flush` when it is back."
            )

    def _pay_later(self) -> None:
        waiting = threading.Event()
        while not self.pay():
            waiting.wait(RETRY_SECONDS)


debt = Debt()


def end(namespaces: Iterable[str]) -> None:
    """End what depends on these namespaces; where the server does not answer, everything as soon as it does."""
    client = shelf.server()
    if client is None:
        return
    try:
        shelf.end(client, namespaces)
    except CacheAway:
        debt.open()


def start() -> None:
    """Let the process tell the server before it ends; called once, when the apps are ready."""
    atexit.register(debt.pay_or_tell)
