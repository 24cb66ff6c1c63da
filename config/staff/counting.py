"""How many rows a list has: counted where that is quick, else about as many as the database expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

# Up to so many rows are counted one by one, some milliseconds' work with an index.
MOST_COUNTED = 10_000
# An expectation is believed only where at least so many rows are really there.
_SURE_OF = 1_000


class Count(int):
    """A number of rows that says in words how sure it is: ``9,120``, ``about 1,020,000`` or ``more than 10,000``."""

    said: str

    def __new__(cls, number: int, said: str = "") -> Self:
        """Return the number; without words it is exact."""
        count = super().__new__(cls, number)
        count.said = said
        return count

    @classmethod
    def about(cls, number: int) -> Count:
        """Return an expected number, rounded to what can be known."""
        rounded = max(round(number, 2 - len(str(number))), MOST_COUNTED)
        return cls(rounded, "about")

    @property
    def is_exact(self) -> bool:
        return not self.said

    def __str__(self) -> str:
        number = format(int(self), ",")
        return f"{self.said} {number}" if self.said else number


def count_rows(rows: QuerySet[Any], expected: int | None, order: Sequence[str] = ()) -> Count:
    """Count rows without ever reading all of a large table.

    `expected` is about how many there are; where nobody knows, only more than are counted is told. `order` is one by
    which an index finds the rows.
    """
    if expected is None or expected <= 2 * MOST_COUNTED:
        found = counted(rows, MOST_COUNTED)
        if found is not None:
            return found
        # An expectation that is already exceeded tells nothing.
        return Count.about(expected) if expected and expected > MOST_COUNTED else Count(MOST_COUNTED, "more than")
    if order and rows.order_by(*order).values("pk")[_SURE_OF : _SURE_OF + 1]:
        return Count.about(expected)
    found = counted(rows, _SURE_OF)
    return Count.about(expected) if found is None else found


def counted(rows: QuerySet[Any], most: int) -> Count | None:
    """Return the number of rows, or None where there are more than `most`."""
    found = rows.order_by().values("pk")[: most + 1].count()
    return Count(found) if found <= most else None
