"""Secrets among the settings: encrypted where they are kept, masked where they are shown."""

from __future__ import annotations

from typing import Any

from django.db import connection

from config.db.fields import EncryptedTextField

_SEALED = "sealed"
_ENDS = 4
# Shorter secrets would be half given away by their ends.
_SHOWN_FROM = 12
_DOTS = "••••••••"
# The cipher of encrypted columns, for a value inside a JSON column.
_CIPHER = EncryptedTextField(name="value")


def seal(secret: str) -> dict[str, str] | str:
    """Return a secret as it is stored; nothing stays nothing."""
    return {_SEALED: _CIPHER.get_prep_value(secret)} if secret else ""


def is_sealed(value: Any) -> bool:
    """Whether `value` is a secret as it is stored."""
    return isinstance(value, dict) and set(value) == {_SEALED} and isinstance(value[_SEALED], str)


def unseal(value: Any) -> str:
    """Return the secret. Raises ValidationError if it cannot be decrypted: the key that sealed it is gone."""
    if not is_sealed(value):
        return str(value or "")
    return _CIPHER.from_db_value(value[_SEALED], None, connection) or ""


def mask(secret: str) -> str:
    """Return the secret's first and last four characters, and dots for a short one; its length stays unknown."""
    if not secret:
        return ""
    return f"{secret[:_ENDS]}{_DOTS}{secret[-_ENDS:]}" if len(secret) >= _SHOWN_FROM else _DOTS
