"""Links that work once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import OneTimeToken, User
from accounts.models.credentials import TokenPurpose
from accounts.services.people import verify_email
from accounts.services.sessions import end_all_sessions
from accounts.tokens import hash_token, new_token
from config.audit import announce
from config.db.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime

LIFETIMES = {
    TokenPurpose.MAGIC_LINK: timedelta(minutes=15),
    TokenPurpose.VERIFY_EMAIL: timedelta(hours=24),
    TokenPurpose.RESET_PASSWORD: timedelta(hours=24),
}


class TokenRefused(Refused):
    """The link is unknown, used, expired or no longer fits the account; the caller learns no more than that."""

    def __init__(self) -> None:
        super().__init__("This link was used already, has expired or was never issued: ask for a new one.")


def issue_token(
    *,
    purpose: TokenPurpose,
    email: str,
    user: User | None = None,
    ip_address: str | None = None,
    now: datetime | None = None,
) -> str:
    """Return a new token for a link to `email`. It cannot be shown again: only its hash is kept."""
    token = new_token()
    moment = now or timezone.now()
    OneTimeToken.objects.create(
        purpose=purpose,
        token_hash=hash_token(token),
        email=email,
        user=user,
        created_at=moment,
        expires_at=moment + LIFETIMES[purpose],
        ip_address=ip_address,
    )
    return token


def use_token(*, purpose: TokenPurpose, token: str, now: datetime | None = None) -> OneTimeToken:
    """Use a token up. Raises TokenRefused; of two who come at the same time, one does."""
    moment = now or timezone.now()
    tokens = OneTimeToken.objects.filter(token_hash=hash_token(token), purpose=purpose)
    if not tokens.filter(used_at__isnull=True, expires_at__gt=moment).update(used_at=moment):
        raise TokenRefused
    return tokens.select_related("user").get()


@transaction.atomic
def confirm_email(*, token: str, now: datetime | None = None) -> User:
    """Verify the address that a link was sent to. Raises TokenRefused, also if the address changed since."""

    used = use_token(purpose=TokenPurpose.VERIFY_EMAIL, token=token, now=now)
    user = _holder(used)
    return user if user.is_verified else verify_email(user=user, actor=user, now=now)


@transaction.atomic
def reset_password(*, token: str, password: str, now: datetime | None = None) -> User:
    """Set a new password by a link; end all sessions, and all other links to a new password or to sign in.

    Raises TokenRefused or ValidationError (weak).
    """
    used = use_token(purpose=TokenPurpose.RESET_PASSWORD, token=token, now=now)
    user = _holder(used)
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    _end_links(user, now or timezone.now())
    end_all_sessions(user=user, actor=user, now=now)
    announce("update", user, event_type="PASSWORD_RESET", actor=user)
    return user


def _end_links(user: User, now: datetime) -> None:
    """Use up the person's links that let somebody in, also those sent to the address without naming the person."""
    theirs = OneTimeToken.objects.filter(Q(user=user) | Q(email=user.email, user__isnull=True))
    letting_in = (TokenPurpose.RESET_PASSWORD, TokenPurpose.MAGIC_LINK)
    theirs.filter(purpose__in=letting_in, used_at__isnull=True).update(used_at=now)


def _holder(token: OneTimeToken) -> User:
    """Return the person of a token, if they may sign in and still have the address."""
    user = token.user
    if user is None or not user.is_active or user.email != token.email:
        raise TokenRefused
    return user
