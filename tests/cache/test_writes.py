"""What a write ends: the answers that depend on it, once it is committed, whichever way it went to the database."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from redis import Redis

from accounts.models import Seller
from accounts.models.users import Role
from accounts.services.sellers import record_position
from config.cache import cached, families, invalidate, writes
from config.cache.families import NAMESPACES, Family
from config.db.bulk import load
from inventory.models import Car, CarFeature, CarImage, CarSlugHistory, Category, Part
from inventory.services.cars import sell_car
from leads.models import Lead
from tests.builders import make_car, make_category, make_lead, make_part, make_seller, make_user, make_voucher
from tests.config.variables import PROJECT

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = "never asked"


class Kept:
    """Answers in the cache, and which of them still are."""

    def __init__(self, *questions: tuple[Family, Any]) -> None:
        self.questions = questions
        invalidate(*NAMESPACES)
        for family, filters in questions:
            cached(family, filters, lambda: "kept")
        assert not self.ended()

    def ended(self) -> list[str]:
        return [family.name for family, filters in self.questions if cached(family, filters, lambda: NEVER) == NEVER]


def pages_of(car: Car) -> list[tuple[Family, Any]]:
    return [(families.CAR, car.public_id), (families.CAR_BY_SLUG, car.slug)]


def ended_by(write: Callable[[], Any], *questions: tuple[Family, Any]) -> list[str]:
    kept = Kept(*questions)
    write()
    return kept.ended()


LISTS = [(families.CARS_LIST, None), (families.PARTS_LIST, None), (families.SELLERS_PLACES, None)]


def with_own_sql(car: Car) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_car SET color = 'red' WHERE id = %s", [car.pk])


def with_commented_sql(car: Car) -> None:
    with connection.cursor() as cursor:
        statement = "-- of the night\n/* it's red */ UPDATE/**/inventory_car SET color = '--' WHERE id = %s"
        cursor.execute(statement, [car.pk])


def with_a_service(car: Car) -> None:
    sell_car(car=car)


def loaded_in_bulk(car: Car) -> None:
    with transaction.atomic():
        load(CarFeature, ["car_id", "text", "position"], [(car.pk, "Heated seats", 1)])


WAYS: dict[str, Callable[[Car], Any]] = {
    "save": lambda car: car.save(),
    "soft delete": lambda car: car.soft_delete(timezone.now()),
    "update": lambda car: Car.objects.filter(pk=car.pk).update(color="red"),
    "bulk update": lambda car: Car.objects.bulk_update([car], ["color"]),
    "removal": lambda car: car.delete(),
    "removal of many": lambda car: Car.objects.filter(pk=car.pk).delete(),
    "statement": with_own_sql,
    "statement with comments": with_commented_sql,
    "service": with_a_service,
    "feature": lambda car: CarFeature.objects.create(car=car, text="Heated seats"),
    "features at once": lambda car: CarFeature.objects.bulk_create([CarFeature(car=car, text="Heated seats")]),
    "features by COPY": loaded_in_bulk,
    "picture": lambda car: CarImage.objects.create(car=car, url="https://example.org/1.jpg"),
}


def test_no_table_of_the_stock_is_forgotten() -> None:
    tables = {model._meta.db_table for model in apps.get_app_config("inventory").get_models()}
    assert tables <= writes._watches.keys()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write_to_a_car_ends_its_pages_and_the_lists_of_cars(server: Redis, way: str) -> None:
    car = make_car()
    assert ended_by(lambda: WAYS[way](car), *pages_of(car), *LISTS) == ["car", "car:slug", "cars:list"]


@pytest.mark.parametrize("way", ["save", "soft delete", "removal", "removal of many", "service", "picture"])
def test_where_the_row_is_known_the_pages_of_other_cars_live_on(server: Redis, way: str) -> None:
    car, other = make_car(), make_car()

    def write() -> None:
        # As in a service or the admin; on their own, statements commit before anybody says which row it was.
        with transaction.atomic():
            WAYS[way](car)

    assert ended_by(write, *pages_of(other), *pages_of(car)) == ["car", "car:slug"]


def test_where_many_rows_are_written_the_pages_of_all_end(server: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.cache.writes.MANY_ROWS", 2)
    cars, other = [make_car() for _ in range(3)], make_car()

    def write() -> None:
        with transaction.atomic():
            for car in cars:
                car.save()

    assert ended_by(write, *pages_of(other)) == ["car", "car:slug"]
    cars.pop()
    assert ended_by(write, *pages_of(other)) == []


def test_a_new_slug_ends_the_pages_under_the_old_ones(server: Redis) -> None:
    car = make_car(slug="first")
    car.slug = "second"
    car.save()
    slugs = [(families.CAR_BY_SLUG, slug) for slug in ("first", "second", "third", "other")]

    def rename() -> None:
        car.slug = "third"
        car.save()

    kept = Kept(*slugs)
    rename()
    assert kept.ended() == ["car:slug"] * 3
    # Former slugs are gone by the time that anybody could look them up.
    kept = Kept(*slugs)
    CarSlugHistory.objects.filter(slug="first").delete()
    assert kept.ended() == ["car:slug"]


def test_a_car_that_comes_into_being_ends_that_there_was_none(server: Redis) -> None:
    assert cached(families.CAR_BY_SLUG, "new", lambda: None) is None
    make_car(slug="new")
    assert cached(families.CAR_BY_SLUG, "new", lambda: "there it is") == "there it is"


def test_parts_categories_sellers_leads_and_vouchers_end_their_own(server: Redis) -> None:
    part, lead, voucher, category = make_part(), make_lead(), make_voucher(), make_category()
    everything: list[tuple[Family, Any]] = [
        *((family, None) for family in (families.CARS_LIST, families.PARTS_SEARCH, families.CATEGORIES)),
        *((family, None) for family in (families.SELLERS_LIST, families.VOUCHERS_NEARBY)),
        (families.PART, part.public_id), (families.SELLER, part.seller.public_id),
    ]  # fmt: skip
    price = Decimal("10.00")
    assert ended_by(lambda: Part.objects.filter(pk=part.pk).update(price=price), *everything) == [
        "parts:search",
        "categories",
        "part",
    ]
    assert ended_by(category.save, *everything) == ["parts:search", "categories", "part"]
    assert ended_by(voucher.save, *everything) == ["vouchers:nearby"]
    assert "cars:list" in ended_by(lambda: Seller.objects.filter(pk=part.seller_id).update(name="New"), *everything)

    def counts() -> Any:
        return cached(families.CONTACTS, None, Lead.objects.count, owner=1)

    assert counts() == 1
    lead.delete()
    assert counts() == 0


def test_a_vendor_on_the_move_ends_no_page_of_the_stock(server: Redis) -> None:
    seller = make_seller()
    questions: list[tuple[Family, Any]] = [(families.CARS_LIST, None), (families.PARTS_LIST, None)]
    questions += [(families.SELLERS_NEARBY, None), (families.SELLER, seller.public_id)]
    moved = ended_by(lambda: record_position(seller=seller, latitude=60.0, longitude=25.0), *questions)
    assert moved == ["sellers:nearby", "seller"]


def test_an_action_in_the_admin_ends_answers(server: Redis, client: Client) -> None:
    client.force_login(make_user(Role.SUPER_ADMIN))
    car = make_car()
    kept = Kept(*pages_of(car), (families.CARS_LIST, None))
    client.post("/admin/inventory/car/", {"action": "reserve", "_selected_action": [car.pk]})
    assert (Car.objects.get(pk=car.pk).status, kept.ended()) == ("RESERVED", ["car", "car:slug", "cars:list"])


def fail_after(write: Callable[[], Any]) -> None:
    with transaction.atomic():
        write()
        raise LookupError


class TestInATransaction:
    def test_nothing_ends_before_the_commit_and_nothing_by_a_rollback(self, server: Redis) -> None:
        car = make_car()
        kept = Kept(*pages_of(car), (families.CARS_LIST, None))
        with pytest.raises(LookupError):
            fail_after(car.save)
        assert server.mget("forecourt:1:generation:cars", "forecourt:1:generation:car") != [None, None]
        with transaction.atomic():
            car.save()
            assert server.get("forecourt:1:generation:cars") is not None
        assert kept.ended() == ["car", "car:slug", "cars:list"]

    def test_who_wrote_sees_it_and_keeps_it_from_others_until_the_commit(self, server: Redis) -> None:
        car = make_car(color="red")

        def color() -> Any:
            return cached(families.CAR, car.public_id, lambda: Car.objects.get(pk=car.pk).color)

        assert color() == "red"
        with transaction.atomic():
            Car.objects.filter(pk=car.pk).update(color="blue")
            assert color() == "blue"
            transaction.set_rollback(True)
        assert color() == "red"

    def test_what_only_a_savepoint_took_back_is_forgotten_and_what_came_after_is_not(self, server: Redis) -> None:
        car = make_car()
        kept = Kept(*pages_of(car), (families.CARS_LIST, None))
        with transaction.atomic():
            with pytest.raises(LookupError):
                fail_after(car.save)
            car.save()
        assert kept.ended() == ["car", "car:slug", "cars:list"]

    def test_a_namespace_named_by_hand_waits_for_the_commit_too(self, server: Redis) -> None:
        kept = Kept((families.CARS_LIST, None))
        with transaction.atomic():
            invalidate("cars")
            assert server.get("forecourt:1:generation:cars") is not None
        assert kept.ended() == ["cars:list"]

    def test_another_hook_of_the_same_commit_reads_what_was_committed(self, server: Redis) -> None:
        car = make_car(color="red")
        seen = []

        def color() -> Any:
            return cached(families.CAR, car.public_id, lambda: Car.objects.get(pk=car.pk).color)

        color()
        with transaction.atomic():
            transaction.on_commit(lambda: seen.append(color()))
            Car.objects.filter(pk=car.pk).update(color="blue")
        assert (seen, color()) == (["blue"], "blue")


def test_a_reader_overtaken_by_a_commit_keeps_nothing_of_what_it_saw(server: Redis) -> None:
    car = make_car(color="red")
    has_read, has_written = threading.Event(), threading.Event()

    def slow_read() -> str:
        color = Car.objects.get(pk=car.pk).color
        has_read.set()
        assert has_written.wait(timeout=20)
        return color

    def read() -> None:
        try:
            assert cached(families.CAR, car.public_id, slow_read) == "red"
        finally:
            connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    assert has_read.wait(timeout=20)
    Car.objects.filter(pk=car.pk).update(color="blue")
    has_written.set()
    reader.join(timeout=20)
    assert cached(families.CAR, car.public_id, lambda: Car.objects.get(pk=car.pk).color) == "blue"


def test_readers_beside_a_writer_never_get_less_than_what_was_committed_before_they_asked(server: Redis) -> None:
    car = make_car(mileage_km=0)
    committed = [0]
    problems: list[Any] = []
    is_over = threading.Event()

    def read() -> None:
        try:
            while not is_over.is_set():
                at_least = committed[0]
                found = cached(families.CAR, car.public_id, lambda: Car.objects.get(pk=car.pk).mileage_km)
                if found is None or found < at_least:
                    problems.append((at_least, found))
        except DatabaseError as error:
            problems.append((0, str(error)))
        finally:
            connection.close()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for mileage in range(1, 40):
            with transaction.atomic():
                Car.objects.filter(pk=car.pk).update(mileage_km=mileage)
            committed[0] = mileage
    finally:
        is_over.set()
        for reader in readers:
            reader.join(timeout=20)
    assert problems == []
    assert Category.objects.count() == 0


OTHER_PROCESS = """
import sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from config.cache import cached, families
from inventory.models import Car
print(cached(families.CAR_BY_SLUG, "shared", lambda: "built here"))
Car.objects.filter(slug="shared").update(color="blue")
"""


def test_processes_share_answers_and_hear_of_each_others_writes(server: Redis) -> None:
    make_car(slug="shared", color="red")

    def color() -> Any:
        return cached(families.CAR_BY_SLUG, "shared", lambda: Car.objects.get(slug="shared").color)

    assert color() == "red"
    environment = os.environ | {"CACHE_READS": "true", "DJANGO_SETTINGS_MODULE": "config.settings"}
    order = [sys.executable, "-c", OTHER_PROCESS, str(connection.settings_dict["NAME"])]
    done = subprocess.run(order, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, color()) == ("red\n", "blue")
