"""People who want the newsletter."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from config.db.constraints import choice_valid, unique
from config.db.fields import LowerEmailField
from config.db.words import WordIndex, Words

# What searches look through.
SUBSCRIBER_TEXTS = ("email", "name")


class SubscriberStatus(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    UNSUBSCRIBED = "UNSUBSCRIBED", "Unsubscribed"
    BOUNCED = "BOUNCED", "Bounced"


class NewsletterSubscriber(models.Model):
    """One address on the newsletter's list."""

    email = LowerEmailField("e-mail", max_length=254)
    name = models.CharField(max_length=100, blank=True, default="")
    source = models.CharField(max_length=50, blank=True, default="")
    preferences = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=12, choices=SubscriberStatus, default=SubscriberStatus.ACTIVE)
    subscribed_at = models.DateTimeField("subscribed", default=timezone.now)
    unsubscribed_at = models.DateTimeField("unsubscribed", null=True, blank=True)
    last_email_at = models.DateTimeField("last mail", null=True, blank=True)
    confirmed_at = models.DateTimeField("confirmed", null=True, blank=True)

    class Meta:
        ordering = ["-subscribed_at", "-id"]
        constraints = [
            unique("email_unique", Lower("email"), message="This address is on the list already."),
            choice_valid("status", SubscriberStatus),
        ]
        indexes = [
            models.Index(name="subscriber_email", fields=["email"]),
            models.Index(name="subscriber_status", fields=["status", "subscribed_at", "id"]),
            models.Index(name="subscriber_newest", fields=["-subscribed_at"]),
            WordIndex(Words(*SUBSCRIBER_TEXTS), name="subscriber_words"),
        ]

    def __str__(self) -> str:
        return str(self.email)
