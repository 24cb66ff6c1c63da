"""Settings that staff may change while the program runs."""

from __future__ import annotations

from django.db import models

from accounts.models import User
from config.db.base import RowQuerySet, TimestampedModel
from config.db.constraints import unique


class SystemSetting(TimestampedModel):
    """One setting; `analytics.settings` knows which keys exist, and their types and defaults."""

    key = models.CharField(max_length=100)
    value = models.JSONField()
    description = models.TextField(blank=True, default="")
    updated_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = RowQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        constraints = [unique("key_unique", "key", message="This setting exists already.")]

    def __str__(self) -> str:
        return self.key
