"""What the marketplace asks about parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q

from accounts.queries import SellerName, sellers_within
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
from config.db.statements import Along
from config.pages import RELEVANCE, Listing, Page, Sort, Wanted, read_ranked, read_slice
from inventory.models import Category, Part, Vehicle
from inventory.queries.cars import public_cars
from inventory.queries.meant import as_meant
from inventory.queries.pictures import Picture
from inventory.search import PARTS, matching_parts, suggest_makes_and_models, suggest_part_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inventory.models.parts import PartQuerySet

PART_SORTS = {
    sort.name: sort
    for sort in (
        Sort("newest", ("created_at",), descending=True),
        Sort("oldest", ("created_at",)),
        Sort("price", ("price",)),
        Sort("-price", ("price",), descending=True),
    )
}
NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Circle:
    """All places within a radius around a point."""

    latitude: float
    longitude: float
    radius_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFilters:
    """What a search for parts is narrowed to; an empty part narrows nothing, and both ends of a range belong to it.

    `text` is what somebody types, of which `condition` knows nothing; `make`, `model` (a piece of it, in any case) and
    `year` are the vehicle's; `category` is a slug or public id and means all below it too; `province`, `city` and
    `circle` are where the seller is; `seller` is a public id.
    """

    text: str = ""
    make: str = ""
    model: str = ""
    year: int | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    conditions: tuple[str, ...] = ()
    category: str = ""
    province: str = ""
    city: str = ""
    seller: str = ""
    circle: Circle | None = None

    def condition(self, categories: Sequence[int] | None = None) -> Q:
        """Return the filters as one condition, each joined to the others by AND.

        Asks where the circle's sellers are, and for the `categories` that the category means unless they are given.
        """
        wanted: dict[str, Any] = {
            "vehicle__make": self.make,
            "vehicle__model__icontains": self.model,
            "vehicle__year": self.year,
            "price__gte": self.price_min,
            "price__lte": self.price_max,
            "condition__in": self.conditions,
            "seller__province": self.province,
            "seller__city": self.city,
            "seller__public_id": self.seller,
        }
        condition = Q(**{name: value for name, value in wanted.items() if value not in {None, "", ()}})
        if self.category:
            condition &= Q(category__in=_and_below(self.category) if categories is None else categories)
        if self.circle is not None:
            near = sellers_within(self.circle.latitude, self.circle.longitude, self.circle.radius_km)
            condition &= Q(seller__in=list(near.values_list("pk", flat=True)))
        return condition


def _and_below(name: str) -> list[int]:
    rows = fetch(
        Category,
        "SELECT below.id FROM inventory_category this JOIN inventory_category below"
        " ON substr(below.path, 1, length(this.path)) = this.path AND below.deleted_at IS NULL"
        " WHERE (this.slug = %s OR this.public_id = %s) AND this.deleted_at IS NULL",
        [name, name],
    )
    return sorted({key for (key,) in rows})


@dataclass(frozen=True, slots=True)
class VehicleName:
    """The vehicle that a part comes from."""

    public_id: str
    make: str
    model: str
    trim: str
    year: int


@dataclass(frozen=True, slots=True)
class CategoryName:
    """A category by id, slug and name."""

    public_id: str
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class PartCard:
    """A part as lists show it, with its primary picture and how many there are."""

    public_id: str
    name: str
    part_number: str | None
    condition: str
    price: Money
    status: str
    created_at: datetime
    seller: SellerName
    city: str
    province: str
    vehicle: VehicleName
    category: CategoryName | None
    picture: Picture | None
    picture_count: int


@dataclass(frozen=True, slots=True)
class PartDetails(PartCard):
    """A part with everything that its page shows."""

    updated_at: datetime
    description: str
    pictures: list[Picture]


def public_parts(filters: PartFilters | None = None, categories: Sequence[int] | None = None) -> PartQuerySet:
    """Return the parts that the marketplace shows, narrowed by `filters`, in no order; see `PartFilters.condition`."""
    parts: PartQuerySet = Part.all_objects.all()
    return parts.public().filter((filters or PartFilters()).condition(categories)).order_by()


def part_list(
    filters: PartFilters | None = None, *, sort: str = RELEVANCE, wanted: Wanted | None = None
) -> Page[PartCard]:
    """Return one page of the public parts, in an order of PART_SORTS, or those first that fit a text best.

    Without a text the newest fit best. Raises KeyError for another order, UnreadableCursor for a cursor that this list
    did not give.
    """
    filters, wanted = filters or PartFilters(), wanted or Wanted()
    order = None if sort == RELEVANCE and filters.text else PART_SORTS[NEWEST if sort == RELEVANCE else sort]

    def read(text: str) -> Page[PartCard]:
        narrowed = replace(filters, text=text)
        if order is None:
            return _best_parts(public_parts(narrowed), text, wanted)
        listing = _listing(narrowed, order)
        found = read_slice(listing, order, wanted)
        return found.page([_card(*row) for row in found.rows], wanted, lambda: listing.build().count())

    def read_as_meant() -> Page[PartCard]:
        return as_meant(read, filters.text, Part.all_objects)

    if filters.circle is not None:
        # Sellers move, and not every step of theirs may end what is kept of all parts.
        return read_as_meant()
    family = families.PARTS_SEARCH if filters.text else families.PARTS_LIST
    return cached(family, (filters, sort, wanted.place), read_as_meant)


def _listing(filters: PartFilters, order: Sort) -> Listing:
    categories = tuple(_and_below(filters.category)) if filters.category else None

    def build() -> PartQuerySet:
        parts = public_parts(filters, categories)
        return parts.filter(matching_parts(filters.text)) if filters.text else parts

    # Where sellers are is asked of the database, and their number may be large.
    text = None if filters.circle else (filters, categories)
    return Listing("parts", build, filters=text, keep_plan=_is_planned_alike(filters, order), along=_CARDS)


def _is_planned_alike(filters: PartFilters, order: Sort) -> bool:
    """Whether no value of the filters makes another index better.

    That is so where nothing narrows the parts but what the index in this order begins with; and how many parts a seller
    has, PostgreSQL cannot know by a public id.
    """
    neither: dict[str, Any] = {"price_min": None, "price_max": None} if order.columns == ("price",) else {}
    return replace(filters, **neither) == PartFilters() or filters == PartFilters(seller=filters.seller)


def _best_parts(parts: PartQuerySet, text: str, wanted: Wanted) -> Page[PartCard]:
    def find(limit: int, offset: int) -> tuple[list[int], bool]:
        found = search_as_typed(PARTS, text, parts, limit=limit, offset=offset)
        return found.ids, found.has_more

    ranked = read_ranked("parts", find, wanted)
    return ranked.page(part_cards(ranked.keys), wanted, lambda: parts.filter(matching_parts(text)).count())


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What somebody who is typing may mean: names of parts, makes, and models (of one make, if it is known)."""

    names: list[str]
    makes: list[str]
    models: list[str]


