"""The numbers of each day: what is counted when, and what becomes of them later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models.users import Role
from analytics.daily_metrics import LATE_DAYS, days_to_roll_up, reopen_days, roll_up, rolled_up
from analytics.models import DailyMetric, Event
from analytics.services import record_page_view
from tests.builders import NOON, make_car, make_event, make_lead, make_part, make_seller, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
YESTERDAY = NOON - DAY


def metrics(at: datetime = YESTERDAY) -> dict[str, tuple[int, int]]:
    """Value and sessions of the day's numbers that are not 0, by metric, kind of row and row."""
    rows = DailyMetric.objects.filter(day=at.date()).exclude(value=0).select_related("content_type")
    return {
        " ".join(
            [row.metric, row.content_type.model if row.content_type else "", str(row.object_id or "")]
        ).rstrip(): (row.value, row.unique_sessions)
        for row in rows
    }  # fmt: skip


def every_row() -> list[Any]:
    return list(DailyMetric.objects.order_by("pk").values())


def test_a_day_has_events_by_type_and_by_row_page_views_by_section_and_leads() -> None:
    car, part = make_car(seller=make_seller()), make_part()
    for session in ("a", "a", "b", ""):
        make_event(event_type="CAR_VIEW", car=car, seller=car.seller, session_id=session, occurred_at=YESTERDAY)
    make_event(event_type="PART_VIEW", part=part, seller=part.seller, session_id="a", occurred_at=YESTERDAY)
    make_event(event_type="SELLER_CONTACT", seller=part.seller, session_id="c", occurred_at=YESTERDAY)
    make_event(event_type="events", session_id="d", occurred_at=YESTERDAY)
    make_event(event_type="CAR_VIEW", car=car, session_id="e", occurred_at=YESTERDAY, is_bot=True)
    for path in ("/", "/cars/octavia", "/cars", "/carsharing", "/Cars/octavia", "/vouchers/"):
        record_page_view(path=path, session_id="a", now=YESTERDAY)
    record_page_view(path="/", user_agent="Googlebot/2.1", now=YESTERDAY)
    make_lead(created_at=YESTERDAY), make_lead(created_at=YESTERDAY, deleted_at=NOON)
    assert roll_up(NOON) == 1
    assert metrics() == {
        "events event": (7, 4),
        "CAR_VIEW": (4, 2),
        f"CAR_VIEW car {car.pk}": (4, 2),
        f"CAR_VIEW seller {car.seller_id}": (4, 2),
        "PART_VIEW": (1, 1),
        f"PART_VIEW part {part.pk}": (1, 1),
        f"PART_VIEW seller {part.seller_id}": (1, 1),
        "SELLER_CONTACT": (1, 1),
        f"SELLER_CONTACT seller {part.seller_id}": (1, 1),
        # What other systems call their events is kept, also where we have a number of that name.
        "events": (1, 1),
        "page_views pageview": (6, 1),
        "page_views_home pageview": (1, 1),
        "page_views_cars pageview": (2, 1),
        "page_views_vouchers pageview": (1, 1),
        "page_views_other pageview": (2, 1),
        "leads lead": (2, 0),
    }


def test_a_second_run_writes_nothing() -> None:
    make_event(occurred_at=YESTERDAY, session_id="a")
    record_page_view(path="/", now=NOON - 3 * DAY)
    assert days_to_roll_up(NOON) == 2
    assert roll_up(NOON) == 2
    rows = every_row()
    assert days_to_roll_up(NOON) == 0
    assert roll_up(NOON) == 0
    assert every_row() == rows


