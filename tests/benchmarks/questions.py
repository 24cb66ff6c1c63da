"""What the marketplace is asked in the benchmarks of reads, and the SQL written by hand for the same answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
from django.db import connection

from accounts.queries import nearby_sellers, provinces, seller_by_id, seller_list
from config.db.words import Holds
from config.pages import Wanted
from inventory.models import Part
from inventory.models.parts import PART_NAMES
from inventory.queries import (
    CarDetails,
    CarFilters,
    PartFilters,
    car_by_id,
    car_by_slug,
    car_list,
    category_tree,
    featured_cars,
    featured_parts,
    makes_in_stock,
    part_by_id,
    part_facets,
    part_list,
    related_cars,
    suggestions,
)
from leads.queries import vouchers_near
from tests.benchmarks import floor
from tests.benchmarks.marketplace import CARS
from tests.builders import NOON

LIST, ROW = 2.0, 4.0
DEEP = min(2500, CARS // 40)
BY_CURSOR = Wanted(cursor="")
LATITUDE, LONGITUDE, RADIUS = -30.0, 25.0, 100.0


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and the statements that answer it; `arrange` puts their rows into the answer's order.

    Without `is_kept` a part of the answer is asked for anew every time.
    """

    name: str
    ask: Callable[[], Any]
    statements: str | Sequence[str]
    parameters: dict[str, Any] = field(default_factory=dict)
    bar: float = LIST
    arrange: Callable[[floor.Rows], Any] = list
    is_kept: bool = True

    def by_hand(self, connection: psycopg.Connection[Any]) -> list[Any]:
        """Return the answer that the statements give."""
        statements = [self.statements] if isinstance(self.statements, str) else self.statements
        return [self.arrange(floor.ask(connection, statement, self.parameters)) for statement in statements]


def cases() -> list[Case]:
    """Return all questions."""
    return [
        *lists_of_cars(),
        *single_cars(),
        *lists_of_parts(),
        *parts_by_words(),
        *other_parts(),
        *sellers(),
        *places(),
    ]


def lists_of_cars() -> list[Case]:
    now = {"now": NOON}
    price = {"low": Decimal(5000), "high": Decimal(20_000)}
    narrow = CarFilters(make="skoda", price_min=price["low"], price_max=price["high"])
    deep = f"LIMIT 20 OFFSET {(DEEP - 1) * 20}"
    return [
        Case("cars, newest", lambda: car_list(now=NOON, wanted=BY_CURSOR), floor.cars(), now),
        Case("cars, first numbered page", lambda: car_list(now=NOON), (floor.cars(), floor.CARS_COUNT), now),
        Case(
            "cars, deep numbered page",
            lambda: car_list(now=NOON, wanted=Wanted(page=DEEP)),
            (floor.cars(page=deep), floor.CARS_COUNT),
            now,
        ),
        Case(
            "cars of a make and price, by price",
            lambda: car_list(narrow, now=NOON, sort="price", wanted=BY_CURSOR),
            floor.cars(f"upper(c.make) = upper(%(make)s) AND {costs('c')}", "c.price, c.id"),
            now | price | {"make": "skoda"},
        ),
        Case(
            "cars of a segment and years",
            lambda: car_list(CarFilters(segment="SUV", year_min=2010, year_max=2012), now=NOON, wanted=BY_CURSOR),
            floor.cars("c.segment = %(segment)s AND c.year >= %(first)s AND c.year <= %(last)s"),
            now | {"segment": "SUV", "first": 2010, "last": 2012},
        ),
        Case("featured cars", lambda: featured_cars(now=NOON), floor.cars("c.is_featured", page="LIMIT 6"), now),
        Case("related cars", lambda: related_cars("car-77", now=NOON), floor.RELATED, now | {"name": "car-77"}),
        Case("makes of cars", lambda: makes_in_stock(now=NOON), floor.MAKES, now),
    ]


def costs(table: str) -> str:
    return f"{table}.price >= %(low)s AND {table}.price <= %(high)s"


def single_cars() -> list[Case]:
    slug, key = {"now": NOON, "slug": "car-77"}, {"now": NOON, "id": "car-id-77"}
    return [
        Case("a car by slug", lambda: car_at("car-77"), floor.car("c.slug = %(slug)s"), slug, bar=ROW),
        Case("a car by id", lambda: car_by_id("car-id-77", now=NOON), floor.car("c.public_id = %(id)s"), key, bar=ROW),
    ]


