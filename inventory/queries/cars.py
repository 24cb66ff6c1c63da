"""What the marketplace asks about cars for sale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from accounts.queries import SellerName
from config.cache import cached, families
from config.db.reading import (
    Money,
    database_of,
    extended,
    fetch,
    in_order_of,
    list_of,
    listed,
    moment,
    money,
    shaped,
)
from config.db.search import search_as_typed
from config.db.statements import Along, read_values
from config.pages import RELEVANCE, Listing, Page, Sort, Wanted, read_ranked, read_slice
from inventory.models import Car
from inventory.models.cars import Segment
from inventory.queries.meant import as_meant
from inventory.queries.pictures import Picture
from inventory.search import SHOWN_CARS, matching_shown_cars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from config.cache.families import Family
    from inventory.models.cars import CarQuerySet

FEATURED_LIMIT = 6
RELATED_LIMIT = 3
LARGEST_LIMIT = 20

CAR_SORTS = {
    sort.name: sort
    for sort in (
        Sort("newest", ("created_at",), descending=True),
        Sort("oldest", ("created_at",)),
        Sort("price", ("price",)),
        Sort("-price", ("price",), descending=True),
        Sort("year", ("year",)),
        Sort("-year", ("year",), descending=True),
        Sort("mileage", ("mileage_km",)),
        Sort("-mileage", ("mileage_km",), descending=True),
        Sort("name", ("name",)),
        Sort("-name", ("name",), descending=True),
    )
}
NEWEST = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarFilters:
    """What a list of cars is narrowed to; an empty part narrows nothing, and both ends of a range belong to it."""

    text: str = ""  # as somebody types it; `condition` knows nothing of it
    make: str = ""  # in any case
    segment: str = ""
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    year_min: int | None = None
    year_max: int | None = None
    fuel_type: str = ""
    transmission: str = ""
    featured: bool | None = None

    def condition(self) -> Q:
        """Return the filters as one condition, each joined to the others by AND."""
        wanted = {
            "make__iexact": self.make,
            "segment": self.segment,
            "price__gte": self.price_min,
            "price__lte": self.price_max,
            "year__gte": self.year_min,
            "year__lte": self.year_max,
            "fuel_type": self.fuel_type,
            "transmission": self.transmission,
            "is_featured": self.featured,
        }
        return Q(**{field: value for field, value in wanted.items() if value not in {None, ""}})


@dataclass(frozen=True, slots=True)
class CarCard:
    """A car as lists show it, with its primary picture and how many there are."""

    public_id: str
    slug: str
    name: str
    make: str
    model: str
    trim: str
    year: int
    price: Money
    mileage_km: int
    color: str
    fuel_type: str
    transmission: str
    drivetrain: str
    engine_size: str
    power_hp: int | None
    condition: str
    segment: str
    status: str
    is_featured: bool
    published_at: datetime
    created_at: datetime
    seller: SellerName | None
    picture: Picture | None
    picture_count: int


@dataclass(frozen=True, slots=True)
class Specification:
    """One labelled value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class CarDetails(CarCard):
    """A car with everything that its page shows. `title` and `summary` are for search engines."""

    updated_at: datetime
    description: str
    paragraphs: list[str]
    condition_note: str
    title: str
    summary: str
    pictures: list[Picture]
    features: list[str]
    specifications: list[Specification]


@dataclass(frozen=True, slots=True)
class CarAtSlug:
    """The car that an address leads to; with `moved` its own address is another one now."""

    car: CarDetails
    moved: bool


def public_cars(*, now: datetime, filters: CarFilters | None = None) -> CarQuerySet:
    """Return the cars that the marketplace shows at `now`, narrowed by `filters`, in no order."""
    cars: CarQuerySet = Car.all_objects.all()
    return cars.public(now=now).filter((filters or CarFilters()).condition()).order_by()


def car_list(
    filters: CarFilters | None = None, *, now: datetime, sort: str = RELEVANCE, wanted: Wanted | None = None
) -> Page[CarCard]:
    """Return one page of the public cars at `now`, in an order of CAR_SORTS, or those first that fit a text best.

    Without a text the newest fit best. Raises KeyError for another order, UnreadableCursor for a cursor that this list
    did not give.
    """
    filters, wanted = filters or CarFilters(), wanted or Wanted()
    order = None if sort == RELEVANCE and filters.text else CAR_SORTS[NEWEST if sort == RELEVANCE else sort]

    def read(text: str) -> Page[CarCard]:
        narrowed = replace(filters, text=text)
        if order is None:
            return _best_cars(public_cars(now=now, filters=narrowed), text, wanted)
        listing = _listing(narrowed, order, now)
        found = read_slice(listing, order, wanted)
        return found.page([_card(*row) for row in found.rows], wanted, lambda: listing.build(now).count())

    kept = (filters, sort, wanted.place)
    return cached(_family(filters), kept, lambda: as_meant(read, filters.text, Car.all_objects))


