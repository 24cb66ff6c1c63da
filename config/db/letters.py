"""Comparing texts in any case, whatever their alphabet: left alone SQLite knows the case of ASCII letters only."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Lower


class LowerCase(Lower):
    """Like Django's `Lower`, on SQLite for all letters too: for look-ups, never for an index or a constraint.

    Those must hold for programs that open the file without our functions.
    """

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="forecourt_lower")


def upper(text: str | None) -> str | None:
    """Return a text in capitals as PostgreSQL does: letter by letter, so that those without a single one stay."""
    if text is None:
        return None
    capitals = text.upper()
    if len(capitals) == len(text):
        return capitals
    return "".join(capital if len(capital := letter.upper()) == 1 else letter for letter in text)


def lower(text: str | None) -> str | None:
    """Return a text in small letters."""
    return None if text is None else text.lower()
