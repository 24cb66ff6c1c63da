"""Choosing a year, a month or a day of a list, offered from the calendar: no row is read but the first and the last."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Max, Min
from django.utils import formats, timezone
from django.utils.text import capfirst

if TYPE_CHECKING:
    from collections.abc import Iterator

# A wrong date, such as one in the year 200, must not fill the page.
_MOST_YEARS = 30
_PARTS = ("year", "month", "day")


def date_choices(changelist: Any) -> dict[str, Any] | None:
    """Return the way back and the next finer choices, each with a title and a link; None where there is nothing."""
    name = changelist.date_hierarchy
    asked = [changelist.params.get(f"{name}__{part}") for part in _PARTS]
    chosen = [int(value) for value in asked if value]
    # Of the whole table, which an index tells at once, also where the person sees but a part of it.
    ends = changelist.model._base_manager.aggregate(first=Min(name), last=Max(name))
    if ends["first"] is None:
        return None
    first, last = _day(ends["first"]), _day(ends["last"])
    back = _link(changelist, chosen[:-1]) if chosen else None
    if not chosen and first.year == last.year:
        chosen = [first.year, first.month] if first.month == last.month else [first.year]
    return {
        "show": True,
        "back": {"link": back, "title": _back_title(chosen)} if back else None,
        "choices": list(_choices(changelist, chosen, first, last)),
    }


def _day(moment: date) -> date:
    if isinstance(moment, datetime):
        return timezone.localtime(moment).date() if timezone.is_aware(moment) else moment.date()
    return moment


def _back_title(chosen: list[int]) -> str:
    if len(chosen) == 1:
        return "All dates"
    return str(chosen[0]) if len(chosen) == 2 else _title(date(chosen[0], chosen[1], 1), 2)


def _choices(changelist: Any, chosen: list[int], first: date, last: date) -> Iterator[dict[str, str]]:
    if len(chosen) == 3:
        yield {"title": _title(date(*chosen), 3)}
        return
    for finer in _finer(chosen, first, last):
        here = [*chosen, finer]
        day = date(*here, *(1, 1, 1)[len(here) :])
        yield {"title": _title(day, len(here)), "link": _link(changelist, here)}


def _finer(chosen: list[int], first: date, last: date) -> range:
    """Return the years, the months of a year, or the days of a month, from the first row's on to the last's."""
    if not chosen:
        return range(max(first.year, last.year - _MOST_YEARS + 1), last.year + 1)
    begin, end = (first.year, first.month, first.day), (last.year, last.month, last.day)
    depth = len(chosen)
    most = 12 if depth == 1 else calendar.monthrange(*chosen)[1]
    low = begin[depth] if list(begin[:depth]) == chosen else 1
    high = end[depth] if list(end[:depth]) == chosen else most
    return range(low, high + 1)


def _title(day: date, depth: int) -> str:
    if depth == 1:
        return str(day.year)
    return capfirst(formats.date_format(day, "YEAR_MONTH_FORMAT" if depth == 2 else "MONTH_DAY_FORMAT"))


def _link(changelist: Any, chosen: list[int]) -> str:
    name = changelist.date_hierarchy
    address: str = changelist.get_query_string(
        {f"{name}__{part}": value for part, value in zip(_PARTS, chosen, strict=False)}, [f"{name}__"]
    )
    return address
