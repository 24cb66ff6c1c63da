"""The newsletter's list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core import signing
from django.db import transaction
from django.utils import timezone

from config.audit import announce
from leads.models import NewsletterSubscriber
from leads.models.newsletter import SubscriberStatus

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

_SALT = "leads.newsletter.unsubscribe"


@transaction.atomic
def subscribe(
    *,
    email: str,
    name: str = "",
    source: str = "",
    preferences: dict[str, Any] | None = None,
    actor: User | None = None,
    now: datetime | None = None,
) -> NewsletterSubscriber:
    """Put an address on the list, or back on it; one that is on it stays as it is.

    Whoever shows an answer to the person must not let on which of the three it was. Raises ValidationError for what
    is no e-mail address, and for texts that are too long.
    """
    now = now or timezone.now()
    values = {"name": name, "source": source, "preferences": preferences or {}, "subscribed_at": now}
    asked = NewsletterSubscriber(email=email, **values)
    asked.clean_fields()
    email = asked.email
    subscriber, is_new = NewsletterSubscriber.objects.get_or_create(email=email, defaults=values)
    if is_new:
        announce("create", subscriber, event_type="NEWSLETTER_SUBSCRIBED", actor=actor, description="Signed up")
        return subscriber
    given = {field: value for field, value in values.items() if value}
    gone = NewsletterSubscriber.objects.filter(pk=subscriber.pk).exclude(status=SubscriberStatus.ACTIVE)
    if gone.update(status=SubscriberStatus.ACTIVE, unsubscribed_at=None, **given):
        old = subscriber.status
        subscriber.refresh_from_db()
        _announce_status(subscriber, old, "NEWSLETTER_SUBSCRIBED", actor)
    return subscriber


@transaction.atomic
def unsubscribe(
    *, subscriber: NewsletterSubscriber, actor: User | None = None, now: datetime | None = None
) -> NewsletterSubscriber:
    """Take an address off the list; one that is off it already stays as it is."""
    old = subscriber.status
    still_on = NewsletterSubscriber.objects.filter(pk=subscriber.pk).exclude(status=SubscriberStatus.UNSUBSCRIBED)
    if still_on.update(status=SubscriberStatus.UNSUBSCRIBED, unsubscribed_at=now or timezone.now()):
        subscriber.refresh_from_db()
        _announce_status(subscriber, old, "NEWSLETTER_UNSUBSCRIBED", actor)
    return subscriber


def unsubscribe_token(subscriber: NewsletterSubscriber) -> str:
    """Return what the link in every mail carries, so that one click is enough. It never expires."""
    return signing.dumps(subscriber.pk, salt=_SALT)


def unsubscribe_by_token(*, token: str, now: datetime | None = None) -> None:
    """Take the address of a link off the list. A forged or outdated link does nothing, and nobody can tell."""
    try:
        key = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return
    subscriber = NewsletterSubscriber.objects.filter(pk=key).first()
    if subscriber is not None:
        unsubscribe(subscriber=subscriber, now=now)


def _announce_status(subscriber: NewsletterSubscriber, old: str, event_type: str, actor: User | None) -> None:
    announce(
        "status_change",
        subscriber,
        event_type=event_type,
        actor=actor,
        description=f"{SubscriberStatus(old).label} to {SubscriberStatus(subscriber.status).label}",
        changes={"status": [old, subscriber.status]},
    )
