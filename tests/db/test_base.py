from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from inventory.models import Car, Category, Part
from tests.builders import NOON, make_car, make_category, make_part, make_user

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_saving_a_row_moves_its_change_time_and_keeps_its_creation_time() -> None:
    part = make_part(created_at=LONG_AGO, updated_at=LONG_AGO)

    part.name = "Starter"
    part.save(update_fields=["name"])

    part.refresh_from_db()
    assert part.created_at == LONG_AGO
    assert part.updated_at > LONG_AGO


def test_a_bulk_update_moves_the_change_time_unless_it_sets_it() -> None:
    moved, kept = make_part(updated_at=LONG_AGO), make_part(updated_at=LONG_AGO)

    Part.objects.filter(pk=moved.pk).update(yard_location="Bay 1")
    Part.objects.filter(pk=kept.pk).update(yard_location="Bay 2", updated_at=NOON)

    moved.refresh_from_db()
    kept.refresh_from_db()
    assert moved.updated_at > LONG_AGO
    assert kept.updated_at == NOON


def test_a_soft_deleted_row_is_hidden_from_objects_and_shown_by_all_objects() -> None:
    car = make_car()

    car.soft_delete(NOON)

    assert not Car.objects.exists()
    assert Car.all_objects.get().deleted_at == NOON
    car.restore()
    assert Car.objects.get() == car


def test_the_vin_of_a_deleted_car_can_be_used_again_and_then_the_old_car_cannot_come_back() -> None:
    old = make_car(vin="TMBZZZ1Z8JA123456")
    old.soft_delete(NOON)
    make_car(vin="TMBZZZ1Z8JA123456")

    with pytest.raises(IntegrityError), transaction.atomic():
        old.restore()


def test_a_deleted_person_frees_the_address_and_gets_it_back_when_restored() -> None:
    user = make_user(email="anna@example.org")

    user.soft_delete(NOON)
    assert not User.objects.filter(email="anna@example.org").exists()
    assert not user.is_active

    user.restore()
    assert User.objects.get(email="anna@example.org") == user
    assert user.is_active


def test_a_deleted_person_cannot_come_back_once_somebody_else_has_the_address() -> None:
    user = make_user(email="anna@example.org")
    user.soft_delete(NOON)
    make_user(email="anna@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        user.restore()


def test_a_deleted_category_frees_its_name() -> None:
    make_category("Doors").soft_delete(NOON)

    assert Category.objects.count() == 0
    make_category("Doors", slug="doors-2")
