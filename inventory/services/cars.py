"""Cars for sale: publishing, reserving, selling, featuring, removing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.db import transaction
from django.db.models import SET_NULL, Q
from django.utils import timezone

from config.audit import announce
from inventory.models import Car, Vehicle
from inventory.models.cars import CarStatus
from inventory.services import changes
from inventory.services.refusals import StillInUse, WrongState
from inventory.services.removal import remove_cars

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import ForeignObjectRel

    from accounts.models import User

# The states in which nobody has a claim on the car.
FREE = (CarStatus.AVAILABLE, CarStatus.COMING_SOON, CarStatus.UNDER_MAINTENANCE)


@transaction.atomic
def publish_car(*, car: Car, at: datetime | None = None, actor: User | None = None, now: datetime | None = None) -> Car:
    """Put a car on the marketplace as available, at once or `at` a moment ahead.

    Raises Refused if it is public already, reserved or sold, or if its seller may not sell.
    """
    moment = now or timezone.now()
    stored = changes.read(car)
    if stored.status not in FREE:
        raise WrongState(f"{stored} is {_state(stored)} and cannot be published.")
    published = stored.published_at is not None and stored.published_at <= moment
    if stored.status == CarStatus.AVAILABLE and published:
        raise WrongState(f"{stored} is published already.")
    if stored.seller is not None:
        changes.require_ready(stored.seller)
    return changes.write(
        car,
        stored,
        event_type="CAR_PUBLISHED",
        actor=actor,
        relying_on=["deleted_at"],
        status=CarStatus.AVAILABLE,
        published_at=at or moment,
    )


@transaction.atomic
def unpublish_car(*, car: Car, actor: User | None = None) -> Car:
    """Take a car out of the public lists. Raises Refused if it is not published."""
    stored = changes.read(car)
    if stored.published_at is None:
        raise WrongState(f"{stored} is not published.")
    return changes.write(car, stored, event_type="CAR_UNPUBLISHED", actor=actor, published_at=None)


@transaction.atomic
def reserve_car(*, car: Car, actor: User | None = None) -> Car:
    """Hold a car for somebody. Raises Refused unless it is available."""
    stored = changes.read(car)
    if stored.status != CarStatus.AVAILABLE:
        raise WrongState(f"{stored} is {_state(stored)}: only available cars can be reserved.")
    return changes.write(
        car, stored, event_type="CAR_RESERVED", actor=actor, relying_on=["deleted_at"], status=CarStatus.RESERVED
    )


@transaction.atomic
def release_car(*, car: Car, actor: User | None = None) -> Car:
    """End a reservation. Raises Refused if there is none."""
    stored = changes.read(car)
    if stored.status != CarStatus.RESERVED:
        raise WrongState(f"{stored} is {_state(stored)}: only reserved cars can be released.")
    return changes.write(car, stored, event_type="CAR_RELEASED", actor=actor, status=CarStatus.AVAILABLE)


@transaction.atomic
def sell_car(*, car: Car, actor: User | None = None, now: datetime | None = None) -> Car:
    """Mark a car as sold. Raises Refused if it is sold already. A seller's `total_sales` counts parts only."""
    stored = changes.read(car)
    if stored.status == CarStatus.SOLD:
        raise WrongState(f"{stored} is sold already.")
    return changes.write(
        car,
        stored,
        event_type="CAR_SOLD",
        actor=actor,
        relying_on=["deleted_at"],
        status=CarStatus.SOLD,
        sold_at=now or timezone.now(),
    )


@transaction.atomic
def return_car(*, car: Car, actor: User | None = None) -> Car:
    """Take back a sale that came to nothing. Raises Refused if the car is not sold."""
    stored = changes.read(car)
    if stored.status != CarStatus.SOLD:
        raise WrongState(f"{stored} is {_state(stored)}: only sold cars can be taken back.")
    return changes.write(car, stored, event_type="CAR_RETURNED", actor=actor, status=CarStatus.AVAILABLE, sold_at=None)


