"""From which figure on a state is a warning, and from which it is critical; ``HEALTH_THRESHOLDS`` changes single ones.

The settings import this, so it may import nothing of Django's but exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from config.ops.health.report import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Threshold:
    """Two marks of one figure, in `unit`; where a low figure is the bad one, the critical mark is the lower."""

    warning: float
    critical: float
    unit: str

    @property
    def low_is_bad(self) -> bool:
        return self.critical < self.warning

    def state(self, value: float) -> State:
        """Return the state of a figure; one that stands on a mark belongs to the better side."""
        sign = -1 if self.low_is_bad else 1
        if sign * value > sign * self.critical:
            return State.CRITICAL
        return State.WARNING if sign * value > sign * self.warning else State.FINE


DEFAULTS: dict[str, Threshold] = {
    # How long the database takes to answer at all.
    "answer": Threshold(1000, 5000, "ms"),
    # Of those that the server, or the pool, has.
    "connections": Threshold(80, 90, "%"),
    "pool": Threshold(80, 90, "%"),
    # Counted once there are enough look-ups to count.
    "cache_hits": Threshold(50, 30, "%"),
    # Of the reads that are cached; 80 is what they are meant to reach.
    "read_hits": Threshold(80, 50, "%"),
    "buffer_hits": Threshold(80, 50, "%"),
    # Calls of statements that take longer than SLOW_QUERY_MS on average.
    "slow_share": Threshold(10, 20, "%"),
    # What requests got in the last five minutes; the third is the 95th percentile.
    "errors": Threshold(5, 10, "%"),
    "mean_response": Threshold(1000, 2000, "ms"),
    "slow_response": Threshold(2000, 4000, "ms"),
    "processor": Threshold(80, 95, "%"),
    "memory": Threshold(85, 95, "%"),
    # What all web processes together keep in memory.
    "resident": Threshold(3000, 6000, "MB"),
    "disk": Threshold(90, 95, "%"),
    # Counted where autovacuum should have come long ago.
    "dead_rows": Threshold(100, 1000, "rows"),
    # An index that nobody uses, that another one repeats, or that is mostly air.
    "wasted_index": Threshold(1, 10, "MB"),
    "lock_wait": Threshold(5, 30, "s"),
    "transaction": Threshold(300, 1800, "s"),
    "replication_lag": Threshold(30, 300, "s"),
    # Of the transaction numbers that there are until the server stops taking writes.
    "transaction_numbers": Threshold(50, 75, "%"),
    "backup_age": Threshold(26, 48, "h"),
}


def read_thresholds(variable: str, entries: Iterable[str]) -> Mapping[str, Threshold]:
    """Return the thresholds, changed by entries such as ``disk=80:90``.

    Raises ImproperlyConfigured for an entry that cannot be read, which names `variable`.
    """
    thresholds = dict(DEFAULTS)
    for entry in entries:
        name, _, marks = entry.partition("=")
        name = name.strip()
        if name not in DEFAULTS:
            raise ImproperlyConfigured(f"{variable}: {name!r} is none of {', '.join(DEFAULTS)}.")
        try:
            warning, critical = (float(mark) for mark in marks.split(":"))
        except ValueError as error:
            raise ImproperlyConfigured(f"{variable}: {entry!r}: write {name}=warning:critical, two numbers.") from error
        changed = Threshold(warning, critical, DEFAULTS[name].unit)
        if changed.low_is_bad != DEFAULTS[name].low_is_bad:
            order = "below" if DEFAULTS[name].low_is_bad else "above"
            raise ImproperlyConfigured(f"{variable}: {entry!r}: the critical mark belongs {order} the warning.")
        thresholds[name] = changed
    return thresholds
