"""Parts: listing, reserving, selling, taking back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Seller
from config.audit import announce
from config.cache import touching
from config.db.locks import lock_keys
from config.db.removal import change_in_batches
from inventory.models import Category, Part, Vehicle
from inventory.models.parts import PartStatus
from inventory.services import changes
from inventory.services.refusals import WrongState
from inventory.services.removal import remove_parts

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import User

# So long does nobody else sell or reserve the parts of a batch.
RELEASE_BATCH = 100


@transaction.atomic
def list_part(*, part: Part, actor: User | None = None) -> Part:
    """Show a part on the marketplace. Raises Refused unless it is available and its seller verified and active."""
    stored = changes.read(part)
    if stored.is_listed:
        raise WrongState(f"{stored} is listed already.")
    if stored.status != PartStatus.AVAILABLE:
        raise WrongState(f"{stored} is {_state(stored)}: only available parts can be listed.")
    changes.require_ready(stored.seller)
    return changes.write(
        part, stored, event_type="PART_LISTED", actor=actor, relying_on=["status", "deleted_at"], is_listed=True
    )


@transaction.atomic
def unlist_part(*, part: Part, actor: User | None = None) -> Part:
    """Take a part off the marketplace. Raises Refused if it is not listed."""
    stored = changes.read(part)
    if not stored.is_listed:
        raise WrongState(f"{stored} is not listed.")
    return changes.write(part, stored, event_type="PART_UNLISTED", actor=actor, is_listed=False)


@transaction.atomic
def reserve_part(
    *, part: Part, until: datetime | None = None, actor: User | None = None, now: datetime | None = None
) -> Part:
    """Hold a part, open-ended or until a moment; it stays listed and is hidden from the marketplace meanwhile.

    Raises Refused unless it is available and `until` lies ahead.
    """
    stored = changes.read(part)
    if stored.status != PartStatus.AVAILABLE:
        raise WrongState(f"{stored} is {_state(stored)}: only available parts can be reserved.")
    if until is not None and until <= (now or timezone.now()):
        raise WrongState("A reservation must end in the future.")
    return changes.write(
        part,
        stored,
        event_type="PART_RESERVED",
        actor=actor,
        relying_on=["deleted_at"],
        status=PartStatus.RESERVED,
        reserved_until=until,
    )


@transaction.atomic
def release_part(*, part: Part, actor: User | None = None) -> Part:
    """End a reservation. Raises Refused if there is none."""
    stored = changes.read(part)
    if stored.status != PartStatus.RESERVED:
        raise WrongState(f"{stored} is {_state(stored)}: only reserved parts can be released.")
    return _release(part, stored, actor)


def _release(part: Part, stored: Part, actor: User | None = None) -> Part:
    return changes.write(
        part, stored, event_type="PART_RELEASED", actor=actor, status=PartStatus.AVAILABLE, reserved_until=None
    )


def overdue_reservations(now: datetime) -> QuerySet[Part]:
    """Return the parts that were reserved until a moment that has passed."""
    return Part.objects.filter(status=PartStatus.RESERVED, reserved_until__lte=now)


def end_reservations(now: datetime) -> int:
    """Release the parts whose reservation has ended, each as `release_part` does; return how many."""
    return change_in_batches(overdue_reservations(now), _release_batch, size=RELEASE_BATCH)


def _release_batch(parts: QuerySet[Part]) -> int:
    released = 0
    for part in parts.select_for_update(no_key=True).order_by("pk"):
        _release(part, part)
        released += 1
    return released


@transaction.atomic
def sell_part(*, part: Part, actor: User | None = None, now: datetime | None = None) -> Part:
    """Mark a part as sold: dated, off the marketplace, and counted once for its seller.

    Raises Refused if it is sold already. Locks the part, then the seller.
    """
    stored = changes.read(part)
    if stored.status == PartStatus.SOLD:
        raise WrongState(f"{stored} is sold already.")
    changes.write(
        part,
        stored,
        event_type="PART_SOLD",
        actor=actor,
        relying_on=["deleted_at", "seller_id"],
        status=PartStatus.SOLD,
        sold_at=now or timezone.now(),
        is_listed=False,
        reserved_until=None,
    )
    # Cars and parts do not show how much their seller has sold.
    with touching("sellers", "seller"):
        Seller.all_objects.filter(pk=stored.seller_id).update(total_sales=F("total_sales") + 1)
    return part


@transaction.atomic
def return_part(*, part: Part, actor: User | None = None) -> Part:
    """Take a sold part back into stock, not listed. Raises Refused if it is not sold. Locks the part, then the seller.

    The sale no longer counts for the seller: `total_sales` says how many parts are sold, and lists rank by it, so
    selling and taking back the same part again and again must not raise it. An imported count of 0 stays 0.
    """
    stored = changes.read(part)
    if stored.status != PartStatus.SOLD:
        raise WrongState(f"{stored} is {_state(stored)}: only sold parts can be taken back.")
    changes.write(
        part,
        stored,
        event_type="PART_RETURNED",
        actor=actor,
        relying_on=["deleted_at", "seller_id"],
        status=PartStatus.AVAILABLE,
        sold_at=None,
    )
    seller = Seller.all_objects.filter(pk=stored.seller_id, total_sales__gt=0)
    with touching("sellers", "seller"):
        seller.update(total_sales=F("total_sales") - 1)
    return part


@transaction.atomic
def delete_part(*, part: Part, actor: User | None = None, now: datetime | None = None) -> Part:
    """Hide a part and take it off the marketplace. Raises Refused if it is deleted already."""
    stored = Part.objects.filter(pk=part.pk).first()
    if stored is None:
        raise WrongState(f"{part} is deleted already.")
    return changes.write(
        part,
        stored,
        event_type="PART_DELETED",
        actor=actor,
        action="delete",
        deleted_at=now or timezone.now(),
        is_listed=False,
    )


@transaction.atomic
def restore_part(*, part: Part, actor: User | None = None) -> Part:
    """Show a deleted part again, not listed. Raises Refused if its vehicle, category or seller is deleted."""
    part.refresh_from_db()
    changes.require_live_seller(part, part.seller)
    if not lock_keys(Vehicle.objects.filter(pk=part.vehicle_id)):
        raise WrongState(f"{part} comes from {part.vehicle}, which is deleted: restore the vehicle first.")
    if part.category is not None and not lock_keys(Category.objects.filter(pk=part.category.pk)):
        raise WrongState(f"{part} is in the category {part.category}, which is deleted: restore the category first.")
    return changes.restore(part, event_type="PART_RESTORED", actor=actor, unique={})


@transaction.atomic
def remove_part_for_good(*, part: Part, actor: User) -> None:
    """Remove a part with its pictures and foreign names; this cannot be undone.

    A sale goes on counting for the seller; leads and events stay, without the link. Raises Refused unless a super
    administrator does it, and while there is a hold on the part.
    """
    changes.require_super_admin(actor, part)
    rows = Part.all_objects.filter(pk=part.pk)
    stored = rows.select_for_update().first()
    if stored is None:
        raise WrongState(f"{part} is gone already.")
    announce("delete", stored, event_type="PART_REMOVED", actor=actor, seller=stored.seller)
    remove_parts(rows)


def _state(part: Part) -> str:
    return str(part.get_status_display()).lower()
