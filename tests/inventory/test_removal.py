"""Stock that goes for good: with what, and what keeps it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import F, Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Integration, Seller, StoredFile, User
from accounts.models.users import Role
from accounts.services import lift_hold, place_hold, remove_user_for_good
from analytics.models import AuditLog
from config.db.base import Hold
from config.db.errors import Refused
from inventory.models import Part, Vehicle
from inventory.services import (
    attach_image,
    delete_part,
    delete_vehicle,
    remove_car_for_good,
    remove_part_for_good,
    remove_vehicle_for_good,
    sell_part,
)
from inventory.services.integrity import sellers_with_right_sales
from inventory.services.removal import remove_stock
from tests.accounts.leaving import picture
from tests.builders import NOON, make_car, make_part, make_seller, make_user, make_vehicle
from tests.races import before_the_commit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def boss() -> User:
    return make_user(Role.SUPER_ADMIN)


def name_outside(row: Model) -> None:
    kind = ContentType.objects.get_for_model(row)
    Integration.objects.create(
        service="algolia", external_id=f"{kind.model}-{row.pk}", content_type=kind, object_id=str(row.pk)
    )


def wrong_counts() -> list[Seller]:
    return list(sellers_with_right_sales().exclude(total_sales=F("right")))


# What goes along


@pytest.mark.django_db(transaction=True)
def test_a_car_goes_with_the_files_of_its_pictures_and_its_foreign_names(boss: User, media: Path) -> None:
    car = make_car()
    attach_image(row=car, upload=picture())
    name_outside(car)

    remove_car_for_good(car=car, actor=boss)

    assert not StoredFile.objects.exists()
    assert not Integration.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.django_db(transaction=True)
def test_a_vehicle_goes_with_its_deleted_parts_their_files_and_foreign_names(boss: User, media: Path) -> None:
    part = make_part()
    attach_image(row=part, upload=picture())
    name_outside(part)
    name_outside(part.vehicle)
    delete_part(part=part)
    delete_vehicle(vehicle=part.vehicle)

    remove_vehicle_for_good(vehicle=part.vehicle, actor=boss)

    assert not Part.all_objects.exists()
    assert not Vehicle.all_objects.exists()
    assert not Integration.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_person_goes_with_the_foreign_names_of_all_that_goes_along(boss: User) -> None:
    part = make_part()
    car = make_car(seller=part.seller)
    for row in (part, car, part.vehicle, part.seller, part.seller.owner, boss):
        name_outside(row)

    remove_user_for_good(user=part.seller.owner, actor=boss)

    assert Integration.objects.get().target == boss


def test_a_sale_counts_when_its_part_or_its_vehicle_is_gone_for_good(boss: User) -> None:
    first = make_part()
    second = make_part(vehicle=first.vehicle)
    for part in (first, second):
        sell_part(part=part)
        delete_part(part=part)

    remove_part_for_good(part=first, actor=boss)
    assert wrong_counts() == []

    delete_vehicle(vehicle=second.vehicle)
    remove_vehicle_for_good(vehicle=second.vehicle, actor=boss)
    assert wrong_counts() == []
    assert Seller.objects.get(pk=first.seller_id).total_sales == 2


def test_who_removed_what_for_good_is_in_the_audit_log(boss: User) -> None:
    part = make_part(deleted_at=NOON)
    keys = {"PART_REMOVED": part.public_id, "VEHICLE_REMOVED": part.vehicle.public_id}

    remove_part_for_good(part=part, actor=boss)
    remove_vehicle_for_good(vehicle=part.vehicle, actor=boss)

    told = AuditLog.objects.filter(event_type__in=keys)
    assert {entry.event_type: entry.entity_id for entry in told} == keys
    assert {entry.actor for entry in told} == {boss}


# What keeps it


def test_nobody_else_may_remove_stock_for_good() -> None:
    part, clerk = make_part(deleted_at=NOON), make_user(Role.ADMIN)
    with pytest.raises(Refused, match="Only a super administrator may remove a part for good"):
        remove_part_for_good(part=part, actor=clerk)
    with pytest.raises(Refused, match="Only a super administrator may remove a donor vehicle for good"):
        remove_vehicle_for_good(vehicle=part.vehicle, actor=clerk)
    assert Part.all_objects.exists()


def test_a_vehicle_with_parts_that_are_not_deleted_is_not_removed(boss: User) -> None:
    part = make_part()
    with pytest.raises(Refused, match="has 1 part: delete the parts"):
        remove_vehicle_for_good(vehicle=part.vehicle, actor=boss)
    assert Part.objects.exists()


def held_part() -> Part:
    part = make_part(name="Airbag", vehicle=make_vehicle(make="Opel", model="Corsa", year=2016), deleted_at=NOON)
    make_part(vehicle=part.vehicle, deleted_at=NOON)
    place_hold(row=part, hold=Hold.LEGAL)
    return part


REMOVALS: list[Callable[[Part, User], Any]] = [
    lambda part, boss: remove_part_for_good(part=part, actor=boss),
    lambda part, boss: remove_vehicle_for_good(vehicle=part.vehicle, actor=boss),
    lambda part, boss: remove_user_for_good(user=part.seller.owner, actor=boss),
    lambda part, boss: remove_stock(sellers=[part.seller]),
]


@pytest.mark.parametrize("remove", REMOVALS, ids=["part", "vehicle", "person", "stock"])
def test_a_held_part_stays_whatever_it_would_go_with_until_the_hold_is_lifted(
    boss: User, remove: Callable[[Part, User], Any]
) -> None:
    part = held_part()
    make_car(seller=part.seller)

    with pytest.raises(Refused, match=r"There is a hold on Airbag \(part, legal hold\): lift it first"):
        remove(part, boss)
    assert Part.all_objects.count() == 2
    assert User.all_objects.filter(pk=part.seller.owner_id).exists()

    lift_hold(row=part)
    remove(part, boss)
    assert not Part.all_objects.filter(pk=part.pk).exists()


def test_a_held_person_and_a_held_vehicle_of_theirs_are_both_named(boss: User) -> None:
    owner = make_user(Role.SELLER, name="Anna Aho")
    vehicle = make_vehicle(seller=make_seller(owner=owner), make="Opel", model="Corsa", year=2016)
    place_hold(row=owner, hold=Hold.DISPUTE)
    place_hold(row=vehicle, hold=Hold.LEGAL)

    with pytest.raises(Refused) as refused:
        remove_user_for_good(user=owner, actor=boss)

    assert str(refused.value) == (
        "There is a hold on Anna Aho (user, dispute), 2016 Opel Corsa (donor vehicle, legal hold): lift it first."
        " Nothing was removed."
    )


def test_the_admin_refuses_to_remove_a_seller_whose_part_is_held(boss: User, client: Client) -> None:
    seller = held_part().seller
    seller.soft_delete(NOON)
    boss.is_staff = boss.is_superuser = True
    boss.save()
    client.force_login(boss)

    page = client.post(
        f"/admin/accounts/seller/{seller.pk}/delete_for_good/", {"staff_confirmed": "1"}, follow=True
    ).content.decode()

    assert "There is a hold on Airbag (part, legal hold): lift it first." in page
    assert Part.all_objects.count() == 2


def test_looking_for_holds_takes_as_many_statements_for_one_part_as_for_many(boss: User) -> None:
    def statements(parts: int) -> int:
        vehicle = make_vehicle()
        for _ in range(parts):
            make_part(vehicle=vehicle, hold=Hold.LEGAL)
        with CaptureQueriesContext(connection) as told, pytest.raises(Refused, match="There is a hold"):
            remove_user_for_good(user=vehicle.seller.owner, actor=boss)
        return len(told)

    statements(1)
    assert statements(1) == statements(9)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_hold_that_is_placed_meanwhile_keeps_the_part(boss: User) -> None:
    part = make_part()

    refused = before_the_commit(
        lambda: place_hold(row=Part.objects.get(pk=part.pk), hold=Hold.LEGAL),
        lambda: remove_user_for_good(user=part.seller.owner, actor=boss),
    )

    assert isinstance(refused, Refused)
    assert Part.objects.get().hold == Hold.LEGAL
