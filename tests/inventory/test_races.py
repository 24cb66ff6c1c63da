"""Two people at once: the same row is sold, reserved or moved by one of them only."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.models import Seller
from config.db.errors import Refused
from inventory.models import Car, CarImage, Category, Part, Vehicle
from inventory.models.cars import CarStatus
from inventory.models.parts import PartStatus
from inventory.services import reserve_car, reserve_part, sell_part, set_primary_image
from tests.builders import make_car, make_category, make_part, make_seller, make_vehicle

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run the actions in threads that start together; return each one's result or refusal."""
    barrier = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return action()
        except (Refused, ValidationError) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def winners(results: list[Any]) -> int:
    return sum(not isinstance(result, Exception) for result in results)


def test_of_two_who_sell_one_part_one_does_and_one_sale_counts() -> None:
    for _ in range(ROUNDS):
        part = make_part(is_listed=True)

        results = at_once(*[lambda part=part: sell_part(part=Part.objects.get(pk=part.pk))] * 2)

        assert winners(results) == 1
        part.refresh_from_db()
        assert (part.status, part.is_listed) == (PartStatus.SOLD, False)
        assert Seller.objects.get(pk=part.seller_id).total_sales == 1


def test_of_two_who_reserve_one_car_one_does() -> None:
    for _ in range(ROUNDS):
        car = make_car()

        results = at_once(*[lambda car=car: reserve_car(car=Car.objects.get(pk=car.pk))] * 2)

        assert winners(results) == 1
        assert Car.objects.get(pk=car.pk).status == CarStatus.RESERVED


def test_two_parts_of_one_seller_sold_at_once_count_twice() -> None:
    first = make_part()
    second = make_part(vehicle=first.vehicle)

    assert winners(at_once(lambda: sell_part(part=first), lambda: sell_part(part=second))) == 2

    assert Seller.objects.get().total_sales == 2


def test_two_who_mark_different_pictures_leave_one_mark() -> None:
    for _ in range(ROUNDS):
        car = make_car()
        first, second, _ = (
            CarImage.objects.create(car=car, url=f"/{place}.png", is_primary=place == 2) for place in range(3)
        )

        results = at_once(*[partial(set_primary_image, image=image) for image in (first, second)])

        assert winners(results) == 2
        assert CarImage.objects.filter(car=car, is_primary=True).count() == 1


def test_two_moves_at_once_make_no_ring() -> None:
    for number in range(ROUNDS):
        first, second = make_category(f"First {number}"), make_category(f"Second {number}")

        def move(node: Category, parent: Category) -> None:
            node = Category.objects.get(pk=node.pk)
            node.parent = Category.objects.get(pk=parent.pk)
            node.save()

        results = at_once(lambda: move(first, second), lambda: move(second, first))  # noqa: B023 - run in this round

        assert winners(results) == 1
        parents = Category.objects.filter(pk__in=[first.pk, second.pk]).values_list("parent", flat=True)
        assert sorted(parent is None for parent in parents) == [False, True]


@pytest.mark.postgres_only
def test_a_part_added_to_a_vehicle_that_changes_hands_meanwhile_is_refused() -> None:
    vehicle, buyer = make_vehicle(), make_seller()

    def move() -> None:
        moved = Vehicle.objects.get(pk=vehicle.pk)
        moved.seller = buyer
        moved.save()
        connection.close()

    @transaction.atomic
    def add_meanwhile() -> None:
        make_part(vehicle=vehicle)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(move).result()

    with pytest.raises(IntegrityError, match="part_vehicle_seller"):
        add_meanwhile()

    assert not Part.objects.exists()
    assert Vehicle.objects.get(pk=vehicle.pk).seller == buyer


@pytest.mark.postgres_only
def test_whoever_waits_for_the_lock_looks_again_and_is_refused() -> None:
    """The rival has read the part as available, waits for its row, and must not sell what was sold meanwhile."""
    part = make_part()
    sold, waiting = Event(), Event()

    def rival() -> Any:
        sold.wait()
        with connection.cursor() as cursor:
            cursor.execute("SET application_name = 'rival'")
        waiting.set()
        try:
            return reserve_part(part=Part.objects.get(pk=part.pk))
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(rival)
        with transaction.atomic():
            sell_part(part=part)
            sold.set()
            waiting.wait()
            wait_until_blocked("rival")
        refusal = outcome.result()

    assert str(refusal) == f"{part} was changed by somebody else meanwhile: look at it again."
    assert Part.objects.get().status == PartStatus.SOLD


def wait_until_blocked(application: str) -> None:
    """Return once a session with that name waits for a lock; pytest's time limit is the only clock."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'",
                [application],
            )
            if cursor.fetchone()[0]:
                return
