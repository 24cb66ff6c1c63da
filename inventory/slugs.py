"""Slugs: readable addresses, numbered where two would be the same."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from django.utils.text import slugify

if TYPE_CHECKING:
    from collections.abc import Callable


def free_slug(text: str, is_taken: Callable[[str], bool], *, otherwise: str) -> str:
    """Return the slug of `text` (å and ä become a, ö becomes o), with -1, -2 ... behind it until it is not taken.

    `otherwise` stands in for a text of which no letter is left, such as one in Chinese.
    """
    base = slugify(text)[:240] or otherwise
    if not is_taken(base):
        return base
    return next(slug for slug in (f"{base}-{number}" for number in count(1)) if not is_taken(slug))
