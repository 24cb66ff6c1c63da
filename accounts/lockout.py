"""Slowing down guessers of passwords: after a few failures an address is closed for a while to where they came from.

Counted in the cache for each pair of e-mail address and client address, so that nobody can lock somebody else out.
Without a cache that answers nothing is counted, and sign-in works.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache

from config.options import option

# Also how long a closed address stays closed, counted from the first failure.
WINDOW_SECONDS = 15 * 60


def is_locked(email: str, ip_address: str | None) -> bool:
    """Return whether sign-in with this address from there is closed at present."""
    failures = cache.get(_key(email, ip_address), 0)
    return bool(failures >= option("security.login_attempts"))


def note_failure(email: str, ip_address: str | None) -> None:
    """Count a failed sign-in."""
    key = _key(email, ip_address)
    if not cache.add(key, 1, WINDOW_SECONDS):
        try:
            cache.incr(key)
        except ValueError:
            # It ran out between the two calls.
            cache.add(key, 1, WINDOW_SECONDS)


def forget_failures(email: str, ip_address: str | None) -> None:
    """Start counting anew, after somebody proved who they are."""
    cache.delete(_key(email, ip_address))


def _key(email: str, ip_address: str | None) -> str:
    # Hashed: what people type may be long, odd or a password in the wrong field.
    pair = f"{email.strip().lower()} {ip_address or ''}"
    return f"sign-in:{hashlib.sha256(pair.encode('utf-8', 'replace')).hexdigest()}"
