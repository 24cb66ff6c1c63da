"""Writing many rows without the indexes of words, which cost most while rows come one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connection, models

Models = type[models.Model]


@contextmanager
def without_word_indexes(*tables: Models) -> Iterator[None]:
    """Drop the indexes of words of some tables, or of all, and make them anew at once after the block."""
    definitions = drop_word_indexes(*tables)
    yield
    with connection.cursor() as cursor:
        for definition in definitions:
            cursor.execute(definition)


def drop_word_indexes(*tables: Models) -> list[str]:
    """Drop the indexes of words of some tables, or of all, and return the statements that make them anew."""
    names = [table._meta.db_table for table in tables or apps.get_models()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE schemaname = current_schema() AND tablename = ANY(%s) AND indexdef LIKE '%%USING gin%%'",
            [names],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _, definition in found]
