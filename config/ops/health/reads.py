"""What the marketplace asks of the database, by name, each with an argument that is usual in this database."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from accounts.models import Seller
from accounts.queries import (
    SellerFilters,
    cities,
    nearby_sellers,
    provinces,
    seller_by_id,
    seller_list,
    sellers_named,
)
from config.pages import Wanted
from inventory.models import Car, Category, Part
from inventory.queries import (
    CAR_SORTS,
    PART_SORTS,
    CarFilters,
    PartFilters,
    car_by_id,
    car_by_slug,
    car_list,
    cars_per_segment,
    category_tree,
    featured_cars,
    featured_parts,
    makes_in_stock,
    part_by_id,
    part_facets,
    part_list,
    related_cars,
    sellers_with_stock,
    suggestions,
)
from inventory.queries.parts import Circle
from leads.queries import vouchers_near, vouchers_titled

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Read = Callable[["Usual"], Any]

FIRST = Wanted(cursor="")
RADIUS_KM = 25.0


@dataclass(frozen=True, slots=True)
class Usual:
    """What people ask for: the moment, and values of the newest public car, part and seller."""

    now: datetime
    car: dict[str, Any]
    part: dict[str, Any]
    seller: dict[str, Any]
    category: str

    @property
    def circle(self) -> tuple[float, float, float]:
        """A circle around the seller."""
        return (self.seller["latitude"] or 0.0, self.seller["longitude"] or 0.0, RADIUS_KM)


def usual(now: datetime) -> Usual:
    """Look up what is usual in the database at `now`; where there is nothing yet, names that lead nowhere."""
    cars = Car.objects.public(now=now).order_by("-created_at", "-pk")
    parts = Part.objects.public().order_by("-created_at", "-pk")
    sellers = Seller.objects.public().order_by("-created_at", "-pk")
    car = {"slug": "none", "public_id": "none", "make": "none", "segment": "SUV", "year": 2015, "price": Decimal(9000)}
    of_part = {"vehicle__make": "none", "vehicle__model": "none", "vehicle__year": 2015}
    part = {"public_id": "none", "name": "none", "price": Decimal(900), "seller__public_id": "none"} | of_part
    seller = {
        "public_id": "none",
        "name": "none",
        "city": "none",
        "province": "none",
        "latitude": 0.0,
        "longitude": 0.0,
    }
    return Usual(
        now=now,
        car=cars.values(*car).first() or car,
        part=parts.values(*part).first() or part,
        seller=sellers.filter(latitude__isnull=False).values(*seller).first() or seller,
        category=Category.objects.order_by("path").values_list("slug", flat=True).first() or "none",
    )


def _cars(sort: str, u: Usual) -> Any:
    return car_list(now=u.now, sort=sort, wanted=FIRST)


def _parts(sort: str, u: Usual) -> Any:
    return part_list(sort=sort, wanted=FIRST)


def _cars_where(u: Usual, **filters: Any) -> Any:
    return car_list(CarFilters(**filters), now=u.now, wanted=FIRST)


def _parts_where(**filters: Any) -> Any:
    return part_list(PartFilters(**filters), wanted=FIRST)


def _around(price: Decimal) -> dict[str, Decimal]:
    return {"price_min": price * 9 / 10, "price_max": price * 11 / 10}


def _word(name: str) -> str:
    return name.split(maxsplit=1)[0]


NAMED_READS: dict[str, Read] = {
    **{f"cars.by-{sort}": partial(_cars, sort) for sort in CAR_SORTS if not sort.startswith("-")},
    "cars.numbered-page": lambda u: car_list(now=u.now),
    "cars.of-make": lambda u: _cars_where(u, make=u.car["make"]),
    "cars.of-segment": lambda u: _cars_where(u, segment=u.car["segment"]),
    "cars.of-price": lambda u: _cars_where(u, **_around(u.car["price"])),
    "cars.of-years": lambda u: _cars_where(u, year_min=u.car["year"], year_max=u.car["year"] + 2),
    "cars.search": lambda u: _cars_where(u, text=u.car["make"]),
    "cars.featured": lambda u: featured_cars(now=u.now),
    "cars.related": lambda u: related_cars(u.car["slug"], now=u.now),
    "cars.makes": lambda u: makes_in_stock(now=u.now),
    "cars.segments": lambda u: cars_per_segment(now=u.now),
    "car.by-slug": lambda u: car_by_slug(u.car["slug"], now=u.now),
    "car.by-id": lambda u: car_by_id(u.car["public_id"], now=u.now),
    **{f"parts.by-{sort}": partial(_parts, sort) for sort in PART_SORTS if not sort.startswith("-")},
    "parts.of-make-and-year": lambda u: _parts_where(make=u.part["vehicle__make"], year=u.part["vehicle__year"]),
    "parts.of-make-and-model": lambda u: _parts_where(make=u.part["vehicle__make"], model=u.part["vehicle__model"]),
    "parts.of-price": lambda u: _parts_where(**_around(u.part["price"])),
    "parts.of-city": lambda u: _parts_where(city=u.seller["city"]),
    "parts.of-seller": lambda u: _parts_where(seller=u.part["seller__public_id"]),
    "parts.of-category": lambda u: _parts_where(category=u.category),
    "parts.around-a-point": lambda u: _parts_where(circle=Circle(*u.circle)),
    "parts.search": lambda u: _parts_where(text=_word(u.part["name"])),
    "parts.facets": lambda u: part_facets(PartFilters(make=u.part["vehicle__make"], year=u.part["vehicle__year"])),
    "parts.suggestions": lambda u: suggestions(_word(u.part["name"])[:3], now=u.now),
    "parts.featured": lambda u: featured_parts(),
    "part.by-id": lambda u: part_by_id(u.part["public_id"]),
    "categories": lambda u: category_tree(),
    "sellers": lambda u: sellers_with_stock(wanted=FIRST),
    "sellers.of-city": lambda u: seller_list(SellerFilters(city=u.seller["city"]), wanted=FIRST),
    "sellers.nearby": lambda u: nearby_sellers(*u.circle),
    "sellers.search": lambda u: sellers_named(_word(u.seller["name"])),
    "sellers.provinces": lambda u: provinces(),
    "sellers.cities": lambda u: cities(province=u.seller["province"]),
    "seller.by-id": lambda u: seller_by_id(u.seller["public_id"]),
    "vouchers.nearby": lambda u: vouchers_near(*u.circle, now=u.now),
    "vouchers.search": lambda u: vouchers_titled(_word(u.seller["name"]), now=u.now),
}
