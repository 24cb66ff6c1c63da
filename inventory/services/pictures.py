"""Pictures of cars and parts: adding, removing, and which is the primary one.

A car marks exactly one of its pictures; of a part's pictures the first is the primary one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.services import store_image
from config.audit import announce
from inventory.models import Car, CarImage, Part, PartImage
from inventory.services import changes

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from accounts.models import User


@transaction.atomic
def attach_image(
    *, row: Car | Part, upload: UploadedFile[Any], alt_text: str = "", actor: User | None = None
) -> CarImage | PartImage:
    """Keep an uploaded picture and put it behind the others; a car's first one becomes its primary one.

    Raises Refused if the file is no picture or the row is deleted.
    """
    row = _lock(row)
    folder = f"{row._meta.model_name}s/{row.public_id}"
    file = store_image(upload=upload, owner=actor, folder=folder)
    position = max((image.position for image in row.images.all()), default=-1) + 1
    facts = {"url": file.url, "file": file, "alt_text": alt_text, "position": position}
    image = row.images.create(**facts)
    if isinstance(row, Car):
        keep_one_primary(car=row)
        image.refresh_from_db()
    _announce(row, "PICTURE_ATTACHED", image, actor)
    return image


@transaction.atomic
def set_primary_image(*, image: CarImage | PartImage, actor: User | None = None) -> CarImage | PartImage:
    """Make a picture the primary one of its car, or the first one of its part; doing it again changes nothing."""
    row = _lock(_row_of(image))
    changed = _mark(image) if isinstance(image, CarImage) else _move_to_front(image)
    image.refresh_from_db()
    if changed:
        _announce(row, "PRIMARY_PICTURE_SET", image, actor)
    return image


def _mark(image: CarImage) -> int:
    # The old mark goes first: the database never lets two stand.
    CarImage.objects.filter(car=image.car, is_primary=True).exclude(pk=image.pk).update(is_primary=False)
    return CarImage.objects.filter(pk=image.pk, is_primary=False).update(is_primary=True)


def _move_to_front(image: PartImage) -> int:
    """Give the pictures of the part the positions 0, 1, ... with this one first, and return how many changed."""
    others = PartImage.objects.filter(part=image.part).exclude(pk=image.pk).order_by("position", "id")
    changed = 0
    for position, key in enumerate([image.pk, *others.values_list("pk", flat=True)]):
        changed += PartImage.objects.filter(pk=key).exclude(position=position).update(position=position)
    return changed


@transaction.atomic
def remove_image(*, image: CarImage | PartImage, actor: User | None = None) -> None:
    """Take a picture off its car or part; the next one becomes primary where it was. An uploaded file is kept."""
    row = _lock(_row_of(image))
    _announce(row, "PICTURE_REMOVED", image, actor)
    image.delete()
    if isinstance(row, Car):
        keep_one_primary(car=row)


@transaction.atomic
def keep_one_primary(*, car: Car) -> None:
    """Mark a car's first picture if none is marked; called wherever pictures come or go, forms included."""
    _lock(car)
    if not CarImage.objects.filter(car=car, is_primary=True).exists():
        first = CarImage.objects.filter(car=car).order_by("position", "id").values("pk")[:1]
        CarImage.objects.filter(pk__in=list(first.values_list("pk", flat=True))).update(is_primary=True)


def _row_of(image: CarImage | PartImage) -> Car | Part:
    return image.car if isinstance(image, CarImage) else image.part


def _lock(row: Any) -> Any:
    """Let one person at a time arrange the pictures of a row. Raises WrongState if the row is deleted."""
    type(row).all_objects.select_for_update().filter(pk=row.pk).first()
    return changes.read(row)


def _announce(row: Car | Part, event_type: str, image: CarImage | PartImage, actor: User | None) -> None:
    announce("update", row, event_type=event_type, actor=actor, seller=row.seller, metadata={"picture": image.url})
