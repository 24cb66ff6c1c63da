"""People: letting in, keeping out, roles, hiding and bringing back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Language, Seller, User, UserPreference
from accounts.models.users import SIGN_IN_STATUSES, Role, UserStatus
from accounts.roles import STAFF_ROLES
from accounts.services.sellers import delete_seller, restore_seller
from accounts.services.sessions import end_all_sessions
from accounts.signals import user_leaving
from config.audit import announce
from config.db.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime


class OwnAccount(Refused):
    """Nobody closes or demotes the account they are signed in with."""


class LastAdministrator(Refused):
    """Somebody must be left who may do everything."""


class NotPermitted(Refused):
    """The person who acts may not do this."""


class WrongState(Refused):
    """The row is not, or no longer, in the state that the change starts from."""


class EmailTaken(Refused):
    """Another account has the address now."""


@transaction.atomic
def suspend_user(*, user: User, actor: User | None = None, now: datetime | None = None) -> User:
    """Keep a person out until `reactivate_user`, and end all sessions. Raises Refused."""
    return _close(user, UserStatus.SUSPENDED, actor, now)


@transaction.atomic
def ban_user(*, user: User, actor: User | None = None, now: datetime | None = None) -> User:
    """Keep a person out for good, and end all sessions. Raises Refused."""
    return _close(user, UserStatus.BANNED, actor, now)


def _close(user: User, status: UserStatus, actor: User | None, now: datetime | None) -> User:
    refuse_leaving(user, actor)
    old = user.status
    changed = User.objects.filter(pk=user.pk, status=old).exclude(status=status).update(status=status, is_active=False)
    if not changed:
        raise WrongState(f"{user} is {status.label.lower()} already, or changed meanwhile: look again.")
    user.refresh_from_db()
    end_all_sessions(user=user, now=now)
    _announce_status(user, old, f"USER_{status.name}", actor)
    return user


@transaction.atomic
def reactivate_user(*, user: User, actor: User | None = None) -> User:
    """Let a suspended or banned person in again. Raises WrongState for anybody else."""
    old = user.status
    changed = (
        User.objects.filter(pk=user.pk, status=old, anonymized_at__isnull=True)
        .exclude(status__in=SIGN_IN_STATUSES)
        .update(status=UserStatus.ACTIVE, is_active=True)
    )
    if not changed:
        raise WrongState(f"{user} is neither suspended nor banned.")
    user.refresh_from_db()
    _announce_status(user, old, "USER_REACTIVATED", actor)
    return user


@transaction.atomic
def set_role(*, user: User, role: Role, actor: User | None = None) -> User:
    """Give a person another role.

    Raises Refused unless a super administrator does it, for the last of those, and while the person has work, such as
    open leads, that is out of reach of the new role.
    """
    require_super_admin(actor, "change roles")
    _refuse_own(user, actor)
    old = Role(user.role)
    role = Role(role)
    if role == old:
        return user
    if old == Role.SUPER_ADMIN:
        _refuse_last_super_admin(user)
    user_leaving.send(sender=User, user=user, role=role)
    # The old role in the condition: two people may decide at the same time.
    if not User.objects.filter(pk=user.pk, role=old).update(role=role, **_flags_of(role)):
        raise WrongState(f"{user} has got another role meanwhile: look again.")
    user.refresh_from_db()
    announce("update", user, event_type="USER_ROLE_CHANGED", actor=actor, changes={"role": [old.value, role.value]})
    return user


def _flags_of(role: Role) -> dict[str, bool]:
    return {"is_staff": role in STAFF_ROLES, "is_superuser": role == Role.SUPER_ADMIN}


@transaction.atomic
def verify_email(*, user: User, actor: User | None = None, now: datetime | None = None) -> User:
    """Note that the address is the person's; an unconfirmed account becomes active. Raises WrongState if known."""
    moment = now or timezone.now()
    old = user.status
    changed = User.objects.filter(pk=user.pk, email=user.email, is_verified=False).update(
        is_verified=True, email_verified_at=moment
    )
    if not changed:
        raise WrongState(f"The address of {user} is verified already, or changed meanwhile: look again.")
    User.objects.filter(pk=user.pk, status=UserStatus.UNCONFIRMED).update(status=UserStatus.ACTIVE)
    user.refresh_from_db()
    changes: dict[str, list[Any]] = {"is_verified": [False, True]}
    if user.status != old:
        changes["status"] = [old, user.status]
    announce("update", user, event_type="USER_EMAIL_VERIFIED", actor=actor, changes=changes)
    return user


