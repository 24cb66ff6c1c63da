"""What the back office asks about everything at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import Seller
from analytics.daily_metrics import DAY, day_of, in_days, rolled_up
from analytics.models import AuditLog, DailyMetric, Event
from config.cache import cached, families
from inventory.models import Car, Part
from inventory.models.cars import CarStatus
from leads.models import Lead, Voucher
from leads.models.leads import LeadStatus
from leads.models.vouchers import VoucherState

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

NEW_LEADS_DAYS = 7
EVENT_DAYS = 30


FAILED_IMPORT_DAYS = 7


def failed_imports(*, now: datetime) -> int:
    """Count the imports of the last days that rejected rows."""
    since = now - timedelta(days=FAILED_IMPORT_DAYS)
    return AuditLog.objects.filter(event_type__endswith="_IMPORTED", success=False, created_at__gte=since).count()


@dataclass(frozen=True)
class PlatformOverview:
    """The figures of the landing page, as far as one person may see them; states without rows are there with 0."""

    cars_by_status: dict[CarStatus, int]
    leads_by_status: dict[LeadStatus, int]
    new_leads: int
    parts: int
    parts_listed: int
    sellers: int
    sellers_waiting: int
    vouchers_published: int
    events_by_day: dict[date, int]


def platform_overview(user: User, *, now: datetime) -> PlatformOverview:
    """Count what there is at `now`, in eight queries.

    New leads are those of the last 7 days, sellers waiting are active ones that nobody has verified, and events are
    those of people in each of the last 30 days, today included. Cars and parts of everybody may be a minute old.
    """
    stock = _stock(user)
    waiting = Q(is_verified=False, is_active=True)
    sellers = Seller.objects.visible_to(user).aggregate(total=Count("pk"), waiting=Count("pk", filter=waiting))
    new_leads = Lead.objects.visible_to(user).filter(created_at__gte=now - timedelta(days=NEW_LEADS_DAYS))
    return PlatformOverview(
        cars_by_status=stock.cars_by_status,
        leads_by_status=_leads_by_status(user),
        new_leads=new_leads.count(),
        parts=stock.parts,
        parts_listed=stock.parts_listed,
        sellers=sellers["total"],
        sellers_waiting=sellers["waiting"],
        vouchers_published=Voucher.objects.visible_to(user).filter(state=VoucherState.PUBLISHED).count(),
        events_by_day=events_by_day(user, now=now),
    )


@dataclass(frozen=True, slots=True)
class _Stock:
    cars_by_status: dict[CarStatus, int]
    parts: int
    parts_listed: int


def _stock(user: User) -> _Stock:
    """Count cars and parts: everybody's are kept for a minute, one's own are few."""
    if user.sees_everything:
        return cached(families.STOCK_TOTALS, None, lambda: _count_stock(user))
    return _count_stock(user)


def _count_stock(user: User) -> _Stock:
    cars = dict(Car.objects.visible_to(user).order_by().values_list("status").annotate(number=Count("*")))
    # Without a column to count, the index of sellers' listed parts has all that is needed.
    parts = dict(Part.objects.visible_to(user).order_by().values_list("is_listed").annotate(number=Count("*")))
    return _Stock(
        cars_by_status={status: cars.get(status, 0) for status in CarStatus},
        parts=sum(parts.values()),
        parts_listed=parts.get(True, 0),
    )


def _leads_by_status(user: User) -> dict[LeadStatus, int]:
    def count() -> dict[str, int]:
        rows = Lead.objects.visible_to(user).order_by().values_list("status").annotate(number=Count("*"))
        return dict(rows)

    # What one sees changes with the role.
    counts = cached(families.CONTACTS, ("by-status", user.role), count, owner=user.pk)
    return {status: counts.get(status, 0) for status in LeadStatus}


def events_by_day(user: User, *, now: datetime, days: int = EVENT_DAYS) -> dict[date, int]:
    """Return the number of events of people in each of the last `days` days, oldest first, today included.

    Days are those of `TIME_ZONE`. Where a day is rolled up its number is read, else its events are counted.
    """
    today = day_of(now)
    window = [today - offset * DAY for offset in reversed(range(days))]
    counts = _rolled_up_events(user, window[0], today)
    uncounted = [day for day in window if day not in counts]
    events = Event.objects.visible_to(user).filter(
        in_days("occurred_at", uncounted), is_bot=False, occurred_at__lte=now
    )
    day_in_zone = TruncDate("occurred_at", tzinfo=timezone.get_default_timezone())
    rows = events.order_by().values_list(day_in_zone).annotate(number=Count("*"))
    counts.update(rows)
    return {day: counts.get(day, 0) for day in window}


def _rolled_up_events(user: User, first: date, today: date) -> dict[date, int]:
    """Return the events of each day before `today` that is rolled up, 0 included."""
    closed = rolled_up().filter(day__gte=first, day__lt=today)
    counts = dict(closed.order_by().values_list("day", "value"))
    if user.sees_everything:
        return counts
    sellers = Seller.all_objects.filter(owner=user)
    own = DailyMetric.objects.filter(
        content_type=ContentType.objects.get_for_model(Seller),
        object_id__in=sellers.values("pk"),
        day__in=list(counts),
    )
    numbers = dict(own.order_by().values_list("day").annotate(number=Sum("value")))
    return {day: numbers.get(day, 0) for day in counts}
