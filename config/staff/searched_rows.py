"""The rows of a list that a search found, on PostgreSQL.

They are taken from the beginning of the list's order if by all odds enough of them lie near it, and else found by an
index first of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from config.db.arrays import AmongKeys, OneOf
from config.db.estimates import expected_rows
from config.db.search import fenced
from config.staff.counting import MOST_COUNTED, Count, count_rows, counted
from config.staff.orders import Order
from config.staff.pages import FEW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

# Of so many rows at the beginning an index tells which were found, within some milliseconds.
_MOST_LOOKED_INTO = 50_000
# So many are asked one by one for a row of another table, within some tens of milliseconds.
_MOST_ASKED = 10_000
# A look at so many costs next to nothing, and expectations of words are often wrong.
_LOOKED_INTO_ANYWAY = 1_000
# While one row is asked, so many are found by an index.
_FOUND_MEANWHILE = 4
_LEAST_SHARE = 1e-9
# Where so many lie as near as expected, there are about as many as expected.
_EVIDENCE = 50


@dataclass(frozen=True, slots=True)
class Found:
    """What one way to search finds of all rows of a table: `condition` lets an index find them.

    Where these are rows that belong to others, `each` is the condition that one of them is asked for.
    """

    condition: Q
    expected: int
    each: Q | None = None


@dataclass(frozen=True)
class Among:
    """The rows of a list that are searched, which may be filtered, and how many they are."""

    rows: QuerySet[Any]

    @property
    def table(self) -> QuerySet[Any]:
        """All rows of the table."""
        table: QuerySet[Any] = self.rows.model._base_manager.using(self.rows.db).all()
        return table

    @cached_property
    def of_table(self) -> int:
        """About how many rows the table has."""
        return expected_rows(self.table)

    @cached_property
    def size(self) -> int:
        """About how many rows are searched; expectations that are low are often wrong."""
        expected = expected_rows(self.rows)
        if expected >= FEW:
            return expected
        found = counted(self.rows, MOST_COUNTED)
        return MOST_COUNTED if found is None else int(found)


@dataclass(frozen=True)
class SearchedRows:
    """Those of `among` that one way to search finds."""

    among: Among
    found: Found

    @cached_property
    def queryset(self) -> QuerySet[Any]:
        return self.among.rows.filter(self.by_index)

    @property
    def by_index(self) -> Q:
        """The condition by which an index finds the rows, whatever else is asked."""
        if self.found.each is not None:
            return self.found.condition
        return Q(AmongKeys("pk", fenced(self.among.table.filter(self.found.condition))))

    def count(self, order: Order | None) -> Count:
        """See `Rows`."""
        return Count.about(self.expected) if self.are_many else count_rows(self._quickest, self.expected)

    @property
    def expected(self) -> int:
        """About how many rows there are."""
        return int(self._share * self.among.of_table)

    @cached_property
    def are_many(self) -> bool:
        """Whether there are more than are counted, as is to be expected and as those show that are near."""
        if self.expected <= 2 * MOST_COUNTED:
            return False
        by_key = Order((self.among.rows.model._meta.pk.attname,), descending=True)
        near = self._near(by_key, Q(), _EVIDENCE, backwards=False)
        return near is not None and len(near) == _EVIDENCE

    def keys(self, most: int) -> list[Any]:
        """Return the keys of at most so many rows."""
        return list(self._quickest.order_by().values_list("pk", flat=True)[:most])

    def take(self, order: Order, condition: Q, wanted: int, *, backwards: bool) -> list[tuple[Any, ...]]:
        """See `Rows`."""
        near = self._near(order, condition, wanted, backwards=backwards)
        if near is not None and len(near) == wanted:
            return near
        # All that were found are sorted: an index of the order would tempt the planner to look into row after row.
        rows = self._quickest.filter(condition).order_by(*order.unindexed(backwards=backwards))
        return list(rows.values_list(*order.columns)[:wanted])

    def _near(self, order: Order, condition: Q, wanted: int, *, backwards: bool) -> list[tuple[Any, ...]] | None:
        """Look where the order begins; None where what is empty comes first or last."""
        looked_into = int(3 * wanted / self._share)
        most = _MOST_LOOKED_INTO if self.found.each is None else _MOST_ASKED
        if self.among.rows.model._meta.get_field(order.columns[0]).null:
            return None
        if looked_into > most:
            looked_into = _LOOKED_INTO_ANYWAY
        names = order.names(backwards=backwards)
        everything = self.among.table.filter(condition)
        ends = list(everything.order_by(*names).values_list(*order.columns)[looked_into : looked_into + 1])
        near = self._asked.filter(condition, *(order.before(end, backwards=backwards) for end in ends))
        return list(near.order_by(*names).values_list(*order.columns)[:wanted])

    @cached_property
    def _asked(self) -> QuerySet[Any]:
        """The rows, each of them asked whether it was found."""
        return self.among.rows.filter(self.found.each or self.found.condition)

    @cached_property
    def _quickest(self) -> QuerySet[Any]:
        is_narrow = _FOUND_MEANWHILE * self.among.size < self.found.expected
        # Of a list of most rows no other condition is the first to be looked up.
        is_wide = self.found.each is None and 2 * self.among.size > self.among.of_table
        return self._asked if is_narrow or is_wide else self.queryset

    @cached_property
    def _share(self) -> float:
        """The part of the table that is both found and among the rows, as if one had nothing to do with the other."""
        found, searched = (min(rows / self.among.of_table, 1) for rows in (self.found.expected, self.among.size))
        return max(found * searched, _LEAST_SHARE)


@dataclass(frozen=True)
class JoinedRows:
    """Those of `among` that one of several ways to search finds."""

    among: Among
    ways: Sequence[SearchedRows]

    @cached_property
    def queryset(self) -> QuerySet[Any]:
        return self.among.rows.filter(reduce(or_, [way.by_index for way in self.ways]))

    def count(self, order: Order | None) -> Count:
        """See `Rows`."""
        # Nobody knows how many several ways find.
        expected = max(way.expected for way in self.ways)
        if not any(way.are_many for way in self.ways):
            keys = set().union(*(way.keys(MOST_COUNTED + 1) for way in self.ways))
            if len(keys) <= MOST_COUNTED:
                return Count(len(keys))
        return Count.about(expected) if expected > MOST_COUNTED else Count(MOST_COUNTED, "more than")

    def take(self, order: Order, condition: Q, wanted: int, *, backwards: bool) -> list[tuple[Any, ...]]:
        """See `Rows`."""
        # The first of all are among the first of each way.
        taken = [way.take(order, condition, wanted, backwards=backwards) for way in self.ways]
        keys = {values[-1] for each in taken for values in each}
        rows = self.among.table.filter(OneOf("pk", keys)).order_by(*order.names(backwards=backwards))
        return list(rows.values_list(*order.columns)[:wanted])
