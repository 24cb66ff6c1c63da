"""Operations for migrations, on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, models
from django.db.migrations.state import ProjectState

from accounts.models import Translation
from config.db.operations import AddIndexConcurrently
from config.ops.schema import read_catalog

INDEX = models.Index(name="translation_context_try", fields=["context"])


def names() -> set[str]:
    return {name for kind, name in read_catalog(connection) if kind == "index"}


@pytest.fixture
def no_index_left() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS translation_context_try")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_index_left")
def test_an_index_is_added_outside_of_a_transaction_and_taken_away_again() -> None:
    operation = AddIndexConcurrently("translation", INDEX)
    before = ProjectState.from_apps(Translation._meta.apps)
    after = before.clone()
    operation.state_forwards("accounts", after)

    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("accounts", editor, before, after)
    assert "accounts_translation.translation_context_try" in names()

    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("accounts", editor, after, before)
    assert "accounts_translation.translation_context_try" not in names()
