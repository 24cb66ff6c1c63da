"""The words that misspelled ones are repaired to: those that the names in our tables are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Seller
from accounts.models.sellers import SELLER_NAMES
from config.db.typos import TABLE
from config.db.words import folded
from inventory.models import Car, Part, Vehicle
from inventory.models.cars import CAR_NAMES
from inventory.models.parts import PART_NAMES, VEHICLE_NAMES

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

# Not the names of leads: what the public types must not turn into them.
SOURCES: dict[type[Model], tuple[str, ...]] = {
    Seller: SELLER_NAMES,
    Car: CAR_NAMES,
    Vehicle: VEHICLE_NAMES,
    Part: PART_NAMES,
}

# Each name is taken apart once, however many rows have it. Numbers are not repaired, so they are left out.
_FRESH = """
    SELECT word, sum(rows) AS rows
      FROM (SELECT {columns}, count(*) AS rows FROM {table} WHERE deleted_at IS NULL GROUP BY {columns}) AS names,
           string_to_table({folded}, ' ') AS word
     WHERE word ~ '^[^[:digit:]]+$' AND length(word) BETWEEN 3 AND 40
     GROUP BY word
"""
_ADD = f"""
    INSERT INTO {TABLE} AS kept (source, word, rows) SELECT %(source)s, word, rows FROM ({{fresh}}) AS fresh
        ON CONFLICT (source, word) DO UPDATE SET rows = excluded.rows WHERE kept.rows <> excluded.rows
"""  # noqa: S608  # the name of a table
_REMOVE = f"DELETE FROM {TABLE} WHERE source = %(source)s AND word NOT IN (SELECT word FROM ({{fresh}}) AS fresh)"  # noqa: S608

_STALE = f"""
    SELECT count(*) FROM ({{fresh}}) AS fresh
      FULL JOIN (SELECT word, rows FROM {TABLE} WHERE source = %(source)s) AS kept USING (word)
     WHERE fresh.rows IS DISTINCT FROM kept.rows
"""  # noqa: S608  # the name of a table


def stale_words(connection: BaseDatabaseWrapper) -> int:
    """Return how many words `refresh_words` would change."""
    if connection.vendor != "postgresql":
        return 0
    stale = 0
    with connection.cursor() as cursor:
        for model, columns in SOURCES.items():
            cursor.execute(_STALE.format(fresh=_fresh(model, columns)), {"source": model._meta.db_table})
            stale += cursor.fetchone()[0]
    return stale


def refresh_words(connection: BaseDatabaseWrapper) -> int:
    """Bring the words in line with the rows, and return how many were added, counted anew or removed.

    Does nothing on SQLite, where no misspelled word is repaired.
    """
    if connection.vendor != "postgresql":
        return 0
    changed = 0
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for model, columns in SOURCES.items():
            fresh, source = _fresh(model, columns), model._meta.db_table
            for statement in (_ADD, _REMOVE):
                cursor.execute(statement.format(fresh=fresh), {"source": source})
                changed += cursor.rowcount
    return changed


def _fresh(model: type[Model], columns: tuple[str, ...]) -> str:
    """Return the query for the words of a table's names, with the number of rows that each is in."""
    quoted = [f'"{column}"' for column in columns]
    together = " || ' ' || ".join(quoted)
    return _FRESH.format(columns=", ".join(quoted), table=f'"{model._meta.db_table}"', folded=folded(f"({together})"))
