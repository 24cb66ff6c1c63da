"""Short ways for common values, for tables of a million rows. They lead where `checking.py` leads, or raise.

Whoever takes one catches `UNUSUAL` and looks at the whole row again with a `RowCheck`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from config.ops.transfer.partpal.checking import FIRST_IN_MILLISECONDS, is_rounded, time_cell
from config.ops.transfer.values import (
    FALSE,
    LAST_MILLISECOND,
    TRUE,
    is_storable,
    milliseconds_cell,
    numeric_cell,
    require_calendar,
    text_cell,
)

LOWEST_PRICE = 0.01
# Where rounding could lead to more digits than there are places for.
BEYOND_PRICES = 9_999_999_999


class Unusual(Exception):
    """The value needs a second look."""


# What the short ways raise by themselves when a value is not of the expected kind.
UNUSUAL = (Unusual, TypeError, KeyError, ValueError, OverflowError)

TRUTH = {0: FALSE, 1: TRUE}

# Up to here a text has no more than six places of a second; the other length is that of milliseconds and "+02:00".
_LONGEST_TIME = 26
_WITH_OFFSET = 29
_WITHOUT_ZONE = 19


def quick_time(value: Any) -> str:
    """Return the cell of a time."""
    if type(value) is int:
        if FIRST_IN_MILLISECONDS <= value <= LAST_MILLISECOND:
            return milliseconds_cell(value)
        return time_cell(value)
    if type(value) is not str:
        raise Unusual
    if len(value) == _WITHOUT_ZONE and str(moment := datetime.fromisoformat(value)) == value:
        require_calendar(moment)
        return f"{value}+00"
    if len(value) <= _LONGEST_TIME or (len(value) == _WITH_OFFSET and value[-6] in "+-"):
        return time_cell(value)
    raise Unusual


def quick_text(value: str) -> str:
    """Return the cell of a text that is there."""
    if not is_storable(value):
        raise Unusual
    return text_cell(value)


def quick_price(value: Any) -> tuple[str, bool]:
    """Return the cell of a price, and whether it lost digits that somebody wrote."""
    if type(value) is not float or not LOWEST_PRICE <= value < BEYOND_PRICES:
        raise Unusual
    digits = repr(value)
    if digits[-3] == ".":
        return digits, False
    if digits[-2] == ".":
        return f"{digits}0", False
    number = Decimal(digits)
    cell = numeric_cell(number, 2)
    return cell, is_rounded(number, cell)