@transaction.atomic
def delete_user(*, user: User, actor: User | None = None, now: datetime | None = None) -> User:
    """Hide a person and their sellers, free the address and end all sessions. Raises Refused."""
    moment = now or timezone.now()
    refuse_leaving(user, actor)
    locked = User.objects.select_for_update().filter(pk=user.pk).first()
    if locked is None:
        raise WrongState(f"{user} is deleted already.")
    locked.soft_delete(moment)
    for seller in Seller.objects.select_for_update(no_key=True).filter(owner=locked).order_by("pk"):
        delete_seller(seller=seller, actor=actor, now=moment)
    end_all_sessions(user=locked, now=moment)
    user.refresh_from_db(from_queryset=User.all_objects.all())
    announce("delete", user, event_type="USER_DELETED", actor=actor, description=f"Deleted {user}; can be restored.")
    return user


@transaction.atomic
def restore_user(*, user: User, actor: User | None = None) -> User:
    """Show a deleted person again, with the sellers hidden along with them.

    Raises EmailTaken, WrongState also for somebody who was anonymized, and Refused if a seller cannot come back.
    """
    locked = User.all_objects.deleted().select_for_update().filter(pk=user.pk).first()
    if locked is None:
        raise WrongState(f"{user} is not deleted.")
    if locked.anonymized_at is not None:
        raise WrongState(
            "This person was anonymized, and nobody knows any more who it was: make a new account instead."
        )
    hidden_at = locked.deleted_at
    try:
        with transaction.atomic():
            locked.restore()
    except IntegrityError as error:
        message = f"Another account has the address {locked.email} now: change that one, then restore {locked}."
        raise EmailTaken(message) from error
    for seller in Seller.all_objects.filter(owner=locked, deleted_at=hidden_at).order_by("pk"):
        restore_seller(seller=seller, actor=actor)
    user.refresh_from_db(from_queryset=User.all_objects.all())
    announce("update", user, event_type="USER_RESTORED", actor=actor, changes={"deleted_at": [hidden_at, None]})
    return user


def preferences_of(user: User) -> UserPreference:
    """Return the person's preferences, made on first use with the default language."""
    preference = UserPreference.objects.select_related("language").filter(user=user).first()
    if preference is not None:
        return preference
    language = Language.objects.filter(is_active=True).order_by("-is_default", "code").first()
    if language is None:
        raise Refused("There is no active language: add one before people can have preferences.")
    return UserPreference.objects.get_or_create(user=user, defaults={"language": language})[0]


def _announce_status(user: User, old: str, event_type: str, actor: User | None) -> None:
    announce("status_change", user, event_type=event_type, actor=actor, changes={"status": [old, user.status]})


def refuse_leaving(user: User, actor: User | None) -> None:
    """Raise Refused if the person must stay: oneself, the last super administrator, somebody a higher app needs."""
    _refuse_own(user, actor)
    if user.role == Role.SUPER_ADMIN:
        _refuse_last_super_admin(user)
    user_leaving.send(sender=User, user=user, role=None)


def _refuse_own(user: User, actor: User | None) -> None:
    if actor is not None and actor.pk == user.pk:
        raise OwnAccount("This is your own account: ask another super administrator.")


def _refuse_last_super_admin(user: User) -> None:
    # Locked in one order, so that two who would remove each other wait for one another.
    admins = User.objects.filter(role=Role.SUPER_ADMIN, is_active=True).order_by("pk").select_for_update()
    if not any(admin.pk != user.pk for admin in admins):
        raise LastAdministrator(f"{user} is the last super administrator: name another one first.")


def require_super_admin(actor: User | None, deed: str) -> None:
    """Raise NotPermitted unless a super administrator does the deed."""
    # Without an actor it is a command, whose caller has the database anyway.
    if actor is not None and actor.role != Role.SUPER_ADMIN:
        raise NotPermitted(f"Only a super administrator may {deed}.")
