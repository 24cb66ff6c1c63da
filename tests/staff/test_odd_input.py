"""What nobody types but anybody can send: it is refused or left out, and never an error of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inventory.models import Part
from tests.builders import make_lead, make_part

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.staff.urls")]

NO_KEYS = ["abc", "1.5", "-", "999999999999999999999999", "\x00", "٣x"]


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_prefilled_relation_that_is_no_key_is_left_empty(staff_client: Client, key: str) -> None:
    response = staff_client.get("/admin/inventory/vehicle/add/", {"seller": key})
    assert response.status_code == 200


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_posted_relation_that_is_no_key_is_an_error_of_its_field(staff_client: Client, key: str) -> None:
    response = staff_client.post("/admin/inventory/vehicle/add/", {"seller": key, "make": "Volvo"})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["seller"]


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_relation_asked_for_by_an_action_that_is_no_key_is_an_error_on_the_question(
    staff_client: Client, key: str
) -> None:
    lead = make_lead()
    data: dict[str, Any] = {"action": "assign_leads", "index": 0, "_selected_action": [lead.pk]}
    response = staff_client.post("/admin/leads/lead/", {**data, "staff_confirmed": 1, "assigned_to": key})
    assert response.status_code == 200
    assert response.context["form"].errors["assigned_to"]
