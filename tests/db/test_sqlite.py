"""What a SQLite file holds by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoDbBlocker

from accounts.models import Language
from config.ops.scratch import connected


def test_columns_keep_the_length_of_their_texts_when_their_table_is_made_anew(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    name = Language._meta.get_field("name")
    shorter = name.clone()
    shorter.max_length = 5
    shorter.set_attributes_from_name("name")
    with django_db_blocker.unblock(), connected(f"sqlite:///{tmp_path}/shop.sqlite3") as database:
        with database.schema_editor() as editor:
            editor.create_model(Language)
            editor.alter_field(Language, name, shorter)
        languages = Language.objects.using(database.alias)

        languages.create(code="fi", name="Suomi")
        for code, text in (("se", "Svenska"), ("x" * 11, "Own")):
            with pytest.raises(IntegrityError, match="length"), transaction.atomic(using=database.alias):
                languages.create(code=code, name=text)
