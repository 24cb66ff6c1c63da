"""Thirty days of visitors and of staff at work, in the rhythm of days and weeks.

Drawn from one fixed random seed, so the same moment and stock give the same rows. They have no keys by which a second
run could find them: they are made once, together with the mark that the demo leaves in `accounts.Integration`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from analytics.daily_metrics import day_of, roll_up
from analytics.models import AuditLog, DailyMetric, Event, PageView, WebVital
from analytics.models.audit import AuditAction
from analytics.models.traffic import EventType, VitalName
from analytics.receivers import actor_label
from analytics.services import rate_vital
from config.db.ids import encode_ulid
from inventory.models import Car, Part
from leads.models import Lead, LeadActivity, Voucher
from leads.models.leads import ActivityType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model, QuerySet

    from accounts.models import User
    from config.ops.seeding.profiles import Stock
    from config.ops.seeding.run import SeedRun

DAYS = 30
SESSIONS_PER_DAY = 30
# Monday to Sunday, and hour by hour: quiet at night, a peak after work, a slow Sunday morning for nobody.
WEEK = (1.05, 1.0, 0.95, 1.0, 1.1, 0.85, 0.7)
HOURS = (2, 1, 1, 1, 1, 2, 5, 9, 12, 14, 15, 16, 18, 16, 14, 14, 16, 19, 23, 25, 24, 19, 11, 5)

USER_AGENTS = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1": 38,
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36": 31,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36": 24,
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0": 6,
}
BOT = "ExampleBot/2.1 (+https://bot.example.org)"
BOT_SHARE = 0.04
REFERRERS = {
    "": 45,
    "https://search.example.org/": 38,
    "https://social.example.org/": 11,
    "https://forum.example.org/": 6,
}
SEARCHES = (
    "octavia",
    "tiguan",
    "alternator",
    "bmw 320i engine",
    "neliveto",
    "automaatti diesel",
    "gearbox golf",
    "turbo x3",
)
# Typical value and spread of each measurement; phones on bad lines make the long tail.
VITALS = {
    VitalName.LCP: (1900.0, 0.45),
    VitalName.FCP: (1150.0, 0.4),
    VitalName.TTFB: (420.0, 0.55),
    VitalName.INP: (120.0, 0.6),
    VitalName.CLS: (0.05, 0.9),
}


@dataclass
class Month:
    """The rows of the month, to be written at once."""

    random: Random
    events: list[Event] = field(default_factory=list)
    page_views: list[PageView] = field(default_factory=list)
    web_vitals: list[WebVital] = field(default_factory=list)
    audit_entries: list[AuditLog] = field(default_factory=list)

    def public_id(self, at: datetime) -> str:
        return encode_ulid(int(at.timestamp() * 1000), self.random.getrandbits(80))

    def pick(self, weighted: dict[Any, int]) -> Any:
        return self.random.choices(list(weighted), weights=list(weighted.values()))[0]


def ensure_traffic(run: SeedRun, stock: Stock, people: dict[str, User], *, is_first: bool, loaded_at: datetime) -> None:
    """Create the month before the demo's first run, in that run; count its rows in any other."""
    if not is_first:
        run.tally(Event).unchanged += Event.objects.filter(occurred_at__lte=loaded_at).count()
        for model in (PageView, WebVital, AuditLog):
            run.tally(model).unchanged += model._default_manager.filter(created_at__lte=loaded_at).count()
        run.tally(DailyMetric).unchanged += DailyMetric.objects.filter(day__lt=day_of(loaded_at)).count()
        return
    month = Month(Random("forecourt"))  # noqa: S311  # the same month every time is what is wanted
    _add_visits(month, run.now, Shelf(list(stock.cars.values()), list(stock.parts.values())))
    leads = Lead.objects.filter(public_id__in=stock.leads, created_at__gte=run.now - timedelta(days=DAYS + 1))
    _add_lead_events(month, leads)
    _add_voucher_scans(month, run.now, list(stock.vouchers.values()))
    _add_staff_days(month, run.now, [people["laura"], people["ana"], people["sipho"]])
    _add_lead_entries(month, leads)
    _add_stock_entries(month, run.now, stock)
    run.create_many(Event, sorted(month.events, key=lambda event: event.occurred_at))
    run.create_many(PageView, month.page_views)
    run.create_many(WebVital, month.web_vitals)
    run.create_many(AuditLog, sorted(month.audit_entries, key=lambda entry: entry.created_at))
    before = DailyMetric.objects.count()
    roll_up(run.now)
    run.tally(DailyMetric).created += DailyMetric.objects.count() - before


# Visitors


