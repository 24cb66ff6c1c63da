"""What the back office asks about everything at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import Seller
from analytics.models import AuditLog, Event
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
    """Count what there is at `now`, in six queries.

    New leads are those of the last 7 days, sellers waiting are active ones that nobody has verified, and events are
    those of people in each of the last 30 days, today included, in the current time zone.
    """
    parts = Part.objects.visible_to(user).aggregate(total=Count("pk"), listed=Count("pk", filter=Q(is_listed=True)))
    waiting = Q(is_verified=False, is_active=True)
    sellers = Seller.objects.visible_to(user).aggregate(total=Count("pk"), waiting=Count("pk", filter=waiting))
    leads_by_status, new_leads = _leads(user, since=now - timedelta(days=NEW_LEADS_DAYS))
    return PlatformOverview(
        cars_by_status=_cars_by_status(user),
        leads_by_status=leads_by_status,
        new_leads=new_leads,
        parts=parts["total"],
        parts_listed=parts["listed"],
        sellers=sellers["total"],
        sellers_waiting=sellers["waiting"],
        vouchers_published=Voucher.objects.visible_to(user).filter(state=VoucherState.PUBLISHED).count(),
        events_by_day=events_by_day(user, now=now),
    )


def _cars_by_status(user: User) -> dict[CarStatus, int]:
    rows = Car.objects.visible_to(user).order_by().values_list("status").annotate(number=Count("pk"))
    counts = dict(rows)
    return {status: counts.get(status, 0) for status in CarStatus}


def _leads(user: User, *, since: datetime) -> tuple[dict[LeadStatus, int], int]:
    is_new = Q(created_at__gte=since)
    rows = Lead.objects.visible_to(user).order_by().values_list("status")
    counted = list(rows.annotate(number=Count("pk"), new=Count("pk", filter=is_new)))
    counts = {status: number for status, number, _ in counted}
    return {status: counts.get(status, 0) for status in LeadStatus}, sum(new for _, _, new in counted)


def events_by_day(user: User, *, now: datetime, days: int = EVENT_DAYS) -> dict[date, int]:
    """Return the number of events of people in each of the last `days` days, oldest first, today included."""
    today = timezone.localdate(now)
    first_day = today - timedelta(days=days - 1)
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=days - 1)
    events = Event.objects.visible_to(user).filter(is_bot=False, occurred_at__gte=since, occurred_at__lte=now)
    rows = events.order_by().annotate(day=TruncDate("occurred_at")).values_list("day").annotate(number=Count("pk"))
    counts = dict(rows)
    return {day: counts.get(day, 0) for day in (first_day + timedelta(days=offset) for offset in range(days))}