def suggestions(text: str, *, now: datetime, make: str = "") -> Suggestions:
    """Return at most 10 of each that go on as `text` begins, of what is public; none before the second letter."""

    def read() -> Suggestions:
        parts = public_parts()
        vehicles = Vehicle.objects.filter(Exists(parts.filter(vehicle=OuterRef("pk"))))
        makes, models = suggest_makes_and_models(text, cars=public_cars(now=now), vehicles=vehicles, make=make)
        return Suggestions(suggest_part_names(text, within=parts), makes, models)

    return cached(families.PARTS_SUGGESTIONS, (text, make), read)


def part_by_id(public_id: str) -> PartDetails | None:
    """Return a public part with everything on it; None if there is none."""
    return cached(families.PART, public_id, lambda: _part_by_id(public_id))


def _part_by_id(public_id: str) -> PartDetails | None:
    pictures = list_of(
        database_of(Part), ("url", "alt_text"), "FROM inventory_partimage WHERE part_id = p.id ORDER BY position, id"
    )
    statement = f"SELECT {_CARD}, p.updated_at, p.description, {pictures} {_FROM} WHERE p.public_id = %s AND {_PUBLIC}"
    rows = fetch(Part, statement, [public_id])
    if not rows:
        return None
    card = _card(*rows[0][:23])
    updated_at, description, found = rows[0][23:]
    return extended(
        PartDetails,
        card,
        moment(updated_at),
        description,
        [Picture(*picture) for picture in listed(found)],
    )


_CARD = (
    "p.public_id, p.name, p.part_number, p.condition, p.price, p.currency, p.status, p.created_at, s.public_id, s.name,"
    " s.city, s.province, v.public_id, v.make, v.model, v.trim, v.year, g.public_id, g.slug, g.name, i.url, i.alt_text,"
    " (SELECT count(*) FROM inventory_partimage n WHERE n.part_id = p.id)"
)
_FROM = (
    "FROM inventory_part p JOIN accounts_seller s ON s.id = p.seller_id JOIN inventory_vehicle v ON v.id = p.vehicle_id"
    " LEFT JOIN inventory_category g ON g.id = p.category_id"
    " LEFT JOIN inventory_partimage i ON i.id = (SELECT x.id FROM inventory_partimage x WHERE x.part_id = p.id"
    " ORDER BY x.position, x.id LIMIT 1)"
)
_CARDS = Along(Part, _CARD, _FROM, "p.id")
# As `PartQuerySet.public`.
_PUBLIC = (
    "p.deleted_at IS NULL AND p.status = 'AVAILABLE' AND p.is_listed"
    " AND s.is_verified AND s.is_active AND s.deleted_at IS NULL"
)


def part_cards(keys: Sequence[int]) -> list[PartCard]:
    """Return what lists show of the parts with these keys, in their order, with one query."""
    return [_card(*row) for row in in_order_of(keys, _CARDS.of(keys))]


def _card(*row: Any) -> PartCard:
    *described, price, currency, status, created_at = row[:8]
    seller_id, seller_name, city, province, *vehicle = row[8:17]
    category_id, category_slug, category_name, url, alt_text, picture_count = row[17:]
    return shaped(
        PartCard,
        *described,
        money(price, currency),
        status,
        moment(created_at),
        SellerName(seller_id, seller_name),
        city,
        province,
        VehicleName(*vehicle),
        CategoryName(category_id, category_slug, category_name) if category_id else None,
        Picture(url, alt_text) if url else None,
        picture_count,
    )
