"""Taking stock out of the database for good, with all that nothing else needs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from accounts.models import Seller, StoredFile
from accounts.services import foreign_names, remove_files
from config.db.removal import locked_slices
from inventory.models import Car, CarImage, Part, PartImage, Vehicle
from inventory.models.parts import PartStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model, QuerySet


@transaction.atomic
def remove_stock(*, sellers: Iterable[Seller]) -> Counter[str]:
    """Remove the cars, parts and vehicles of `sellers` with their pictures, and return how many rows of which model.

    Leads and events of parts stay, without the link; the views of a car go with it. Raises Held if there is a hold on
    one of them.
    """
    mine = Q(seller__in=list(sellers))
    removed = remove_cars(Car.all_objects.filter(mine))
    removed.update(remove_parts(Part.all_objects.filter(mine)))
    removed.update(remove_vehicles(Vehicle.all_objects.filter(mine)))
    return removed


def remove_cars(cars: QuerySet[Car]) -> Counter[str]:
    """Remove cars with pictures and foreign names; return how many rows of which model. Call this inside `atomic`."""
    removed: Counter[str] = Counter()
    for keys in locked_slices(cars):
        removed.update(_remove(Car, keys, CarImage.objects.filter(car__in=keys)))
    return removed


def remove_parts(parts: QuerySet[Part]) -> Counter[str]:
    """Remove parts, as `remove_cars` does cars. Sellers keep the count of their sales; leads and events stay.

    Raises Held if there is a hold on one of them.
    """
    removed: Counter[str] = Counter()
    for keys in locked_slices(parts):
        count_archived_sales(keys, 1)
        removed.update(_remove(Part, keys, PartImage.objects.filter(part__in=keys)))
    return removed


def remove_vehicles(vehicles: QuerySet[Vehicle]) -> Counter[str]:
    """Remove vehicles with their parts, see `remove_parts`. Raises Held if there is a hold on one of them."""
    removed = remove_parts(Part.all_objects.filter(vehicle__in=vehicles))
    for keys in locked_slices(vehicles):
        removed.update(_remove(Vehicle, keys, PartImage.objects.none()))
    return removed


def count_archived_sales(parts: Sequence[int], sign: int) -> None:
    """Note that sales lie in an archive, or with -1 no more, of the parts with these keys that are sold."""
    sellers = Part.all_objects.filter(pk__in=parts, status=PartStatus.SOLD).order_by().values_list("seller", flat=True)
    for seller, number in sorted(Counter(sellers).items()):
        archived = Greatest(F("archived_sales") + sign * number, 0)
        Seller.all_objects.filter(pk=seller).update(archived_sales=archived, updated_at=F("updated_at"))


def _remove(model: type[Model], keys: Sequence[int], images: QuerySet[Any]) -> Counter[str]:
    """Remove rows by their keys, with the files of `images` that then nothing shows."""
    files = list(images.filter(file__isnull=False).values_list("file", flat=True).distinct())
    removed = Counter(foreign_names(model, keys).delete()[1])
    removed.update(model._base_manager.filter(pk__in=keys).delete()[1])
    removed[StoredFile._meta.label] += remove_files(_unused(files))
    return removed


def _unused(files: list[int]) -> QuerySet[StoredFile]:
    """Return those of `files` that no picture shows any more."""
    used = [model.objects.filter(file__in=files).values("file") for model in (CarImage, PartImage)]
    return StoredFile.objects.filter(pk__in=files).exclude(Q(pk__in=used[0]) | Q(pk__in=used[1]))
