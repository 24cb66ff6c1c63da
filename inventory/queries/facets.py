"""What the parts of a search have in common: how many there are of each make, condition and price."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet

from config.cache import cached, families
from config.db.reading import fetch, optional_decimal, statement_of
from inventory.models import Part
from inventory.queries.meant import as_meant
from inventory.queries.parts import PartFilters, public_parts
from inventory.search import matching_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TOP_MAKES = 20
# Lower ends; a price on an edge belongs to the band that begins there.
PRICE_BANDS = (0, 1000, 5000, 10_000, 25_000)
_BAND = "CASE " + " ".join(f"WHEN price >= {lower} THEN {lower}" for lower in reversed(PRICE_BANDS)) + " END"

# ruff: noqa: S608  # every statement is put together from the constants of this module


@dataclass(frozen=True, slots=True)
class Band:
    """How many parts cost from `lower` on and less than `upper`; the last band has no upper end."""

    lower: int
    upper: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices in one currency; sums over several would mean nothing."""

    currency: str
    count: int
    lowest: Decimal
    highest: Decimal
    average: Decimal
    bands: list[Band]


@dataclass(frozen=True, slots=True)
class Count:
    """How many parts have a value."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class PartFacets:
    """What the parts of a search have in common: the 20 most frequent makes, conditions and prices.

    `searched_for` are the words that a text with a typing error was taken for.
    """

    total: int = 0
    makes: list[Count] = field(default_factory=list)
    conditions: list[Count] = field(default_factory=list)
    prices: list[Prices] = field(default_factory=list)
    searched_for: str | None = None


def part_facets(filters: PartFilters | None = None) -> PartFacets:
    """Count what the found parts have in common, with one reading of them."""
    filters = filters or PartFilters()

    def read() -> PartFacets:
        return as_meant(lambda text: _part_facets(replace(filters, text=text)), filters.text, Part.all_objects)

    return read() if filters.circle is not None else cached(families.PARTS_FACETS, filters, read)


def _part_facets(filters: PartFilters) -> PartFacets:
    parts = public_parts(filters)
    if filters.text:
        parts = parts.filter(matching_parts(filters.text))
    try:
        statement, parameters = statement_of(parts.values_list("vehicle__make", "condition", "price", "currency"))
    except EmptyResultSet:
        return PartFacets()
    groups = f"vehicle__make, condition, currency, {_BAND}"
    counting = (
        f"SELECT {groups}, count(*), min(price), max(price), sum(price) FROM ({statement}) found GROUP BY {groups}"
    )
    return _facets(fetch(Part, counting, parameters, keep_plan=False))


def _facets(rows: Sequence[tuple[Any, ...]]) -> PartFacets:
    """Add up rows of make, condition, currency, band, count, lowest, highest and sum."""
    makes, conditions = (_counts((row[place], row[4]) for row in rows) for place in (0, 1))
    currencies = sorted({row[2] for row in rows})
    return PartFacets(
        total=sum(each.count for each in makes),
        makes=makes[:TOP_MAKES],
        conditions=conditions,
        prices=[_prices(name, [row[3:] for row in rows if row[2] == name]) for name in currencies],
    )


def _counts(numbers: Iterable[tuple[str, int]]) -> list[Count]:
    """Return how many parts each value has, the most frequent first."""
    counts: Counter[str] = Counter()
    for value, number in numbers:
        counts[value] += number
    return [Count(*each) for each in sorted(counts.items(), key=lambda each: (-each[1], each[0]))]


def _prices(currency: str, rows: Sequence[tuple[Any, ...]]) -> Prices:
    counts: Counter[int] = Counter()
    for band, number, *_ in rows:
        counts[band] += number
    lowest, highest, sums = ([optional_decimal(row[place]) or Decimal(0) for row in rows] for place in (2, 3, 4))
    return Prices(
        currency=currency,
        count=counts.total(),
        lowest=min(lowest),
        highest=max(highest),
        average=round(sum(sums, Decimal(0)) / counts.total(), 2),
        bands=[
            Band(lower, upper, counts[lower])
            for lower, upper in zip(PRICE_BANDS, (*PRICE_BANDS[1:], None), strict=True)
        ],
    )
