from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.db.errors import Refused
from inventory.models import Car, CarSlugHistory, Vehicle
from inventory.models.cars import CarStatus
from inventory.queries import vin_warnings
from inventory.services import (
    delete_car,
    dismantle_car,
    feature_car,
    publish_car,
    release_car,
    remove_car_for_good,
    reserve_car,
    restore_car,
    return_car,
    sell_car,
    unfeature_car,
    unpublish_car,
)
from leads.models import Lead
from tests.builders import NOON, make_car, make_event, make_lead, make_seller, make_user, make_vehicle

pytestmark = pytest.mark.django_db

SOLD = {"status": CarStatus.SOLD, "sold_at": NOON}


def test_publishing_makes_a_coming_car_public() -> None:
    car = make_car(status=CarStatus.COMING_SOON, published_at=None)

    publish_car(car=car, now=NOON)

    assert list(Car.objects.public(now=NOON)) == [car]


def test_a_car_published_for_later_is_hidden_until_then() -> None:
    car = make_car(published_at=None)

    publish_car(car=car, at=NOON + timedelta(hours=1), now=NOON)

    assert not Car.objects.public(now=NOON).exists()
    assert Car.objects.public(now=NOON + timedelta(hours=1)).exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "is published already"),
        ({"status": CarStatus.RESERVED, "published_at": None}, "is reserved and cannot be published"),
        (SOLD, "is sold and cannot be published"),
    ],
)
def test_publishing_is_refused_for_a_car_that_is_public_or_spoken_for(fields: dict[str, Any], reason: str) -> None:
    car = make_car(**fields)

    with pytest.raises(Refused, match=reason):
        publish_car(car=car, now=NOON)


def test_publishing_is_refused_while_the_seller_is_not_verified() -> None:
    car = make_car(seller=make_seller(is_verified=False), published_at=None)

    with pytest.raises(Refused, match="is not verified"):
        publish_car(car=car, now=NOON)

    car.refresh_from_db()
    assert car.published_at is None


def test_unpublishing_hides_a_car_once() -> None:
    car = make_car()

    unpublish_car(car=car)

    assert not Car.objects.public(now=NOON).exists()
    with pytest.raises(Refused, match="is not published"):
        unpublish_car(car=car)


def test_a_reserved_car_is_hidden_until_it_is_released() -> None:
    car = make_car()

    reserve_car(car=car)
    assert not Car.objects.public(now=NOON).exists()
    with pytest.raises(Refused, match="only available cars can be reserved"):
        reserve_car(car=car)

    release_car(car=car)
    assert list(Car.objects.public(now=NOON)) == [car]
    with pytest.raises(Refused, match="only reserved cars can be released"):
        release_car(car=car)


def test_selling_dates_the_car_and_returning_undoes_it(announcements: list[dict[str, Any]]) -> None:
    car = make_car()

    sell_car(car=car, now=NOON)
    assert (car.status, car.sold_at) == (CarStatus.SOLD, NOON)
    with pytest.raises(Refused, match="is sold already"):
        sell_car(car=car)

    return_car(car=car)
    car.refresh_from_db()
    assert (car.status, car.sold_at) == (CarStatus.AVAILABLE, None)
    assert [fact["event_type"] for fact in announcements] == ["CAR_SOLD", "CAR_RETURNED"]
    with pytest.raises(Refused, match="only sold cars can be taken back"):
        return_car(car=car)


def test_featuring_and_unfeaturing_happen_once() -> None:
    car = make_car()

    feature_car(car=car)
    assert Car.objects.get().is_featured
    with pytest.raises(Refused, match="is featured already"):
        feature_car(car=car)

    unfeature_car(car=car)
    with pytest.raises(Refused, match="is not featured"):
        unfeature_car(car=car)


def test_a_sold_car_cannot_be_featured() -> None:
    with pytest.raises(Refused, match="a sold car cannot be featured"):
        feature_car(car=make_car(**SOLD))


def test_a_deleted_car_disappears_and_keeps_its_leads_and_views() -> None:
    car = make_car()
    lead, event = make_lead(car=car), make_event(car=car)

    delete_car(car=car, now=NOON)

    assert not Car.objects.exists()
    lead.refresh_from_db()
    event.refresh_from_db()
    assert (lead.car_id, event.car_id) == (car.pk, car.pk)
    restore_car(car=car)
    assert Car.objects.get() == car


