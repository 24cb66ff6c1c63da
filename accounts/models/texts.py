"""Languages, translated texts and what a person prefers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from accounts.models.users import User
from config.db.base import RowQuerySet, TimestampedModel
from config.db.constraints import choice_valid, unique
from config.db.words import WordIndex, Words

if TYPE_CHECKING:
    from collections.abc import Iterable


class Direction(models.TextChoices):
    LEFT_TO_RIGHT = "ltr", "Left to right"
    RIGHT_TO_LEFT = "rtl", "Right to left"


class Theme(models.TextChoices):
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Language(TimestampedModel):
    """A language in which texts may be given; a new language is a row, not a migration."""

    code = models.CharField(max_length=10, primary_key=True, help_text="ISO 639-1, such as fi.")
    name = models.CharField(max_length=100)
    direction = models.CharField(max_length=3, choices=Direction, default=Direction.LEFT_TO_RIGHT)
    is_default = models.BooleanField(
        "default", default=False, help_text="Used where a text is missing in the asked language."
    )
    is_active = models.BooleanField("active", default=True)

    objects = RowQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            choice_valid("direction", Direction),
            unique(
                "single_default",
                "is_default",
                condition=Q(is_default=True),
                message="Another language is the default already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Translation(TimestampedModel):
    """One text in one language, found by its key."""

    key = models.CharField(max_length=255, help_text="Such as voucher.spring-service.title.")
    language = models.ForeignKey(Language, on_delete=models.PROTECT, related_name="translations")
    value = models.TextField("text")
    domain = models.CharField(max_length=50, blank=True, default="", help_text="Such as seller, voucher or category.")
    context = models.TextField(blank=True, default="", help_text="What a translator should know.")
    is_verified = models.BooleanField("verified", default=False, editable=False)
    verified_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="verified_translations"
    )
    verified_at = models.DateTimeField("verified on", null=True, blank=True, editable=False)

    objects = RowQuerySet.as_manager()

    class Meta:
        ordering = ["key", "language_id"]
        constraints = [
            unique("key_language_unique", "key", "language", message="This key has a text in this language already."),
        ]
        indexes = [
            models.Index(name="translation_domain_key", fields=["domain", "key"]),
            # What is left to verify, in the order of the list.
            models.Index(name="translation_verified", fields=["is_verified", "key", "language"]),
            WordIndex(Words("value"), name="translation_words"),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.language_id})"

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the text; a verified one whose words changed is unverified again."""
        if self.is_verified and self._value_is_new(update_fields):
            self.is_verified, self.verified_by, self.verified_at = False, None, None
            if update_fields is not None:
                update_fields = {*update_fields, "is_verified", "verified_by", "verified_at"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def _value_is_new(self, update_fields: Iterable[str] | None) -> bool:
        if self._state.adding or (update_fields is not None and "value" not in update_fields):
            return False
        return type(self).objects.filter(pk=self.pk).exclude(value=self.value).exists()


class UserPreference(TimestampedModel):
    """How one person wants the product to look and speak."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preference")
    theme = models.CharField(max_length=20, choices=Theme, default=Theme.LIGHT)
    language = models.ForeignKey(
        Language,
        on_delete=models.PROTECT,
        default="en",
        limit_choices_to={"is_active": True},
        related_name="preferences",
    )
    notifications_enabled = models.BooleanField(default=True)

    objects = RowQuerySet.as_manager()

    class Meta:
        verbose_name = "preference"
        ordering = ["user"]
        constraints = [choice_valid("theme", Theme)]
        indexes = [
            # Filters of the list.
            models.Index(name="preference_theme", fields=["theme", "id"]),
            models.Index(name="preference_notifications", fields=["notifications_enabled", "id"]),
        ]

    def __str__(self) -> str:
        return f"Preferences of {self.user}"
