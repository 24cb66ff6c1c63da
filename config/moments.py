"""The years of which dates and times may be typed or imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from datetime import date

FIRST_YEAR, LAST_YEAR = 1900, 2200


def validate_year(value: date) -> None:
    """Raise ValidationError for a date or time, in whatever zone, of a year that nobody means.

    In some time zone or another the ends of the calendar lie beyond it, where no program can read them.
    """
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValidationError(f"Give a year between {FIRST_YEAR} and {LAST_YEAR}.", "year")
