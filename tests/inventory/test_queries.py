from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.queries import SellerName
from config.cursors import UnreadableCursor
from config.db.reading import Money
from config.pages import Wanted
from inventory.models import Car
from inventory.models.base import Condition
from inventory.models.cars import CarStatus, Segment
from inventory.models.parts import PartStatus
from inventory.queries import (
    CAR_SORTS,
    PART_SORTS,
    CarFilters,
    PartFilters,
    Picture,
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
    public_cars,
    related_cars,
    sellers_with_stock,
)
from inventory.queries.parts import Circle
from tests.builders import NOON, make_car, make_category, make_part, make_seller, make_vehicle

pytestmark = pytest.mark.django_db

# What only the page of one row shows; a list must not even read it.
LONG_TEXTS = ("description", "paragraphs", "condition_note", "meta_description", "service_area", "business_hours")


def shown(rows: Iterable[Any]) -> list[str]:
    """Return the public ids of what is shown."""
    return [row.public_id for row in rows]


def ids(*rows: Any) -> list[str]:
    return [row.public_id for row in rows]


def test_public_cars_are_published_available_and_of_verified_sellers() -> None:
    ours, dealers = make_car(), make_car(seller=make_seller())
    for fields in (
        {"status": CarStatus.RESERVED},
        {"published_at": NOON + timedelta(seconds=1)},
        {"published_at": None},
        {"deleted_at": NOON},
        {"seller": make_seller(is_verified=False)},
        {"seller": make_seller(is_active=False)},
        {"seller": make_seller(deleted_at=NOON)},
    ):
        make_car(**fields)

    assert set(public_cars(now=NOON)) == {ours, dealers}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (CarFilters(make="SKODA"), {"old", "dear"}),
        (CarFilters(segment=Segment.SUV), {"dear"}),
        (CarFilters(make="skoda", segment=Segment.COMPACT), set()),
        (CarFilters(price_min=Decimal(8000), price_max=Decimal(9000)), {"middle"}),
        (CarFilters(price_max=Decimal(7999)), {"old"}),
        (CarFilters(year_min=2012, year_max=2020), {"middle", "dear"}),
        (CarFilters(fuel_type="DIESEL", transmission="MANUAL"), {"middle"}),
        (CarFilters(featured=True), {"dear"}),
        (CarFilters(), {"old", "middle", "dear"}),
    ],
)
def test_filters_narrow_together_and_both_ends_of_a_range_belong_to_it(filters: CarFilters, found: set[str]) -> None:
    make_car(slug="old", year=2005, price=Decimal(7000))
    make_car(slug="middle", make="Volvo", year=2012, price=Decimal(8000), fuel_type="DIESEL", transmission="MANUAL")
    make_car(slug="dear", year=2020, price=Decimal("9000.01"), segment=Segment.SUV, is_featured=True)

    assert {car.slug for car in car_list(filters, now=NOON).items} == found


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("newest", "cba"),
        ("oldest", "abc"),
        ("price", "bac"),
        ("-price", "cab"),
        ("year", "acb"),
        ("-year", "bca"),
        ("mileage", "bca"),
        ("-mileage", "acb"),
        ("name", "cab"),
        ("-name", "bac"),
    ],
)
def test_each_order_of_cars(sort: str, order: str) -> None:
    make_car(slug="a", created_at=NOON, price=2, year=2001, mileage_km=30, name="M")
    make_car(slug="b", created_at=NOON + timedelta(1), price=1, year=2003, mileage_km=10, name="Z")
    make_car(slug="c", created_at=NOON + timedelta(2), price=3, year=2002, mileage_km=20, name="A")

    assert "".join(car.slug for car in car_list(now=NOON, sort=sort).items) == order
    with pytest.raises(KeyError):
        car_list(now=NOON, sort="public_id")


def test_a_car_in_a_list_brings_its_seller_and_its_primary_picture_or_the_first() -> None:
    seller = make_seller(name="Motors")
    marked, plain, bare = make_car(seller=seller, price="12.50"), make_car(), make_car()
    for car, is_primary in ((marked, False), (marked, True), (plain, False), (plain, False)):
        number = car.images.count()
        car.images.create(url=f"/{number}.jpg", alt_text="Side", position=number, is_primary=is_primary)

    cards = {card.public_id: card for card in car_list(now=NOON).items}

    assert cards[marked.public_id].picture == Picture("/1.jpg", "Side")
    assert cards[marked.public_id].seller == SellerName(seller.public_id, "Motors")
    assert cards[marked.public_id].price == Money(Decimal("12.50"), "EUR")
    assert (cards[plain.public_id].picture, cards[plain.public_id].seller) == (Picture("/0.jpg", "Side"), None)
    assert (cards[bare.public_id].picture, cards[bare.public_id].picture_count) == (None, 0)
    assert cards[plain.public_id].picture_count == 2


