"""Asking ahead what most visitors ask first, so that nobody waits for it after the cache was emptied."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    Ask = Callable[[datetime], object]

_asks: dict[str, Ask] = {}


@dataclass(frozen=True, slots=True)
class Warmed:
    """One question that was asked ahead, and how long the answer took."""

    name: str
    milliseconds: float


def warms(name: str, ask: Ask) -> None:
    """Let `ask`, a cached read that is given the time, be asked ahead; called once, when the apps are ready."""
    _asks[name] = ask


def warm(*, now: datetime) -> Iterator[Warmed]:
    """Ask everything that is asked ahead; what is in the cache stays there."""
    for name, ask in _asks.items():
        start = time.perf_counter()
        ask(now)
        yield Warmed(name, 1000 * (time.perf_counter() - start))