def _family(filters: CarFilters) -> Family:
    if filters.make and filters == CarFilters(make=filters.make):
        return families.CARS_BRAND
    if filters.segment and filters == CarFilters(segment=filters.segment):
        return families.CARS_CATEGORY
    return families.CARS_LIST


def _listing(filters: CarFilters, order: Sort, now: datetime) -> Listing:
    def build(now: datetime) -> CarQuerySet:
        cars = public_cars(now=now, filters=filters)
        return cars.filter(matching_shown_cars(filters.text)) if filters.text else cars

    keep_plan = _has_its_index(filters, order)
    return Listing("cars", build, (now,), filters=filters, keep_plan=keep_plan, along=_CARDS)


def _has_its_index(filters: CarFilters, order: Sort) -> bool:
    """Whether an index in this order begins with all that narrows the cars: no value makes another one better."""
    if order.columns == ("created_at",):
        return filters in {CarFilters(make=filters.make), CarFilters(segment=filters.segment)}
    ends = {"price": ("price_min", "price_max"), "year": ("year_min", "year_max")}.get(order.columns[0], ())
    neither: dict[str, Any] = dict.fromkeys(ends)
    return replace(filters, **neither) == CarFilters()


def _best_cars(cars: CarQuerySet, text: str, wanted: Wanted) -> Page[CarCard]:
    def find(limit: int, offset: int) -> tuple[list[int], bool]:
        found = search_as_typed(SHOWN_CARS, text, cars, limit=limit, offset=offset)
        return found.ids, found.has_more

    ranked = read_ranked("cars", find, wanted)
    return ranked.page(car_cards(ranked.keys), wanted, lambda: cars.filter(matching_shown_cars(text)).count())


def featured_cars(*, now: datetime, limit: int = FEATURED_LIMIT) -> list[CarCard]:
    """Return the newest featured cars, at most 20."""
    few = min(limit, LARGEST_LIMIT)

    def build(now: datetime) -> QuerySet[Car, tuple[Any, ...]]:
        cars = public_cars(now=now, filters=CarFilters(featured=True))
        return cars.order_by("-created_at", "-pk").values_list("created_at", "pk")

    def read() -> list[CarCard]:
        found = read_values("featured cars", build, now, limit=few, keep_plan=True, along=_CARDS)
        return [_card(*row) for _, _, *row in found]

    return cached(families.CARS_FEATURED, few, read)


def related_cars(name: str, *, now: datetime, limit: int = RELATED_LIMIT) -> list[CarCard] | None:
    """Return other public cars: of the same make first, then of the same segment, then any, newest first in each.

    At most 20; None if there is no public car with this public id, slug or former slug.
    """
    few = min(limit, LARGEST_LIMIT)
    return cached(families.CARS_RELATED, (name, few), lambda: _related_cars(name, now, few))


def _related_cars(name: str, now: datetime, limit: int) -> list[CarCard] | None:
    found = read_values("named car", _named, now, name, limit=1, keep_plan=True)
    found = found or read_values("car once named", _once_named, now, name, limit=1, keep_plan=True)
    if not found:
        return None
    key, make, segment = found[0]
    keys: list[int] = []
    # Each step reads an index in its order and stops; one statement that ranks all cars would read them all.
    for nearer, value in (("make__iexact", make), ("segment", segment), ("", "")):
        missing = limit - len(keys)
        if missing:
            further = partial(_others, nearer)
            others = read_values(("other cars", nearer, len(keys)), further, now, value, key, *keys, limit=missing)
            keys += [other for (other,) in others]
    return car_cards(keys)


def _named(now: datetime, name: str) -> QuerySet[Car, tuple[Any, ...]]:
    cars = public_cars(now=now).filter(Q(public_id=name) | Q(slug=name))
    return cars.order_by("pk").values_list("pk", "make", "segment")


def _once_named(now: datetime, slug: str) -> QuerySet[Car, tuple[Any, ...]]:
    cars = public_cars(now=now).filter(slug_history__slug=slug)
    return cars.order_by("pk").values_list("pk", "make", "segment")


def _others(nearer: str, now: datetime, value: str, *known: int) -> QuerySet[Car, tuple[Any, ...]]:
    cars = public_cars(now=now).filter(**{nearer: value} if nearer else {}).exclude(pk__in=known)
    return cars.order_by("-created_at", "-pk").values_list("pk")


def car_by_slug(slug: str, *, now: datetime) -> CarAtSlug | None:
    """Return the public car at a slug or former slug, with everything on it; None if there is none."""
    return cached(families.CAR_BY_SLUG, slug, lambda: _car_at(slug, now))


