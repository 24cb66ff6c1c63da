"""What becomes of credentials and of deleted people when they are old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Coalesce, Concat

from accounts.models import OneTimeToken, Seller, SellerLocation, User, UserIdentity, UserPreference, UserSession
from accounts.signals import users_anonymized
from config.audit import announce
from config.db.removal import change_in_batches
from config.options import option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

ANONYMOUS_USER = "Anonymous User"
ANONYMOUS_BUSINESS = "Anonymous Business"


def _days_before(now: datetime, key: str) -> datetime:
    return now - timedelta(days=option(key))


def finished_tokens(now: datetime) -> QuerySet[OneTimeToken]:
    """Return the one-time tokens that were used or expired long enough ago."""
    since = _days_before(now, "retention.one_time_token_days")
    return OneTimeToken.objects.filter(Q(expires_at__lte=since) | Q(used_at__lte=since))


def expired_sessions(now: datetime) -> QuerySet[UserSession]:
    """Return the sessions and refresh tokens that expired long enough ago."""
    return UserSession.objects.filter(expires_at__lte=_days_before(now, "retention.session_days"))


def expired_browser_sessions(now: datetime) -> QuerySet[Session]:
    """Return the sessions of browsers that nobody can use any more."""
    return Session.objects.filter(expire_date__lte=now)


def sessions_with_old_traces(now: datetime) -> QuerySet[UserSession]:
    """Return the sessions without activity for long, that still tell from which address and browser they came."""
    told = Q(ip_address__isnull=False) | ~Q(user_agent="")
    sessions = UserSession.objects.annotate(active_at=Coalesce("last_seen_at", "created_at"))
    return sessions.filter(told, active_at__lt=_days_before(now, "retention.session_trace_days"))


def forget_session_traces(now: datetime) -> int:
    """Take address and browser from sessions without activity and return how many they were."""
    return change_in_batches(
        sessions_with_old_traces(now), lambda sessions: sessions.update(ip_address=None, user_agent="")
    )


def people_to_anonymize(now: datetime) -> QuerySet[User]:
    """Return the people deleted long ago, but for those whom a hold or a seller of theirs that is not deleted keeps."""
    return User.all_objects.filter(
        ~Exists(Seller.objects.filter(owner=OuterRef("pk"))),
        deleted_at__lt=_days_before(now, "retention.user_days"),
        anonymized_at__isnull=True,
        hold="",
    )


@transaction.atomic
def anonymize_users(*, users: Sequence[int], now: datetime) -> int:
    """Take from people, by their keys, and from their sellers what tells who they are; return how many people.

    Credentials, preferences and positions go. The rows stay, so that what refers to them keeps its meaning.
    """
    people = User.all_objects.filter(pk__in=users)
    addresses = [address for pair in people.values_list("email", "email_before_delete") for address in pair if address]
    OneTimeToken.objects.filter(Q(user__in=users) | Q(email__in=addresses)).delete()
    for model in (UserIdentity, UserSession, UserPreference):
        model.objects.filter(user__in=users).delete()
    SellerLocation.objects.filter(seller__owner__in=users).delete()
    number = people.update(
        name=ANONYMOUS_USER,
        first_name="",
        last_name="",
        # Not the public id: two that differ by case alone would make one address.
        email=Concat(Value("anonymous-"), Cast("pk", CharField()), Value("@anonymous.invalid")),
        email_before_delete="",
        **dict.fromkeys(("is_verified", "phone_verified", "is_active"), False),
        **dict.fromkeys(("email_verified_at", "date_of_birth", "last_login", "sessions_ended_at")),
        phone="",
        avatar_url="",
        password=make_password(None),
        anonymized_at=now,
    )
    _anonymize_sellers(users)
    users_anonymized.send(sender=User, users=list(users), name=ANONYMOUS_USER)
    announce(
        "update",
        event_type="USERS_ANONYMIZED",
        description=f"{number} people who were deleted long ago were anonymized.",
        metadata={"entity_type": User._meta.label_lower, "ids": list(users)},
    )
    return number


def _anonymize_sellers(owners: Sequence[int]) -> None:
    texts = ("description", "phone", "email", "whatsapp", "website", "street", "postal_code", "primary_image_url")
    places = ("latitude", "longitude", "last_latitude", "last_longitude", "last_seen_at", "service_area")
    Seller.all_objects.filter(owner__in=owners).update(
        name=ANONYMOUS_BUSINESS,
        **dict.fromkeys(texts, ""),
        **dict.fromkeys((*places, "name_key", "description_key")),
        updated_at=F("updated_at"),
    )
