"""Two people at once: the same row is sold, reserved or moved by one of them only."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts.models import Seller
from config.db.errors import Refused
from inventory.bulk import create_parts
from inventory.models import Car, CarImage, Category, Part, Vehicle
from inventory.models.cars import CarStatus
from inventory.models.parts import PartStatus
from inventory.services import (
    delete_category,
    delete_vehicle,
    dismantle_car,
    reserve_car,
    reserve_part,
    restore_car,
    restore_vehicle,
    sell_part,
    set_primary_image,
)
from tests.builders import make_car, make_category, make_part, make_seller, make_vehicle
from tests.races import before_the_commit

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


def move(vehicle: Vehicle, seller: Seller) -> None:
    moved = Vehicle.objects.get(pk=vehicle.pk)
    moved.seller = seller
    moved.save()


@pytest.mark.postgres_only
def test_a_part_added_to_a_vehicle_that_changes_hands_meanwhile_goes_along() -> None:
    vehicle, buyer = make_vehicle(), make_seller()

    before_the_commit(lambda: make_part(vehicle=vehicle), lambda: move(vehicle, buyer))

    assert Part.objects.get().seller == buyer


@pytest.mark.postgres_only
def test_a_part_is_not_added_for_a_seller_who_gives_the_vehicle_away_meanwhile() -> None:
    vehicle, buyer = make_vehicle(), make_seller()

    with pytest.raises(ValidationError, match="must belong to the seller of its vehicle"):
        before_the_commit(lambda: move(vehicle, buyer), lambda: make_part(vehicle=vehicle, seller=vehicle.seller))

    assert not Part.objects.exists()


@pytest.mark.postgres_only
def test_a_part_that_is_sold_while_its_vehicle_changes_hands_counts_for_one_of_the_two() -> None:
    part, buyer = make_part(), make_seller()

    refusal = before_the_commit(lambda: move(part.vehicle, buyer), lambda: sell_part(part=part))
    assert isinstance(refusal, Refused)
    assert not Seller.objects.filter(total_sales__gt=0).exists()

    giver = make_seller()
    before_the_commit(lambda: sell_part(part=Part.objects.get(pk=part.pk)), lambda: move(part.vehicle, giver))
    assert list(Seller.objects.filter(total_sales__gt=0)) == [giver]


def import_part(vehicle: Vehicle, category: Category) -> Any:
    row = {"name": "Lamp", "description": "Good.", "price": "5", "vehicle": vehicle.public_id}
    return create_parts([row | {"seller": vehicle.seller.public_id, "category": category.public_id}])


ADDITIONS: list[Callable[[Vehicle, Category], Any]] = [
    lambda vehicle, category: make_part(vehicle=vehicle, category=category),
    import_part,
]


@pytest.mark.postgres_only
@pytest.mark.parametrize("add", ADDITIONS, ids=["one", "import"])
@pytest.mark.parametrize("what", ["vehicle", "category"])
def test_what_a_part_is_being_added_to_is_not_deleted(what: str, add: Callable[[Vehicle, Category], Any]) -> None:
    vehicle, category = make_vehicle(), make_category()
    delete: dict[str, Callable[[], Any]] = {
        "vehicle": partial(delete_vehicle, vehicle=vehicle),
        "category": partial(delete_category, category=category),
    }

    refusal = before_the_commit(lambda: add(vehicle, category), delete[what])

    assert "has 1 part" in str(refusal)
    assert Vehicle.objects.exists()
    assert Category.objects.exists()


@pytest.mark.postgres_only
@pytest.mark.parametrize("what", ["vehicle", "category"])
def test_a_part_that_is_added_while_what_it_needs_is_deleted_is_refused(what: str) -> None:
    vehicle, category = make_vehicle(), make_category()
    delete: dict[str, Callable[[], Any]] = {
        "vehicle": partial(delete_vehicle, vehicle=vehicle),
        "category": partial(delete_category, category=category),
    }

    with pytest.raises(ValidationError, match="is deleted: choose another"):
        before_the_commit(delete[what], lambda: make_part(vehicle=vehicle, category=category))
    report = import_part(vehicle, category)

    assert (report.created, report.failed) == (0, 1)
    assert not Part.objects.exists()


@pytest.mark.postgres_only
def test_a_category_is_not_put_below_one_that_is_deleted_meanwhile_and_keeps_one_from_being_deleted() -> None:
    parent = make_category("Pumps", parent=make_category("Engine"))

    refusal = before_the_commit(
        lambda: make_category("Oil pumps", parent=parent), lambda: delete_category(category=parent)
    )
    assert "has 1 category below it" in str(refusal)

    delete_category(category=Category.objects.get(name="Oil pumps"))
    with pytest.raises(ValidationError, match="Pumps is deleted: choose another parent"):
        before_the_commit(lambda: delete_category(category=parent), lambda: make_category("Water pumps", parent=parent))


@pytest.mark.postgres_only
def test_two_add_parts_to_one_vehicle_and_category_without_waiting_for_each_other() -> None:
    vehicle, category = make_vehicle(), make_category()

    def add() -> Any:
        with transaction.atomic():
            make_part(vehicle=vehicle, category=category)
            both_added.wait(timeout=30)

    both_added = Barrier(2)
    assert winners(at_once(add, add)) == 2


@pytest.mark.postgres_only
@pytest.mark.parametrize("first", ["car", "vehicle"])
def test_of_a_car_and_the_vehicle_made_of_it_one_comes_back(first: str) -> None:
    car = make_car()
    vehicle = dismantle_car(car=car, seller=make_seller())
    delete_vehicle(vehicle=vehicle)
    restore: list[Callable[[], Any]] = [partial(restore_car, car=car), partial(restore_vehicle, vehicle=vehicle)]
    one, other = restore if first == "car" else reversed(restore)

    refusal = before_the_commit(one, other)

    assert isinstance(refusal, Refused)
    assert Car.objects.exists() != Vehicle.objects.exists()


@pytest.mark.postgres_only
def test_cars_that_would_get_the_same_slug_at_once_get_different_ones() -> None:
    before_the_commit(make_car, make_car)

    assert sorted(Car.objects.values_list("slug", flat=True)) == ["skoda-octavia-2018", "skoda-octavia-2018-1"]


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