def test_a_day_is_one_of_the_time_zone_and_must_be_over(settings: Settings) -> None:
    # Helsinki is two hours ahead of UTC: this is its 2 March, which is over two hours before that of UTC.
    make_event(occurred_at=datetime(2026, 3, 1, 22, 30, tzinfo=UTC))
    make_event(occurred_at=datetime(2026, 3, 2, 21, 30, tzinfo=UTC))
    settings.TIME_ZONE = "Europe/Helsinki"
    assert roll_up(datetime(2026, 3, 2, 21, 59, tzinfo=UTC)) == 0
    assert roll_up(datetime(2026, 3, 2, 22, 0, tzinfo=UTC)) == 1
    assert dict(rolled_up().values_list("day", "value")) == {date(2026, 3, 2): 2}


def test_an_hour_that_the_clock_has_twice_counts_once(settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Helsinki"
    for hour in range(20, 46):
        make_event(occurred_at=datetime(2026, 10, 24, 0, 30, tzinfo=UTC) + timedelta(hours=hour))
    roll_up(datetime(2026, 10, 27, tzinfo=UTC))
    assert dict(rolled_up().values_list("day", "value")) == {
        date(2026, 10, 24): 1, date(2026, 10, 25): 25,
    }  # fmt: skip


def test_traces_that_arrive_late_are_added() -> None:
    car = make_car()
    make_event(event_type="CAR_VIEW", car=car, occurred_at=NOON - LATE_DAYS * DAY)
    roll_up(NOON)
    make_event(event_type="CAR_VIEW", car=car, session_id="a", occurred_at=NOON - LATE_DAYS * DAY)
    make_lead(created_at=NOON - LATE_DAYS * DAY)
    assert (days_to_roll_up(NOON), roll_up(NOON), roll_up(NOON)) == (1, 1, 0)
    numbers = metrics(NOON - LATE_DAYS * DAY)
    assert (numbers[f"CAR_VIEW car {car.pk}"], numbers["leads lead"]) == ((2, 1), (1, 0))


def test_traces_that_arrive_later_still_are_added_once_days_are_reopened() -> None:
    old = NOON - (LATE_DAYS + 1) * DAY
    make_event(occurred_at=old)
    roll_up(NOON)
    make_event(occurred_at=old)
    assert (days_to_roll_up(NOON), roll_up(NOON)) == (0, 0)
    reopen_days()
    assert (days_to_roll_up(NOON), roll_up(NOON)) == (1, 1)
    assert metrics(old)["PART_VIEW"] == (2, 0)


def test_what_was_counted_stays_when_its_rows_go() -> None:
    car, other = make_car(), make_car()
    for each in (car, other):
        make_event(event_type="CAR_VIEW", car=each, session_id="a", occurred_at=YESTERDAY)
    roll_up(NOON)
    rows = metrics()
    car.delete()
    Event.objects.filter(car=other).update(session_id="")
    make_event(event_type="SEARCH", occurred_at=YESTERDAY)
    assert (days_to_roll_up(NOON), roll_up(NOON)) == (1, 1)
    assert metrics() == rows | {"SEARCH": (1, 0)}


def test_years_without_a_row_are_passed_over() -> None:
    days = [date(1970, 1, 1), date(1999, 12, 31), date(2026, 2, 27), date(2026, 2, 28)]
    for day in days:
        make_event(occurred_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    make_event(occurred_at=NOON + 900 * DAY)
    assert (days_to_roll_up(NOON), roll_up(NOON)) == (4, 4)
    assert sorted(rolled_up().values_list("day", flat=True)) == days


@pytest.mark.urls("config.urls")
def test_the_list_leads_to_what_was_counted(client: Client) -> None:
    car = make_car()
    make_event(event_type="CAR_VIEW", car=car, occurred_at=YESTERDAY)
    roll_up(NOON)
    client.force_login(make_user(Role.SUPER_ADMIN))
    page = client.get(reverse("admin:analytics_dailymetric_changelist")).content.decode()
    assert f'href="{reverse("admin:inventory_car_change", args=(car.pk,))}">Car {car.pk}</a>' in page


def test_nothing_to_count_is_nothing_to_do() -> None:
    assert (days_to_roll_up(NOON), roll_up(NOON)) == (0, 0)
    assert not DailyMetric.objects.exists()
