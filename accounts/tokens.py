"""Random tokens: shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    """Return 256 random bits as text for a link."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token in hexadecimal. No salt: the token is random and must be found by its hash."""
    return hashlib.sha256(token.encode()).hexdigest()
