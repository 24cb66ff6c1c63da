"""How often each family hit and missed, counted by all processes together."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from config.cache import shelf

if TYPE_CHECKING:
    from redis import Redis

    from config.cache.families import Family

# A process tells the others what it counted this often, so that most reads cost nothing more.
TELL_SECONDS = 5.0

_lock = Lock()
_counted: Counter[str] = Counter()
_told_at = 0.0


@dataclass(frozen=True, slots=True)
class Lookups:
    """How often a family was asked for and found, and how often not."""

    family: str
    hits: int
    misses: int

    @property
    def number(self) -> int:
        return self.hits + self.misses

    @property
    def rate(self) -> float:
        """Hits in percent."""
        return round(100 * self.hits / self.number, 1) if self.number else 0.0


def note(client: Redis, family: Family, outcome: Literal["hit", "miss"]) -> None:
    """Count a look-up. Raises CacheAway."""
    with _lock:
        _counted[f"{family.name}|{outcome}"] += 1
        is_time = time.monotonic() - _told_at >= TELL_SECONDS
    if is_time:
        tell(client)


def tell(client: Redis) -> None:
    """Add what this process counted to what all counted. Raises CacheAway, and then forgets it."""
    global _told_at  # noqa: PLW0603 - the process has one clock
    with _lock:
        counted = dict(_counted)
        _counted.clear()
        _told_at = time.monotonic()
    if counted:
        with shelf.answering():
            pipeline = client.pipeline(transaction=False)
            for name, number in counted.items():
                pipeline.hincrby(_key(), name, number)
            pipeline.execute()


def lookups(client: Redis) -> list[Lookups]:
    """Return what was counted since the cache was emptied, most asked first. Raises CacheAway."""
    tell(client)
    with shelf.answering():
        counted: Any = client.hgetall(_key())
    numbers = {name.decode(): int(number) for name, number in counted.items()}
    families = {name.partition("|")[0] for name in numbers}
    found = [Lookups(name, numbers.get(f"{name}|hit", 0), numbers.get(f"{name}|miss", 0)) for name in families]
    return sorted(found, key=lambda one: (-one.number, one.family))


def together(found: list[Lookups]) -> Lookups:
    """Return the sum of all families."""
    return Lookups("all", sum(one.hits for one in found), sum(one.misses for one in found))


def _key() -> str:
    return f"{shelf.prefix()}:{shelf.LAYOUT}:lookups"
