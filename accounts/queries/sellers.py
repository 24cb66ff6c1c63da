"""What the marketplace asks about sellers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db.models import Case, DecimalField, F, FloatField, Func, Q, When
from django.db.models.functions import Coalesce

from accounts.geo import Box, boxes_around, boxes_between, boxes_of, distance_km, edges_around, in_polygon
from accounts.models import Seller
from accounts.models.sellers import BusinessType
from accounts.queries.texts import resolve_texts
from accounts.search import search_sellers
from config.cache import cached, families
from config.db.reading import document, extended, fetch, in_order_of, moment, one_of, optional_decimal, shaped
from config.db.statements import read_values
from config.pages import Listing, Page, Sort, Wanted, read_slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from accounts.models.sellers import SellerQuerySet

NEARBY_RADIUS_KM = 10.0
NEARBY_LIMIT = 20
MOST_PLACES = 100_000

# Long values that a list never shows.
LONG_FIELDS = ("description", "service_area", "business_hours")

# Those without a rating come after the lowest one.
BEST_FIRST = Sort("best", ("is_verified", "rating_or_none", "total_sales"), descending=True)
# Spelled out in the statement: in a plan for all values of a parameter the index of this order is not found.
_RATING_OR_NONE = Coalesce("rating", Func(template="-1", output_field=DecimalField()))


# A mobile vendor who has been seen is where it was seen last; everybody else is at the fixed position.
def _on_the_move(prefix: str = "") -> Q:
    return Q(**{f"{prefix}business_type": BusinessType.MOBILE_VENDOR, f"{prefix}last_latitude__isnull": False})


_ON_THE_MOVE = _on_the_move()


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
    ranked = sellers.annotate(rating_or_none=_RATING_OR_NONE)
    return ranked.defer(*LONG_FIELDS).order_by(*(f"-{key}" for key in BEST_FIRST.keys))


def seller_list(
    filters: SellerFilters | None = None, *, wanted: Wanted | None = None, language: str = ""
) -> Page[SellerCard]:
    """Return one page of the public list, names in `language`. Raises UnreadableCursor."""
    wanted = wanted or Wanted()

    def read() -> Page[_Named[SellerCard]]:
        narrowed = filters or SellerFilters()
        listing = Listing(
            "sellers",
            lambda: _placed(public_sellers(narrowed)),
            filters=narrowed,
            keep_plan=narrowed == SellerFilters(),
            columns=_COLUMNS,
        )
        found = read_slice(listing, BEST_FIRST, wanted)
        return found.page([_named(*row) for row in found.rows], wanted, lambda: public_sellers(narrowed).count())

    page: Page[Any] = cached(families.SELLERS_LIST, (filters or SellerFilters(), wanted.place), read)
    return replace(page, items=_in_language(page.items, language))


def seller_by_id(public_id: str, *, language: str = "") -> SellerDetails | None:
    """Return an active seller with everything on it, its texts in `language`; None if there is none."""
    found = cached(families.SELLER, public_id, lambda: _read_details(public_id))
    if found is None:
        return None
    (seller,) = _in_language([found], language)
    return seller


def seller_cards(keys: Sequence[int], *, language: str = "") -> list[SellerCard]:
    """Return what lists show of the sellers with these keys, in their order; with one query, or two for other names."""
    return _in_language(_read_cards(keys), language)


@dataclass(frozen=True, slots=True)
class SellersNamed:
    """Sellers that a text finds; `searched_for` are the words that one with a typing error was taken for."""

    items: list[SellerCard]
    searched_for: str | None = None


def sellers_named(text: str, *, limit: int = NEARBY_LIMIT, language: str = "") -> SellersNamed:
    """Return what lists show of the public sellers that a text finds, best first."""
    found = search_sellers(text, within=Seller.objects.public(), limit=limit)
    return SellersNamed(seller_cards(found.ids, language=language), found.repaired or None)


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
    place = (latitude, longitude, radius_km, limit)
    return _in_language(cached(families.SELLERS_NEARBY, place, lambda: _read_near(*place)), language)


def _read_near(latitude: float, longitude: float, radius_km: float, limit: int) -> list[_Named[SellerNear]]:
    require_position(latitude, longitude)
    edges = edges_around(latitude, longitude, radius_km)
    circle = (float(latitude), float(longitude), float(radius_km))
    key = ("sellers nearby", len(edges))
    rows = read_values(key, _nearest, *circle, *edges, limit=limit, keep_plan=True)
    cards = [_named(*row[1:]) for row in rows]
    return [
        replace(card, seller=extended(SellerNear, card.seller, round(row[0], 3)))  # type: ignore[misc]
        for card, row in zip(cards, rows, strict=True)
    ]


def _nearest(latitude: float, longitude: float, radius_km: float, *edges: float) -> QuerySet[Seller, tuple[Any, ...]]:
    sellers: Any = _placed(_within_circle(latitude, longitude, radius_km, boxes_of(edges)))
    nearest: QuerySet[Seller, tuple[Any, ...]] = sellers.order_by("distance_km", "id").values_list(
        "distance_km", *_COLUMNS
    )
    return nearest


SellerT = TypeVar("SellerT", bound=SellerCard)


@dataclass(frozen=True, slots=True)
class _Named(Generic[SellerT]):
    """A seller as stored, and the translation keys of its texts, which are looked up anew for every reader."""

    seller: SellerT
    name_key: str | None
    description_key: str | None = None


def _in_language(found: Sequence[_Named[SellerT]], language: str) -> list[SellerT]:
    keys = {key for each in found for key in (each.name_key, each.description_key) if key}
    if not keys:
        return [each.seller for each in found]
    texts = resolve_texts(dict.fromkeys(keys, ""), language)

    def told(each: _Named[SellerT]) -> SellerT:
        # Without a translation the key itself comes back.
        parts = {"name": each.name_key, "description": each.description_key}
        known: dict[str, Any] = {part: texts[key] for part, key in parts.items() if key and texts[key] != key}
        return replace(each.seller, **known) if known else each.seller

    return [told(each) for each in found]


_MOVING = "s.business_type = 'MOBILE_VENDOR' AND s.last_latitude IS NOT NULL"
_CARD = (
    "s.public_id, s.name, s.business_type, s.is_verified, s.rating, s.total_sales, s.city, s.province, s.country,"
    f" CASE WHEN {_MOVING} THEN s.last_latitude ELSE s.latitude END,"
    f" CASE WHEN {_MOVING} THEN s.last_longitude ELSE s.longitude END, s.is_open, s.primary_image_url"
)
_CARD_WIDTH = 13
# As `_CARD`, of the ORM's rows.
_COLUMNS = (
    *("name_key", "public_id", "name", "business_type", "is_verified", "rating", "total_sales"),
    *("city", "province", "country", "at_latitude", "at_longitude", "is_open", "primary_image_url"),
)
_MORE = (
    "s.description, s.phone, s.email, s.whatsapp, s.website, s.street, s.postal_code, s.timezone, s.business_hours,"
    " s.service_area, s.created_at"
)

# ruff: noqa: S608  # every statement is put together from the constants of this module


def _placed(sellers: SellerQuerySet) -> SellerQuerySet:
    placed: SellerQuerySet = sellers.annotate(
        at_latitude=position_of("latitude"), at_longitude=position_of("longitude")
    )
    return placed


def _named(name_key: str | None, *row: Any) -> _Named[SellerCard]:
    return _Named(_card(*row), name_key)


def _read_cards(keys: Sequence[int]) -> list[_Named[SellerCard]]:
    if not keys:
        return []
    wanted, parameters = one_of(Seller, "s.id", keys)
    rows = fetch(Seller, f"SELECT s.id, s.name_key, {_CARD} FROM accounts_seller s WHERE {wanted}", parameters)
    return in_order_of(keys, {row[0]: _named(*row[1:]) for row in rows})


def _read_details(public_id: str) -> _Named[SellerDetails] | None:
    source = "accounts_seller s WHERE s.public_id = %s AND s.is_active AND s.deleted_at IS NULL"
    rows = fetch(Seller, f"SELECT s.name_key, s.description_key, {_CARD}, {_MORE} FROM {source}", [public_id])
    if not rows:
        return None
    name_key, description_key, *row = rows[0]
    *more, hours, area, created_at = row[_CARD_WIDTH:]
    details = (*more, document(hours), document(area), moment(created_at))
    return _Named(extended(SellerDetails, _card(*row[:_CARD_WIDTH]), *details), name_key, description_key)


def _card(*row: Any) -> SellerCard:
    public_id, name, business_type, is_verified, rating, *rest, is_open, picture_url = row
    states = (business_type, bool(is_verified), optional_decimal(rating))
    return shaped(SellerCard, public_id, name, *states, *rest, bool(is_open), picture_url)


def provinces() -> list[str]:
    """Return the provinces where verified sellers are, in order."""
    return cached(families.SELLERS_PLACES, "provinces", lambda: _places("province"))


def cities(*, province: str = "") -> list[str]:
    """Return the cities where verified sellers are, in order; of one province if it is given."""
    return cached(families.SELLERS_PLACES, ("cities", province), lambda: _places("city", province=province))


def _places(column: str, **within: str) -> list[str]:
    narrowed = {name: value for name, value in within.items() if value}

    def build(*values: str) -> QuerySet[Seller, tuple[Any, ...]]:
        sellers = Seller.objects.public().filter(**dict(zip(narrowed, values, strict=True)))
        return sellers.exclude(**{column: ""}).order_by(column).values_list(column).distinct()

    key = ("places", column, *narrowed)
    return [place for (place,) in read_values(key, build, *narrowed.values(), limit=MOST_PLACES, keep_plan=True)]


def sellers_within(latitude: float, longitude: float, radius_km: float) -> SellerQuerySet:
    """Return all public sellers within `radius_km` of a point, in no order, each with `distance_km`.

    Raises ValueError for a point that is not on Earth.
    """
    require_position(latitude, longitude)
    return _within_circle(latitude, longitude, radius_km, boxes_around(latitude, longitude, radius_km)).order_by()


def _within_circle(latitude: float, longitude: float, radius_km: float, boxes: list[Box]) -> SellerQuerySet:
    nearby = sellers_in(boxes).annotate(
        distance_km=distance_km(latitude, longitude, position_of("latitude"), position_of("longitude"))
    )
    return nearby.filter(distance_km__lte=radius_km)


def sellers_in_rectangle(
    *, north: float, east: float, south: float, west: float, limit: int = NEARBY_LIMIT
) -> SellerQuerySet:
    """Return the public sellers between two corners; with west > east the rectangle crosses the 180th meridian.

    Raises ValueError if a corner is not on Earth or south lies north of north.
    """
    require_position(north, east)
    require_position(south, west)
    if south > north:
        raise ValueError("The southern edge lies north of the northern one.")
    return sellers_in(boxes_between(north=north, east=east, south=south, west=west)).order_by("id")[:limit]


def sellers_serving(latitude: float, longitude: float, limit: int = NEARBY_LIMIT) -> list[Seller]:
    """Return public sellers whose service area holds the point, read one by one until `limit` are found.

    Raises ValueError for a point that is not on Earth.
    """
    require_position(latitude, longitude)
    with_area = Seller.objects.public().filter(service_area__isnull=False).defer("description").order_by("id")
    serving = (
        seller for seller in with_area.iterator(chunk_size=500) if in_polygon(seller.service_area, latitude, longitude)
    )
    return list(islice(serving, limit))


def require_position(latitude: float, longitude: float) -> None:
    """Raise ValueError for a point that is not on Earth."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(f"({latitude}, {longitude}) is not a position: latitude -90 to 90, longitude -180 to 180.")


def position_of(name: str, prefix: str = "") -> Case:
    """Return an expression for the present `name` (latitude, longitude) of a seller, to whom `prefix` leads."""
    last, fixed = F(f"{prefix}last_{name}"), F(f"{prefix}{name}")
    return Case(When(_on_the_move(prefix), then=last), default=fixed, output_field=FloatField())


def sellers_in(boxes: list[Box]) -> SellerQuerySet:
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
