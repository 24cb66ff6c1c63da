"""What the search box of a list looks through: each way finds its rows by an index.

An admin class names its ways in `searches_by`: the words of texts, values as they are, beginnings, or rows of another
table that were found. A row is listed when one of the ways finds it; the list keeps its order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models import BooleanField, OuterRef, Q, Subquery, Value

from config.db.arrays import AmongKeys, OneOf
from config.db.estimates import expected_rows
from config.db.search import Searched, better_text, fenced, matches
from config.db.words import Words as WordsOf
from config.db.words import searched_words
from config.staff.pages import PlainRows
from config.staff.searched_rows import Among, Found, JoinedRows, SearchedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from django.db.models import Model, QuerySet

    from config.staff.pages import Rows

    class Way(Protocol):
        """One way to find rows."""

        def find(self, text: str, rows: QuerySet[Any]) -> Found | None:
            """Find some of all rows of a table; None where the text cannot be meant."""


# Fewer matches than these are named one by one.
_MANY = 2_000
# Rows that belong to so many others or more, as far as the planner knows, are looked up by these.
_FEWEST_OTHERS = 20


@dataclass(frozen=True, slots=True)
class Words:
    """By the words of texts, in any order, the last of them perhaps only begun."""

    what: Searched

    def find(self, text: str, rows: QuerySet[Any]) -> Found | None:
        """See `Way`."""
        return _found(rows, matches(self.what, text))


@dataclass(frozen=True, slots=True)
class Names:
    """By the words of names alone, as rows are found through others."""

    what: Searched

    def find(self, text: str, rows: QuerySet[Any]) -> Found | None:
        """See `Way`."""
        found = matches(Searched(self.what.names, self.what.names), text)
        if found is not None and not _has_index(rows.model, self.what.names):
            # The index of all texts finds the words of names as well.
            found = Q(matches(self.what, text), found)
        return _found(rows, found)


@dataclass(frozen=True, slots=True)
class Whole:
    """By a whole value, such as the code of a voucher or an address; `stored` spells what is typed as it is stored."""

    column: str
    stored: Callable[[str], str] = str.strip

    def find(self, text: str, rows: QuerySet[Any]) -> Found | None:
        """See `Way`."""
        field = rows.model._meta.get_field(self.column)
        try:
            values = {field.clean(field.to_python(spelled), None) for spelled in (text.strip(), self.stored(text))}
            return _found(rows, Q((f"{self.column}__in", values)))
        except (ValidationError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Code:
    """By a code of the program such as PART_VIEW, however it is typed."""

    column: str

    def find(self, text: str, rows: QuerySet[Any]) -> Found | None:
        """See `Way`."""
        code = "_".join(searched_words(text))
        return _found(rows, Q((f"{self.column}__in", [code, code.upper()])))


@dataclass(frozen=True, slots=True)
class Part:
    """By a part of a value, looked for in all rows: for tables that stay small."""

    column: str

    def find(self, text: str, rows: QuerySet[Any]) -> Found | None:
        """See `Way`."""
        return _found(rows, Q((f"{self.column}__icontains", text.strip())))


@dataclass(frozen=True, slots=True)
class Beginning:
    """By the beginning of a value, such as a path."""

    column: str

    def find(self, text: str, rows: QuerySet[Any]) -> Found | None:
        """See `Way`."""
        return _found(rows, Q((f"{self.column}__startswith", text.strip())))


@dataclass(frozen=True, slots=True)
class Through:
    """By rows of another table that are found: `column` holds their `key`. Without `related` it is a foreign key."""

    column: str
    way: Way
    related: type[Model] | None = None
    key: str = "pk"

    def table(self, model: Any) -> Any:
        """Return the table of the rows that are found, for a list of `model`."""
        return self.related or model._meta.get_field(self.column).related_model

    def by_names(self) -> Through:
        """Return the way of those who see no more of the related rows than what these are called."""
        return replace(self, way=Names(self.way.what)) if isinstance(self.way, Words) else self

    def find(self, text: str, rows: QuerySet[Any]) -> Found | None:
        """See `Way`."""
        related = self.table(rows.model)
        everything = related._base_manager.using(rows.db).all()
        found = self.way.find(text, everything)
        if found is None:
            return None
        keys = fenced(everything.filter(found.condition), self.key)
        looked_up = Q(AmongKeys(self.column, keys))
        # Where a few of the others have most of the rows, all would be read, and each compared with every key.
        is_even = _expected(rows.filter(looked_up)) * _FEWEST_OTHERS < _expected(rows)
        its_own = everything.filter(**{self.key: OuterRef(self.column)}).filter(found.each or found.condition)
        return Found(
            looked_up if is_even else Q((f"{self.column}__in", keys)),
            # As if those that were found had as many rows as the others.
            _expected(rows.exclude(**{self.column: None})) * found.expected // _expected(everything) + 1,
            # A single value is looked up for each row, where EXISTS could be for the whole table at once.
            Q(Subquery(its_own.values(found=Value(True))[:1], output_field=BooleanField())),
        )


def ways_of(ways: Sequence[Way], model: Any, may_view: Callable[[Any], bool]) -> list[Way]:
    """Return the ways in which a person searches a list of `model`: of tables that they may not view, by names alone.

    Else what a list keeps from them, such as an address, could be spelled out by searching for it.
    """
    return [way.by_names() if isinstance(way, Through) and not may_view(way.table(model)) else way for way in ways]


def _has_index(model: Any, columns: Sequence[str]) -> bool:
    return any(WordsOf(*columns) in index.expressions for index in model._meta.indexes)


def _found(rows: QuerySet[Any], condition: Q | None) -> Found | None:
    return None if condition is None else Found(condition, _expected(rows.filter(condition)))


def _expected(rows: QuerySet[Any]) -> int:
    # SQLite expects nothing, and is asked in one way.
    return expected_rows(rows) if connections[rows.db].vendor == "postgresql" else 1


def search_rows(ways: Sequence[Way], text: str, rows: QuerySet[Any]) -> Rows:
    """Search `rows`, which may be filtered but not sliced."""
    everything = rows.model._base_manager.using(rows.db).all()
    found = _joined([each for way in ways if (each := way.find(text, everything)) is not None])
    if not found:
        return PlainRows(rows.none())
    if connections[rows.db].vendor != "postgresql":
        return PlainRows(rows.filter(reduce(or_, [each.condition for each in found])))
    if sum(each.expected for each in found) < _MANY:
        matches = (fenced(everything.filter(each.condition)) for each in found)
        keys = {key for each in matches for key in each.values_list("pk", flat=True)[: 2 * _MANY]}
        if len(keys) < _MANY:
            return PlainRows(rows.filter(OneOf("pk", keys)), len(keys)) if keys else PlainRows(rows.none())
    among = Among(rows)
    searched = [SearchedRows(among, each) for each in found]
    return searched[0] if len(searched) == 1 else JoinedRows(among, searched)


def _joined(found: Sequence[Found]) -> list[Found]:
    """Join what conditions of the table itself find: for these PostgreSQL brings several indexes together."""
    own = [each for each in found if each.each is None]
    others = [each for each in found if each.each is not None]
    if not own:
        return others
    return [Found(reduce(or_, [each.condition for each in own]), sum(each.expected for each in own)), *others]


def better_words(ways: Sequence[Way], text: str, model: Any, using: str) -> str:
    """Return the text with misspelled words repaired, empty where none is known that could be meant."""
    if not any(isinstance(way, Words) for way in ways):
        return ""
    return better_text(text, model, using=using)