def test_featured_cars_are_the_six_newest() -> None:
    cars = [make_car(is_featured=True, created_at=NOON + timedelta(minutes=minute)) for minute in range(8)]
    make_car(created_at=NOON + timedelta(days=1))

    assert shown(featured_cars(now=NOON)) == ids(*cars[:1:-1])


def test_related_cars_are_of_the_make_then_of_the_segment_then_any() -> None:
    car = make_car(make="Skoda", segment=Segment.FAMILY)
    other = make_car(make="Volvo", segment=Segment.SUV)
    same_segment = make_car(make="Volvo", segment=Segment.FAMILY)
    same_make = make_car(make="SKODA", segment=Segment.SUV)
    make_car(make="Skoda", segment=Segment.FAMILY, status=CarStatus.SOLD, sold_at=NOON)

    assert shown(related_cars(car.slug, now=NOON) or []) == ids(same_make, same_segment, other)
    assert shown(related_cars(car.public_id, now=NOON, limit=1) or []) == ids(same_make)
    assert related_cars("nothing", now=NOON) is None


def test_a_car_is_found_by_slug_and_by_id_and_a_former_slug_says_that_it_moved() -> None:
    car = make_car(slug="old")
    car.slug = "new"
    car.save()

    present, former = car_by_slug("new", now=NOON), car_by_slug("old", now=NOON)

    assert present is not None
    assert former is not None
    assert present.car == former.car
    assert (present.car.public_id, present.moved, former.moved) == (car.public_id, False, True)
    assert car_by_id(car.public_id, now=NOON) == present.car
    assert car_by_id("new", now=NOON) is None
    assert car_by_slug("other", now=NOON) is None


def test_a_car_comes_with_everything_on_it() -> None:
    car = make_car(slug="car", paragraphs=["One.", "Two."], description="Long " * 40, meta_title="")
    for number in (2, 1):
        car.images.create(url=f"/{number}.jpg", position=number)
        car.features.create(text=f"Feature {number}", position=number)
        car.specifications.create(label=f"Label {number}", value="x", position=number)

    found = car_by_slug("car", now=NOON)

    assert found is not None
    assert [picture.url for picture in found.car.pictures] == ["/1.jpg", "/2.jpg"]
    assert found.car.features == ["Feature 1", "Feature 2"]
    assert [(each.label, each.value) for each in found.car.specifications] == [("Label 1", "x"), ("Label 2", "x")]
    assert (found.car.paragraphs, found.car.title) == (["One.", "Two."], car.name)
    assert found.car.summary == car.description[:155]


def test_a_slug_of_a_hidden_car_leads_nowhere() -> None:
    make_car(slug="hidden", published_at=None)

    assert car_by_slug("hidden", now=NOON) is None


def test_makes_and_segments_count_public_cars_only() -> None:
    make_car(make="Volvo", segment=Segment.SUV)
    make_car(make="Skoda", segment=Segment.SUV)
    make_car(make="Skoda", segment=Segment.FAMILY)
    make_car(make="Fiat", segment=Segment.COMPACT, published_at=None)

    assert makes_in_stock(now=NOON) == ["Skoda", "Volvo"]
    assert cars_per_segment(now=NOON) == dict.fromkeys(Segment.values, 0) | {"SUV": 2, "FAMILY": 1}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (PartFilters(make="Toyota"), {"A", "B"}),
        (PartFilters(make="toyota"), set()),
        (PartFilters(model="ROLL"), {"A", "B"}),
        (PartFilters(year=2010), {"C"}),
        (PartFilters(price_min=Decimal(100), price_max=Decimal(200)), {"A", "B"}),
        (PartFilters(conditions=("NEW", "POOR")), {"B", "C"}),
        (PartFilters(category="engine"), {"A", "B"}),
        (PartFilters(category="cylinders"), {"B"}),
        (PartFilters(category="unknown"), set()),
        (PartFilters(province="Gauteng"), {"C"}),
        (PartFilters(city="Cape Town"), {"A", "B"}),
        (PartFilters(circle=Circle(-33.9, 18.4, 50.0)), {"A", "B"}),
        (PartFilters(circle=Circle(0.0, 0.0, 50.0)), set()),
        (PartFilters(), {"A", "B", "C"}),
    ],
)
def test_filters_of_parts(filters: PartFilters, found: set[str]) -> None:
    engine = make_category("Engine")
    cape = make_seller(province="WC", city="Cape Town", latitude=-33.92, longitude=18.42)
    toyota = make_vehicle(seller=cape)
    ford = make_vehicle(make="Ford", model="Focus", year=2010, seller=make_seller(province="GP", city="Soweto"))
    make_part(name="A", vehicle=toyota, category=engine, price=100, is_listed=True)
    below = make_category("Cylinders", parent=engine)
    make_part(name="B", vehicle=toyota, category=below, price=200, condition="NEW", is_listed=True)
    make_part(name="C", vehicle=ford, price=201, condition="POOR", is_listed=True)
    make_part(name="D", vehicle=ford, is_listed=False)

    assert {part.name for part in part_list(filters).items} == found
    assert part_facets(filters).total == len(found)


