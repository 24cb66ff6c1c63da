"""The list of an admin class: rows found by index, in pages that cost the same wherever they lie."""

from __future__ import annotations

from copy import copy
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.exceptions import SuspiciousOperation
from django.core.paginator import EmptyPage, Page, Paginator
from django.db import DataError
from django.utils.text import Truncator
from unfold.views import ChangeList

from config.staff.columns import tell_reader
from config.staff.counting import Count
from config.staff.dates import date_choices
from config.staff.names import fetch_names
from config.staff.orders import Order
from config.staff.pages import LAST, MOST_SKIPPED, Place, PlainRows, UnknownPage, find_page
from config.staff.searching import better_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from config.staff.pages import Rows

# No list has more columns; Python reads no thousands of digits.
_POSITIONS = {str(position): position for position in range(100)}
# So much of an address is repeated to whoever asked for it.
_MOST_REPEATED = 80


class StaffChangeList(ChangeList):  # type: ignore[misc]  # the theme has no types
    """List whose rows know the request, so that columns link only where the person may go."""

    rows: Rows
    query: str
    paginator: StaffPaginator

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        try:
            super().__init__(request, *args, **kwargs)
        except (OverflowError, DataError) as error:
            if set(request.GET) <= {ERROR_FLAG}:
                # Nothing was asked, so a row cannot be read.
                raise
            # A value that no column can hold is seen by the database first.
            raise IncorrectLookupParameters(error) from error

    def get_filters(self, request: HttpRequest) -> Any:
        self._check_date()
        return super().get_filters(request)

    def _check_date(self) -> None:
        """Refuse a year, month or day of the date hierarchy that no calendar has, or that lacks what it is part of."""
        asked = [self.filter_params.get(f"{self.date_hierarchy}__{part}") for part in ("year", "month", "day")]
        given = [values[-1] for values in asked if values is not None]
        if any(values is None for values in asked[: len(given)]):
            raise IncorrectLookupParameters("a month needs its year, a day its month")
        try:
            year, month, day = [*(int(value) for value in given), *(2000, 1, 1)[len(given) :]]
            # The list reads on to the next year, month or day.
            date(year, month, day).replace(day=1, year=year + 1)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error

    # Order

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Return the order by the column that was clicked last, or else the table's own."""
        default = list(self.model_admin.get_ordering(request) or self._get_default_ordering())
        if (chosen := self._chosen_column()) is None:
            return self._to_the_key(default)
        position, sign = chosen
        name = str(self.get_ordering_field(self.list_display[position]))
        if name.startswith("-"):
            name, sign = name[1:], "" if sign else "-"
        plain = [each.lstrip("-") for each in default if isinstance(each, str)]
        return self._to_the_key([f"{sign}{name}", *[f"{sign}{each}" for each in plain if each != name]])

    def _to_the_key(self, names: list[Any]) -> list[Any]:
        """Let the key decide among equal rows, in the direction of the rest."""
        if any(isinstance(name, str) and name.lstrip("-") in {"pk", self.lookup_opts.pk.name} for name in names):
            return names
        last = names[-1] if names and isinstance(names[-1], str) else "-"
        return [*names, "-pk" if last.startswith("-") else "pk"]

    def _chosen_column(self) -> tuple[int, str] | None:
        """Return the position of the first column that the address sorts by and that can be sorted, and its sign."""
        for part in self.params.get(ORDER_VAR, "").split("."):
            _, sign, digits = part.rpartition("-")
            position = _POSITIONS.get(digits)
            if position is not None and position < len(self.list_display):
                name = self.list_display[position]
                if (self.sortable_by is None or name in self.sortable_by) and self.get_ordering_field(name):
                    return position, sign
        return None

    def get_ordering_field_columns(self) -> dict[int, str]:
        if ORDER_VAR not in self.params:
            columns: dict[int, str] = super().get_ordering_field_columns()
            return columns
        chosen = self._chosen_column()
        return {} if chosen is None else {chosen[0]: "desc" if chosen[1] else "asc"}

    # Rows

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """Return all rows of the list; those that the search box finds by an index are noted for the page."""
        searched, self.query = self.query, ""
        among = super().get_queryset(request, exclude_parameters)
        self.query = searched
        self.rows = PlainRows(among)
        if searched:
            self.rows = self.model_admin.rows_found(request, among, searched)
        return self.rows.queryset

    def get_results(self, request: HttpRequest) -> None:
        """Read the page that is asked for, and find out how many rows there are."""
        order, size = Order.of(self.queryset.query.order_by, self.model), self.list_per_page
        try:
            place = Place.read(request.GET.get(PAGE_VAR, "1"), order, self.model, size)
        except UnknownPage as error:
            raise IncorrectLookupParameters(error) from error
        found = find_page(self.rows, order, place, size)
        is_all = place.number == 1 and not found.later
        self._tell_numbers(Count(len(found.keys)) if is_all else self.rows.count(order), place)
        if place.number is not None and place.number > max(self.paginator.num_pages, 1):
            if self.multi_page:
                raise IncorrectLookupParameters(PAGE_VAR)
            place = Place()
            found = find_page(self.rows, order, place, size)
        if self.show_all and self.can_show_all and self.multi_page:
            found = find_page(self.rows, order, Place(), self.list_max_show_all)
        self.beside, self.place = found, place
        self.result_list = self._read(found.keys)
        for row in self.result_list:
            tell_reader(row, request, self.model_admin.admin_site)
        fetch_names(self.result_list)

    def _tell_numbers(self, count: Count, place: Place) -> None:
        self.result_count = count
        self.page_num = place.number or 1
        self.can_show_all = count.is_exact and count <= self.list_max_show_all
        self.multi_page = count > self.list_per_page
        self.show_full_result_count = False
        # Nobody has counted whether there are rows at all.
        self.show_admin_actions = True
        is_narrowed = bool(self.query or self.has_active_filters)
        # The head of the page tells the number of rows only where it differs from all there are.
        self.full_result_count = None if is_narrowed else count
        self.paginator = StaffPaginator(range(count), self.list_per_page)

    def _read(self, keys: list[Any]) -> list[Any]:
        """Return the rows with these keys: what columns add to a row is asked for these rows alone."""
        rows = self.root_queryset.order_by().filter(pk__in=keys)
        by_key = {row.pk: row for row in self.apply_select_related(rows)} if keys else {}
        return [by_key[key] for key in keys if key in by_key]

    # What the page says

    @cached_property
    def dates(self) -> dict[str, Any] | None:
        return date_choices(self) if self.date_hierarchy else None

    @property
    def page_links(self) -> list[dict[str, str]]:
        """Return the links to the first, previous, next and last page, without an address where there is none."""
        before, after = self.beside.earlier, self.beside.later
        named = [
            ("First", "first_page", "1" if before else ""),
            ("Previous", "chevron_left", before),
            ("Next", "chevron_right", after),
            ("Last", "last_page", LAST if after else ""),
        ]
        return [
            {"title": title, "icon": icon, "link": self.get_query_string({PAGE_VAR: page}) if page else ""}
            for title, icon, page in named
        ]

    @cached_property
    def meant(self) -> dict[str, str] | None:
        """The search that was probably meant, where nothing is found as it is typed."""
        if self.result_list or not self.query:
            return None
        words = better_words(self.model_admin.searches_by, self.query, self.model, self.queryset.db)
        return {"words": words, "link": self.get_query_string({"q": words})} if words else None


