"""Two people doing something at the same moment, each with a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection


def at_the_same_time(*calls: Callable[[], Any]) -> list[Any]:
    """Start all `calls` together, and return what each returned or raised, in their order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        # Connect first, so that nobody has a head start.
        connection.ensure_connection()
        barrier.wait(timeout=30)
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - what was raised is the result
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
