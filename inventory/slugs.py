"""Slugs: readable addresses, numbered where two would be the same."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.text import slugify

if TYPE_CHECKING:
    from collections.abc import Callable


# What stands in the place of a car's slug in addresses of lists.
RESERVED_FOR_CARS = frozenset({"categories", "featured", "makes"})


def validate_car_slug(slug: str) -> None:
    """Raise ValidationError for a slug that would never be reached."""
    if slug in RESERVED_FOR_CARS:
        raise ValidationError("%(slug)s is the address of a list: choose another slug.", params={"slug": slug})


def free_slug(text: str, is_taken: Callable[[str], bool], *, otherwise: str) -> str:
    """Return the slug of `text` (å and ä become a, ö becomes o), with -1, -2 ... behind it until it is not taken.

    `otherwise` stands in for a text of which no letter is left, such as one in Chinese.
    """
    base = slugify(text)[:240] or otherwise
    if not is_taken(base):
        return base
    return next(slug for slug in (f"{base}-{number}" for number in count(1)) if not is_taken(slug))
