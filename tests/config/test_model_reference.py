"""`docs/models.md` says what the models are."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from config.management.commands import document_models
from config.ops.model_reference import model_reference
from tests.schema.rows import MODELS


def test_the_page_is_not_stale() -> None:
    call_command("document_models", "--check", "--verbosity", "0")


def test_every_model_field_constraint_and_index_is_in_it() -> None:
    page = model_reference()
    for model in MODELS:
        section = page.partition(f"\n### {model.__name__}\n")[2].partition("\n### ")[0]
        assert section, model
        for field in model._meta.concrete_fields:
            assert field.name == "id" or f"| `{field.name}` |" in section, field
        for item in [*model._meta.constraints, *model._meta.indexes]:
            assert f"`{item.name}`" in section, item.name


def test_every_relation_is_in_the_diagram() -> None:
    page = model_reference()
    assert "    Seller ||--o{ SellerLocation : seller" in page
    assert "    Language ||--o{ UserPreference : language" in page
    assert "    User ||--o| UserPreference : user" in page


def test_long_lists_of_codes_are_left_to_their_standards() -> None:
    assert "AFN" not in model_reference()


def test_a_stale_page_is_told_and_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    page = f"{tmp_path}/models.md"
    monkeypatch.setattr(document_models, "PAGE", page)
    with pytest.raises(CommandError, match="stale: run manage"):
        call_command("document_models", "--check")
    call_command("document_models", "--verbosity", "0")
    call_command("document_models", "--check", "--verbosity", "0")
