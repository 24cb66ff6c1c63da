"""Vehicle identification numbers: form and check digit (ISO 3779; 49 CFR 565.15 for the digit)."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError

_FORM = re.compile(r"^[0-9A-HJ-NPR-Z]{17}$")
_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def validate_vin(value: str) -> None:
    """Raise ValidationError unless `value` has the form of a VIN. The check digit is not looked at: Europe has none."""
    if not _FORM.match(value):
        raise ValidationError("A VIN has 17 letters and digits, without I, O and Q.")


def check_digit(vin: str) -> str:
    """Return the digit (0-9 or X) that belongs in the ninth place of a VIN of the right form."""
    remainder = sum(_VALUES[character] * weight for character, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def has_valid_check_digit(vin: str) -> bool:
    """Tell whether the ninth place of a VIN of the right form agrees with the other sixteen."""
    return vin[8] == check_digit(vin)
