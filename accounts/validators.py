"""Rules for values: telephones, dates of birth, opening hours, service areas, time zones and picture addresses."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils import timezone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

# Digits as people group them, and an extension at most; numbers of services have three digits.
_TELEPHONE = re.compile(r"\+?[\d\s().\-/]+((ext\.?|x)\s?\d+)?", re.ASCII | re.IGNORECASE)
_FEWEST_DIGITS = 3


def validate_telephone(value: str) -> None:
    """Raise ValidationError unless `value` is written as a telephone number, in whichever country's way."""
    if not _TELEPHONE.fullmatch(value) or sum(each.isdigit() for each in value) < _FEWEST_DIGITS:
        raise ValidationError(
            "“%(value)s” is not a telephone number, such as +358 40 1234567.", params={"value": value}
        )


def validate_birth_date(value: date) -> None:
    """Raise ValidationError if nobody can have been born on that day yet."""
    if value > timezone.localdate():
        raise ValidationError("A date of birth cannot be in the future.")


def validate_timezone(value: str) -> None:
    """Raise ValidationError unless `value` is a name of the IANA time zone database."""
    if value not in available_timezones():
        message = "“%(value)s” is not a time zone name, such as Africa/Johannesburg."
        raise ValidationError(message, params={"value": value})


def validate_business_hours(value: Any) -> None:
    """Raise ValidationError unless each of the seven weekdays says whether it is open and, if so, when (HH:MM)."""
    if not isinstance(value, dict) or set(value) != set(WEEKDAYS):
        raise ValidationError("Give each of the seven days, monday to sunday.")
    for day in WEEKDAYS:
        _validate_day(day, value[day])


def _validate_day(day: str, hours: Any) -> None:
    if not isinstance(hours, dict) or not isinstance(hours.get("isOpen"), bool):
        raise ValidationError(f"{day}: say whether it is open (isOpen true or false).")
    if not hours["isOpen"]:
        return
    opens, closes = hours.get("openTime"), hours.get("closeTime")
    if not (isinstance(opens, str) and isinstance(closes, str) and _TIME.fullmatch(opens) and _TIME.fullmatch(closes)):
        raise ValidationError(f"{day}: an open day needs openTime and closeTime as HH:MM.")
    if opens >= closes:
        raise ValidationError(f"{day}: openTime must be before closeTime.")


def validate_polygon(value: Any) -> None:
    """Raise ValidationError unless `value` is a GeoJSON polygon (RFC 7946): closed rings of [longitude, latitude]."""
    rings = value.get("coordinates") if isinstance(value, dict) and value.get("type") == "Polygon" else None
    if not isinstance(rings, list) or not rings:
        raise ValidationError("A service area is a GeoJSON polygon.")
    for ring in rings:
        _validate_ring(ring)


def _validate_ring(ring: Any) -> None:
    if not isinstance(ring, list) or len(ring) < 4 or ring[0] != ring[-1]:
        raise ValidationError("Each ring of a service area needs at least four positions, the last equal to the first.")
    for position in ring:
        _validate_position(position)
    if len({(position[0], position[1]) for position in ring}) < 3:
        raise ValidationError("Each ring of a service area needs at least three different positions.")


def _validate_position(position: Any) -> None:
    numbers = isinstance(position, list) and len(position) >= 2 and all(_is_finite(number) for number in position)
    if not numbers or not (-180 <= position[0] <= 180 and -90 <= position[1] <= 90):
        raise ValidationError("A position is [longitude, latitude] in degrees.")


def _is_finite(number: Any) -> bool:
    return isinstance(number, int | float) and -math.inf < number < math.inf


def validate_image_url(value: str) -> None:
    """Raise ValidationError unless `value` is an absolute http(s) address or a path on this site."""
    if not re.match(r"^(https?://[^\s/]+|/[^/\s])\S*$", value):
        raise ValidationError(
            "Give an address that begins with https:// or http://, or a path on this site that begins with /."
        )
