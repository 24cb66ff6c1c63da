"""Which fields nobody may read, filter by or export in the back office."""

from __future__ import annotations

import re
from typing import Any

from config.db.fields import EncryptedTextField

HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(r"(^|_)(password|secret|hash|token|api_key|private_key)$")


def is_secret(field: Any) -> bool:
    """Whether `field` holds a password, a token, the hash of one, or encrypted text."""
    return isinstance(field, EncryptedTextField) or bool(_SECRET_NAME.search(field.name))
