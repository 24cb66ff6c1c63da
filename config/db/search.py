"""Searching a table by what somebody types: best rows first, without reading every row that matches.

A row is better when its number is what was typed, then when its name holds all the words, then when all that it says
does; among equals the newest comes first. Each such class is asked in turn, and only until the page is full.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import Q
from django.db.models.functions import Coalesce

from config.db.estimates import expected_rows
from config.db.typos import repaired
from config.db.words import Holds, searched_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

SHORTEST_TEXT = 2
SHORTEST_NUMBER = 3
MOST_ROWS = 100
FURTHEST_ROW = 1000

# From so many expected matches on, the newest of them are looked for among the newest rows.
_MANY = 1000
# While one match is found and sorted, so many of the newest rows are looked into. A fixed number of rows would let the
# statistics of the day decide between twenty milliseconds and three hundred.
_LOOKED_INTO_MEANWHILE = 3
# Further than so many newest rows is looked only if one is found in a part of them.
_LOOKED_INTO_ANYWAY, _SOME = 4_000, 8
_NO_LIMIT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Searched:
    """What of a table is searched: its names, all that it says (names included), and a number if it has one.

    `everything` needs a `WordIndex` of the same columns, and for `search` so do `names`. The number's column holds
    capital letters and digits only; with `number_begins` it has an index for the beginnings of numbers as well, with
    `number_of_live` its index leaves out deleted rows.
    """

    names: tuple[str, ...]
    everything: tuple[str, ...]
    number: str = ""
    number_begins: bool = False
    number_of_live: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One page of keys, best first. `repaired` are the words that were searched instead of those typed, if any."""

    ids: list[int]
    repaired: str = ""
    has_more: bool = False


def search(what: Searched, text: str, within: QuerySet[Any], *, limit: int = 20, offset: int = 0) -> Found:
    """Return the keys of the rows of `within` that `text` finds.

    `within` may be filtered, but neither sorted nor sliced. Where nothing is found, misspelled words are repaired.
    """
    limit, offset = bounded(limit, offset)
    wanted = offset + limit + 1
    ids, instead = _ranked(what, text, within, wanted), ""
    if not ids and (better := better_text(text, within.model, using=within.db)):
        ids, instead = _ranked(what, better, within, wanted), better
    return Found(ids[offset : offset + limit], instead if ids else "", len(ids) == wanted)


def search_as_typed(what: Searched, text: str, within: QuerySet[Any], *, limit: int = 20, offset: int = 0) -> Found:
    """Return what `search` does, but repair nothing."""
    limit, offset = bounded(limit, offset)
    wanted = offset + limit + 1
    ids = _ranked(what, text, within, wanted)
    return Found(ids[offset : offset + limit], has_more=len(ids) == wanted)


def _ranked(what: Searched, text: str, within: QuerySet[Any], wanted: int) -> list[int]:
    words = searched_words(text)
    return best(_classes(what, words), within, wanted) if sum(map(len, words)) >= SHORTEST_TEXT else []


def better_text(text: str, model: Any, *, using: str) -> str:
    """Return the words of a text, those repaired that are misspelled; empty where none is, or the text is too short."""
    typed = searched_words(text)
    known = repaired(typed, model._meta.db_table, using=using)
    return "" if known == typed or sum(map(len, typed)) < SHORTEST_TEXT else " ".join(known)


def bounded(limit: int, offset: int) -> tuple[int, int]:
    """Return how many rows are given, and after how many: all before them have to be found as well."""
    return max(0, min(limit, MOST_ROWS)), max(0, min(offset, FURTHEST_ROW))


def matches(what: Searched, text: str) -> Q | None:
    """Return the condition of a row that `text` finds as it is typed, or None where the text is too short."""
    words = searched_words(text)
    if sum(map(len, words)) < SHORTEST_TEXT:
        return None
    found = Q(Holds(what.everything, words))
    for by_number in _by_number(what, words):
        found |= by_number
    return found


