"""The figures of the landing page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Seller, User
from accounts.models.users import Role
from analytics.daily_metrics import roll_up, rolled_up
from analytics.models import Event
from analytics.queries import events_by_day, platform_overview
from inventory.models.cars import CarStatus
from leads.models.leads import LeadStatus
from tests.builders import (
    NOON,
    make_car,
    make_event,
    make_lead,
    make_part,
    make_seller,
    make_user,
    make_vehicle,
    make_voucher,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def stock_of(seller_owner: User) -> None:
    """Two cars, two parts, two vouchers and two events of one seller."""
    seller = make_seller(owner=seller_owner)
    make_car(seller=seller)
    make_car(seller=seller, status=CarStatus.SOLD, sold_at=NOON)
    vehicle = make_vehicle(seller=seller)
    make_part(vehicle=vehicle, is_listed=True)
    make_part(vehicle=vehicle)
    make_voucher(seller=seller, state="published")
    make_voucher(seller=seller)
    make_event(seller=seller, occurred_at=NOON - DAY)
    make_event(seller=seller, occurred_at=NOON - DAY, is_bot=True)


def test_staff_see_the_figures_of_everything() -> None:
    for _ in range(2):
        stock_of(make_user(Role.SELLER))
    make_seller(is_verified=False)
    make_seller(is_verified=False, is_active=False)
    make_lead(created_at=NOON - DAY)
    make_lead(created_at=NOON - 8 * DAY)
    make_lead(created_at=NOON - 7 * DAY, status=LeadStatus.LOST, closed_at=NOON)
    overview = platform_overview(make_user(Role.VIEWER), now=NOON)
    assert overview.cars_by_status == dict.fromkeys(CarStatus, 0) | {CarStatus.AVAILABLE: 2, CarStatus.SOLD: 2}
    assert overview.leads_by_status == dict.fromkeys(LeadStatus, 0) | {LeadStatus.NEW: 2, LeadStatus.LOST: 1}
    assert overview.new_leads == 2
    assert (overview.parts, overview.parts_listed) == (4, 2)
    assert (overview.sellers, overview.sellers_waiting) == (4, 1)
    assert overview.vouchers_published == 2
    assert len(overview.events_by_day) == 30
    assert overview.events_by_day[date(2026, 3, 1)] == 2
    assert sum(overview.events_by_day.values()) == 2


def test_a_seller_sees_the_own_figures_only() -> None:
    owner = make_user(Role.SELLER)
    stock_of(owner)
    stock_of(make_user(Role.SELLER))
    make_lead(created_at=NOON)
    overview = platform_overview(owner, now=NOON)
    assert overview.cars_by_status[CarStatus.AVAILABLE] == 1
    assert (overview.parts, overview.parts_listed, overview.sellers, overview.vouchers_published) == (2, 1, 1, 1)
    assert (sum(overview.leads_by_status.values()), overview.new_leads) == (0, 0)
    assert sum(overview.events_by_day.values()) == 1


def test_an_administrator_sees_own_and_unassigned_leads_in_the_figures() -> None:
    admin = make_user(Role.ADMIN)
    make_lead(created_at=NOON), make_lead(created_at=NOON, assigned_to=make_user(Role.ADMIN))
    assert platform_overview(admin, now=NOON).new_leads == 1


def test_the_figures_cost_eight_queries() -> None:
    stock_of(make_user(Role.SELLER))
    user = make_user(Role.SUPER_ADMIN)
    platform_overview(user, now=NOON)
    with CaptureQueriesContext(connection) as queries:
        platform_overview(user, now=NOON)
    assert len(queries) == 8


def test_days_are_those_of_the_time_zone_and_each_is_there(settings: Settings) -> None:
    user = make_user(Role.SUPER_ADMIN)
    # In Helsinki, two hours ahead of UTC, this is 00:30 on 2 March.
    make_event(occurred_at=NOON.replace(day=1, hour=22, minute=30))
    make_event(occurred_at=NOON + DAY)
    assert events_by_day(user, now=NOON, days=3)[date(2026, 3, 1)] == 1
    settings.TIME_ZONE = "Europe/Helsinki"
    by_day = events_by_day(user, now=NOON, days=3)
    assert by_day == {date(2026, 2, 28): 0, date(2026, 3, 1): 0, date(2026, 3, 2): 1}


def test_days_that_are_rolled_up_are_not_counted_again() -> None:
    staff, owner, other = make_user(Role.ADMIN), make_user(Role.SELLER), make_user(Role.SELLER)
    stock_of(owner)
    stock_of(other)
    make_event(seller=make_seller(owner=owner), event_type="SEARCH", occurred_at=NOON - DAY)
    make_event(occurred_at=NOON - DAY)
    roll_up(NOON)
    Event.objects.all().delete()
    for seller in Seller.objects.filter(owner=owner):
        make_event(seller=seller, occurred_at=NOON)
    yesterday, today = date(2026, 3, 1), date(2026, 3, 2)
    for user, numbers in {staff: (4, 2), owner: (2, 2), other: (1, 0)}.items():
        by_day = events_by_day(user, now=NOON)
        assert (by_day[yesterday], by_day[today]) == numbers
        assert sum(by_day.values()) == sum(numbers)


def test_days_that_are_not_rolled_up_are_counted_wherever_they_lie() -> None:
    staff, owner = make_user(Role.VIEWER), make_user(Role.SELLER)
    seller = make_seller(owner=owner)
    for days in (20, 19, 12, 3):
        make_event(seller=seller, occurred_at=NOON - days * DAY)
    roll_up(NOON)
    rolled_up().filter(day__in=[date(2026, 2, 10), date(2026, 2, 11), date(2026, 2, 27)]).delete()
    make_event(seller=seller, occurred_at=NOON - 19 * DAY)
    make_event(seller=seller, occurred_at=NOON - 12 * DAY)
    numbers = {date(2026, 2, 10): 1, date(2026, 2, 11): 2, date(2026, 2, 18): 1, date(2026, 2, 27): 1}
    for user in (staff, owner):
        by_day = events_by_day(user, now=NOON)
        assert {day: number for day, number in by_day.items() if number} == numbers


@pytest.mark.django_db(transaction=True)
def test_with_a_cache_everybody_gets_own_figures_and_stock_alone_may_be_old(settings: Settings) -> None:
    settings.CACHE_READS = True
    boss, desk, colleague = make_user(Role.SUPER_ADMIN), make_user(Role.ADMIN), make_user(Role.ADMIN)
    owner = make_user(Role.SELLER)
    stock_of(owner)
    stock_of(make_user(Role.SELLER))
    make_lead(), make_lead(assigned_to=desk)

    def figures() -> dict[User, tuple[int, int, int]]:
        overviews = {user: platform_overview(user, now=NOON) for user in (boss, desk, colleague, owner)}
        return {
            user: (each.parts, each.cars_by_status[CarStatus.SOLD], each.leads_by_status[LeadStatus.NEW])
            for user, each in overviews.items()
        }

    first = {boss: (4, 2, 2), desk: (4, 2, 2), colleague: (4, 2, 1), owner: (2, 1, 0)}
    assert figures() == first
    assert figures() == first
    make_part(seller=Seller.objects.get(owner=owner))
    make_lead(assigned_to=colleague)
    assert figures() == {boss: (4, 2, 3), desk: (4, 2, 2), colleague: (4, 2, 2), owner: (3, 1, 0)}