def test_each_order_of_parts() -> None:
    for minute, (name, price) in enumerate((("a", 2), ("b", 1), ("c", 3))):
        make_part(name=name, price=price, created_at=NOON + timedelta(minutes=minute), is_listed=True)

    orders = {sort: "".join(part.name for part in part_list(sort=sort).items) for sort in PART_SORTS}

    assert orders == {"newest": "cba", "oldest": "abc", "price": "bac", "-price": "cab"}


def test_facets_count_makes_conditions_and_prices_of_each_currency() -> None:
    vehicle = make_vehicle(make="Ford")
    for price in ("999.99", "1000", "25000"):
        make_part(vehicle=vehicle, price=Decimal(price), is_listed=True)
    make_part(price=Decimal(10), currency="EUR", condition="NEW", is_listed=True)

    facets = part_facets()

    assert [(each.value, each.count) for each in facets.makes] == [("Ford", 3), ("Toyota", 1)]
    assert [(each.value, each.count) for each in facets.conditions] == [("GOOD", 3), ("NEW", 1)]
    euro, rand = facets.prices
    assert (euro.currency, euro.count, euro.average) == ("EUR", 1, Decimal("10.00"))
    assert (rand.lowest, rand.highest, rand.average) == (Decimal("999.99"), Decimal(25000), Decimal("9000.00"))
    # 1000 stands on an edge and counts once.
    assert [(band.lower, band.upper, band.count) for band in rand.bands] == [
        (0, 1000, 1),
        (1000, 5000, 1),
        (5000, 10000, 0),
        (10000, 25000, 0),
        (25000, None, 1),
    ]


def test_featured_parts_are_of_sellers_rated_four_or_better() -> None:
    for name, rating in (("good", "4.0"), ("best", "5.0"), ("low", "3.99"), ("unrated", None)):
        make_part(name=name, seller=make_seller(rating=rating and Decimal(rating)), is_listed=True)

    assert [part.name for part in featured_parts()] == ["best", "good"]


def test_a_part_comes_with_everything_on_it_while_it_is_public() -> None:
    part = make_part(category=make_category("Engine"), description="Tested.", is_listed=True)
    part.images.create(url="/1.jpg", position=1)
    hidden = make_part(is_listed=False)

    found = part_by_id(part.public_id)

    assert found is not None
    assert (found.description, found.pictures, found.picture) == (
        "Tested.",
        [Picture("/1.jpg", "")],
        Picture("/1.jpg", ""),
    )
    assert found.category is not None
    assert (found.category.slug, found.vehicle.make) == ("engine", "Toyota")
    assert part_by_id(hidden.public_id) is None


def test_a_category_counts_the_public_parts_in_it_and_below_it_and_stays_while_it_has_some() -> None:
    engine = make_category("Engine")
    below = make_category("Cylinders", parent=engine)
    make_category("Old", is_active=False)
    oldest = make_category("Oldest", is_active=False)
    make_part(category=make_category("Older", is_active=False, parent=oldest), is_listed=True)
    for category, is_listed in ((engine, True), (below, True), (below, False)):
        make_part(category=category, is_listed=is_listed)

    assert [(node.slug, node.parent, node.part_count) for node in category_tree()] == [
        ("engine", None, 2),
        ("cylinders", engine.public_id, 1),
        ("oldest", None, 1),
        ("older", oldest.public_id, 1),
    ]


def test_sellers_count_their_live_vehicles_and_marketplace_parts() -> None:
    seller, unverified = make_seller(), make_seller(is_verified=False)
    vehicle = make_vehicle(seller=seller)
    make_vehicle(seller=seller)
    make_vehicle(seller=seller, deleted_at=NOON)
    for fields in ({}, {}, {"is_listed": False}, {"status": PartStatus.RESERVED}, {"deleted_at": NOON}):
        make_part(**{"vehicle": vehicle, "is_listed": True} | fields)
    make_part(seller=unverified, is_listed=True)

    sellers = sellers_with_stock().items

    assert [(row.public_id, row.vehicle_count, row.part_count) for row in sellers] == [
        (seller.public_id, 2, 2),
        (unverified.public_id, 1, 0),
    ]


