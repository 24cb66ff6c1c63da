"""Changing one row only while it still is what we take it for, and telling the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import IntegrityError, transaction

from accounts.models.users import Role
from config.audit import announce
from config.cache import row_written
from inventory.models import Car, Category, Part, Vehicle
from inventory.services.refusals import ChangedMeanwhile, NotAllowed, SellerNotReady, Taken, WrongState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Q

    from accounts.models import Seller, User

RowT = TypeVar("RowT", Car, Category, Part, Vehicle)


def read(row: RowT) -> RowT:
    """Return the row as the database holds it now. Raises WrongState if it is deleted."""
    stored = type(row).objects.filter(pk=row.pk).first()
    if stored is None:
        raise WrongState(f"{row} is deleted: restore it first.")
    return stored


def write(
    row: RowT,
    stored: RowT,
    *,
    event_type: str,
    actor: User | None,
    action: str = "status_change",
    relying_on: Iterable[str] = (),
    metadata: dict[str, Any] | None = None,
    **values: Any,
) -> RowT:
    """Write `values` into the row and announce what changed; `row` carries them afterwards.

    What is overwritten and what the caller looked at (`relying_on`) stand in the WHERE clause with the values of
    `stored`: columns of the row's own table only, since PostgreSQL judges nothing else again after waiting for a lock.
    Raises ChangedMeanwhile if one of them is different now.
    """
    expected = {name: getattr(stored, name) for name in {*values, *relying_on}}
    if not type(row).all_objects.filter(pk=row.pk, **expected).update(**values):
        raise ChangedMeanwhile(f"{row} was changed by somebody else meanwhile: look at it again.")
    row_written(row)
    row.refresh_from_db()
    changes = {name: [expected[name], value] for name, value in values.items() if expected[name] != value}
    announce(
        action,
        row,
        event_type=event_type,
        actor=actor,
        seller=getattr(row, "seller", None),
        changes=changes,
        metadata=metadata,
    )
    return row


def restore(row: RowT, *, event_type: str, actor: User | None, unique: dict[str, tuple[str, Q]]) -> RowT:
    """Show a deleted row again.

    `unique` says by name what no live row may have, as the row's own value and the condition that finds its holder.
    Raises WrongState if the row is not deleted and Taken if a live row has its place.
    """
    stored = type(row).all_objects.deleted().filter(pk=row.pk).first()
    if stored is None:
        raise WrongState(f"{row} is not deleted.")
    for name, (value, condition) in unique.items():
        holder = type(row).objects.filter(condition).first()
        if holder is not None:
            raise Taken(
                f"{row} cannot come back: {holder} has the {name} {value} now. Change or delete that one first."
            )
    try:
        with transaction.atomic():
            return write(row, stored, event_type=event_type, actor=actor, action="update", deleted_at=None)
    except IntegrityError as error:
        raise Taken(f"{row} cannot come back: another one took its place a moment ago.") from error


def require_super_admin(actor: User, row: Car | Part | Vehicle) -> None:
    """Raise NotAllowed unless somebody who may remove a row for good does it."""
    if actor.role != Role.SUPER_ADMIN:
        raise NotAllowed(f"Only a super administrator may remove a {row._meta.verbose_name} for good.")


def obstacle_of(seller: Seller) -> str:
    """Return why the seller's stock does not appear on the marketplace and what to do, or nothing if it does."""
    if seller.deleted_at is not None:
        return f"{seller} is deleted: restore the seller first."
    if not seller.is_verified:
        return f"{seller} is not verified: verify the seller first."
    if not seller.is_active:
        return f"{seller} is not active: activate the seller first."
    return ""


def require_ready(seller: Seller) -> None:
    """Raise SellerNotReady if the seller's stock may not appear on the marketplace."""
    obstacle = obstacle_of(seller)
    if obstacle:
        raise SellerNotReady(obstacle)


def require_live_seller(row: Car | Part | Vehicle, seller: Seller | None) -> None:
    """Raise WrongState if the seller of a row that shall come back is deleted."""
    if seller is not None and seller.deleted_at is not None:
        raise WrongState(f"{row} belongs to {seller}, who is deleted: restore the seller first.")