@dataclass(frozen=True)
class Shelf:
    """What there was to look at, on any day."""

    cars: list[Car]
    parts: list[Part]

    def at(self, time: datetime) -> list[Car | Part]:
        """Return what was offered at that time."""
        goods: list[Car | Part] = [*self.cars, *self.parts]
        offered = [row for row in goods if row.created_at <= time and _is_public(row)]
        return [row for row in offered if row.sold_at is None or row.sold_at > time]


def _is_public(row: Car | Part) -> bool:
    return isinstance(row, Car) or row.is_listed or row.sold_at is not None


def _add_visits(month: Month, now: datetime, shelf: Shelf) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for days_ago in range(DAYS, -1, -1):
        day = midnight - timedelta(days=days_ago)
        noise = month.random.uniform(0.85, 1.15)
        on_shelf = shelf.at(day)
        for _ in range(round(SESSIONS_PER_DAY * WEEK[day.weekday()] * noise)):
            hour = month.random.choices(range(24), weights=HOURS)[0]
            start = day + timedelta(hours=hour, seconds=month.random.randrange(3600))
            if start < now - timedelta(minutes=30):
                _add_visit(month, start, on_shelf)


def _add_visit(month: Month, start: datetime, shelf: Sequence[Car | Part]) -> None:
    random = month.random
    is_bot = random.random() < BOT_SHARE
    visitor: dict[str, Any] = {
        "session_id": f"{random.getrandbits(64):016x}",
        "ip_address": f"203.0.113.{random.randrange(1, 255)}",
        "user_agent": BOT if is_bot else month.pick(USER_AGENTS),
        "is_bot": is_bot,
    }
    at, referrer = start, month.pick(REFERRERS)
    for place in range(1 if is_bot else random.choice((1, 1, 2, 2, 3, 4, 6))):
        path = "/" if place == 0 and not referrer else _add_look(month, at, shelf, visitor, referrer)
        load_time = round(random.lognormvariate(6.8, 0.4))
        month.page_views.append(
            PageView(path=path, referrer=referrer, load_time_ms=load_time, created_at=at, **visitor)
        )
        if not is_bot and random.random() < 0.22:
            _add_vitals(month, path, visitor["user_agent"], at)
        referrer = ""
        at += timedelta(seconds=random.randrange(12, 150))


def _add_look(month: Month, at: datetime, shelf: Sequence[Car | Part], visitor: dict[str, Any], referrer: str) -> str:
    """Add what the visitor did on one page; returns the page's path."""
    random = month.random

    def add(event_type: EventType, **facts: Any) -> None:
        month.events.append(
            Event(
                public_id=month.public_id(at),
                event_type=event_type,
                occurred_at=at,
                created_at=at,
                referrer=referrer,
                **visitor,
                **facts,
            )
        )

    if not shelf or random.random() < 0.2:
        query = random.choice(SEARCHES)
        add(EventType.SEARCH, metadata={"query": query, "results": random.randrange(0, 14)})
        return f"/search?q={query.replace(' ', '+')}"
    # Popularity falls with the place on the shelf.
    row = shelf[min(int(random.expovariate(4 / len(shelf))), len(shelf) - 1)]
    if isinstance(row, Car):
        subject: dict[str, Any] = {"car": row, "seller": row.seller}
        add(EventType.CAR_VIEW, **subject)
        path = f"/cars/{row.slug}"
    else:
        subject = {"part": row, "seller": row.seller}
        add(EventType.PART_VIEW, **subject)
        path = f"/parts/{row.public_id}"
    if random.random() < 0.05:
        add(EventType.SELLER_CONTACT, **subject, metadata={"channel": random.choice(("phone", "whatsapp", "email"))})
    return path


def _add_vitals(month: Month, path: str, user_agent: str, at: datetime) -> None:
    for name, (typical, spread) in VITALS.items():
        value = typical * month.random.lognormvariate(0, spread)
        value = round(value, 3 if name == VitalName.CLS else 0)
        rating = rate_vital(name, value)
        month.web_vitals.append(
            WebVital(name=name, value=value, rating=rating, path=path, user_agent=user_agent, created_at=at)
        )


def _add_lead_events(month: Month, leads: QuerySet[Lead]) -> None:
    for lead in leads.order_by("created_at", "pk"):
        month.events.append(
            Event(
                public_id=month.public_id(lead.created_at),
                event_type=EventType.LEAD_CREATED,
                occurred_at=lead.created_at,
                created_at=lead.created_at,
                car_id=lead.car_id,
                part_id=lead.part_id,
                seller_id=lead.seller_id,
                ip_address=lead.ip_address,
                metadata={"lead": lead.public_id, "source": lead.source},
            )
        )


