"""What the search box of a list looks through: each way finds its rows by an index.

An admin class names its ways in `searches_by`: the words of texts, values as they are, beginnings, or rows of another
table that were found. A row is listed when one of the ways finds it; the list keeps its order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models import Q

from config.db.estimates import expected_rows
from config.db.search import SHORTEST_TEXT, Searched, fenced, matches
from config.db.typos import repaired
from config.db.words import searched_words
from config.staff.orders import has_few_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from django.db.models import QuerySet

    from config.staff.orders import Order

    class Way(Protocol):
        """One way to find rows; None where the text cannot be meant."""

        def condition(self, text: str, model: Any, using: str) -> Q | None: ...


# So many related rows are named one by one.
_MOST_NAMED = 1_000
# From so many expected matches on, those that come first in the list's order are looked for where the list begins.
_MANY = 2_000
# Of so many rows at the beginning those that were found are looked up, which takes some milliseconds.
_MOST_LOOKED_INTO = 50_000


@dataclass(frozen=True, slots=True)
class Words:
    """By the words of texts, in any order, the last of them perhaps only begun."""

    what: Searched

    def condition(self, text: str, model: Any, using: str) -> Q | None:
        return matches(self.what, text)


@dataclass(frozen=True, slots=True)
class Names:
    """By the words of names alone, as rows are found through others."""

    what: Searched

    def condition(self, text: str, model: Any, using: str) -> Q | None:
        return matches(Searched(self.what.names, self.what.names), text)


@dataclass(frozen=True, slots=True)
class Whole:
    """By a whole value, such as the code of a voucher or an address."""

    column: str

    def condition(self, text: str, model: Any, using: str) -> Q | None:
        field = model._meta.get_field(self.column)
        try:
            return Q((self.column, field.clean(field.to_python(text.strip()), None)))
        except (ValidationError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Code:
    """By a code of the program such as PART_VIEW, however it is typed."""

    column: str

    def condition(self, text: str, model: Any, using: str) -> Q | None:
        code = "_".join(searched_words(text))
        return Q((f"{self.column}__in", [code, code.upper()]))


@dataclass(frozen=True, slots=True)
class Part:
    """By a part of a value, looked for in all rows: for tables that stay small."""

    column: str

    def condition(self, text: str, model: Any, using: str) -> Q | None:
        return Q((f"{self.column}__icontains", text.strip()))


@dataclass(frozen=True, slots=True)
class Beginning:
    """By the beginning of a value, such as a path."""

    column: str

    def condition(self, text: str, model: Any, using: str) -> Q | None:
        return Q((f"{self.column}__startswith", text.strip()))


@dataclass(frozen=True, slots=True)
class Through:
    """By related rows that are found: `relation` points at them."""

    relation: str
    way: Way

    def condition(self, text: str, model: Any, using: str) -> Q | None:
        related = model._meta.get_field(self.relation).related_model
        condition = self.way.condition(text, related, using)
        if condition is None:
            return None
        return is_among(f"{self.relation}_id", related._base_manager.using(using).filter(condition), "pk")


def is_among(column: str, found: QuerySet[Any], key: str) -> Q:
    """Return the condition that `column` is the `key` of a row of `found`, another table.

    Few keys are named one by one: then the planner knows how many there are, and an index looks them up.
    """
    keys = fenced(found, key)
    named = list(keys.values_list(key, flat=True)[: _MOST_NAMED + 1])
    return Q((f"{column}__in", named if len(named) <= _MOST_NAMED else keys))


def search_rows(ways: Sequence[Way], text: str, rows: QuerySet[Any]) -> SearchedRows:
    """Search `rows`, which may be filtered but not sliced."""
    own: list[Q] = []
    others: list[Q] = []
    for way in ways:
        if (condition := way.condition(text, rows.model, rows.db)) is not None:
            (others if isinstance(way, Through) else own).append(condition)
    # Joined by "or", conditions on other tables would be asked of each row.
    conditions = [*([reduce(or_, own)] if own else []), *others]
    if not conditions:
        return SearchedRows(rows.none())
    everything = rows.model._base_manager.using(rows.db)
    found = [everything.filter(condition) for condition in conditions]
    if connections[rows.db].vendor != "postgresql":
        return SearchedRows(rows.filter(reduce(or_, conditions)))
    if sum(map(expected_rows, found)) < _MANY:
        keys = {key for each in found for key in fenced(each).values_list("pk", flat=True)[: 2 * _MANY]}
        if len(keys) < _MANY:
            return SearchedRows(rows.filter(pk__in=keys))
    if len(found) == 1:
        return SearchedRows(rows.filter(pk__in=fenced(found[0])), rows.filter(conditions[0]), rows)
    return SearchedRows(rows.filter(pk__in=fenced(found[0]).union(*map(fenced, found[1:]))))


def better_words(ways: Sequence[Way], text: str, model: Any, using: str) -> str:
    """Return the text with misspelled words repaired, empty where none is known that could be meant."""
    if not any(isinstance(way, Words) for way in ways):
        return ""
    typed = searched_words(text)
    known = repaired(typed, model._meta.db_table, using=using)
    return "" if known == typed or sum(map(len, typed)) < SHORTEST_TEXT else " ".join(known)


@dataclass(frozen=True)
class SearchedRows:
    """Rows that a search found: `queryset` gets them by an index first of all.

    `direct` asks each row for the condition: where nothing else is asked, PostgreSQL has no worse way to them either.
    """

    queryset: QuerySet[Any]
    direct: QuerySet[Any] | None = None
    among: QuerySet[Any] | None = None

    @cached_property
    def countable(self) -> QuerySet[Any]:
        """The rows in the way that counts them fastest."""
        return self.queryset if self.direct is None or not self._is_wide else self.direct

    @cached_property
    def expected(self) -> int | None:
        """About how many rows there are, where the database can tell."""
        is_known = connections[self.queryset.db].vendor == "postgresql"
        return expected_rows(self.countable) if is_known else None

    @cached_property
    def _of_table(self) -> int:
        return expected_rows(self.queryset.model._base_manager.using(self.queryset.db).all())

    @cached_property
    def _is_wide(self) -> bool:
        """Whether the list is of most rows of the table, so that no other condition is the first to be looked up."""
        return self.among is not None and 2 * expected_rows(self.among) > self._of_table

    def take(self, order: Order, condition: Q, wanted: int, *, backwards: bool) -> list[tuple[Any, ...]]:
        """Return the first rows that meet `condition` as well: their values in the columns of the order."""
        near = self._near(order, condition, wanted, backwards=backwards)
        if near is not None and len(near) == wanted:
            return near
        # All that were found are sorted: an index of the order would tempt the planner to look into row after row.
        rows = self.countable.filter(condition).order_by(*order.unindexed(backwards=backwards))
        return list(rows.values_list(*order.columns)[:wanted])

    def _near(self, order: Order, condition: Q, wanted: int, *, backwards: bool) -> list[tuple[Any, ...]] | None:
        """Look where the order begins, if by all odds enough lie there; None where they do not."""
        model, using = self.queryset.model, self.queryset.db
        if self.direct is None or has_few_values(model._meta.get_field(order.columns[0])):
            return None
        looked_into = 3 * wanted * self._of_table // expected_rows(self.direct)
        if looked_into > _MOST_LOOKED_INTO:
            return None
        names = order.names(backwards=backwards)
        everything = model._base_manager.using(using).filter(condition)
        ends = list(everything.order_by(*names).values_list(*order.columns)[looked_into : looked_into + 1])
        rows = self.direct.filter(condition, *(order.before(end, backwards=backwards) for end in ends))
        return list(rows.order_by(*names).values_list(*order.columns)[:wanted])