def matching(what: Searched, text: str, rows: QuerySet[Any]) -> Q:
    """Return the condition that a row is one of `rows` that `text` finds as it is typed.

    Nothing is found where the text is too short.
    """
    found = matches(what, text)
    return Q(pk__in=[] if found is None else fenced(rows.filter(found)))


def fenced(matches: QuerySet[Any], column: str = "pk") -> QuerySet[Any]:
    """Return the keys, or another column, of rows as a subquery of its own.

    A condition on words looks cheap to PostgreSQL's planner: beside others it is often asked of row after row, for
    seconds. Behind a limit the index of the words is the only way to the matches.
    """
    return matches.order_by().values(column)[:_NO_LIMIT]


def in_order(rows: QuerySet[Any], ids: Sequence[int]) -> list[Any]:
    """Return the rows with these keys, in the keys' order."""
    by_key = rows.in_bulk(ids)
    return [by_key[key] for key in ids if key in by_key]


def best(classes: Iterable[Q], within: QuerySet[Any], wanted: int) -> list[int]:
    """Return at most `wanted` keys of rows: those of the first class of matches, newest first, then of the next."""
    ids: list[int] = []
    for condition in classes:
        if len(ids) < wanted:
            ids += _newest(condition, within.exclude(pk__in=ids), wanted - len(ids))
    return ids


def _classes(what: Searched, words: Sequence[str]) -> list[Q]:
    columns = dict.fromkeys((what.names, what.everything))
    return [*_by_number(what, words), *(Q(Holds(each, words)) for each in columns)]


def _by_number(what: Searched, words: Sequence[str]) -> list[Q]:
    """Return the conditions that a number is, or begins with, what was typed; none where that cannot be a number."""
    number = re.sub(r"[^0-9A-Z]", "", "".join(words).upper())
    if not what.number or len(number) < SHORTEST_NUMBER or not re.search(r"\d", number):
        return []
    begins = [Q(**{f"{what.number}__startswith": number})] if what.number_begins else []
    live = Q(deleted_at__isnull=True) if what.number_of_live else Q()
    return [Q(**{what.number: number}) & live, *begins]


def _newest(condition: Q, within: QuerySet[Any], wanted: int) -> list[int]:
    if connections[within.db].vendor != "postgresql":
        return _keys(within.filter(condition).order_by("-created_at", "-pk"), wanted)
    matches = within.model._base_manager.using(within.db).filter(condition)
    ids = _among_newest(matches, within.filter(condition), wanted)
    if len(ids) == wanted:
        return ids
    found = within.filter(pk__in=fenced(matches))
    # An expression, because an index in that order would tempt the planner to go through the whole table.
    return _keys(found.order_by(Coalesce("created_at", "created_at").desc(), "-pk"), wanted)


def _keys(rows: QuerySet[Any], wanted: int) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:wanted])


def _among_newest(matches: QuerySet[Any], wanted_ones: QuerySet[Any], wanted: int) -> list[int]:
    """Return the newest of the wanted ones, as far as they lie among the newest rows of all; none where that is far."""
    expected = expected_rows(matches)
    if expected < _MANY:
        return []
    most = _LOOKED_INTO_MEANWHILE * expected
    everything = matches.model._base_manager.using(matches.db)
    scattered = 3 * wanted * expected_rows(everything.all())
    # Asked in this order, as filters on top of the matches leave even fewer.
    if scattered // expected > most:
        return []
    looked_into = scattered // expected_rows(wanted_ones)
    if looked_into > most:
        return []

    def among(number: int) -> list[int]:
        times = everything.order_by("-created_at").values_list("created_at", flat=True)[number : number + 1]
        return [
            key
            for oldest in times
            for key in _keys(wanted_ones.filter(created_at__gte=oldest).order_by("-created_at", "-pk"), wanted)
        ]

    # Of a word that it does not know, the planner expects thousands of rows.
    if looked_into > _LOOKED_INTO_ANYWAY and not among(looked_into // _SOME):
        return []
    return among(looked_into)