def _add_voucher_scans(month: Month, now: datetime, vouchers: list[Voucher]) -> None:
    """Spread each voucher's scans over its life; those of more than a month ago are no longer kept."""
    for voucher in vouchers:
        begin = voucher.valid_from or voucher.created_at
        life = min(now, voucher.expires_at or now) - begin
        for _ in range(voucher.scan_count):
            at = begin + life * month.random.random()
            if at < now - timedelta(days=DAYS):
                continue
            month.events.append(
                Event(
                    public_id=month.public_id(at),
                    event_type=EventType.VOUCHER_SCAN,
                    occurred_at=at,
                    created_at=at,
                    seller_id=voucher.seller_id,
                    session_id=f"{month.random.getrandbits(64):016x}",
                    ip_address=f"203.0.113.{month.random.randrange(1, 255)}",
                    user_agent=month.pick(USER_AGENTS),
                    metadata={"voucher": voucher.public_id},
                )
            )


# Staff


def _entry(month: Month, at: datetime, action: AuditAction, row: Model, **facts: Any) -> None:
    actor = facts.pop("actor", None)
    month.audit_entries.append(
        AuditLog(
            public_id=month.public_id(at),
            actor=actor,
            actor_label=actor_label(actor),
            action=action,
            entity_type=row._meta.label_lower,
            entity_id=getattr(row, "public_id", str(row.pk)),
            entity_label=str(row)[:255],
            ip_address="192.0.2.24" if actor is not None else None,
            created_at=at,
            **facts,
        )
    )


def _add_staff_days(month: Month, now: datetime, staff: list[User]) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (midnight - timedelta(days=days_ago) for days_ago in range(DAYS, -1, -1))
    for day in days:
        for person in staff:
            # Nobody works on Sundays, and not everybody every day.
            if day.weekday() == 6 or month.random.random() < 0.2:
                continue
            begins = day + timedelta(hours=6, minutes=month.random.randrange(30, 120))
            ends = day + timedelta(hours=14, minutes=month.random.randrange(0, 150))
            moments = ((begins, AuditAction.LOGIN, "LOGIN"), (ends, AuditAction.LOGOUT, "LOGOUT"))
            for at, action, event_type in moments:
                if person.created_at < at < now:
                    _entry(month, at, action, person, event_type=event_type, actor=person)


_LEAD_EVENTS = {
    ActivityType.CREATED: (AuditAction.CREATE, "LEAD_CREATED"),
    ActivityType.STATUS_CHANGED: (AuditAction.STATUS_CHANGE, "LEAD_STATUS_CHANGED"),
    ActivityType.ASSIGNED: (AuditAction.UPDATE, "LEAD_ASSIGNED"),
    ActivityType.NOTE_ADDED: (AuditAction.CREATE, "NOTE_ADDED_TO_LEAD"),
}


def _add_lead_entries(month: Month, leads: QuerySet[Lead]) -> None:
    activities = LeadActivity.objects.filter(lead__in=leads).select_related("lead", "lead__seller", "actor")
    for activity in activities.order_by("created_at", "pk"):
        action, event_type = _LEAD_EVENTS.get(
            ActivityType(activity.type), (AuditAction.CREATE, "LEAD_ACTIVITY_RECORDED")
        )
        changes = None
        if activity.type == ActivityType.STATUS_CHANGED and activity.metadata:
            changes = {"status": [activity.metadata["from"], activity.metadata["to"]]}
        _entry(
            month,
            activity.created_at,
            action,
            activity.lead,
            event_type=event_type,
            actor=activity.actor,
            seller=activity.lead.seller,
            description=activity.description,
            changes=changes,
        )


def _add_stock_entries(month: Month, now: datetime, stock: Stock) -> None:
    begin = now - timedelta(days=DAYS)
    rows: list[Car | Part] = [*stock.cars.values(), *stock.parts.values()]
    for row in rows:
        offered, sold = ("CAR_PUBLISHED", "CAR_SOLD") if isinstance(row, Car) else ("PART_LISTED", "PART_SOLD")
        facts = {"actor": row.seller.owner if row.seller else None, "seller": row.seller}
        if row.created_at >= begin and _is_public(row):
            _entry(month, row.created_at, AuditAction.UPDATE, row, event_type=offered, **facts)
        if row.sold_at is not None and row.sold_at >= begin:
            changes = {"status": ["AVAILABLE", "SOLD"]}
            _entry(month, row.sold_at, AuditAction.STATUS_CHANGE, row, event_type=sold, changes=changes, **facts)
