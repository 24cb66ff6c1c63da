"""Abstract models: what every business table has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.utils import timezone

from config.db.ids import new_ulid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


RowT = TypeVar("RowT", bound=models.Model)


class RowQuerySet(models.QuerySet[RowT]):
    """Queryset of a business table."""

    def update(self, **kwargs: Any) -> int:
        """Update rows and, unless it is given, their `updated_at`."""
        if "updated_at" not in kwargs and any(field.name == "updated_at" for field in self.model._meta.fields):
            kwargs["updated_at"] = timezone.now()
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]  # Django's own mark for templates


class SoftDeleteQuerySet(RowQuerySet[RowT]):
    """Queryset of a table whose rows are hidden before they are gone."""

    def live(self) -> Self:
        return self.filter(deleted_at__isnull=True)

    def deleted(self) -> Self:
        return self.filter(deleted_at__isnull=False)


class LiveManager(models.Manager[RowT]):
    """Manager that hides soft-deleted rows."""

    def get_queryset(self) -> models.QuerySet[RowT]:
        return super().get_queryset().filter(deleted_at__isnull=True)


class PublicIdModel(models.Model):
    """A row that URLs and the API can name without showing its number."""

    public_id = models.CharField(
        "public id",
        max_length=36,
        default=new_ulid,
        editable=False,
        help_text="The name of this row in links and in the API.",
    )

    class Meta:
        abstract = True


class TimestampedModel(models.Model):
    """A row that knows when it was made and last changed. Imports set both; `save` maintains `updated_at`."""

    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    updated_at = models.DateTimeField("updated", default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if not self._state.adding:
            self.updated_at = timezone.now()
            if update_fields is not None:
                update_fields = {*update_fields, "updated_at"}
        super().save(*args, update_fields=update_fields, **kwargs)


class SoftDeleteModel(models.Model):
    """A row that the back office hides instead of removing; `objects` shows the live ones, `all_objects` all."""

    deleted_at = models.DateTimeField("deleted", null=True, blank=True, editable=False, db_index=True)

    class Meta:
        abstract = True

    def soft_delete(self, at: datetime) -> None:
        """Hide the row as of `at`."""
        self.deleted_at = at
        self.save(update_fields=["deleted_at"])

    def restore(self) -> None:
        """Show the row again. Raises IntegrityError where a live row took its place in a unique rule."""
        self.deleted_at = None
        self.save(update_fields=["deleted_at"])


class Hold(models.TextChoices):
    """Why a row is kept beyond its time."""

    LEGAL = "legal_hold", "Legal hold"
    DISPUTE = "dispute", "Dispute"


class HeldModel(models.Model):
    """A row that maintenance leaves alone, however old it is, and nobody removes while there is a hold on it."""

    # The default is the database's as well: bulk writers that know nothing of holds leave the column out.
    hold = models.CharField(
        max_length=12,
        choices=Hold,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="While there is one, the row is neither archived nor anonymized.",
    )

    class Meta:
        abstract = True
