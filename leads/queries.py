"""What the back office asks about leads, tickets and vouchers, and the marketplace about vouchers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce, Lower

from accounts.geo import boxes_of, distance_km, edges_around
from accounts.models import Seller
from accounts.queries import SellerName, resolve_texts, sellers_in
from accounts.queries.sellers import NEARBY_LIMIT, NEARBY_RADIUS_KM, position_of, require_position
from config.cache import cached, families
from config.db.reading import Money, extended, in_order_of, shaped
from config.db.statements import read_values
from inventory.models import Category
from leads.models import Lead, Voucher, VoucherCode
from leads.models.leads import LeadStatus
from leads.models.vouchers import DiscountType
from leads.search import search_vouchers

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User
    from leads.models.leads import LeadQuerySet
    from leads.models.vouchers import VoucherQuerySet

EARLIER_LEADS = 5


@dataclass(frozen=True, kw_only=True)
class LeadFilters:
    """What a list of leads is narrowed to; an empty part narrows nothing.

    `unassigned` asks for the leads of nobody and goes before `assignee`. A day or moment `until` is not included.
    """

    text: str = ""
    status: str = ""
    priority: int | None = None
    assignee: User | None = None
    unassigned: bool = False
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def condition(self) -> Q:
        """Return the filters as one condition, each joined to the others by AND."""
        condition = Q()
        if self.text:
            text = self.text.strip()
            condition &= Q(name__icontains=text) | Q(email__icontains=text) | Q(message__icontains=text)
        exact: dict[str, Any] = {"status": self.status, "priority": self.priority, "source": self.source}
        exact |= {"created_at__gte": self.since, "created_at__lt": self.until}
        if self.unassigned:
            condition &= Q(assigned_to__isnull=True)
        else:
            exact["assigned_to"] = self.assignee
        return condition & Q(**{field: value for field, value in exact.items() if value not in {None, ""}})


def leads_for(user: User, filters: LeadFilters | None = None) -> LeadQuerySet:
    """Return the leads that `user` may see, narrowed by `filters`, most pressing first."""
    leads: LeadQuerySet = Lead.objects.all()
    return leads.visible_to(user).filter((filters or LeadFilters()).condition()).select_related("assigned_to")


def lead_counts_by_status(leads: LeadQuerySet) -> dict[LeadStatus, int]:
    """Return how many of `leads` have each status, those with none at 0 included."""
    counts = dict(leads.order_by().values_list("status").annotate(number=Count("pk")))
    return {status: counts.get(status, 0) for status in LeadStatus}


def earlier_leads_of(lead: Lead, *, user: User) -> list[Lead]:
    """Return up to 5 leads that the same person sent before, newest first, as far as `user` may see them.

    The same person has the same e-mail address or telephone number.
    """
    same_person = Q(email_lower=lead.email.lower())
    if lead.phone:
        same_person |= Q(phone=lead.phone)
    leads: LeadQuerySet = Lead.objects.alias(email_lower=Lower("email")).filter(same_person)
    earlier = leads.visible_to(user).filter(created_at__lte=lead.created_at).exclude(pk=lead.pk)
    return list(earlier.order_by("-created_at", "-pk")[:EARLIER_LEADS])


def keys_of_others(keys: set[str], *, voucher: Voucher) -> set[str]:
    """Return those of `keys` by which other vouchers, sellers or categories find a text, deleted ones included."""
    tables: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (Voucher.all_objects.exclude(pk=voucher.pk), ("title_key", "description_key", "terms_key")),
        (Seller.all_objects.all(), ("name_key", "description_key")),
        (Category.all_objects.all(), ("name_key", "description_key")),
    )
    used = [
        rows.order_by().filter(**{f"{field}__in": keys}).values_list(field, flat=True)
        for rows, fields in tables
        for field in fields
    ]
    return set(used[0].union(*used[1:]))


def voucher_code(text: str) -> VoucherCode | None:
    """Return the active code that a person typed or scanned, with its voucher; None if there is none."""
    codes = VoucherCode.objects.typed(text).filter(voucher__deleted_at__isnull=True)
    return codes.select_related("voucher__seller").first()


@dataclass(frozen=True, slots=True)
class VoucherCard:
    """A voucher as lists show it, with its texts in one language; the discount is per cent or an amount."""

    public_id: str
    title: str
    description: str
    terms: str
    percentage: Decimal | None
    amount: Money | None
    valid_from: datetime | None
    expires_at: datetime | None
    image_url: str
    seller: SellerName


@dataclass(frozen=True, slots=True)
class VoucherNear(VoucherCard):
    """A voucher that can be had nearby, where and how far away."""

    latitude: float
    longitude: float
    distance_km: float


def vouchers_near(
    latitude: float,
    longitude: float,
    radius_km: float = NEARBY_RADIUS_KM,
    limit: int = NEARBY_LIMIT,
    *,
    now: datetime,
    language: str = "",
) -> list[VoucherNear]:
    """Return the published vouchers of public sellers that are valid at `now` within `radius_km`, nearest first.

    A voucher without a position of its own is where its seller is. Raises ValueError for a point that is not on Earth.
    """
    place = (latitude, longitude, radius_km, limit)
    rows = cached(families.VOUCHERS_NEARBY, place, lambda: _read_near(*place, now))
    cards = _in_words(rows, language)
    places = [(*row[len(_SHOWN) : -1], round(row[-1], 3)) for row in rows]
    return [extended(VoucherNear, card, *place) for card, place in zip(cards, places, strict=True)]


def vouchers_titled(text: str, *, now: datetime, limit: int = NEARBY_LIMIT, language: str = "") -> list[VoucherCard]:
    """Return the published vouchers of public sellers that are valid at `now` and that a text finds, best first."""
    found = search_vouchers(text, within=_public_vouchers(now), language=language, limit=limit)
    rows = Voucher.objects.filter(pk__in=found.ids).values_list("pk", *_SHOWN)
    return _in_words(in_order_of(found.ids, {row[0]: row[1:] for row in rows}), language)


def _public_vouchers(now: datetime) -> VoucherQuerySet:
    public = Q(seller__is_verified=True, seller__is_active=True, seller__deleted_at__isnull=True)
    vouchers: VoucherQuerySet = Voucher.objects.all()
    return vouchers.published().valid(now=now).filter(public)


def _read_near(latitude: float, longitude: float, radius_km: float, limit: int, now: datetime) -> list[tuple[Any, ...]]:
    require_position(latitude, longitude)
    edges = edges_around(latitude, longitude, radius_km)
    place = (float(latitude), float(longitude), float(radius_km), *edges)
    return read_values(("vouchers nearby", len(edges)), _nearest, now, *place, limit=limit, keep_plan=True)


def _nearest(
    now: datetime, latitude: float, longitude: float, radius_km: float, *edges: float
) -> QuerySet[Voucher, tuple[Any, ...]]:
    boxes = boxes_of(edges)
    inside = Q()
    for box in boxes:
        inside |= Q(latitude__range=(box.south, box.north), longitude__range=(box.west, box.east))
    vouchers = Voucher.objects.order_by()
    # One after the other, because no index serves both where the voucher is and where its seller is.
    placed = vouchers.filter(inside).values("pk")
    of_sellers = vouchers.filter(latitude__isnull=True, seller__in=sellers_in(boxes).values("pk")).values("pk")
    place = {name: Coalesce(F(name), position_of(name, "seller__")) for name in ("latitude", "longitude")}
    found: Any = _public_vouchers(now).filter(pk__in=placed.union(of_sellers, all=True))
    nearby = found.annotate(
        at_latitude=place["latitude"],
        at_longitude=place["longitude"],
        away_km=distance_km(latitude, longitude, place["latitude"], place["longitude"]),
    ).filter(away_km__lte=radius_km)
    nearest: QuerySet[Voucher, tuple[Any, ...]] = nearby.order_by("away_km", "pk").values_list(*_SHOWN, *_PLACE)
    return nearest


_SHOWN = (
    *("public_id", "title_key", "description_key", "terms_key", "discount_type", "discount_value", "currency"),
    *("valid_from", "expires_at", "image_url", "seller__public_id", "seller__name"),
)
_PLACE = ("at_latitude", "at_longitude", "away_km")


def _in_words(rows: list[tuple[Any, ...]], language: str) -> list[VoucherCard]:
    """Return vouchers read as `_SHOWN` with the texts of their keys."""
    texts = resolve_texts({key for row in rows for key in row[1:4]}, language) if rows else {}
    return [_card(*row[:1], *(texts[key] for key in row[1:4]), *row[4 : len(_SHOWN)]) for row in rows]


def _card(*row: Any) -> VoucherCard:
    *texts, discount_type, value, currency = row[:7]
    is_percentage = discount_type == DiscountType.PERCENTAGE
    discount = (value, None) if is_percentage else (None, Money(value, currency))
    return shaped(VoucherCard, *texts, *discount, *row[7:10], SellerName(*row[10:]))
