"""What the marketplace asks about sellers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db.models import Case, DecimalField, F, FloatField, Q, When
from django.db.models.functions import Coalesce

from accounts.geo import boxes_around, boxes_between, distance_km, in_polygon
from accounts.models import Seller
from accounts.models.sellers import BusinessType
from accounts.queries.texts import resolve_texts
from config.db.reading import document, extended, fetch, in_order_of, marks, moment, optional_decimal, shaped
from config.pages import Page, Sort, Wanted, read_slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.geo import Box
    from accounts.models.sellers import SellerQuerySet

NEARBY_RADIUS_KM = 10.0
NEARBY_LIMIT = 20

# Long values that a list never shows.
LONG_FIELDS = ("description", "service_area", "business_hours")

# Those without a rating come after the lowest one.
BEST_FIRST = Sort("best", ("is_verified", "rating_or_none", "total_sales"), descending=True)

# A mobile vendor who has been seen is where it was seen last; everybody else is at the fixed position.
_ON_THE_MOVE = Q(business_type=BusinessType.MOBILE_VENDOR, last_latitude__isnull=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerFilters:
    """What the list of sellers is narrowed to; an empty part narrows nothing."""

    province: str = ""
    city: str = ""
    business_type: str = ""
    verified: bool | None = None

    def condition(self) -> Q:
        """Return the filters as one condition, each joined to the others by AND."""
        wanted = {
            "province": self.province,
            "city": self.city,
            "business_type": self.business_type,
            "is_verified": self.verified,
        }
        return Q(**{field: value for field, value in wanted.items() if value not in {None, ""}})


@dataclass(frozen=True, slots=True)
class SellerName:
    """A seller by id and name."""

    public_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SellerCard:
    """A seller as lists show it, where it is at present."""

    public_id: str
    name: str
    business_type: str
    is_verified: bool
    rating: Decimal | None
    total_sales: int
    city: str
    province: str
    country: str
    latitude: float | None
    longitude: float | None
    is_open: bool
    picture_url: str


@dataclass(frozen=True, slots=True)
class SellerDetails(SellerCard):
    """A seller with everything that its page shows, in one language."""

    description: str
    phone: str
    email: str
    whatsapp: str
    website: str
    street: str
    postal_code: str
    timezone: str
    business_hours: dict[str, Any] | None
    service_area: dict[str, Any] | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SellerNear(SellerCard):
    """A seller and how far away it is."""

    distance_km: float


def public_sellers(filters: SellerFilters | None = None) -> SellerQuerySet:
    """Return the public list of sellers, narrowed as asked: verified ones first, then by rating, then by sales."""
    sellers: SellerQuerySet = Seller.objects.filter((filters or SellerFilters()).condition(), is_active=True)
    ranked = sellers.annotate(rating_or_none=Coalesce("rating", -1, output_field=DecimalField()))
    return ranked.defer(*LONG_FIELDS).order_by(*(f"-{key}" for key in BEST_FIRST.keys))


def seller_list(
    filters: SellerFilters | None = None, *, wanted: Wanted | None = None, language: str = ""
) -> Page[SellerCard]:
    """Return one page of the public list, names in `language`. Raises UnreadableCursor."""
    wanted = wanted or Wanted()
    sellers = public_sellers(filters)
    found = read_slice(sellers, BEST_FIRST, wanted)
    return found.page(seller_cards(found.keys, language=language), wanted, sellers.count)


def seller_by_id(public_id: str, *, language: str = "") -> SellerDetails | None:
    """Return an active seller with everything on it, its texts in `language`; None if there is none."""
    more = (
        "s.description, s.phone, s.email, s.whatsapp, s.website, s.street, s.postal_code, s.timezone,"
        " s.business_hours, s.service_area, s.created_at, s.description_key"
    )
    where = "s.public_id = %s AND s.is_active AND s.deleted_at IS NULL"
    rows = fetch(Seller, f"SELECT {_CARD}, {more} FROM accounts_seller s WHERE {where}", [public_id])
    if not rows:
        return None
    *row, description_key = rows[0]
    card, (description, *contact, hours, area, created_at) = row[:_CARD_WIDTH], row[_CARD_WIDTH:]
    if description_key:
        description = resolve_texts({description_key: description}, language)[description_key]
    (shown,) = _cards([card], language)
    return extended(
        SellerDetails,
        shown,
        description,
        *contact,
        document(hours),
        document(area),
        moment(created_at),
    )


def seller_cards(keys: Sequence[int], *, language: str = "") -> list[SellerCard]:
    """Return what lists show of the sellers with these keys, in their order; with one query, or two for other names."""
    if not keys:
        return []
    rows = fetch(Seller, f"SELECT s.id, {_CARD} FROM accounts_seller s WHERE s.id IN ({marks(keys)})", keys)
    found = in_order_of(keys, {row[0]: row[1:] for row in rows})
    return _cards(found, language)


def nearby_sellers(
    latitude: float,
    longitude: float,
    radius_km: float = NEARBY_RADIUS_KM,
    limit: int = NEARBY_LIMIT,
    *,
    language: str = "",
) -> list[SellerNear]:
    """Return what lists show of the public sellers within `radius_km` of a point, nearest first.

    Raises ValueError for a point that is not on Earth.
    """
    sellers: Any = sellers_near(latitude, longitude, radius_km, limit)
    near = dict(sellers.values_list("pk", "distance_km"))
    cards = seller_cards(list(near), language=language)
    return [extended(SellerNear, card, round(distance, 3)) for card, distance in zip(cards, near.values(), strict=True)]


# ruff: noqa: S608  # every statement is put together from the constants of this module

_MOVING = "s.business_type = 'MOBILE_VENDOR' AND s.last_latitude IS NOT NULL"
_CARD = (
    "s.public_id, s.name, s.name_key, s.business_type, s.is_verified, s.rating, s.total_sales, s.city, s.province,"
    f" s.country, CASE WHEN {_MOVING} THEN s.last_latitude ELSE s.latitude END,"
    f" CASE WHEN {_MOVING} THEN s.last_longitude ELSE s.longitude END, s.is_open, s.primary_image_url"
)
_CARD_WIDTH = 14


def _cards(rows: Sequence[Sequence[Any]], language: str) -> list[SellerCard]:
    keys = {row[2]: row[1] for row in rows if row[2]}
    names = resolve_texts(keys, language) if keys else {}
    return [_card(names.get(row[2], row[1]), *row) for row in rows]


def _card(shown_name: str, *row: Any) -> SellerCard:
    public_id, _, _, business_type, is_verified, rating, *rest, is_open, picture_url = row
    grade = optional_decimal(rating)
    states = (business_type, bool(is_verified), grade)
    return shaped(SellerCard, public_id, shown_name, *states, *rest, bool(is_open), picture_url)


def provinces() -> list[str]:
    """Return the provinces where verified sellers are, in order."""
    found = Seller.objects.public().exclude(province="").order_by("province")
    return list(found.values_list("province", flat=True).distinct())


def cities(*, province: str = "") -> list[str]:
    """Return the cities where verified sellers are, in order; of one province if it is given."""
    found = Seller.objects.public().exclude(city="").order_by("city")
    if province:
        found = found.filter(province=province)
    return list(found.values_list("city", flat=True).distinct())


def sellers_near(
    latitude: float, longitude: float, radius_km: float = NEARBY_RADIUS_KM, limit: int = NEARBY_LIMIT
) -> SellerQuerySet:
    """Return the public sellers within `radius_km` of a point, nearest first, each with `distance_km`.

    Raises ValueError for a point that is not on Earth.
    """
    sellers: Any = sellers_within(latitude, longitude, radius_km)
    nearest: SellerQuerySet = sellers.order_by("distance_km", "id")[:limit]
    return nearest


def sellers_within(latitude: float, longitude: float, radius_km: float) -> SellerQuerySet:
    """Return all public sellers within `radius_km` of a point, in no order, each with `distance_km`.

    Raises ValueError for a point that is not on Earth.
    """
    _require_position(latitude, longitude)
    nearby = _within(boxes_around(latitude, longitude, radius_km)).annotate(
        distance_km=distance_km(latitude, longitude, _effective("latitude"), _effective("longitude"))
    )
    return nearby.filter(distance_km__lte=radius_km).order_by()


def sellers_in_rectangle(
    *, north: float, east: float, south: float, west: float, limit: int = NEARBY_LIMIT
) -> SellerQuerySet:
    """Return the public sellers between two corners; with west > east the rectangle crosses the 180th meridian.

    Raises ValueError if a corner is not on Earth or south lies north of north.
    """
    _require_position(north, east)
    _require_position(south, west)
    if south > north:
        raise ValueError("The southern edge lies north of the northern one.")
    return _within(boxes_between(north=north, east=east, south=south, west=west)).order_by("id")[:limit]


def sellers_serving(latitude: float, longitude: float, limit: int = NEARBY_LIMIT) -> list[Seller]:
    """Return public sellers whose service area holds the point, read one by one until `limit` are found.

    Raises ValueError for a point that is not on Earth.
    """
    _require_position(latitude, longitude)
    with_area = Seller.objects.public().filter(service_area__isnull=False).defer("description").order_by("id")
    serving = (
        seller for seller in with_area.iterator(chunk_size=500) if in_polygon(seller.service_area, latitude, longitude)
    )
    return list(islice(serving, limit))


def _require_position(latitude: float, longitude: float) -> None:
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(f"({latitude}, {longitude}) is not a position: latitude -90 to 90, longitude -180 to 180.")


def _effective(field: str) -> Case:
    return Case(When(_ON_THE_MOVE, then=F(f"last_{field}")), default=F(field), output_field=FloatField())


def _within(boxes: list[Box]) -> SellerQuerySet:
    """Return the public sellers in any of the boxes. Written as plain ranges, so that the position indexes serve."""
    inside = Q()
    for box in boxes:
        inside |= ~_ON_THE_MOVE & _range("", box)
        inside |= _ON_THE_MOVE & _range("last_", box)
    return Seller.objects.public().filter(inside).defer(*LONG_FIELDS)


def _range(prefix: str, box: Box) -> Q:
    return Q(
        **{
            f"{prefix}latitude__range": (box.south, box.north),
            f"{prefix}longitude__range": (box.west, box.east),
        }
    )
