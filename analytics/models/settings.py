"""Settings that staff may change while the program runs."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.dispatch import Signal

from accounts.models import User
from analytics.sealing import is_sealed, mask, seal, unseal
from analytics.setting_keys import SETTINGS
from config.db.base import RowQuerySet, TimestampedModel
from config.db.constraints import unique

# Shown in place of a secret whose key is gone; another value can be set.
UNREADABLE = "(cannot be decrypted)"

# Sent after writes of which Django tells nobody; what reads settings must forget what it knows.
settings_written = Signal()


class SystemSettingQuerySet(RowQuerySet["SystemSetting"]):
    def update(self, **kwargs: Any) -> int:
        number = super().update(**kwargs)
        settings_written.send(sender=self.model)
        return number

    update.alters_data = True  # type: ignore[attr-defined]  # Django's own mark for templates

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        for setting in objs:
            setting.seal()
        created = super().bulk_create(objs, *args, **kwargs)
        settings_written.send(sender=self.model)
        return created


class SystemSetting(TimestampedModel):
    """One setting; `analytics.setting_keys` knows which keys exist, and their types and defaults."""

    key = models.CharField(max_length=100)
    value = models.JSONField()
    description = models.TextField(blank=True, default="")
    updated_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = SystemSettingQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        constraints = [unique("key_unique", "key", message="This setting exists already.")]

    def __str__(self) -> str:
        return self.key

    @property
    def is_secret(self) -> bool:
        return self.key in SETTINGS and SETTINGS[self.key].is_secret

    @property
    def plain_value(self) -> Any:
        """The value as the program uses it. Never to be shown: `shown_value` is. Raises ValidationError as `unseal`."""
        return unseal(self.value) if self.is_secret else self.value

    @property
    def shown_value(self) -> Any:
        """The value as people may see it: of a secret the ends only, or that it cannot be read."""
        if not self.is_secret:
            return self.value
        try:
            return mask(unseal(self.value))
        except ValidationError:
            return UNREADABLE

    @property
    def secret_fields(self) -> frozenset[str]:
        """The fields that the audit log must not repeat."""
        return frozenset({"value"} if self.is_secret else ())

    def clean(self) -> None:
        """Raise ValidationError for an unknown key, and for a value of another type or outside of the range."""
        super().clean()
        if self.key not in SETTINGS:
            raise ValidationError({"key": f"There is no setting {self.key}."})
        if self.is_secret and is_sealed(self.value) and self._is_stored():
            return
        try:
            self.value = SETTINGS[self.key].clean(self.value)
        except ValidationError as error:
            raise ValidationError({"value": error}) from error

    def _is_stored(self) -> bool:
        stored = type(self).objects.filter(pk=self.pk).values_list("value", flat=True)
        return list(stored) == [self.value]

    def seal(self) -> None:
        """Encrypt the value if it is a secret in plain text."""
        if self.is_secret and not is_sealed(self.value):
            self.value = seal(str(self.value or ""))

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.seal()
        super().save(*args, **kwargs)
