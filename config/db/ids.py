"""Time-ordered public identifiers (ULID: 48 bits of milliseconds, 80 random bits, Crockford base 32)."""

from __future__ import annotations

import secrets
import time

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def encode_ulid(milliseconds: int, randomness: int) -> str:
    """Return the 26 characters of the ULID with this Unix time in milliseconds and these 80 random bits."""
    number = (milliseconds << 80) | randomness
    return "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def new_ulid() -> str:
    """Return a new ULID for the present moment."""
    return encode_ulid(time.time_ns() // 1_000_000, secrets.randbits(80))
