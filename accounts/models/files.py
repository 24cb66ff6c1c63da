"""Files that people uploaded."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models.users import User
from config.db.base import RowQuerySet, TimestampedModel
from config.db.constraints import check, choice_valid
from config.db.words import WordIndex, Words

# What searches look through.
FILE_TEXTS = ("file_name", "folder")


class FileStatus(models.TextChoices):
    UPLOADED = "uploaded", "Uploaded"
    FAILED = "failed", "Failed"
    DELETED = "deleted", "Deleted"


class StoredFile(TimestampedModel):
    """What is known of one uploaded file; the bytes lie in the storage under `storage_key`."""

    file_id = models.UUIDField("file id", default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="files")
    file_name = models.CharField(max_length=255)
    content_type = models.CharField("type", max_length=100)
    size = models.PositiveBigIntegerField("size (bytes)")
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, default="")
    folder = models.CharField(max_length=255, blank=True, default="")
    storage_key = models.TextField(blank=True, default="")
    url = models.TextField("address", blank=True, default="")
    provider = models.CharField(max_length=50, blank=True, default="")
    is_public = models.BooleanField("public", default=False)
    status = models.CharField(max_length=10, choices=FileStatus, default=FileStatus.UPLOADED)
    metadata = models.JSONField(default=dict, blank=True)
    error_message = models.TextField(blank=True, default="")
    processing_time_ms = models.IntegerField("processing time (ms)", null=True, blank=True)
    uploaded_at = models.DateTimeField("uploaded", default=timezone.now)
    deleted_at = models.DateTimeField("deleted", null=True, blank=True)

    objects = RowQuerySet.as_manager()

    class Meta:
        verbose_name = "file"
        ordering = ["-created_at", "-id"]
        constraints = [
            choice_valid("status", FileStatus),
            check("size_positive", models.Q(size__gte=0), "A file's size cannot be negative."),
        ]
        indexes = [
            models.Index(name="file_content_type", fields=["content_type"]),
            models.Index(name="file_folder", fields=["folder"]),
            models.Index(name="file_public", fields=["is_public"]),
            models.Index(name="file_status", fields=["status", "created_at", "id"]),
            models.Index(name="file_size", fields=["size"]),
            models.Index(name="file_created", fields=["-created_at"]),
            WordIndex(Words(*FILE_TEXTS), name="file_words"),
        ]

    def __str__(self) -> str:
        return self.file_name
