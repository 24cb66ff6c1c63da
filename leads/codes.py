"""Voucher codes that people type: how they are made, checked, shown and read back.

Short codes use 32 characters that nobody mistakes for one another. With a check character the last one follows from
the others by Luhn's rule in base 32: one mistyped character is noticed without a look-up, and so are two neighbours
that were swapped, but for the alphabet's first and last character.
"""

from __future__ import annotations

import re
import secrets

SHORT_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
SHORT_LENGTH = 8
SHORT_LENGTHS = range(4, 17)
STATIC_CODE = re.compile(r"[A-Z0-9]{4,20}")
_BASE = len(SHORT_ALPHABET)


def new_short_code(length: int = SHORT_LENGTH, *, with_check_character: bool = False) -> str:
    """Return a random code of `length` characters, the check character included.

    Raises ValueError for a length outside of 4 to 16.
    """
    if length not in SHORT_LENGTHS:
        message = f"A short code has {SHORT_LENGTHS[0]} to {SHORT_LENGTHS[-1]} characters, not {length}."
        raise ValueError(message)
    body = "".join(secrets.choice(SHORT_ALPHABET) for _ in range(length - with_check_character))
    return body + check_character(body) if with_check_character else body


def check_character(body: str) -> str:
    """Return the character that completes `body`. Raises ValueError for a character outside of the alphabet."""
    return SHORT_ALPHABET[-_luhn_sum(body + SHORT_ALPHABET[0]) % _BASE]


def has_valid_check_character(code: str) -> bool:
    """Whether the last character of `code` follows from the others."""
    return set(code) <= set(SHORT_ALPHABET) and _luhn_sum(code) % _BASE == 0


def _luhn_sum(code: str) -> int:
    total = 0
    for place, character in enumerate(reversed(code)):
        number = SHORT_ALPHABET.index(character) * (1 + place % 2)
        total += number // _BASE + number % _BASE
    return total


def typed_code(text: str) -> str:
    """Return a code as it is stored, from what a person typed: without blanks and hyphens, in capitals."""
    return re.sub(r"[\s-]", "", text).upper()


def grouped_code(code: str) -> str:
    """Return a short code in groups of four, as it is shown: ABCD-EFGH."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
