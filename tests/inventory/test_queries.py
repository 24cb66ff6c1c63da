from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model

from accounts.models import Seller
from inventory.models import Car
from inventory.models.base import Condition
from inventory.models.cars import CarStatus, Segment
from inventory.models.parts import PartStatus
from inventory.queries import (
    car_by_slug,
    cars_per_segment,
    featured_cars,
    makes_in_stock,
    public_cars,
    public_parts,
    related_cars,
    with_stock_counts,
)
from tests.builders import NOON, make_car, make_category, make_part, make_seller, make_vehicle

pytestmark = pytest.mark.django_db

LONG_TEXTS = {"description", "paragraphs", "condition_note", "meta_description"}


def loaded_long_texts(row: Model) -> set[str]:
    return LONG_TEXTS & row.__dict__.keys()


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


def test_cars_of_one_make_in_any_case_and_of_one_segment() -> None:
    skoda = make_car(make="Skoda", segment=Segment.SUV)
    make_car(make="Volvo", segment=Segment.FAMILY)

    assert list(public_cars(now=NOON, make="SKODA")) == [skoda]
    assert list(public_cars(now=NOON, segment=Segment.SUV)) == [skoda]
    assert list(public_cars(now=NOON, make="skoda", segment=Segment.FAMILY)) == []


def test_featured_cars_are_the_six_newest() -> None:
    cars = [make_car(is_featured=True, created_at=NOON + timedelta(minutes=minute)) for minute in range(8)]
    make_car(created_at=NOON + timedelta(days=1))

    assert list(featured_cars(now=NOON)) == cars[:1:-1]


def test_related_cars_are_of_the_make_then_of_the_segment_then_any() -> None:
    car = make_car(make="Skoda", segment=Segment.FAMILY)
    other = make_car(make="Volvo", segment=Segment.SUV)
    same_segment = make_car(make="Volvo", segment=Segment.FAMILY)
    same_make = make_car(make="SKODA", segment=Segment.SUV)
    make_car(make="Skoda", segment=Segment.FAMILY, status=CarStatus.SOLD, sold_at=NOON)

    assert list(related_cars(car, now=NOON)) == [same_make, same_segment, other]
    assert list(related_cars(car, now=NOON, limit=1)) == [same_make]


def test_a_slug_leads_to_its_car_and_a_former_one_says_that_it_moved() -> None:
    car = make_car(slug="old")
    car.slug = "new"
    car.save()

    present, former = car_by_slug("new", now=NOON), car_by_slug("old", now=NOON)

    assert present is not None
    assert former is not None
    assert (present.car, present.moved, former.car, former.moved) == (car, False, car, True)
    assert car_by_slug("other", now=NOON) is None


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


def test_sellers_count_their_live_vehicles_and_marketplace_parts() -> None:
    seller, unverified = make_seller(), make_seller(is_verified=False)
    vehicle = make_vehicle(seller=seller)
    make_vehicle(seller=seller)
    make_vehicle(seller=seller, deleted_at=NOON)
    for fields in ({}, {}, {"is_listed": False}, {"status": PartStatus.RESERVED}, {"deleted_at": NOON}):
        make_part(**{"vehicle": vehicle, "is_listed": True} | fields)
    make_part(seller=unverified, is_listed=True)

    counted = with_stock_counts(Seller.objects.order_by("pk"))

    counts = [(vars(row)["vehicle_count"], vars(row)["part_count"]) for row in counted]
    assert counts == [(2, 2), (1, 0)]


@pytest.mark.parametrize("rows", [1, 7])
def test_each_list_costs_one_query_and_loads_no_long_text(rows: int, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        seller = make_seller()
        make_car(seller=seller, is_featured=True, description="long", paragraphs=["long"])
        make_part(seller=seller, is_listed=True, category=make_category())
    outsider = make_car(published_at=None)

    for cars in (public_cars(now=NOON), featured_cars(now=NOON, limit=20), related_cars(outsider, now=NOON, limit=20)):
        with django_assert_num_queries(1):
            shown = [(str(car), car.seller.name if car.seller else "") for car in cars]
        assert len(shown) == rows
        assert not any(loaded_long_texts(car) for car in cars)
    with django_assert_num_queries(1):
        parts = list(public_parts())
        assert len([(str(part.vehicle), part.seller.name, str(part.category)) for part in parts]) == rows
    assert not any(loaded_long_texts(row) for part in parts for row in (part, part.vehicle))
    with django_assert_num_queries(1):
        assert len(list(with_stock_counts(Seller.objects.all()))) == rows


def test_conditions_sort_by_grade() -> None:
    grades = [Condition.POOR, Condition.NEW, Condition.NEEDS_WORK, Condition.EXCELLENT]
    for grade in grades:
        make_car(condition=grade, price=Decimal(1))

    assert [car.condition for car in Car.objects.by_condition()] == ["NEW", "EXCELLENT", "POOR", "NEEDS_WORK"]
