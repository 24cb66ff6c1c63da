"""Who did what to which row."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Seller, User
from config.db.base import PublicIdModel
from config.db.constraints import choice_valid, public_id_unique
from config.db.errors import Refused
from config.db.words import WordIndex, Words

# What searches look through.
AUDIT_TEXTS = ("actor_label", "entity_label", "event_type", "entity_id")

_NEVER_CHANGED = "Entries of the audit log are never changed."


class AuditAction(models.TextChoices):
    CREATE = "create", "Created"
    UPDATE = "update", "Changed"
    DELETE = "delete", "Deleted"
    LOGIN = "login", "Signed in"
    LOGOUT = "logout", "Signed out"
    STATUS_CHANGE = "status_change", "Status changed"
    OTHER = "other", "Other"


class AuditLogQuerySet(models.QuerySet["AuditLog"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise Refused(_NEVER_CHANGED)


class AuditLog(PublicIdModel):
    """One fact about the past. Rows are only ever added, and outlive the people and the rows they speak of."""

    actor = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="audit_entries", db_index=False
    )
    actor_label = models.CharField("actor (as text)", max_length=254, blank=True, default="")
    seller = models.ForeignKey(
        Seller, on_delete=models.SET_NULL, null=True, blank=True, related_name="audit_entries", db_index=False
    )
    action = models.CharField(max_length=16, choices=AuditAction)
    event_type = models.CharField("event", max_length=64, blank=True, default="")
    entity_type = models.CharField("kind of row", max_length=100, blank=True, default="")
    entity_id = models.CharField("row", max_length=64, blank=True, default="")
    entity_label = models.CharField("row (as text)", max_length=255, blank=True, default="")
    description = models.TextField(blank=True, default="")
    changes = models.JSONField(null=True, blank=True)
    metadata = models.JSONField(null=True, blank=True)
    ip_address = models.GenericIPAddressField("IP address", null=True, blank=True)
    user_agent = models.TextField(blank=True, default="")
    request_id = models.CharField("request", max_length=64, blank=True, default="")
    success = models.BooleanField(default=True)
    error_message = models.TextField("error", blank=True, default="")
    created_at = models.DateTimeField("when", default=timezone.now, editable=False)

    objects = AuditLogQuerySet.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        ordering = ["-created_at", "-id"]
        constraints = [public_id_unique(), choice_valid("action", AuditAction)]
        indexes = [
            # The first two also serve their foreign keys.
            models.Index(name="audit_actor_time", fields=["actor", "created_at"]),
            models.Index(name="audit_seller_time", fields=["seller", "created_at"]),
            models.Index(name="audit_entity", fields=["entity_type", "entity_id"]),
            models.Index(name="audit_event_type", fields=["event_type"]),
            models.Index(name="audit_time", fields=["-created_at"]),
            # One action, newest first; and what failed, which is rare.
            models.Index(name="audit_action", fields=["action", "created_at", "id"]),
            models.Index(name="audit_failed", fields=["-created_at"], condition=Q(success=False)),
            WordIndex(Words(*AUDIT_TEXTS), name="audit_words"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.entity_label or self.event_type}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the entry. Raises Refused if it was written before."""
        if not self._state.adding:
            raise Refused(_NEVER_CHANGED)
        super().save(*args, **kwargs)