def car_by_id(public_id: str, *, now: datetime) -> CarDetails | None:
    """Return the public car with a public id, with everything on it; None if there is none."""
    return cached(families.CAR, public_id, lambda: _details("c.public_id = %s", [public_id], now))


def _car_at(slug: str, now: datetime) -> CarAtSlug | None:
    found = _details("c.slug = %s", [slug], now)
    if found is not None:
        return CarAtSlug(found, moved=False)
    former = _details("c.id IN (SELECT car_id FROM inventory_carslughistory WHERE slug = %s)", [slug], now)
    return None if former is None else CarAtSlug(former, moved=True)


def makes_in_stock(*, now: datetime) -> list[str]:
    """Return the makes of the public cars, in order."""
    return cached(families.CARS_MAKES, "makes", lambda: _makes_in_stock(now))


def _makes_in_stock(now: datetime) -> list[str]:
    return list(public_cars(now=now).order_by("make").values_list("make", flat=True).distinct())


def cars_per_segment(*, now: datetime) -> dict[str, int]:
    """Return how many public cars each segment has, the empty ones included."""
    return cached(families.CARS_MAKES, "segments", lambda: _cars_per_segment(now))


def _cars_per_segment(now: datetime) -> dict[str, int]:
    counts = public_cars(now=now).values_list("segment").annotate(Count("pk"))
    return dict.fromkeys(Segment.values, 0) | dict(counts)


_CARD = (
    "c.public_id, c.slug, c.name, c.make, c.model, c.trim, c.year, c.price, c.currency, c.mileage_km, c.color,"
    " c.fuel_type, c.transmission, c.drivetrain, c.engine_size, c.power_hp, c.condition, c.segment, c.status,"
    " c.is_featured, c.published_at, c.created_at, s.public_id, s.name, i.url, i.alt_text,"
    " (SELECT count(*) FROM inventory_carimage n WHERE n.car_id = c.id)"
)
_FROM = (
    "FROM inventory_car c LEFT JOIN accounts_seller s ON s.id = c.seller_id"
    " LEFT JOIN inventory_carimage i ON i.id = (SELECT x.id FROM inventory_carimage x WHERE x.car_id = c.id"
    " ORDER BY x.is_primary DESC, x.position, x.id LIMIT 1)"
)
_CARDS = Along(Car, _CARD, _FROM, "c.id")
# As `CarQuerySet.public`.
_PUBLIC = (
    "c.deleted_at IS NULL AND c.status = 'AVAILABLE' AND c.published_at <= %s"
    " AND (c.seller_id IS NULL OR (s.is_verified AND s.is_active AND s.deleted_at IS NULL))"
)


def car_cards(keys: Sequence[int]) -> list[CarCard]:
    """Return what lists show of the cars with these keys, in their order, with one query."""
    return [_card(*row) for row in in_order_of(keys, _CARDS.of(keys))]


def _card(*row: Any) -> CarCard:
    (*described, price, currency, mileage_km, color) = row[:11]
    (*technical, is_featured, published_at, created_at) = row[11:22]
    seller_id, seller_name, url, alt_text, picture_count = row[22:]
    return shaped(
        CarCard,
        *described,
        money(price, currency),
        mileage_km,
        color,
        *technical,
        bool(is_featured),
        moment(published_at),
        moment(created_at),
        SellerName(seller_id, seller_name) if seller_id else None,
        Picture(url, alt_text) if url else None,
        picture_count,
    )


def _details(condition: str, parameters: Sequence[Any], now: datetime) -> CarDetails | None:
    database = database_of(Car)
    lists = [
        list_of(database, columns, f"FROM {table} WHERE car_id = c.id ORDER BY {first}position, id")
        for columns, table, first in (
            (("url", "alt_text"), "inventory_carimage", "is_primary DESC, "),
            (("text",), "inventory_carfeature", ""),
            (("label", "value"), "inventory_carspecification", ""),
        )
    ]
    texts = "c.updated_at, c.description, c.paragraphs, c.condition_note, c.meta_title, c.meta_description"
    statement = f"SELECT {_CARD}, {texts}, {', '.join(lists)} {_FROM} WHERE {condition} AND {_PUBLIC} LIMIT 1"
    rows = fetch(Car, statement, [*parameters, database.ops.adapt_datetimefield_value(now)])
    return _car_details(rows[0]) if rows else None


def _car_details(row: tuple[Any, ...]) -> CarDetails:
    card = _card(*row[:27])
    updated_at, description, paragraphs, condition_note, title, summary, pictures, features, specifications = row[27:]
    return extended(
        CarDetails,
        card,
        moment(updated_at),
        description,
        listed(paragraphs),
        condition_note,
        title or card.name,
        summary or description[:155],
        [Picture(*picture) for picture in listed(pictures)],
        [text for (text,) in listed(features)],
        [Specification(*pair) for pair in listed(specifications)],
    )
