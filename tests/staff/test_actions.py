"""Actions that call services, on lists and on a row's page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from config.staff import actions
from inventory.models import Part
from tests.builders import make_lead, make_part, make_user, make_vehicle

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.staff.urls"), pytest.mark.any_engine]

PARTS = "/admin/inventory/part/"


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def run(client: Client, address: str, action: str, rows: list[Any], **data: Any) -> Any:
    return client.post(address, {"action": action, "index": 0, "_selected_action": [row.pk for row in rows], **data})


def test_done_and_refused_rows_are_told_with_the_reason(staff_client: Client) -> None:
    free = [make_part(name="Door"), make_part(name="Hood")]
    sold = [make_part(name=f"Sold {n}", status="SOLD", sold_at=timezone.now()) for n in range(7)]
    response = run(staff_client, PARTS, "list_parts", [*free, *sold])
    said = messages_of(response)
    assert said[0] == "2 parts listed."
    assert said[1].startswith("7 parts not listed: A sold part cannot be listed. (Sold ")
    assert said[1].endswith(" and 4 more)")
    assert Part.objects.filter(is_listed=True).count() == 2


def test_refusals_that_differ_by_the_name_of_the_row_alone_are_one_message(staff_client: Client) -> None:
    parts = [make_part(name=f"Panel {n}", price=Decimal(10)) for n in range(60)]
    said = messages_of(run(staff_client, PARTS, "grade_parts", parts))
    assert len(said) == 1
    assert said[0].startswith("60 parts not graded: It has no grade. (Panel ")
    assert said[0].endswith(" and 57 more)")


def test_many_reasons_are_told_in_one_message_of_a_few_sentences(staff_client: Client) -> None:
    parts = [make_part(name=f"Panel {n}", price=Decimal(100 + n)) for n in range(8)]
    said = messages_of(run(staff_client, PARTS, "grade_parts", parts))
    assert len(said) == 1
    assert said[0].count("costs") == 5
    assert said[0].endswith(" and 3 more reasons.")


@pytest.mark.parametrize("key", ["abc", "1.5", "99999999999999999999999", "\x00", ""])
def test_what_is_no_key_chooses_no_row(staff_client: Client, key: str) -> None:
    part = make_part()
    response = staff_client.post(PARTS, {"action": "list_parts", "index": 0, "_selected_action": [part.pk, key]})
    assert (response.status_code, messages_of(response)) == (
        302,
        ["The chosen rows were not understood; nothing was changed."],
    )
    part.refresh_from_db()
    assert not part.is_listed


def test_a_broken_database_rule_is_told_in_its_own_words_and_undoes_nothing_else(staff_client: Client) -> None:
    part, other = make_part(price=Decimal(10)), make_part(price=Decimal(20))
    response = run(staff_client, PARTS, "price_parts", [part, other], staff_confirmed=1, amount=-5)
    assert len(messages_of(response)) == 1
    assert messages_of(response)[0].startswith("2 parts not priced: ")
    assert "price" in messages_of(response)[0].lower()
    assert set(Part.objects.values_list("price", flat=True)) == {Decimal(10), Decimal(20)}


def test_an_action_that_asks_shows_its_form_first_and_changes_nothing_until_it_is_answered(
    staff_client: Client,
) -> None:
    part = make_part(price=Decimal(10))
    page = run(staff_client, PARTS, "price_parts", [part])
    assert page.status_code == 200
    assert 'name="amount"' in page.content.decode()
    page = run(staff_client, PARTS, "price_parts", [part], staff_confirmed=1, amount="much")
    assert "Enter a whole number." in page.content.decode()
    part.refresh_from_db()
    assert part.price == Decimal(10)
    response = run(staff_client, PARTS, "price_parts", [part], staff_confirmed=1, amount=99)
    part.refresh_from_db()
    assert (response.status_code, part.price) == (302, Decimal(99))


def test_a_field_of_the_model_is_asked_for_as_a_searching_select(staff_client: Client) -> None:
    lead, colleague = make_lead(), make_user("ADMIN", name="Kaisa")
    page = run(staff_client, "/admin/leads/lead/", "assign_leads", [lead]).content.decode()
    assert 'data-field-name="assigned_to"' in page
    data = {"staff_confirmed": 1, "assigned_to": colleague.pk}
    run(staff_client, "/admin/leads/lead/", "assign_leads", [lead], **data)
    lead.refresh_from_db()
    assert lead.assigned_to == colleague


def test_all_rows_means_all_that_the_filters_show(staff_client: Client) -> None:
    cheap, dear = make_part(price=Decimal(10)), make_part(price=Decimal(5000))
    run(staff_client, f"{PARTS}?f=price:between:..100", "list_parts", [cheap], select_across=1)
    assert list(Part.objects.filter(is_listed=True)) == [cheap]
    assert not Part.objects.get(pk=dear.pk).is_listed


def test_more_rows_than_a_request_can_do_are_refused_before_the_first(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_ROWS", 2)
    response = run(staff_client, PARTS, "list_parts", [make_part() for _ in range(3)])
    assert messages_of(response) == ["Choose at most 2 rows at once; nothing was changed."]
    assert not Part.objects.filter(is_listed=True).exists()


def test_all_rows_of_a_long_list_are_refused_without_being_read(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_ROWS", 2)
    parts = [make_part() for _ in range(3)]
    response = run(staff_client, PARTS, "price_parts", parts[:1], select_across=1)
    assert messages_of(response) == ["Choose at most 2 rows at once; nothing was changed."]


def test_the_page_of_a_row_offers_the_action_and_a_link_alone_changes_nothing(staff_client: Client) -> None:
    part = make_part()
    address = f"{PARTS}{part.pk}/list_parts/"
    assert f'href="{address}"' in staff_client.get(f"{PARTS}{part.pk}/change/").content.decode()
    assert staff_client.get(address).status_code == 200
    part.refresh_from_db()
    assert not part.is_listed
    response = staff_client.post(address)
    part.refresh_from_db()
    assert part.is_listed
    assert response["Location"] == f"{PARTS}{part.pk}/change/"


def test_who_may_not_change_rows_gets_no_action(viewer_client: Client) -> None:
    part = make_part()
    page = viewer_client.get(f"{PARTS}{part.pk}/change/").content.decode()
    assert "list_parts" not in page
    assert viewer_client.post(f"{PARTS}{part.pk}/list_parts/").status_code == 403
    run(viewer_client, PARTS, "list_parts", [part])
    part.refresh_from_db()
    assert not part.is_listed


def test_a_seller_cannot_act_on_a_row_of_another(seller_client: Client, seller: Any) -> None:
    own, foreign = make_part(vehicle=make_vehicle(seller=seller)), make_part()
    run(seller_client, PARTS, "list_parts", [own, foreign])
    seller_client.post(f"{PARTS}{foreign.pk}/list_parts/")
    assert list(Part.objects.filter(is_listed=True)) == [own]
