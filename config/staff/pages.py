"""The pages of a list: each is found by an index, however far down it lies.

A page is named by its number, or by the row that it follows or precedes. Such a page stays where it is while rows come
and go before it, and costs no more than the first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import starmap
from typing import TYPE_CHECKING, Any, Protocol

from django.core import signing
from django.db import connections
from django.db.models import Q

from config.db.estimates import expected_rows
from config.staff.counting import count_rows
from config.staff.orders import Order

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from config.staff.counting import Count

LAST = "last"
AFTER, BEFORE = "after:", "before:"
# Rows that are skipped have to be looked at: further down, pages have no numbers.
MOST_SKIPPED = 10_000
# So many rows are read and sorted within some milliseconds.
FEW = 5_000

_MOST_DIGITS = 20


class UnknownPage(ValueError):
    """The address names a page that this list does not have."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page lies: at a number, at an end, or beside the row that has `values` in the columns of the order."""

    number: int | None = 1
    values: tuple[Any, ...] = ()
    backwards: bool = False

    @classmethod
    def read(cls, text: str, order: Order | None, model: Any, size: int) -> Place:
        """Understand what an address says. Raises UnknownPage."""
        if text == LAST:
            return cls(None, backwards=True)
        for prefix in (AFTER, BEFORE):
            if text.startswith(prefix):
                return cls(None, _read_values(text.removeprefix(prefix), order, model), prefix == BEFORE)
        # Whatever else stands there is the first page, as everywhere in the admin. Python reads no thousands of digits.
        number = int(text[:_MOST_DIGITS]) if text.isascii() and text.removeprefix("-").isdigit() else 1
        if not 0 < number <= MOST_SKIPPED // size + 1:
            raise UnknownPage(text)
        return cls(number)


def _read_values(text: str, order: Order | None, model: Any) -> tuple[Any, ...]:
    try:
        of, *values = signing.Signer(salt=__name__).unsign_object(text)
    except (signing.BadSignature, ValueError) as error:
        raise UnknownPage(text) from error
    if order is None or of != ",".join(order.names()):
        raise UnknownPage(text)
    fields = [model._meta.get_field(column) for column in order.columns]
    return tuple(starmap(lambda field, value: field.to_python(value), zip(fields, values, strict=True)))


def _beside(order: Order, prefix: str, values: tuple[Any, ...]) -> str:
    texts = [None if value is None else str(value) for value in values]
    return prefix + signing.Signer(salt=__name__).sign_object([",".join(order.names()), *texts])


@dataclass(frozen=True, slots=True)
class Found:
    """The keys of a page's rows in order, and what names the pages beside it, empty where there are none."""

    keys: list[Any]
    earlier: str = ""
    later: str = ""


class Rows(Protocol):
    """Rows of which the first are taken: in an order, from one of its ends, those that meet a condition."""

    @property
    def queryset(self) -> QuerySet[Any]: ...

    def count(self, order: Order | None) -> Count:
        """Return how many there are, without reading all of a large table."""

    def take(self, order: Order, condition: Q, wanted: int, *, backwards: bool) -> list[tuple[Any, ...]]:
        """Return the first rows that meet `condition` as well: their values in the columns of the order."""


@dataclass(frozen=True)
class PlainRows:
    """Rows that an index of their order finds, or where there are few, one of what they are filtered by.

    `most` is known not to be exceeded.
    """

    queryset: QuerySet[Any]
    most: int | None = None

    def count(self, order: Order | None) -> Count:
        """See `Rows`."""
        return count_rows(self.queryset, self._expected, order.names() if order else ())

    def take(self, order: Order, condition: Q, wanted: int, *, backwards: bool) -> list[tuple[Any, ...]]:
        """See `Rows`."""
        # Few rows may all lie at the other end of the order.
        is_few = self._expected is not None and self._expected < FEW
        names = order.unindexed(backwards=backwards) if is_few else order.names(backwards=backwards)
        return list(self.queryset.filter(condition).order_by(*names).values_list(*order.columns)[:wanted])

    @cached_property
    def _expected(self) -> int | None:
        """About how many rows there are, where the database can tell."""
        if self.most is not None:
            return self.most
        return expected_rows(self.queryset) if connections[self.queryset.db].vendor == "postgresql" else None


def find_page(rows: Rows, order: Order | None, place: Place, size: int) -> Found:
    """Find one page. Without an order of columns it is found by its number, or from the end."""
    if order is None:
        return _unordered(rows.queryset, place, size)
    if place.number is not None:
        start = (place.number - 1) * size
        taken = rows.take(order, Q(), start + size + 1, backwards=False)[start:]
        return _page(order, taken[:size], earlier=start > 0, later=len(taken) > size)
    taken = _walk(rows, order, place, size + 1)
    shown, more = taken[:size], len(taken) > size
    if place.backwards and place.values and not more:
        # The beginning of the list is its first page, and a whole one.
        return find_page(rows, order, Place(), size)
    if place.backwards:
        return _page(order, shown[::-1], earlier=more, later=bool(place.values))
    return _page(order, shown, earlier=True, later=more)


def _walk(rows: Rows, order: Order, place: Place, wanted: int) -> list[tuple[Any, ...]]:
    taken: list[tuple[Any, ...]] = []
    queryset = rows.queryset
    conditions = [Q()]
    if place.values:
        conditions = order.beyond(place.values, queryset.model, using=queryset.db, backwards=place.backwards)
    for condition in conditions:
        if len(taken) < wanted:
            taken += rows.take(order, condition, wanted - len(taken), backwards=place.backwards)
    return taken


def _page(order: Order, shown: list[tuple[Any, ...]], *, earlier: bool, later: bool) -> Found:
    return Found(
        [values[-1] for values in shown],
        earlier=_beside(order, BEFORE, shown[0]) if shown and earlier else "",
        later=_beside(order, AFTER, shown[-1]) if shown and later else "",
    )


def _unordered(queryset: QuerySet[Any], place: Place, size: int) -> Found:
    if place.number is None:
        return Found(list(queryset.reverse().values_list("pk", flat=True)[:size])[::-1])
    start = (place.number - 1) * size
    keys = list(queryset.values_list("pk", flat=True)[start : start + size + 1])
    earlier = str(place.number - 1) if place.number > 1 else ""
    return Found(keys[:size], earlier, str(place.number + 1) if len(keys) > size else "")
