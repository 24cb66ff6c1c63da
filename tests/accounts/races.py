"""Two who act at the same moment, each on a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections

from config.db.errors import Refused


def at_the_same_time(*actions: Callable[[], Any], times: int = 1) -> list[Any]:
    """Start the actions together, each `times` over, and return what each returned or the refusal it raised."""
    racers = actions * times
    start = Barrier(len(racers))

    def run(action: Callable[[], Any]) -> Any:
        start.wait(timeout=30)
        try:
            return action()
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(racers)) as pool:
        return list(pool.map(run, racers))
