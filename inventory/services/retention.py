"""What becomes of sold parts and of emptied vehicles when they are old."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest

from accounts.models import Integration, Seller
from config.options import option
from inventory.models import Part, PartImage, Vehicle
from inventory.models.parts import PartStatus
from inventory.services.removal import remove_with_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import Model, QuerySet


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
    """Remove sold parts, by their keys, with pictures and foreign names; return how many.

    Sellers keep the count of their sales. Leads and events stay, without the link.
    """
    _count_archived_sales(parts, 1)
    _foreign_names(Part, parts).delete()
    removed = remove_with_pictures(Part.all_objects.filter(pk__in=parts), PartImage.objects.all(), "part")
    return removed[Part._meta.label]


@transaction.atomic
def remove_old_vehicles(*, vehicles: Sequence[int]) -> int:
    """Remove vehicles, by their keys, with the parts that are left of them; return how many vehicles."""
    parts = Part.all_objects.filter(vehicle__in=vehicles)
    _foreign_names(Part, list(parts.values_list("pk", flat=True))).delete()
    _foreign_names(Vehicle, vehicles).delete()
    remove_with_pictures(parts, PartImage.objects.all(), "part")
    return Vehicle.all_objects.filter(pk__in=vehicles).delete()[1].get(Vehicle._meta.label, 0)


@transaction.atomic
def count_returned_sales(*, parts: Sequence[int]) -> None:
    """Note that sales lie in no archive any more, because their parts, by their keys, are back."""
    _count_archived_sales(parts, -1)


def _count_archived_sales(parts: Sequence[int], sign: int) -> None:
    sellers = Part.all_objects.filter(pk__in=parts, status=PartStatus.SOLD).values_list("seller", flat=True)
    for seller, number in sorted(Counter(sellers).items()):
        archived = Greatest(F("archived_sales") + sign * number, 0)
        Seller.all_objects.filter(pk=seller).update(archived_sales=archived, updated_at=F("updated_at"))


def _foreign_names(model: type[Model], keys: Sequence[int]) -> QuerySet[Integration]:
    kind = ContentType.objects.get_for_model(model)
    return Integration.objects.filter(content_type=kind, object_id__in=[str(key) for key in keys])
