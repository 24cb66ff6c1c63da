"""Where the history of a row leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.models.users import Role
from analytics.models import AuditLog
from inventory.services import delete_part, restore_part
from tests.admin.rows import staff
from tests.builders import make_language, make_part, make_seller

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def history_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_history", args=(row.pk,))


def test_it_leads_to_the_audit_entries_of_the_row_alone(super_admin: Client) -> None:
    part, other = make_part(), make_part()
    for row in (part, other):
        delete_part(part=row)
        restore_part(part=row)

    response: Any = super_admin.get(history_of(part), follow=True)

    assert response.status_code == 200
    assert [entry.event_type for entry in response.context["cl"].result_list] == ["PART_RESTORED", "PART_DELETED"]
    assert {entry.entity_id for entry in response.context["cl"].result_list} == {part.public_id}


def test_rows_without_a_public_id_are_found_by_their_key(super_admin: Client) -> None:
    language = make_language("es")
    AuditLog.objects.create(action="update", entity_type="accounts.language", entity_id="es")
    response: Any = super_admin.get(history_of(language), follow=True)
    assert len(response.context["cl"].result_list) == 1


def test_who_may_not_read_the_audit_log_sees_djangos_own_history_where_there_is_any(
    sign_in: Callable[[User], Client],
) -> None:
    owner = staff(Role.SELLER)
    part = make_part(seller=make_seller(owner=owner))
    page, seller = f"/admin/inventory/part/{part.pk}/change/", sign_in(owner)
    assert history_of(part) not in seller.get(page).content.decode()

    LogEntry.objects.log_actions(owner.pk, [part], CHANGE, [{"changed": {"fields": ["Price"]}}])

    assert history_of(part) in seller.get(page).content.decode()
    response = seller.get(history_of(part))
    assert response.status_code == 200
    assert "Changed Price." in response.content.decode()


def test_it_tells_nothing_of_a_row_that_the_person_cannot_see(sign_in: Callable[[User], Client]) -> None:
    foreign = make_part()
    response = sign_in(staff(Role.SELLER)).get(history_of(foreign))
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_an_entry_of_the_audit_log_has_no_history(super_admin: Client) -> None:
    entry = AuditLog.objects.create(action="other", event_type="EXPORT_DATA")
    page = super_admin.get(f"/admin/analytics/auditlog/{entry.pk}/change/").content.decode()
    assert history_of(entry) not in page
