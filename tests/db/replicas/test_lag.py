"""How far behind a replica is, told by what was seen on either side and by one clock."""

from __future__ import annotations

from decimal import Decimal
from math import inf

from config.db.replicas.lag import Lag


def lags(*looks: tuple[float, int, int]) -> list[float]:
    """Return what each look (when, the primary's position, the replica's) makes of the lag."""
    lag = Lag()
    return [lag.seconds(at, primary=Decimal(primary), replica=Decimal(replica)) for at, primary, replica in looks]


def test_a_replica_that_has_everything_is_not_behind() -> None:
    assert lags((10, 100, 100), (11, 150, 160)) == [0, 0]


def test_a_replica_that_was_never_seen_complete_may_be_behind_by_any_time() -> None:
    assert lags((10, 100, 40), (11, 120, 60)) == [inf, inf]


def test_a_replica_that_stands_still_falls_behind_from_when_it_had_everything() -> None:
    assert lags((10, 100, 100), (11, 100, 100), (12, 130, 100), (15, 190, 100)) == [0, 0, 1, 4]


def test_a_replica_that_follows_a_busy_primary_lacks_no_more_than_what_came_since_the_last_look() -> None:
    assert lags((10, 100, 90), (11, 200, 190), (12, 300, 290)) == [inf, 1, 1]


def test_a_replica_that_catches_up_lacks_only_what_came_after_what_it_has() -> None:
    assert lags((10, 100, 100), (11, 200, 100), (12, 300, 100), (13, 400, 250), (14, 400, 400)) == [0, 1, 2, 2, 0]
