"""How far behind a replica is, from positions in the log that were seen on either side."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

# A replica that stands still for longer than so many looks is behind by so much at least, which is enough to know.
LOOKS_KEPT = 3600


class Lag:
    """What one replica lacks, told by our own clock, as those of the servers may differ."""

    def __init__(self) -> None:
        # When the primary was seen at which position, as far as the replica has not come there.
        self._ahead: deque[tuple[float, Decimal]] = deque(maxlen=LOOKS_KEPT)
        self._complete_at = float("-inf")

    def seconds(self, at: float, *, primary: Decimal, replica: Decimal) -> float:
        """Return for how long at most the replica has lacked something; infinite until it has been complete once.

        `at` is a moment before the positions were asked for, first the primary's.
        """
        self._ahead.append((at, primary))
        while self._ahead and self._ahead[0][1] <= replica:
            self._complete_at, _ = self._ahead.popleft()
        return at - self._complete_at if self._ahead else 0.0
