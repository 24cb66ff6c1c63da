"""Sellers: taking them in, verifying, plans, opening, positions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Seller, SellerLocation, User
from accounts.models.sellers import ONE_SELLER_PER_USER, LocationSource, Plan, may_own_another_seller
from accounts.models.users import Role
from config.audit import announce
from config.cache import families, touching
from config.db.errors import Refused
from config.options import options

if TYPE_CHECKING:
    from datetime import datetime

# A fix from the future would keep every true one out; clocks of telephones are less wrong than this.
CLOCK_TOLERANCE = timedelta(minutes=5)


@transaction.atomic
def create_seller(*, owner: User, actor: User | None = None, **fields: Any) -> Seller:
    """Make a seller.

    Raises Refused if each person may own one only and this one does, or if the owner is deleted; ValidationError for
    fields that are empty, too long or malformed.
    """
    # The owner's row is locked, so that two requests at once cannot make two sellers.
    if User.objects.select_for_update().filter(pk=owner.pk).first() is None:
        raise Refused(f"{owner} is deleted and cannot own a seller.")
    if not may_own_another_seller(owner.pk):
        raise Refused(ONE_SELLER_PER_USER)
    seller = Seller(owner=owner, **fields)
    seller.clean_fields(exclude=["owner"])
    seller.save()
    announce("create", seller, event_type="SELLER_CREATED", actor=actor, seller=seller)
    return seller


@transaction.atomic
def verify_seller(*, seller: Seller, actor: User | None = None, now: datetime | None = None) -> Seller:
    """Let the seller's stock onto the marketplace and tell the owner by mail.

    Raises Refused if it is there already, and for a deleted seller.
    """
    changed = Seller.objects.filter(pk=seller.pk, is_verified=False).update(
        is_verified=True, verified_at=now or timezone.now()
    )
    if not changed:
        _refuse_deleted(seller)
        raise Refused(f"{seller} is verified already.")
    _announce_flag(seller, "is_verified", True, "SELLER_VERIFIED", actor)
    _tell_owner(
        seller,
        "Your seller profile is verified",
        f"{seller.name} is verified: what you list now appears on the marketplace.",
    )
    return seller


@transaction.atomic
def unverify_seller(*, seller: Seller, actor: User | None = None) -> Seller:
    """Take the seller's stock off the marketplace and tell the owner by mail.

    Raises Refused if it was not verified, and for a deleted seller.
    """
    if not Seller.objects.filter(pk=seller.pk, is_verified=True).update(is_verified=False, verified_at=None):
        _refuse_deleted(seller)
        raise Refused(f"{seller} is not verified.")
    _announce_flag(seller, "is_verified", False, "SELLER_UNVERIFIED", actor)
    _tell_owner(
        seller,
        "Your seller profile is no longer verified",
        f"{seller.name} is no longer verified: what you have listed does not appear on the marketplace at present.",
    )
    return seller


def _tell_owner(seller: Seller, subject: str, text: str) -> None:
    sender = options(["mail.from_address", "mail.reply_to"])
    message = EmailMessage(
        subject,
        text,
        sender["mail.from_address"],
        [seller.owner.email],
        reply_to=[sender["mail.reply_to"]] if sender["mail.reply_to"] else None,
    )
    # A mail server that is down costs the mail, never the change: robust logs the failure.
    transaction.on_commit(message.send, robust=True)


@transaction.atomic
def change_plan(*, seller: Seller, plan: Plan, actor: User | None = None) -> Seller:
    """Move a seller to another plan.

    Raises Refused unless an administrator does it, for the present plan, and for a deleted seller.
    """
    if actor is not None and actor.role not in {Role.SUPER_ADMIN, Role.ADMIN}:
        raise Refused("Only an administrator may change a seller's plan.")
    old, plan = seller.plan, Plan(plan)
    # The old plan in the condition: what is audited is what really changed.
    if plan == old or not Seller.objects.filter(pk=seller.pk, plan=old).update(plan=plan):
        _refuse_deleted(seller)
        raise Refused(f"{seller} has the plan {plan.label} already, or got another one meanwhile: look again.")
    seller.refresh_from_db()
    changes = {"plan": [old, plan.value]}
    announce("update", seller, event_type="SELLER_PLAN_CHANGED", actor=actor, seller=seller, changes=changes)
    return seller


@transaction.atomic
def set_seller_open(*, seller: Seller, is_open: bool, actor: User | None = None) -> Seller:
    """Say whether the seller receives buyers at present; saying it again changes nothing.

    Raises Refused for a deleted seller.
    """
    if Seller.objects.filter(pk=seller.pk).exclude(is_open=is_open).update(is_open=is_open):
        _announce_flag(seller, "is_open", is_open, "SELLER_OPENED" if is_open else "SELLER_CLOSED", actor)
    else:
        _refuse_deleted(seller)
    return seller


def _refuse_deleted(seller: Seller) -> None:
    if not Seller.objects.filter(pk=seller.pk).exists():
        raise Refused(f"{seller} is deleted: restore it first.")


def _announce_flag(seller: Seller, field: str, value: bool, event_type: str, actor: User | None) -> None:
    seller.refresh_from_db()
    changes: dict[str, list[Any]] = {field: [not value, value]}
    announce("status_change", seller, event_type=event_type, actor=actor, seller=seller, changes=changes)


@transaction.atomic
def delete_seller(*, seller: Seller, actor: User | None = None, now: datetime | None = None) -> Seller:
    """Hide a seller, and so its stock. Raises Refused if it is deleted already."""
    if not Seller.objects.filter(pk=seller.pk).update(deleted_at=now or timezone.now()):
        raise Refused(f"{seller} is deleted already.")
    seller.refresh_from_db(from_queryset=Seller.all_objects.all())
    announce("delete", seller, event_type="SELLER_DELETED", actor=actor, seller=seller)
    return seller


@transaction.atomic
def restore_seller(*, seller: Seller, actor: User | None = None) -> Seller:
    """Show a deleted seller again.

    Raises Refused if it is not deleted, if its owner is or may own no other one, and if its translation key is taken.
    """
    # Locked as for a new one, so that the owner cannot get another seller or leave meanwhile.
    owner = User.objects.select_for_update().filter(pk=seller.owner_id).first()
    stored = Seller.all_objects.deleted().filter(pk=seller.pk).first()
    if stored is None:
        raise Refused(f"{seller} is not deleted.")
    if owner is None:
        raise Refused(f"{seller} belongs to a deleted person: restore {seller.owner} first.")
    if not may_own_another_seller(owner.pk):
        raise Refused(f"{ONE_SELLER_PER_USER} Delete the other one, then restore {seller}.")
    try:
        with transaction.atomic():
            Seller.all_objects.filter(pk=seller.pk).update(deleted_at=None)
    except IntegrityError as error:
        message = (
            f"Another seller has the translation key {seller.name_key} now: change that one, then restore {seller}."
        )
        raise Refused(message) from error
    seller.refresh_from_db()
    changes = {"deleted_at": [stored.deleted_at, None]}
    announce("update", seller, event_type="SELLER_RESTORED", actor=actor, seller=seller, changes=changes)
    return seller


@transaction.atomic
def record_position(
    *,
    seller: Seller,
    latitude: float,
    longitude: float,
    recorded_at: datetime | None = None,
    accuracy_m: float | None = None,
    source: LocationSource = LocationSource.GPS,
    now: datetime | None = None,
) -> SellerLocation:
    """Add a fix to the seller's history; the newest one becomes the last known position, in whichever order they come.

    Raises Refused for a fix from the future, and for a deleted seller.
    """
    moment = now or timezone.now()
    recorded_at = recorded_at or moment
    if recorded_at > moment + CLOCK_TOLERANCE:
        raise Refused("The position was recorded in the future: set the device's clock.")
    _refuse_deleted(seller)
    location = SellerLocation.objects.create(
        seller=seller,
        latitude=latitude,
        longitude=longitude,
        recorded_at=recorded_at,
        accuracy_m=accuracy_m,
        source=source,
    )
    is_newest = Q(last_seen_at__isnull=True) | Q(last_seen_at__lt=recorded_at)
    # Cars and parts show who sells them, but not where a vendor drives at the moment.
    with touching("sellers", families.SELLER.row_name(seller.public_id)):
        Seller.objects.filter(is_newest, pk=seller.pk).update(
            last_latitude=latitude, last_longitude=longitude, last_seen_at=recorded_at
        )
    seller.refresh_from_db(fields=["last_latitude", "last_longitude", "last_seen_at"])
    return location