def car_at(slug: str) -> CarDetails:
    found = car_by_slug(slug, now=NOON)
    assert found
    return found.car


def lists_of_parts() -> list[Case]:
    price = {"low": Decimal(500), "high": Decimal(700)}
    costing = PartFilters(price_min=price["low"], price_max=price["high"])
    return [
        Case("parts, newest", lambda: part_list(wanted=BY_CURSOR), floor.parts()),
        Case(
            "parts of a price, by price",
            lambda: part_list(costing, sort="price", wanted=BY_CURSOR),
            floor.parts(costs("p"), "p.price, p.id"),
            price,
        ),
        Case(
            "parts of a make and year",
            lambda: part_list(PartFilters(make="Toyota", year=2010), wanted=BY_CURSOR),
            floor.parts(floor.OF_MAKE_AND_YEAR),
            {"make": "Toyota", "year": 2010},
        ),
        Case(
            "parts of a city",
            lambda: part_list(PartFilters(city="City 7"), wanted=BY_CURSOR),
            floor.parts("s.city = %(city)s"),
            {"city": "City 7"},
        ),
        Case(
            "parts of a seller",
            lambda: part_list(PartFilters(seller="seller-7"), wanted=BY_CURSOR),
            floor.parts("s.public_id = %(seller)s"),
            {"seller": "seller-7"},
        ),
        Case(
            "parts of a category",
            lambda: part_list(PartFilters(category="category-3"), wanted=BY_CURSOR),
            floor.parts("p.category_id IN (SELECT id FROM inventory_category WHERE path LIKE %(path)s)"),
            {"path": "category-3/%"},
        ),
    ]


def parts_by_words() -> list[Case]:
    return [
        Case(
            "parts, two words",
            lambda: part_list(PartFilters(text="corolla alternator"), wanted=BY_CURSOR),
            floor.parts(holds("corolla alternator")),
        ),
        Case(
            "parts, one common word",
            lambda: part_list(PartFilters(text="alternator"), wanted=BY_CURSOR),
            floor.parts(holds("alternator")),
        ),
        *(
            Case(
                f"suggestions, {text}",
                partial(suggestions, text, now=NOON),
                floor.suggestions(holds(text)),
                {"begin": f"{text}%", "now": NOON},
            )
            for text in ("alt", "cor")
        ),
    ]


def holds(words: str) -> str:
    """Return the condition that a part's name holds words, as the index knows it."""
    rows = Part.all_objects.filter(Holds(PART_NAMES, words.split())).order_by().values("pk")
    statement, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        return f"p.id IN ({cursor.mogrify(statement, parameters)})".replace("%", "%%")


def other_parts() -> list[Case]:
    return [
        Case(
            "featured parts",
            featured_parts,
            floor.parts("s.rating >= 4", "s.rating DESC, p.created_at DESC, p.id DESC", "LIMIT 8"),
        ),
        Case(
            "facets of a make and year",
            lambda: part_facets(PartFilters(make="Toyota", year=2010)),
            floor.facets(floor.OF_MAKE_AND_YEAR),
            {"make": "Toyota", "year": 2010},
            arrange=floor.arranged_facets,
        ),
        Case(
            "facets of a city",
            lambda: part_facets(PartFilters(city="City 7")),
            floor.facets("s.city = %(city)s"),
            {"city": "City 7"},
            arrange=floor.arranged_facets,
        ),
        Case("categories", category_tree, floor.CATEGORIES),
        Case("a part by id", lambda: part_by_id("part-77"), floor.part(), {"id": "part-77"}, bar=ROW),
    ]


def sellers() -> list[Case]:
    return [
        Case("sellers, best first", lambda: seller_list(wanted=BY_CURSOR), floor.SELLERS),
        Case("provinces", provinces, floor.PROVINCES),
        Case("a seller by id", lambda: seller_by_id("seller-77"), floor.ONE_SELLER, {"id": "seller-77"}, bar=ROW),
    ]


def places() -> list[Case]:
    circle = {"latitude": LATITUDE, "longitude": LONGITUDE, "radius": RADIUS}
    return [
        Case("sellers nearby", lambda: nearby_sellers(LATITUDE, LONGITUDE, RADIUS), floor.NEARBY, circle),
        # Texts are looked up anew, in the reader's language.
        Case(
            "vouchers nearby",
            lambda: vouchers_near(LATITUDE, LONGITUDE, RADIUS, now=NOON),
            floor.VOUCHERS,
            circle | {"now": NOON, "language": ""},
            is_kept=False,
        ),
    ]
