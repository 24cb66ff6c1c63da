"""Which language an answer speaks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

LANGUAGE_HEADER = "X-Language"
LANGUAGE_PARAMETER = "lang"
# For the description of routes whose texts come in the caller's language.
TRANSLATED: dict[str, Any] = {
    "parameters": [
        {
            "in": place,
            "name": name,
            "required": False,
            "description": "Language of the texts, before Accept-Language; one that is not active is passed over.",
            "schema": {"type": "string"},
            "example": "es",
        }
        for place, name in (("header", LANGUAGE_HEADER), ("query", LANGUAGE_PARAMETER))
    ]
}


def first_tag(accept_language: str) -> str:
    """Return the primary part of the first tag of an Accept-Language header: "de" for "de-AT,de;q=0.9,en"."""
    return re.split("[,;-]", accept_language, maxsplit=1)[0].strip().lower()


def choose_language(wishes: Iterable[str], *, active: Iterable[str], default: str) -> str:
    """Return the first wish that is an active language, else the default."""
    offered = {code.lower(): code for code in active}
    return next((offered[wish.strip().lower()] for wish in wishes if wish.strip().lower() in offered), default)
