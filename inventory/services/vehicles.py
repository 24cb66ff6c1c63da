"""Donor vehicles: taking a car of our own off sale to break it, deleting, restoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.audit import announce
from config.db.removal import refuse_held
from inventory.models import Car, Part, Vehicle
from inventory.models.base import VehicleBase
from inventory.services import changes
from inventory.services.cars import FREE, delete_car
from inventory.services.refusals import StillInUse, Taken, WrongState
from inventory.services.removal import remove_vehicles

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Seller, User

# What a car and the donor vehicle made of it have in common.
DESCRIPTION = tuple(
    field.name
    for field in VehicleBase._meta.get_fields()
    if field.name not in {"public_id", "created_at", "updated_at", "deleted_at"}
)


@transaction.atomic
def dismantle_car(*, car: Car, seller: Seller, actor: User | None = None, now: datetime | None = None) -> Vehicle:
    """Take a car off sale and make a donor vehicle of it, with the same VIN; the car is hidden, its leads stay.

    Raises Refused if the car is reserved or sold, the seller deleted, or the VIN in use among donor vehicles.
    """
    moment = now or timezone.now()
    stored = changes.read(car)
    if stored.status not in FREE:
        state = str(stored.get_status_display()).lower()
        raise WrongState(f"{stored} is {state}: release it or take it back before it is broken for parts.")
    if seller.deleted_at is not None:
        raise WrongState(f"{seller} is deleted: restore the seller first.")
    if stored.vin is not None and Vehicle.objects.filter(vin=stored.vin).exists():
        raise Taken(f"A donor vehicle with the VIN {stored.vin} exists already.")
    delete_car(car=car, actor=actor, now=moment)
    vehicle: Vehicle = Vehicle.objects.create(
        seller=seller,
        source_car=stored,
        acquired_at=moment,
        description=stored.description,
        **{name: getattr(stored, name) for name in DESCRIPTION},
    )
    announce("create", vehicle, event_type="CAR_DISMANTLED", actor=actor, seller=seller)
    return vehicle


@transaction.atomic
def delete_vehicle(*, vehicle: Vehicle, actor: User | None = None, now: datetime | None = None) -> Vehicle:
    """Hide a donor vehicle. Raises Refused while it has parts, or if it is deleted already."""
    # A part that is being added has locked this key, and so is seen, or waits and finds it deleted.
    stored = Vehicle.objects.select_for_update().filter(pk=vehicle.pk).first()
    if stored is None:
        raise WrongState(f"{vehicle} is deleted already.")
    _refuse_with_parts(stored)
    return changes.write(
        vehicle,
        stored,
        event_type="VEHICLE_DELETED",
        actor=actor,
        action="delete",
        deleted_at=now or timezone.now(),
    )


@transaction.atomic
def restore_vehicle(*, vehicle: Vehicle, actor: User | None = None) -> Vehicle:
    """Show a deleted donor vehicle again.

    Raises Refused if a live one has its VIN, if its seller is deleted, or if its car is for sale again.
    """
    vehicle.refresh_from_db()
    changes.require_live_seller(vehicle, vehicle.seller)
    if vehicle.source_car_id is not None:
        # Whoever restores the car locks it as well.
        car = Car.all_objects.select_for_update().get(pk=vehicle.source_car_id)
        if car.deleted_at is None:
            raise WrongState(f"{vehicle} was made of {car}, which is for sale again: delete the car first.")
    unique = {"VIN": (vehicle.vin, Q(vin=vehicle.vin))} if vehicle.vin is not None else {}
    return changes.restore(vehicle, event_type="VEHICLE_RESTORED", actor=actor, unique=unique)


@transaction.atomic
def remove_vehicle_for_good(*, vehicle: Vehicle, actor: User) -> None:
    """Remove a donor vehicle with its deleted parts and the foreign names of both; this cannot be undone.

    Sales of its parts go on counting for the seller. Raises Refused unless a super administrator does it, while there
    is a hold on the vehicle or one of its parts, and while it has parts that are not deleted.
    """
    changes.require_super_admin(actor, vehicle)
    rows = Vehicle.all_objects.filter(pk=vehicle.pk)
    stored = rows.select_for_update().first()
    if stored is None:
        raise WrongState(f"{vehicle} is gone already.")
    _refuse_with_parts(stored)
    refuse_held(rows)
    announce("delete", stored, event_type="VEHICLE_REMOVED", actor=actor, seller=stored.seller)
    remove_vehicles(rows)


def _refuse_with_parts(vehicle: Vehicle) -> None:
    number = Part.objects.filter(vehicle=vehicle).count()
    if number:
        parts = "1 part" if number == 1 else f"{number} parts"
        raise StillInUse(f"{vehicle} has {parts}: delete the parts or move them to another vehicle first.")
