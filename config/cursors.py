"""Cursors: texts that name a place in a list, which nobody but us can read, make or use for another list.

They hold keys and times of rows. The same place gives the same cursor, so that an unchanged page stays the same.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.utils.crypto import salted_hmac

_FOREIGN = "The cursor is none that this list gave."


class UnreadableCursor(ValueError):
    """The cursor is none of ours, or belongs to another list or order."""


def seal(of: str, place: list[Any]) -> str:
    """Return the cursor of a place, made of texts, numbers and truth values, in the list named `of`."""
    sealed = _box(settings.SECRET_KEY).encrypt(json.dumps(place, separators=(",", ":")).encode(), [of.encode()])
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(of: str, cursor: str) -> list[Any]:
    """Return the place that a cursor of this list names. Raises UnreadableCursor."""
    try:
        sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError as error:
        raise UnreadableCursor(_FOREIGN) from error
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            place: list[Any] = json.loads(_box(secret).decrypt(sealed, [of.encode()]))
        except (InvalidTag, ValueError):
            continue
        return place
    raise UnreadableCursor(_FOREIGN)


@cache
def _box(secret: str) -> AESSIV:
    return AESSIV(salted_hmac(__name__, "key", secret=secret, algorithm="sha256").digest())