def misunderstood(request: HttpRequest, read: Callable[[HttpRequest], object]) -> str:
    """Say what of an address, of which `read` makes no list, stands in the way of one."""
    wrong = [name for name in request.GET if _is_understood(request, read, without=name)]
    parts = [urlencode({name: request.GET.getlist(name)}, doseq=True) for name in wrong]
    told = f": {Truncator(' '.join(parts)).chars(_MOST_REPEATED)}" if parts else ""
    return f"The address of the list was not understood{told}. Here are all rows."


def _is_understood(request: HttpRequest, read: Callable[[HttpRequest], object], *, without: str) -> bool:
    other, rest = copy(request), request.GET.copy()
    del rest[without]
    other.GET = rest  # type: ignore[assignment]  # a request's own is merely an immutable one
    try:
        read(other)
    except (IncorrectLookupParameters, SuspiciousOperation):
        return False
    return True


class StaffPaginator(Paginator):  # type: ignore[type-arg]  # of a mere number of rows
    """Numbers the pages of a list; where rows are not counted, its template links to the pages beside this one."""

    template_name = "staff/pages.html"


class OnwardPaginator(Paginator):  # type: ignore[type-arg]  # of whatever the view lists
    """Pages of which it is only known whether another follows: rows are not counted."""

    def page(self, number: Any) -> Any:
        start = (self.validate_number(number) - 1) * self.per_page
        rows = list(self.object_list[start : start + self.per_page + 1])
        page = _OnwardPage(rows[: self.per_page], int(number), self)
        page.more = len(rows) > self.per_page
        return page

    def validate_number(self, number: Any) -> int:
        if int(number) > MOST_SKIPPED // self.per_page + 1:
            raise EmptyPage("No page lies so far down: type more of what you look for.")
        return max(int(number), 1)


class _OnwardPage(Page):  # type: ignore[type-arg]  # of whatever the view lists
    more = False

    def has_next(self) -> bool:
        return self.more