@pytest.mark.parametrize("what", ["vin", "slug"])
def test_a_car_does_not_come_back_where_a_live_one_has_its_place(what: str) -> None:
    gone = make_car()
    delete_car(car=gone, now=NOON)
    heir = make_car(**{what: getattr(gone, what)})

    with pytest.raises(Refused, match=f"{heir} has the {what.upper() if what == 'vin' else what} "):
        restore_car(car=gone)

    gone.refresh_from_db()
    assert gone.deleted_at == NOON


def test_a_car_is_removed_for_good_by_a_super_administrator_with_its_views() -> None:
    car = make_car()
    make_event(car=car)

    remove_car_for_good(car=car, actor=make_user("SUPER_ADMIN"))

    assert not Car.all_objects.exists()


def test_nobody_else_may_remove_a_car_for_good() -> None:
    car = make_car()

    with pytest.raises(Refused, match="Only a super administrator"):
        remove_car_for_good(car=car, actor=make_user("ADMIN"))

    assert Car.objects.exists()


@pytest.mark.parametrize("deleted_at", [None, NOON])
def test_a_car_that_leads_refer_to_is_not_removed(deleted_at: Any) -> None:
    car = make_car()
    make_lead(car=car, deleted_at=deleted_at)

    with pytest.raises(Refused, match="is referred to by 1 lead: delete the car instead"):
        remove_car_for_good(car=car, actor=make_user("SUPER_ADMIN"))

    assert Lead.all_objects.get().car == car


def test_dismantling_hides_the_car_and_makes_a_vehicle_of_it() -> None:
    car = make_car(color="red", engine_size="2.0L")
    yard = make_seller()

    vehicle = dismantle_car(car=car, seller=yard, now=NOON)

    assert not Car.objects.exists()
    vehicle = Vehicle.objects.get(pk=vehicle.pk)
    assert (vehicle.source_car, vehicle.seller, vehicle.acquired_at) == (car, yard, NOON)
    assert (vehicle.vin, vehicle.make, vehicle.color, vehicle.engine_cc) == (car.vin, "Skoda", "red", 2000)
    assert vin_warnings(vehicle) == []


@pytest.mark.parametrize("fields", [{"status": CarStatus.RESERVED}, SOLD])
def test_a_car_somebody_has_a_claim_on_is_not_dismantled(fields: dict[str, Any]) -> None:
    car = make_car(**fields)

    with pytest.raises(Refused, match="release it or take it back"):
        dismantle_car(car=car, seller=make_seller())

    assert Car.objects.exists()
    assert not Vehicle.objects.exists()


def test_a_car_is_not_dismantled_twice_under_one_vin() -> None:
    car = make_car()
    make_vehicle(vin=car.vin)

    with pytest.raises(Refused, match=f"with the VIN {car.vin} exists already"):
        dismantle_car(car=car, seller=make_seller())

    assert Car.objects.exists()


def test_a_car_does_not_come_back_while_it_is_broken_for_parts() -> None:
    car = make_car()
    dismantle_car(car=car, seller=make_seller())

    with pytest.raises(Refused, match="delete its donor vehicle first"):
        restore_car(car=car)


def test_the_slug_is_made_once_without_accents_and_numbered() -> None:
    first, second = (make_car(make="Škoda", model="Öljyä", year=2020) for _ in range(2))
    assert (first.slug, second.slug) == ("skoda-oljya-2020", "skoda-oljya-2020-1")

    first.model = "Fabia"
    first.save()

    assert Car.objects.get(pk=first.pk).slug == "skoda-oljya-2020"
    assert not CarSlugHistory.objects.exists()


def test_a_former_slug_is_not_given_to_another_car() -> None:
    car = make_car()
    old = car.slug
    car.slug = "on-purpose"
    car.save()

    assert make_car().slug == f"{old}-1"


def test_an_address_that_two_cars_had_leads_to_the_last_one() -> None:
    first, second = make_car(slug="corner"), make_car()
    first.slug = "elsewhere"
    first.save()
    second.slug = "corner"
    second.save()
    second.slug = "gone"
    second.save()

    assert CarSlugHistory.objects.get(slug="corner").car == second


def test_a_slug_that_is_not_saved_makes_no_former_one() -> None:
    car = make_car()
    old = car.slug

    car.slug, car.price = "elsewhere", Decimal(5)
    car.save(update_fields=["price"])

    stored = Car.objects.get()
    assert (stored.slug, stored.price) == (old, Decimal(5))
    assert not CarSlugHistory.objects.exists()


def test_a_car_without_a_slug_that_breaks_another_rule_is_refused() -> None:
    first = make_car()

    with pytest.raises(IntegrityError), transaction.atomic():
        make_car(vin=first.vin)

    assert Car.objects.count() == 1
