"""Taking the stock of sellers out of the database for good, along with the people who owned them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from accounts.models import StoredFile
from accounts.services import remove_files
from config.db.removal import locked_slices, remove_rows
from inventory.models import Car, CarImage, Part, PartImage, Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from accounts.models import Seller


@transaction.atomic
def remove_stock(*, sellers: Iterable[Seller]) -> Counter[str]:
    """Remove the cars, parts and vehicles of `sellers` with their pictures, and return how many rows of which model.

    Leads and events of parts stay, without the link; the views of a car go with it.
    """
    mine = Q(seller__in=list(sellers))
    removed = remove_with_pictures(Car.all_objects.filter(mine), CarImage.objects.all(), "car")
    removed.update(remove_with_pictures(Part.all_objects.filter(mine), PartImage.objects.all(), "part"))
    removed.update(remove_rows(Vehicle.all_objects.filter(mine)))
    return removed


def remove_with_pictures(rows: QuerySet[Any], images: QuerySet[Any], owner: str) -> Counter[str]:
    """Remove rows with their pictures and the files that then nothing shows; return how many rows of which model.

    `owner` is the name of the link from `images` to the rows. Call this inside `atomic`.
    """
    removed: Counter[str] = Counter()
    for keys in locked_slices(rows):
        shown = images.filter(file__isnull=False, **{f"{owner}__in": keys})
        files = list(shown.values_list("file", flat=True).distinct())
        removed.update(rows.model._base_manager.filter(pk__in=keys).delete()[1])
        removed[StoredFile._meta.label] += remove_files(_unused(files))
    return removed


def _unused(files: list[int]) -> QuerySet[StoredFile]:
    """Return those of `files` that no picture shows any more."""
    used = [model.objects.filter(file__in=files).values("file") for model in (CarImage, PartImage)]
    return StoredFile.objects.filter(pk__in=files).exclude(Q(pk__in=used[0]) | Q(pk__in=used[1]))