@transaction.atomic
def feature_car(*, car: Car, actor: User | None = None) -> Car:
    """Show a car among the featured ones. Raises Refused if it is featured already or sold."""
    stored = changes.read(car)
    if stored.is_featured:
        raise WrongState(f"{stored} is featured already.")
    if stored.status == CarStatus.SOLD:
        raise WrongState(f"{stored} is sold: a sold car cannot be featured.")
    return changes.write(
        car,
        stored,
        event_type="CAR_FEATURED",
        actor=actor,
        action="update",
        relying_on=["status", "deleted_at"],
        is_featured=True,
    )


@transaction.atomic
def unfeature_car(*, car: Car, actor: User | None = None) -> Car:
    """Show a car no longer among the featured ones. Raises Refused if it is not one of them."""
    stored = changes.read(car)
    if not stored.is_featured:
        raise WrongState(f"{stored} is not featured.")
    return changes.write(car, stored, event_type="CAR_UNFEATURED", actor=actor, action="update", is_featured=False)


@transaction.atomic
def delete_car(*, car: Car, actor: User | None = None, now: datetime | None = None) -> Car:
    """Hide a car; its leads and views stay. Raises Refused if it is deleted already."""
    stored = Car.objects.filter(pk=car.pk).first()
    if stored is None:
        raise WrongState(f"{car} is deleted already.")
    return changes.write(
        car, stored, event_type="CAR_DELETED", actor=actor, action="delete", deleted_at=now or timezone.now()
    )


@transaction.atomic
def restore_car(*, car: Car, actor: User | None = None) -> Car:
    """Show a deleted car again.

    Raises Refused if a live car has its VIN or slug, if its seller is deleted, or if it is being broken for parts.
    """
    # Whoever restores a vehicle that was made of it locks the car as well.
    Car.all_objects.select_for_update().filter(pk=car.pk).first()
    car.refresh_from_db()
    changes.require_live_seller(car, car.seller)
    if Vehicle.objects.filter(source_car=car).exists():
        raise WrongState(f"{car} is being broken for parts: delete its donor vehicle first.")
    unique = {"slug": (car.slug, Q(slug=car.slug))}
    if car.vin is not None:
        unique["VIN"] = (car.vin, Q(vin=car.vin))
    return changes.restore(car, event_type="CAR_RESTORED", actor=actor, unique=unique)


@transaction.atomic
def remove_car_for_good(*, car: Car, actor: User) -> None:
    """Remove a car with its pictures, features, specifications and foreign names; this cannot be undone.

    Raises Refused unless a super administrator does it, and while rows refer to the car that would outlive it, above
    all leads.
    """
    changes.require_super_admin(actor, car)
    # A new reference waits for this lock, and fails once the car is gone.
    stored = Car.all_objects.select_for_update().filter(pk=car.pk).first()
    if stored is None:
        raise WrongState(f"{car} is gone already.")
    users = _rows_that_would_outlive(stored)
    if users:
        raise StillInUse(f"{stored} is referred to by {users}: delete the car instead, which only hides it.")
    announce("delete", stored, event_type="CAR_REMOVED", actor=actor, seller=stored.seller)
    remove_cars(Car.all_objects.filter(pk=stored.pk))


def _rows_that_would_outlive(car: Car) -> str:
    """Return in words which rows would lose what they are about.

    Leads are a higher app, so they are found by what their key does on deletion: rows of the car itself go along.
    """
    relations = cast("tuple[ForeignObjectRel, ...]", Car._meta.related_objects)
    found = []
    for relation in relations:
        if relation.on_delete is SET_NULL:
            model = relation.related_model
            number = model._base_manager.filter(**{relation.field.name: car}).count()
            if number:
                name = model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural
                found.append(f"{number} {name}")
    return " and ".join(found)


def _state(car: Car) -> str:
    return str(car.get_status_display()).lower()
