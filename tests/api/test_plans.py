"""Every read that `dbhealth --explain` names, and every filter and order, finds its rows by an index.

There are 100,000 cars and as many parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from accounts.models import Seller
from config.ops.health.reads import NAMED_READS, usual
from config.pages import Wanted
from inventory.models import Car, CarFeature, CarImage, CarSpecification, Part, PartImage, Vehicle
from inventory.models.cars import CarStatus
from inventory.queries import CAR_SORTS, CarFilters, PartFilters, car_list, featured_parts, part_list
from tests.builders import NOON, make_car, make_part, make_seller, make_vehicle
from tests.many_rows import many_rows, repeat, whole_tables
from tests.word_indexes import drop_word_indexes

# Writing the rows takes some seconds, or a minute where others keep the processors busy.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.timeout(300)]

ROWS = 100_000
SELLERS = 4_000
BY_PLACE = Wanted(cursor="")
# Few enough that reading them all may be the quickest way to some.
SMALL = {"accounts_seller", "inventory_category", "inventory_carslughistory", "leads_voucher"}


@pytest.fixture(scope="module", autouse=True)
def stock(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Fill the tables in a transaction that is never committed."""
    with django_db_blocker.unblock(), transaction.atomic():
        with many_rows():
            fill()
        yield
        transaction.set_rollback(True)


def fill() -> None:
    # No list here reads them, and they take longest to write.
    drop_word_indexes(Car, Part, Vehicle)
    seller = make_seller(latitude=0, longitude=0, rating=4, province="WC", city="Paarl")
    place = {"latitude": "(number % 1000) / 10.0 - 50", "longitude": "(number % 3000) / 10.0 - 150"}
    rated = "CASE number % 20 WHEN 0 THEN 4.5 ELSE 3 END"
    repeat(Seller, seller, SELLERS, **place, city="'City ' || (number % 50)", rating=rated)
    sellers = f"{seller.pk} + number % {SELLERS}"
    vehicle = make_vehicle(seller=seller)
    own = {"seller_id": sellers, "vin": "NULL", "make": "'Make ' || (number % 40)", "year": "2000 + number % 20"}
    repeat(Vehicle, vehicle, 8_000, **own, model="'Model ' || (number % 300)")
    varied = {"price": "100 + number % 5000", "condition": "CASE number % 3 WHEN 0 THEN 'GOOD' ELSE 'FAIR' END"}
    part = make_part(vehicle=vehicle, is_listed=True)
    # Vehicle n belongs to seller n: the rule that a part has its vehicle's seller holds.
    owned = {"vehicle_id": f"{vehicle.pk} + number % 8000", "seller_id": f"{seller.pk} + (number % 8000) % {SELLERS}"}
    repeat(Part, part, ROWS, **varied, **owned, is_listed="number % 3 = 0")
    car = make_car(seller=seller, slug="car")
    kinds = {"fuel_type": "CASE number % 4 WHEN 0 THEN 'DIESEL' ELSE 'PETROL' END", "mileage_km": "number % 90000"}
    state = f"CASE number % 5 WHEN 0 THEN '{car.status}' ELSE '{CarStatus.RESERVED}' END"
    own |= varied | kinds | {"slug": "'car-' || number", "name": "'Car ' || (number % 900)", "status": state}
    repeat(Car, car, ROWS, **own, segment="CASE number % 9 WHEN 0 THEN 'SUV' ELSE 'FAMILY' END")
    repeat(CarImage, car.images.create(url="/1.jpg"), 20_000, car_id=f"{car.pk} + number")
    repeat(PartImage, part.images.create(url="/1.jpg"), 20_000, part_id=f"{part.pk} + number")
    repeat(CarFeature, car.features.create(text="Isofix"), 5_000, car_id=f"{car.pk} + number")
    repeat(CarSpecification, car.specifications.create(label="Seats"), 5_000, car_id=f"{car.pk} + number")


def named(name: str) -> Any:
    return NAMED_READS[name](usual(NOON))


# Read from indexes of words, which are left out here; `tests/search` shows that they serve.
BY_WORDS = {name for name in NAMED_READS if name.endswith((".search", ".suggestions"))}
# Counts every part of the marketplace, and is kept for a while.
COUNTED = {"categories"}
CARS = partial(car_list, now=NOON, wanted=BY_PLACE)
PARTS = partial(part_list, wanted=BY_PLACE)
READS: dict[str, Callable[[], Any]] = {
    **{
        name: partial(lambda name: NAMED_READS[name](usual(NOON)), name)
        for name in NAMED_READS.keys() - BY_WORDS - COUNTED
    },
    **{f"cars by {sort}": partial(CARS, sort=sort) for sort in CAR_SORTS if sort.startswith("-")},
    "cars of a fuel": partial(CARS, CarFilters(fuel_type="DIESEL")),
    "cars of a transmission": partial(CARS, CarFilters(transmission="MANUAL")),
    "cars that are featured": partial(CARS, CarFilters(featured=True)),
    "cars of all that": partial(CARS, CarFilters(make="make 5", segment="SUV", price_min=Decimal(200))),
    "a later page of cars": lambda: later(partial(car_list, now=NOON, sort="-price")),
    "parts by -price": partial(PARTS, sort="-price"),
    "parts of a condition": partial(PARTS, PartFilters(conditions=("GOOD",))),
    "a later page of parts": lambda: later(partial(part_list, sort="price")),
}


def later(read: Callable[..., Any]) -> Any:
    first = read(wanted=BY_PLACE)
    return read(wanted=Wanted(cursor=first.next))


@pytest.mark.parametrize("name", sorted(READS))
def test_no_list_reads_a_whole_table(name: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        READS[name]()
    statements = [each["sql"] for each in queries.captured_queries]
    assert statements
    assert set().union(*map(whole_tables, statements)) - SMALL == set()


def test_featured_parts_are_the_first_of_all_by_rating_and_date() -> None:
    of_good_sellers = Part.objects.public().filter(seller__rating__gte=4)
    wanted = of_good_sellers.order_by("-seller__rating", "-created_at", "-pk").values_list("public_id", flat=True)
    assert [part.public_id for part in featured_parts(limit=20)] == list(wanted[:20])
