"""Filters as short keys: equal questions get equal keys, however they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

# What may stand in a key as it is.
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DIGEST_BYTES = 15
# Most questions are asked again and again; these are a few hundred bytes each.
_REMEMBERED = 1024


def identity(filters: Any) -> str:
    """Return a short text that stands for `filters` and no others.

    Filters are plain values: None, bool, int, float, str, Decimal, dates, UUIDs, enum members, and sequences, sets,
    mappings and dataclasses of those. Members of a mapping or dataclass that filter nothing (None or empty) are left
    out, and the order of mappings and sets does not count. Raises TypeError for anything else.
    """
    try:
        return _remembered_identity(filters)
    except TypeError:
        # Cannot be looked up, such as a dictionary, or is refused in any case.
        return _identity(filters)


def _identity(filters: Any) -> str:
    text = filters.value if isinstance(filters, Enum) else filters
    if isinstance(text, (str, int)) and not isinstance(text, bool) and _PLAIN.fullmatch(str(text)):
        return str(text)
    # The leading mark keeps all others apart from such texts.
    if filters is None:
        return "~all"
    written = repr(_canonical(filters)).encode("utf-8", "surrogatepass")
    return f"~{blake2b(written, digest_size=_DIGEST_BYTES).hexdigest()}"


# What is equal and of one type asks the same.
_remembered_identity = lru_cache(_REMEMBERED, typed=True)(_identity)


def _canonical(value: Any) -> Any:
    if isinstance(value, Enum):
        return _canonical(value.value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (Decimal, float)):
        return _number(value)
    if isinstance(value, (date, datetime, UUID)):
        return type(value).__name__, str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _canonical({field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, Mapping):
        items = {str(name): _canonical(member) for name, member in value.items()}
        return "{}", tuple(sorted((name, member) for name, member in items.items() if not _filters_nothing(member)))
    if isinstance(value, AbstractSet):
        return "<>", tuple(sorted(map(_canonical, value), key=repr))
    if isinstance(value, (list, tuple)):
        return "[]", tuple(map(_canonical, value))
    raise TypeError(
        f"{type(value).__name__} cannot be part of a cache key: give plain values, such as the public id of a row."
    )


def _number(value: Decimal | float) -> Any:
    # 10, 10.0 and Decimal("10.00") ask the same.
    number = Decimal(str(value))
    return int(number) if number == number.to_integral_value() else format(number.normalize(), "f")


def _filters_nothing(member: Any) -> bool:
    return member is None or member in ("", ("[]", ()), ("{}", ()), ("<>", ()))
