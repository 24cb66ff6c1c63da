from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import F

from accounts.models import Seller
from config.db.errors import Refused
from inventory.models import Part, Vehicle
from inventory.queries import vin_warnings
from inventory.services import (
    delete_part,
    delete_vehicle,
    dismantle_car,
    restore_car,
    restore_vehicle,
    return_part,
    sell_part,
)
from inventory.services.integrity import sellers_with_right_sales
from tests.builders import NOON, make_car, make_category, make_part, make_seller, make_vehicle

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


def sales() -> dict[str, int]:
    assert not sellers_with_right_sales().exclude(total_sales=F("right")).exists()
    return dict(Seller.objects.filter(total_sales__gt=0).values_list("name", "total_sales"))


def test_the_parts_of_a_vehicle_change_hands_with_it_and_their_sales_count_for_the_new_seller(
    announcements: list[dict[str, Any]],
) -> None:
    giver, taker = make_seller(name="Giver"), make_seller(name="Taker")
    vehicle = make_vehicle(seller=giver)
    sold, kept, gone, other = [make_part(vehicle=each) for each in (*[vehicle] * 3, make_vehicle(seller=giver))]
    for part in (sold, gone, other):
        sell_part(part=part)
    delete_part(part=gone)
    announcements.clear()

    vehicle.seller = taker
    vehicle.save()

    assert set(Part.all_objects.filter(seller=taker)) == {sold, kept, gone}
    assert sales() == {"Giver": 1, "Taker": 2}
    (fact,) = announcements
    assert (fact["event_type"], fact["entity"], fact["seller"]) == ("PARTS_HANDED_OVER", vehicle, taker)
    assert fact["changes"] == {"seller": ["Giver", "Taker"]}
    assert fact["metadata"] == {"sales": 2, "parts": [sold.public_id, kept.public_id, gone.public_id]}

    return_part(part=Part.objects.get(pk=sold.pk))
    assert sales() == {"Giver": 1, "Taker": 1}


def test_a_sold_part_that_is_given_to_another_vehicle_and_seller_takes_its_sale_along(
    announcements: list[dict[str, Any]],
) -> None:
    part, vehicle = make_part(seller=make_seller(name="Giver")), make_vehicle(seller=make_seller(name="Taker"))
    sell_part(part=part)

    part.vehicle, part.seller = vehicle, vehicle.seller
    part.save()

    assert sales() == {"Taker": 1}
    assert (announcements[-1]["event_type"], announcements[-1]["entity"]) == ("PARTS_HANDED_OVER", part)


@pytest.mark.parametrize("fields", [["color"], ["seller_id"]])
def test_the_parts_stay_with_the_seller_unless_the_new_one_is_saved(fields: list[str]) -> None:
    part, buyer = make_part(), make_seller()

    part.vehicle.seller = buyer
    part.vehicle.save(update_fields=fields)

    part.refresh_from_db()
    part.vehicle.refresh_from_db()
    assert part.seller == part.vehicle.seller
    assert (part.seller == buyer) == (fields == ["seller_id"])


def test_saving_a_vehicle_or_a_part_that_stays_where_it_is_announces_nothing(
    announcements: list[dict[str, Any]],
) -> None:
    part = make_part()

    part.save()
    part.vehicle.save()

    assert announcements == []


@pytest.mark.parametrize("what", ["vehicle", "category"])
def test_a_part_is_not_put_into_what_is_deleted_unless_it_is_deleted_itself(what: str) -> None:
    part, hidden = make_part(), make_part(category=make_category())
    target: Any = getattr(hidden, what)
    hidden.soft_delete(NOON)
    target.soft_delete(NOON)

    setattr(part, what, target)
    part.seller = part.vehicle.seller
    with pytest.raises(ValidationError, match="is deleted: choose another"):
        part.save()

    hidden.name = "Renamed"
    hidden.save()
    with pytest.raises(ValidationError, match="is deleted: choose another"):
        hidden.restore()
