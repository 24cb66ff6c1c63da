"""Paid plans and what payment providers told us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.sellers import Seller
from accounts.models.users import User
from config.db.base import PublicIdModel, RowQuerySet, TimestampedModel
from config.db.constraints import check, choice_valid, public_id_unique, unique

if TYPE_CHECKING:
    from datetime import datetime


class SubscriptionStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"
    TRIALING = "trialing", "Trialing"
    PAST_DUE = "past_due", "Past due"
    UNPAID = "unpaid", "Unpaid"
    INCOMPLETE = "incomplete", "Incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired", "Incomplete, expired"


RUNNING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING)


class SubscriptionQuerySet(RowQuerySet["Subscription"]):
    def overdue(self, *, now: datetime) -> Self:
        """Active subscriptions whose end has passed."""
        return self.filter(status=SubscriptionStatus.ACTIVE, end_date__lt=now)


class Subscription(PublicIdModel, TimestampedModel):
    """A person's paid plan at a provider."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="subscriptions")
    seller = models.ForeignKey(Seller, on_delete=models.SET_NULL, null=True, blank=True, related_name="subscriptions")
    provider = models.CharField(max_length=30, blank=True, default="", help_text="Such as stripe or revenuecat.")
    product_id = models.CharField("product", max_length=255, blank=True, default="")
    external_id = models.CharField("id at the provider", max_length=255, null=True, blank=True)
    customer_id = models.CharField("customer at the provider", max_length=255, blank=True, default="")
    price_id = models.CharField("price at the provider", max_length=255, blank=True, default="")
    status = models.CharField(max_length=20, choices=SubscriptionStatus, default=SubscriptionStatus.ACTIVE)
    start_date = models.DateTimeField("start")
    end_date = models.DateTimeField("end", null=True, blank=True)
    current_period_start = models.DateTimeField(null=True, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    trial_end = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField("cancelled", null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)
    metadata = models.JSONField(default=dict, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            public_id_unique(),
            choice_valid("status", SubscriptionStatus),
            check("end_after_start", Q(end_date__gte=F("start_date")), "A subscription cannot end before it starts."),
            check(
                "period_end_after_start",
                Q(current_period_end__gte=F("current_period_start")),
                "The current period cannot end before it starts.",
            ),
            unique(
                "external_unique",
                "provider",
                "external_id",
                message="This subscription of the provider is recorded already.",
            ),
            unique(
                "one_running",
                "user",
                "provider",
                condition=Q(status__in=RUNNING),
                message="This user has a running subscription at this provider already.",
            ),
        ]
        indexes = [
            models.Index(name="subscription_newest", fields=["-created_at"]),
            models.Index(name="subscription_status", fields=["status", "created_at", "id"]),
            models.Index(name="subscription_external", fields=["external_id"]),
            # The expiry run.
            models.Index(name="subscription_end", fields=["end_date"]),
        ]

    def __str__(self) -> str:
        return f"{self.product_id or self.provider or 'Subscription'} of {self.user}"


class PaymentEvent(models.Model):
    """A message of a payment provider, kept as it came; the same event delivered twice is one row."""

    provider = models.CharField(max_length=30)
    event_id = models.CharField("event", max_length=255)
    type = models.CharField(max_length=100)
    payload = models.JSONField(default=dict)
    received_at = models.DateTimeField("received", default=timezone.now)
    processed_at = models.DateTimeField("processed", null=True, blank=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            unique("event_unique", "provider", "event_id", message="This event of the provider is recorded already."),
        ]
        indexes = [
            models.Index(name="payment_event_received", fields=["-received_at"]),
            models.Index(name="payment_event_id", fields=["event_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.type} {self.event_id}"
