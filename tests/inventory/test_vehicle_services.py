from __future__ import annotations

import pytest

from config.db.errors import Refused
from inventory.models import Vehicle
from inventory.queries import vin_warnings
from inventory.services import delete_part, delete_vehicle, dismantle_car, restore_car, restore_vehicle
from tests.builders import NOON, make_car, make_part, make_seller, make_vehicle

pytestmark = pytest.mark.django_db


def test_a_vehicle_with_parts_is_not_deleted() -> None:
    vehicle = make_vehicle()
    part = make_part(vehicle=vehicle)

    with pytest.raises(Refused, match="has 1 part: delete the parts"):
        delete_vehicle(vehicle=vehicle)
    assert Vehicle.objects.exists()

    delete_part(part=part)
    delete_vehicle(vehicle=vehicle, now=NOON)
    assert Vehicle.all_objects.get().deleted_at == NOON
    with pytest.raises(Refused, match="is deleted already"):
        delete_vehicle(vehicle=vehicle)


def test_a_vehicle_does_not_come_back_where_a_live_one_has_its_vin() -> None:
    gone = make_vehicle()
    delete_vehicle(vehicle=gone)
    make_vehicle(vin=gone.vin)

    with pytest.raises(Refused, match=f"has the VIN {gone.vin} now"):
        restore_vehicle(vehicle=gone)

    assert Vehicle.objects.count() == 1


def test_a_vehicle_does_not_come_back_to_a_deleted_seller() -> None:
    vehicle = make_vehicle(deleted_at=NOON, seller=make_seller(deleted_at=NOON))

    with pytest.raises(Refused, match="restore the seller first"):
        restore_vehicle(vehicle=vehicle)


def test_a_vehicle_made_of_a_car_does_not_come_back_while_the_car_is_for_sale() -> None:
    car = make_car()
    vehicle = dismantle_car(car=car, seller=make_seller())
    delete_vehicle(vehicle=vehicle)
    restore_car(car=car)

    with pytest.raises(Refused, match="which is for sale again"):
        restore_vehicle(vehicle=vehicle)


def test_a_wrong_check_digit_is_a_warning_only() -> None:
    vehicle = make_vehicle(vin="WVWZZZ1JZXW000001")

    assert vin_warnings(vehicle) == [
        "The VIN WVWZZZ1JZXW000001 has a wrong check digit: a European VIN has none, any other has a typing error."
    ]
    assert vin_warnings(make_vehicle()) == []
    assert vin_warnings(make_vehicle(vin="")) == []


def test_one_vin_in_both_tables_is_a_warning_on_either_side() -> None:
    car = make_car()
    vehicle = make_vehicle(vin=car.vin)

    assert vin_warnings(car) == [f"The VIN {car.vin} stands among the donor vehicles as well: {vehicle}."]
    assert vin_warnings(vehicle) == [f"The VIN {car.vin} stands among the cars for sale as well: {car}."]


def test_the_parts_of_a_vehicle_change_hands_with_it() -> None:
    part, buyer = make_part(), make_seller()

    part.vehicle.seller = buyer
    part.vehicle.save()

    part.refresh_from_db()
    assert part.seller == buyer