@pytest.mark.parametrize("rows", [1, 7])
def test_each_list_costs_the_same_few_queries_and_reads_no_long_text(rows: int) -> None:
    for _ in range(rows):
        seller = make_seller(rating=5)
        make_car(seller=seller, is_featured=True).images.create(url="/1.jpg")
        make_part(seller=seller, is_listed=True, category=make_category()).images.create(url="/1.jpg")
    slug = make_car(created_at=NOON - timedelta(days=1), make="Other").slug
    # PostgreSQL is asked for the keys and the rows at once; of the list by number, for how many there are besides.
    keys = 0 if connection.vendor == "postgresql" else 1
    for cost, read in (
        (2 + keys, lambda: car_list(now=NOON).items[:rows]),
        (1 + keys, lambda: car_list(now=NOON, wanted=Wanted(cursor="")).items[:rows]),
        (1 + keys, lambda: featured_cars(now=NOON, limit=rows)),
        (4, lambda: related_cars(slug, now=NOON, limit=rows)),
        (2 + keys, lambda: part_list().items),
        # The ratings one by one, the newest parts of each or, where these are few, all of them.
        (5, featured_parts),
        (3, lambda: sellers_with_stock().items),
    ):
        with CaptureQueriesContext(connection) as queries:
            found: Any = read()
        assert (len(found), len(queries)) == (rows, cost)
        assert not [each for each in queries.captured_queries for text in LONG_TEXTS if text in each["sql"]]


class TestPages:
    @pytest.fixture
    def slugs(self) -> list[str]:
        """Five cars of one moment, so that their keys decide, newest first."""
        return [make_car(created_at=NOON).slug for _ in range(5)][::-1]

    def test_numbered_pages_count_all_rows(self, slugs: list[str]) -> None:
        pages = [car_list(now=NOON, wanted=Wanted(page=page, page_size=2)) for page in (1, 2, 3, 4)]
        assert [[car.slug for car in page.items] for page in pages] == [slugs[:2], slugs[2:4], slugs[4:], []]
        assert {(page.total, page.page_size) for page in pages} == {(5, 2)}

    @pytest.mark.parametrize("sort", CAR_SORTS)
    def test_cursors_lead_to_the_end_and_back(self, sort: str, slugs: list[str]) -> None:
        expected = [car.slug for car in car_list(now=NOON, sort=sort).items]
        assert set(expected) == set(slugs)
        forth = self.walk(sort, "", "next")
        assert [slug for page in forth for slug in page] == expected
        assert self.walk(sort, self.last, "previous") == [expected[2:4], expected[:2]]

    def walk(self, sort: str, cursor: str | None, way: str) -> list[list[str]]:
        pages = []
        while cursor is not None:
            page = car_list(now=NOON, sort=sort, wanted=Wanted(page_size=2, cursor=cursor))
            assert (page.page, page.total) == (None, None)
            pages.append([car.slug for car in page.items])
            self.last, cursor = page.previous, getattr(page, way)
        return pages

    def test_a_row_that_comes_meanwhile_moves_no_page(self, slugs: list[str]) -> None:
        first = car_list(now=NOON, wanted=Wanted(page_size=2))
        make_car(created_at=NOON + timedelta(seconds=1))
        second = car_list(now=NOON, wanted=Wanted(page_size=2, cursor=first.next))
        assert [car.slug for car in second.items] == slugs[2:4]

    def test_only_a_cursor_of_this_order_is_taken(self, slugs: list[str]) -> None:
        cursor = car_list(now=NOON, wanted=Wanted(page_size=2)).next
        with pytest.raises(UnreadableCursor, match="order newest"):
            car_list(now=NOON, sort="price", wanted=Wanted(cursor=cursor))
        with pytest.raises(UnreadableCursor, match="none that this list gave"):
            car_list(now=NOON, wanted=Wanted(cursor=f"x{cursor}"))

    def test_sellers_by_cursor_with_and_without_a_rating(self) -> None:
        ratings = [None, Decimal("4.50"), Decimal(0), None, Decimal("4.50")]
        for rating in ratings:
            make_seller(rating=rating)
        cursor, found = "", []
        while cursor is not None:
            page = sellers_with_stock(wanted=Wanted(page_size=2, cursor=cursor))
            found += [seller.rating for seller in page.items]
            cursor = page.next  # type: ignore[assignment]
        assert found == sorted(ratings, key=lambda each: -1 if each is None else each, reverse=True)


def test_conditions_sort_by_grade() -> None:
    grades = [Condition.POOR, Condition.NEW, Condition.NEEDS_WORK, Condition.EXCELLENT]
    for grade in grades:
        make_car(condition=grade, price=Decimal(1))

    assert [car.condition for car in Car.objects.by_condition()] == ["NEW", "EXCELLENT", "POOR", "NEEDS_WORK"]
