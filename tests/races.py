"""Two who act at the same moment, each on a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any

from django.db import connection, connections, transaction

from config.db.errors import Refused


def at_the_same_time(*actions: Callable[[], Any], times: int = 1) -> list[Any]:
    """Start the actions together, each `times` over, and return what each returned or the refusal it raised."""
    racers = actions * times
    start = Barrier(len(racers))

    def run(action: Callable[[], Any]) -> Any:
        # Connected first, so that nobody has a head start.
        connection.ensure_connection()
        start.wait(timeout=30)
        return outcome_of(action)

    with ThreadPoolExecutor(len(racers)) as pool:
        return list(pool.map(run, racers))


def before_the_commit(first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """Let `second` act while `first` is done but not committed, and return what it returned or the refusal it raised.

    If it waits for the commit, as it should, it gets there; if not, it has a second to do its damage first.
    """
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            rival = pool.submit(outcome_of, second)
            wait([rival], timeout=1)
        return rival.result()


def outcome_of(action: Callable[[], Any]) -> Any:
    """Return what `action` returned or the refusal it raised, and give its connection back."""
    try:
        return action()
    except Refused as refusal:
        return refusal
    finally:
        connections.close_all()
