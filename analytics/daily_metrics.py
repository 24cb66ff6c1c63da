"""The numbers of each day, rolled up once the day is over, so that nobody counts its rows again.

A day is one of the time zone in `TIME_ZONE`. Crawlers do not count, and sessions without a name are nobody's. For a day
there are, by content type and row:

- of `Event`, `PageView` and `Lead`: `events`, `page_views` and `leads`, whose events tell that the day is rolled up;
- of `PageView`: the views of each section of the website, such as `page_views_cars`;
- of nothing: the events of each type, under the type's own name;
- of each `Car`, `Part` and `Seller` that had any: its events of each type.

A number only rises: what retention or somebody removed after it was counted has been there.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Case, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.functions import Left
from django.db.models.lookups import Exact
from django.utils import timezone

from accounts.models import Seller
from analytics.models import DailyMetric, Event, PageView
from inventory.models import Car, Part
from leads.models import Lead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Model

EVENTS, PAGE_VIEWS, LEADS = "events", "page_views", "leads"
SECTIONS = ("cars", "parts", "sellers", "vouchers")
# Traces that arrive later than so many days after their own are in the numbers of no day.
LATE_DAYS = 7
BATCH_ROWS = 500
DAY = timedelta(days=1)

_DATED: tuple[tuple[type[Model], str], ...] = ((Event, "occurred_at"), (PageView, "created_at"), (Lead, "created_at"))
_COUNTS = {
    "number": Count("*"),
    "sessions": Count("session_id", distinct=True, filter=~Q(session_id="")),
}

# Metric, content type and row; value and sessions.
Key = tuple[str, int | None, int | None]
Numbers = tuple[int, int]


def day_of(moment: datetime) -> date:
    """Return the day to which a moment belongs."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def in_days(column: str, days: Iterable[date]) -> Q:
    """Return the condition that `column` lies in one of `days`, at least one, given in their order."""
    ranges: list[tuple[date, date]] = []
    for day in days:
        # Days that follow each other are one range of the index.
        first = ranges.pop()[0] if ranges and ranges[-1][1] == day else day
        ranges.append((first, day + DAY))
    return reduce(or_, (Q(**{f"{column}__gte": _midnight(a), f"{column}__lt": _midnight(b)}) for a, b in ranges))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_default_timezone())


def rolled_up() -> QuerySet[DailyMetric]:
    """Return the numbers of events in all, one for each day that is rolled up."""
    kind = ContentType.objects.get_for_model(Event)
    return DailyMetric.objects.filter(content_type=kind, object_id__isnull=True, metric=EVENTS)


def roll_up(now: datetime, *, late_days: int = LATE_DAYS) -> int:
    """Write what is missing of the days that are over at `now`; return of how many days anything was.

    These are the days that are not rolled up yet, and the last `late_days` whose rows came late. Each is done in a
    transaction of its own.
    """
    return sum(_roll_up_day(day) for day, _ in _days_due(now, late_days))


def days_to_roll_up(now: datetime) -> int:
    """Return of how many days `roll_up` would write anything."""
    return sum(is_new or any(_changes(day)) for day, is_new in _days_due(now, LATE_DAYS))


def reopen_days() -> None:
    """Let the next run roll up every day again, after rows of any age were loaded."""
    rolled_up().delete()


def _days_due(now: datetime, late_days: int) -> Iterator[tuple[date, bool]]:
    """Yield the days that are to be looked at, oldest first, and whether they are not rolled up yet."""
    today, rolled = day_of(now), set(rolled_up().values_list("day", flat=True))
    day = _day_with_rows(None)
    while day is not None and day < today:
        if day not in rolled or day >= today - late_days * DAY:
            yield day, day not in rolled
        day += DAY
        if day not in rolled:
            # Years without a row cost one look.
            day = _day_with_rows(day)


def _day_with_rows(since: date | None) -> date | None:
    """Return the first day from `since` on that has rows to count, or None."""
    found = None
    for model, column in _DATED:
        condition = Q() if since is None else Q(**{f"{column}__gte": _midnight(since)})
        first = model._base_manager.filter(condition).aggregate(first=Min(column))["first"]
        if first is not None:
            found = min(found or date.max, day_of(first))
        if found is not None and found == since:
            return found
    return found


@transaction.atomic
def _roll_up_day(day: date) -> bool:
    missing, raised = _changes(day)
    DailyMetric.objects.bulk_create(missing, batch_size=BATCH_ROWS)
    DailyMetric.objects.bulk_update(raised, ["value", "unique_sessions"], batch_size=BATCH_ROWS)
    return bool(missing or raised)


def _changes(day: date) -> tuple[list[DailyMetric], list[DailyMetric]]:
    """Return the numbers that the day lacks, and those that are too low with what they should be."""
    there = {(row.metric, row.content_type_id, row.object_id): row for row in DailyMetric.objects.filter(day=day)}
    missing, raised = [], []
    for key, (value, sessions) in _numbers(day):
        row = there.get(key)
        if row is None:
            metric, kind, target = key
            missing.append(
                DailyMetric(
                    day=day, metric=metric, content_type_id=kind, object_id=target,
                    value=value, unique_sessions=sessions,
                )
            )  # fmt: skip
        elif value > row.value or sessions > row.unique_sessions:
            row.value, row.unique_sessions = max(value, row.value), max(sessions, row.unique_sessions)
            raised.append(row)
    return missing, raised


def _numbers(day: date) -> Iterator[tuple[Key, Numbers]]:
    """Count the day's rows, which the database does: what comes here is one row for each number."""
    events, views, leads = (model._base_manager.filter(in_days(column, [day])).order_by() for model, column in _DATED)
    events, views = events.filter(is_bot=False), views.filter(is_bot=False)
    yield (EVENTS, _kind(Event), None), _whole(events)
    yield (PAGE_VIEWS, _kind(PageView), None), _whole(views)
    yield (LEADS, _kind(Lead), None), (leads.count(), 0)
    for (section,), numbers in _grouped(views.annotate(section=_section()), "section"):
        yield (f"{PAGE_VIEWS}_{section}", _kind(PageView), None), numbers
    for (event_type,), numbers in _grouped(events, "event_type"):
        yield (event_type, None, None), numbers
    for model, column in ((Car, "car_id"), (Part, "part_id"), (Seller, "seller_id")):
        of_rows = events.filter(**{f"{column}__isnull": False})
        for (event_type, target), numbers in _grouped(of_rows, "event_type", column):
            yield (event_type, _kind(model), target), numbers


def _kind(model: type[Model]) -> int:
    return int(ContentType.objects.get_for_model(model).pk)


def _whole(rows: QuerySet[Any]) -> Numbers:
    counted = rows.aggregate(**_COUNTS)
    return counted["number"], counted["sessions"]


def _grouped(rows: QuerySet[Any], *columns: str) -> Iterator[tuple[list[Any], Numbers]]:
    for *names, number, sessions in rows.values(*columns).annotate(**_COUNTS).values_list(*columns, *_COUNTS):
        yield names, (number, sessions)


def _section() -> Case:
    """Return the section of the website to which a path leads; capital letters count on both engines."""
    beginnings = {section: f"/{section}/" for section in SECTIONS}
    return Case(
        When(path="/", then=Value("home")),
        *(
            When(Exact(Left(F("path"), len(beginning)), Value(beginning)), then=Value(section))
            for section, beginning in beginnings.items()
        ),
        *(When(path=f"/{section}", then=Value(section)) for section in SECTIONS),
        default=Value("other"),
    )
