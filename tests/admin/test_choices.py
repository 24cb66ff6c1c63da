from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.mark.parametrize(
    ("table", "field", "first"),
    [("inventory/car", "segment", ""), ("leads/voucher", "discount_type", ""), ("inventory/car", "condition", "NEW")],
)
def test_a_choice_without_a_default_must_be_made_by_the_person(
    table: str, field: str, first: str, super_admin: Client
) -> None:
    response: Any = super_admin.get(f"/admin/{table}/add/")

    assert response.context["adminform"].form.fields[field].choices[0][0] == first
