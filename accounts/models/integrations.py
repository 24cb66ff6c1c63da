"""Names that other systems have for our rows."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from config.db.base import RowQuerySet, TimestampedModel
from config.db.constraints import unique


class Integration(TimestampedModel):
    """The id that a service outside gives to one of our rows."""

    service = models.CharField(max_length=50, help_text="Such as algolia, cloudinary, clerk or partpal.")
    external_id = models.CharField("id in the service", max_length=255)
    content_type = models.ForeignKey(
        ContentType, on_delete=models.CASCADE, null=True, blank=True, db_index=False, verbose_name="kind of row"
    )
    object_id = models.CharField("row", max_length=64, null=True, blank=True)
    internal_id = models.CharField(
        max_length=64, blank=True, default="", help_text="As the source gave it, where the row could not be found."
    )
    metadata = models.JSONField(null=True, blank=True)
    target = GenericForeignKey("content_type", "object_id")

    objects = RowQuerySet.as_manager()

    class Meta:
        ordering = ["service", "external_id"]
        constraints = [
            unique(
                "service_external_unique",
                "service",
                "external_id",
                message="The service has this id on record already.",
            ),
        ]
        indexes = [
            models.Index(name="integration_external", fields=["external_id"]),
            models.Index(name="integration_target", fields=["content_type", "object_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.service}: {self.external_id}"
