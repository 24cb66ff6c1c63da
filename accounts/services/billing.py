"""Paid plans: expiry, and what payment providers tell us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.models import PaymentEvent, Subscription
from accounts.models.billing import SubscriptionStatus
from config.audit import announce
from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

EXPIRY_BATCH = 1000


def expire_subscriptions(now: datetime) -> int:
    """Set active subscriptions whose end has passed to expired, a batch per transaction; return how many."""
    expired = 0
    while batch := _expire_batch(now):
        expired += batch
    return expired


@transaction.atomic
def _expire_batch(now: datetime) -> int:
    # Locked, so that nobody cancels or prolongs one before it is written.
    overdue = Subscription.objects.select_for_update(no_key=True).overdue(now=now).order_by("pk")
    due = list(overdue.values_list("pk", flat=True)[:EXPIRY_BATCH])
    if not due:
        return 0
    Subscription.objects.filter(pk__in=due).update(status=SubscriptionStatus.EXPIRED)
    announce(
        "status_change",
        event_type="SUBSCRIPTIONS_EXPIRED",
        description=f"{len(due)} subscriptions passed their end.",
        metadata={"entity_type": Subscription._meta.label_lower, "ids": due},
    )
    return len(due)


def record_payment_event(
    *,
    provider: str,
    event_id: str,
    type: str,  # noqa: A002  # the provider's word, and the column's
    payload: dict[str, Any],
    effect: Callable[[PaymentEvent], None],
    now: datetime | None = None,
) -> bool:
    """Keep a provider's message and let `effect` act on it; return whether it did, which happens once per event.

    A message that comes twice, even at the same moment, has one effect. When `effect` raises Refused, what it wrote is
    undone, its reason is kept with the message, and the next delivery tries again; another exception keeps nothing.
    Raises ValidationError for names that are empty or too long.
    """
    moment = now or timezone.now()
    message = PaymentEvent(provider=provider, event_id=event_id, type=type, payload=payload, received_at=moment)
    message.clean_fields(exclude=["payload"])
    with transaction.atomic():
        PaymentEvent.objects.bulk_create([message], ignore_conflicts=True)
        # Whoever comes second waits here until the first has done its work.
        event = PaymentEvent.objects.select_for_update().get(provider=provider, event_id=event_id)
        if event.processed_at is not None:
            return False
        try:
            with transaction.atomic():
                effect(event)
        except Refused as refusal:
            event.error = str(refusal)
            event.save(update_fields=["error"])
            return False
        event.processed_at, event.error = moment, ""
        event.save(update_fields=["processed_at", "error"])
        announce("other", event, event_type="PAYMENT_EVENT_PROCESSED")
        return True
