"""From a cell of a file to the value of a model field; what is doubtful is refused with words for its writer."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

from config.moments import FIRST_YEAR, LAST_YEAR
from inventory.code_words import UNKNOWN, code_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Field = models.Field[Any, Any]

SHOWN_CHARACTERS = 60

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?")
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})

_WHOLE_NUMBERS = (
    *(models.SmallIntegerField, models.PositiveSmallIntegerField),
    *(models.IntegerField, models.PositiveIntegerField),
)


class Unreadable(ValueError):
    """A cell that means nothing we could store; the text is the reason."""


def shown(value: Any) -> str:
    """Return a value as a sentence shows it: in quotes, and not more of it than one can take in."""
    text = str(value)
    return f"“{text[:SHOWN_CHARACTERS]}…”" if len(text) > SHOWN_CHARACTERS else f"“{text}”"


def text_of(raw: Any) -> str:
    """Return the text of a cell, without blanks around it; an empty one is the empty text.

    Raises Unreadable for lists and objects, and for characters that no database takes.
    """
    if raw is None:
        return ""
    if isinstance(raw, bool | list | tuple | dict):
        raise Unreadable("must be a text or a number.")
    text = str(raw).strip()
    if "\x00" in text:
        raise Unreadable("contains a NUL character.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Unreadable("contains half a character.")
    return text


def value_of(field: Field, raw: Any, notes: list[str]) -> Any:
    """Return what `raw` means for a model field, or None for an empty cell; a guess is added to `notes`.

    Times without a zone come back naive. Raises Unreadable.
    """
    if isinstance(raw, bool) and isinstance(field, models.BooleanField):
        return raw
    text = text_of(raw)
    if not text:
        return None
    if field.choices:
        return _choice(field, text, notes)
    return _READERS.get(type(field), str)(text)


def _choice(field: Field, text: str, notes: list[str]) -> str:
    choices = [(str(code), str(label)) for code, label in field.flatchoices]
    code = code_of(field.name, text, choices)
    if code is not None:
        return code
    if field.name not in UNKNOWN:
        offered = ", ".join(code for code, _ in choices)
        raise Unreadable(f"{shown(text)} is unknown: choose one of {offered}.")
    instead = UNKNOWN[field.name]
    notes.append(f"{field.name}: {shown(text)} is unknown, stored as {instead or 'unknown'}.")
    return instead


def _whole_number(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise Unreadable(f"{shown(text)} is not a whole number: write digits only, such as 2015.")
    return int(text)


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise Unreadable(
            f"{shown(text)} is not a number as we read it: write digits with a point before the decimals and nothing "
            "between the thousands, such as 1234.50."
        )
    return Decimal(text)


def _boolean(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise Unreadable(f"{shown(text)} is neither true nor false: write true, false, yes, no, 1 or 0.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise Unreadable(f"{shown(text)} is not a date: write it as 2026-03-31 or 2026-03-31T14:30.")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Unreadable(f"{shown(text)} is not a date in the years {FIRST_YEAR} to {LAST_YEAR}.")
    return moment


_READERS: dict[type, Callable[[str], Any]] = {
    models.DecimalField: _decimal,
    models.FloatField: lambda text: float(_decimal(text)),
    models.BooleanField: _boolean,
    models.DateTimeField: _moment,
    **dict.fromkeys(_WHOLE_NUMBERS, _whole_number),
}
