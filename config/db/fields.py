"""Model fields that keep one spelling of a value wherever it is written, bulk writes and look-ups included."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    CharField = models.CharField[Any, Any]
    EmailField = models.EmailField[Any, Any]
    TextField = models.TextField[Any, Any]
else:
    # Django's fields take type parameters in their stubs only.
    CharField, EmailField, TextField = models.CharField, models.EmailField, models.TextField


class NormalizedCharField(CharField):
    """A CharField whose `normalize` runs on every value that goes to the database, in writes and in look-ups."""

    def normalize(self, value: str) -> str | None:
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return self.normalize(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return self.normalize(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        if isinstance(value, str):
            value = self.normalize(value)
            setattr(model_instance, self.attname, value)
        return value


class LowerEmailField(NormalizedCharField, EmailField):
    """An e-mail address, trimmed and in lower case, so that look-ups ignore case on both engines."""

    def normalize(self, value: str) -> str:
        return value.strip().lower()


class UpperCharField(NormalizedCharField):
    """A code, trimmed and in upper case; with ``null=True`` an empty text is stored as null."""

    def normalize(self, value: str) -> str | None:
        value = value.strip().upper()
        return None if self.null and not value else value


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])


class EncryptedTextField(TextField):
    """Text encrypted at rest with the first of ``settings.FIELD_ENCRYPTION_KEYS``; older keys still decrypt.

    Fernet: AES-128-CBC with HMAC-SHA256 and a random nonce per value. Empty text stays empty.
    """

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return value
        return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        if not value:
            return value
        try:
            return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(value.encode()).decode()
        except InvalidToken as error:
            message = f"{self.name} cannot be decrypted: its key is missing from FIELD_ENCRYPTION_KEYS."
            raise ValidationError(message) from error

    def get_lookup(self, lookup_name: str) -> Any:
        """Allow only to ask whether there is a value: equal texts are encrypted differently each time."""
        return super().get_lookup(lookup_name) if lookup_name in {"exact", "isnull"} else None
