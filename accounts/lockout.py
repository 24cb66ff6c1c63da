"""Slowing down guessers of passwords: after a few failures an address is closed for a while to where they came from.

Counted in the cache for each pair of e-mail address and client, so that nobody can lock somebody else out. A client of
IPv6 is its whole network, which has more addresses than anybody could count.
Without a cache that answers nothing is counted, and sign-in works.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.cache import cache

from config.options import option
from config.rate_limits import caller_of

# Also how long a closed address stays closed, counted from the first failure.
WINDOW_SECONDS = 15 * 60


def count_attempt(email: str, ip_address: str | None) -> bool:
    """Count a sign-in that is about to be tried, as if it failed, and return whether it may be.

    Counted beforehand, so that guesses which are sent at once are not all tried.
    """
    key = _key(email, ip_address)
    number: Any = 1
    if not cache.add(key, number, WINDOW_SECONDS):
        try:
            number = cache.incr(key)
        except ValueError:
            # It ran out between the two calls.
            cache.add(key, number, WINDOW_SECONDS)
    # A cache that is away has no number.
    return number is None or bool(number <= option("security.login_attempts"))


def forget_failures(email: str, ip_address: str | None) -> None:
    """Start counting anew, after somebody proved who they are."""
    cache.delete(_key(email, ip_address))


def _key(email: str, ip_address: str | None) -> str:
    # Hashed: what people type may be long, odd or a password in the wrong field.
    pair = f"{email.strip().lower()} {caller_of(ip_address)}"
    return f"sign-in:{hashlib.sha256(pair.encode('utf-8', 'replace')).hexdigest()}"
