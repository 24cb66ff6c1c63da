"""What is public is said as a queryset for lists and as SQL for single rows and counts: both mean the same."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from accounts.models import Seller
from inventory.models.cars import CarStatus
from inventory.models.parts import PartStatus
from inventory.queries import car_by_id, car_by_slug, part_by_id, public_cars, public_parts
from inventory.queries.stock import stock_counts
from tests.builders import NOON, make_car, make_part, make_seller, make_user, make_vehicle

pytestmark = pytest.mark.django_db

DELETED = (None, NOON)


def make_sellers() -> list[Seller]:
    owner = make_user()
    return [
        make_seller(owner=owner, is_verified=verified, is_active=active, deleted_at=deleted)
        for verified, active, deleted in product((True, False), (True, False), DELETED)
    ]


def test_a_page_shows_a_car_exactly_where_lists_do() -> None:
    moments = (None, NOON - timedelta(seconds=1), NOON, NOON + timedelta(seconds=1))
    states = product((None, *make_sellers()), (CarStatus.AVAILABLE, CarStatus.SOLD), moments, DELETED)
    sold = {CarStatus.SOLD: NOON}
    cars = [
        make_car(seller=seller, status=status, published_at=published, deleted_at=deleted, sold_at=sold.get(status))
        for seller, status, published, deleted in states
    ]
    cars += [make_car(status=status, sold_at=sold.get(status)) for status in CarStatus]

    listed = set(public_cars(now=NOON).values_list("public_id", flat=True))
    # No seller or the one in order, published a second ago or now; and the car that only its state tells apart.
    assert len(listed) == 2 * 2 + 1
    assert {car.public_id for car in cars if car_by_id(car.public_id, now=NOON)} == listed
    assert {car.public_id for car in cars if car_by_slug(car.slug, now=NOON)} == listed


def test_a_page_shows_a_part_exactly_where_lists_do_and_sellers_are_told_to_have_as_many() -> None:
    vehicles = [make_vehicle(seller=seller) for seller in make_sellers()]
    parts = [
        make_part(
            vehicle=vehicle,
            status=status,
            is_listed=listed,
            deleted_at=deleted,
            sold_at=NOON if status == PartStatus.SOLD else None,
        )
        for vehicle, status, listed, deleted in product(vehicles, PartStatus, (True, False), DELETED)
        if not (listed and status == PartStatus.SOLD)
    ]

    listed_ids = set(public_parts().values_list("public_id", flat=True))
    assert len(listed_ids) == 1
    assert {part.public_id for part in parts if part_by_id(part.public_id)} == listed_ids
    counts = stock_counts([vehicle.seller.public_id for vehicle in vehicles])
    shown = {part.seller.public_id for part in parts if part.public_id in listed_ids}
    assert {seller: part_count for seller, (_, part_count) in counts.items() if part_count} == dict.fromkeys(shown, 1)
