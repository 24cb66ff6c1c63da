"""What becomes of sold parts and of emptied vehicles when they are old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from config.options import option
from inventory.models import Part, Vehicle
from inventory.models.parts import PartStatus
from inventory.services.removal import count_archived_sales, remove_parts, remove_vehicles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet


def old_sold_parts(now: datetime) -> QuerySet[Part]:
    """Return the parts that were sold long ago, deleted ones included, but for those under a hold."""
    since = now - timedelta(days=option("retention.part_days"))
    return Part.all_objects.filter(status=PartStatus.SOLD, sold_at__lt=since, hold="")


def old_vehicles(now: datetime) -> QuerySet[Vehicle]:
    """Return the vehicles that were acquired, entered and, where they are, deleted long ago, and have no parts.

    Parts that were deleted as long ago, without having been sold or held, do not count: they go along.
    """
    since = now - timedelta(days=option("retention.vehicle_days"))
    parts = Part.all_objects.filter(vehicle=OuterRef("pk"))
    needed = Q(deleted_at__isnull=True) | Q(deleted_at__gte=since) | Q(status=PartStatus.SOLD) | ~Q(hold="")
    return Vehicle.all_objects.filter(
        Q(deleted_at__isnull=True) | Q(deleted_at__lt=since),
        ~Exists(parts.filter(needed)),
        acquired_at__lt=since,
        created_at__lt=since,
        hold="",
    )


@transaction.atomic
def remove_old_parts(*, parts: Sequence[int]) -> int:
    """Remove sold parts, by their keys; return how many. See `remove_parts`."""
    return remove_parts(Part.all_objects.filter(pk__in=parts))[Part._meta.label]


@transaction.atomic
def remove_old_vehicles(*, vehicles: Sequence[int]) -> int:
    """Remove vehicles, by their keys, with the parts that are left of them; return how many vehicles."""
    return remove_vehicles(Vehicle.all_objects.filter(pk__in=vehicles))[Vehicle._meta.label]


@transaction.atomic
def count_returned_sales(*, parts: Sequence[int]) -> None:
    """Note that sales lie in no archive any more, because their parts, by their keys, are back."""
    count_archived_sales(parts, -1)
