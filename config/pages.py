"""Pages of a long list: numbered ones for people, and cursors, whose cost does not grow with depth.

A cursor names the row at which the page before ended by its place in the order, so that rows which come or go meanwhile
make nothing appear twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from config.cursors import UnreadableCursor, seal, unseal
from config.db.statements import Along, Beyond, read_values

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from django.db.models import Field, QuerySet

PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100
LAST_PAGE = 1_000_000
# Ranked lists go on as far as this row.
LAST_RANK = 1000
RELEVANCE = "relevance"
_OTHER_ORDER = "The cursor belongs to the order {}: start anew without one."

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which page is asked for: by number, or by `cursor`, where an empty one is the first page."""

    page: int = 1
    page_size: int = PAGE_SIZE
    cursor: str | None = None

    @property
    def place(self) -> tuple[int, int, str | None]:
        """What tells this page from others of the same list; an empty cursor is not the same as none."""
        return (self.page if self.cursor is None else 0, self.page_size, self.cursor)


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """One page of a list.

    `total` counts all rows of the list; a page by cursor has neither number nor total. `next` and `previous` are
    cursors of the pages beside it, None at the ends. `searched_for` are the words that a text with a typing error was
    taken for.
    """

    items: list[ItemT]
    page_size: int
    page: int | None
    total: int | None
    next: str | None
    previous: str | None
    searched_for: str | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of rows: by `columns`, none of which is ever null, then by key, all in one direction."""

    name: str
    columns: tuple[str, ...]
    descending: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.columns, "pk")


@dataclass(frozen=True, slots=True)
class Slice:
    """The keys of one page's rows in their order, the cursors beside them, and what was read along of each row."""

    keys: list[int]
    next: str | None
    previous: str | None
    rows: Sequence[tuple[Any, ...]] = ()

    def page(self, items: list[ItemT], wanted: Wanted, count: Callable[[], int]) -> Page[ItemT]:
        """Return the page with these rows; `count` is asked only for a numbered one."""
        if wanted.cursor is not None:
            return Page(items, wanted.page_size, None, None, self.next, self.previous)
        return Page(items, wanted.page_size, wanted.page, count(), self.next, self.previous)


def read_ranked(name: str, find: Callable[[int, int], tuple[list[int], bool]], wanted: Wanted) -> Slice:
    """Find one page of a list of rows that have a rank: those from a rank on, however they change.

    `name` is the list's own. `find` takes a limit and an offset, and tells whether more follow. Nobody looks beyond the
    first rows; there pages are empty. Raises UnreadableCursor.
    """
    start = (wanted.page - 1) * wanted.page_size
    if wanted.cursor is not None:
        start = _read_offset(name, wanted.cursor) if wanted.cursor else 0
    size = min(wanted.page_size, LAST_RANK - start)
    keys, more = find(size, start) if size > 0 else ([], False)
    before, after = max(0, min(start, LAST_RANK) - wanted.page_size), start + wanted.page_size
    return Slice(
        keys=keys,
        next=seal(name, [RELEVANCE, after]) if more and after < LAST_RANK else None,
        previous=seal(name, [RELEVANCE, before]) if start > 0 else None,
    )


def _read_offset(name: str, cursor: str) -> int:
    order, *place = unseal(name, cursor)
    if order != RELEVANCE:
        raise UnreadableCursor(_OTHER_ORDER.format(order))
    return int(place[0])


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a list: `build(*values)` gives them, without an order; `name` is the list's own.

    `filters` and the order decide the text of their statement, see `config.db.statements.read_values`; without filters
    it is written anew every time. With `keep_plan` the server plans it once for all values
    (`config.db.reading.fetch`): for rows that nothing narrows but what an index in their order has ahead of it.
    `columns` are read along, or what `along` says.
    """

    name: str
    build: Callable[..., QuerySet[Any]]
    values: tuple[Any, ...] = ()
    filters: Hashable = None
    keep_plan: bool = False
    columns: tuple[str, ...] = ()
    along: Along | None = None


def read_slice(listing: Listing, sort: Sort, wanted: Wanted) -> Slice:
    """Find one page of a list in the order of `sort`, with one query, or two. Raises UnreadableCursor."""
    if wanted.cursor:
        return _beside(listing, sort, wanted.cursor, wanted.page_size)
    start = 0 if wanted.cursor is not None else (wanted.page - 1) * wanted.page_size
    found = _read(listing, sort, None, (), wanted.page_size + 1, start)
    shown = found[: wanted.page_size]
    return _slice(listing, sort, shown, earlier=start > 0, later=len(found) > len(shown))


def _beside(listing: Listing, sort: Sort, cursor: str, size: int) -> Slice:
    backwards, place = _read_cursor(listing, sort, cursor)
    found = _read(listing, sort, backwards, place, size + 1)
    shown, more = found[:size], len(found) > size
    if backwards:
        return _slice(listing, sort, shown[::-1], earlier=more, later=True)
    return _slice(listing, sort, shown, earlier=True, later=more)


def _read(
    listing: Listing, sort: Sort, backwards: bool | None, place: tuple[Any, ...], limit: int, offset: int = 0
) -> list[tuple[Any, ...]]:
    """Return the places of rows, those beyond `place` in a direction or, without one, from the first on."""
    known = len(listing.values)

    def build(*values: Any) -> QuerySet[Any, tuple[Any, ...]]:
        rows = listing.build(*values[:known])
        if backwards is not None:
            rows = rows.filter(Beyond(*sort.keys, place=values[known:], greater=sort.descending == backwards))
        sign = "-" if sort.descending != bool(backwards) else ""
        return rows.order_by(*(f"{sign}{key}" for key in sort.keys)).values_list(*sort.keys, *listing.columns)

    key = None if listing.filters is None else (listing.name, listing.filters, sort.name, backwards)
    values = (*listing.values, *place)
    return read_values(
        key, build, *values, limit=limit, offset=offset, keep_plan=listing.keep_plan, along=listing.along
    )


def _slice(listing: Listing, sort: Sort, shown: Sequence[tuple[Any, ...]], *, earlier: bool, later: bool) -> Slice:
    width = len(sort.keys)

    def beside(row: tuple[Any, ...], *, backwards: bool) -> str:
        return seal(listing.name, [sort.name, backwards, *map(str, row[:width])])

    return Slice(
        keys=[row[width - 1] for row in shown],
        next=beside(shown[-1], backwards=False) if shown and later else None,
        previous=beside(shown[0], backwards=True) if shown and earlier else None,
        rows=[row[width:] for row in shown],
    )


# Of the columns of each order of each list.
_fields: dict[tuple[str, str], list[Field[Any, Any]]] = {}


def _read_cursor(listing: Listing, sort: Sort, cursor: str) -> tuple[bool, tuple[Any, ...]]:
    order, *place = unseal(listing.name, cursor)
    if order != sort.name:
        raise UnreadableCursor(_OTHER_ORDER.format(order))
    fields = _fields.get((listing.name, sort.name))
    if fields is None:
        rows = listing.build(*listing.values)
        fields = _fields[listing.name, sort.name] = [_field(rows, key) for key in sort.keys]
    backwards, *values = place
    return backwards, tuple(starmap(lambda field, text: field.to_python(text), zip(fields, values, strict=True)))


def _field(rows: QuerySet[Any], key: str) -> Field[Any, Any]:
    if key in rows.query.annotations:
        return rows.query.annotations[key].output_field
    options = rows.model._meta
    field: Field[Any, Any] = options.pk if key == "pk" else options.get_field(key)
    return field
