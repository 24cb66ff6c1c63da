"""Whose rows a person meets, what a save changes, and what deleting means."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from accounts.models import Seller, SellerLocation, UserIdentity
from inventory.models import Category, Part, Vehicle
from tests.builders import make_category, make_part, make_seller, make_user, make_vehicle

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.staff.urls"), pytest.mark.any_engine]

PARTS = "/admin/inventory/part/"


def form_of(client: Client, address: str) -> dict[str, Any]:
    """Return what a browser would send back without a change."""
    response = client.get(address)
    assert response.status_code == 200
    sent: dict[str, Any] = {}
    for form in [response.context["adminform"].form, *_inline_forms(response)]:
        for bound in form:
            value = bound.value()
            name = form.add_prefix(bound.name)
            if hasattr(bound.field.widget, "decompress"):
                for index, part in enumerate(bound.field.widget.decompress(value)):
                    sent[f"{name}_{index}"] = "" if part is None else str(part)
            elif value is not None and value is not False:
                sent[name] = bound.field.prepare_value(value)
    return sent


def _inline_forms(response: Any) -> list[Any]:
    formsets = [inline.formset for inline in response.context["inline_admin_formsets"]]
    return [form for formset in formsets for form in (formset.management_form, *formset.forms)]


def options(client: Client, field: str, model: str = "part", term: str = "") -> list[str]:
    query = {"app_label": "inventory", "model_name": model, "field_name": field, "term": term}
    return [each["text"] for each in client.get("/admin/autocomplete/", query).json()["results"]]


def test_a_seller_sees_opens_and_searches_own_rows_only(seller_client: Client, seller: Any) -> None:
    own, foreign = make_part(name="Own", vehicle=make_vehicle(seller=seller)), make_part(name="Foreign")
    assert list(seller_client.get(PARTS).context["cl"].result_list) == [own]
    assert seller_client.get(f"{PARTS}{own.pk}/change/").status_code == 200
    response = seller_client.get(f"{PARTS}{foreign.pk}/change/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert options(seller_client, "seller") == [str(seller)]
    assert options(seller_client, "vehicle") == [str(own.vehicle)]


def test_a_seller_cannot_save_a_row_that_points_at_foreign_rows(seller_client: Client, seller: Any) -> None:
    own, foreign = make_part(vehicle=make_vehicle(seller=seller)), make_part()
    address = f"{PARTS}{own.pk}/change/"
    sent = form_of(seller_client, address) | {"seller": foreign.seller_id, "vehicle": foreign.vehicle_id}
    response = seller_client.post(address, sent)
    assert response.status_code == 200
    assert set(response.context["adminform"].form.errors) == {"seller", "vehicle"}
    own.refresh_from_db()
    assert own.seller == seller


def test_a_relation_to_a_closed_table_is_shown_and_kept(seller_client: Client, seller: Any) -> None:
    address = f"/admin/accounts/seller/{seller.pk}/change/"
    sent = form_of(seller_client, address)
    assert "owner" not in sent
    seller_client.post(address, sent | {"name": "New name", "owner": make_user().pk})
    changed = Seller.objects.get(pk=seller.pk)
    assert (changed.name, changed.owner) == ("New name", seller.owner)


def test_search_offers_no_deleted_row_but_a_row_that_points_at_one_can_be_saved(staff_client: Client) -> None:
    engine, body = make_category("Engine"), make_category("Body")
    part = make_part(category=engine)
    Category.objects.filter(pk=engine.pk).update(deleted_at=timezone.now())
    assert options(staff_client, "category") == ["Body"]
    address = f"{PARTS}{part.pk}/change/"
    assert staff_client.post(address, form_of(staff_client, address) | {"name": "Renamed"}).status_code == 302
    part.refresh_from_db()
    assert (part.name, part.category_id) == ("Renamed", engine.pk)
    other = make_part(category=body)
    address = f"{PARTS}{other.pk}/change/"
    assert staff_client.post(address, form_of(staff_client, address) | {"category": engine.pk}).status_code == 200


def test_a_save_announces_before_and_after_once(
    staff_client: Client, superuser: Any, heard: list[dict[str, Any]]
) -> None:
    part = make_part(name="Before")
    address = f"{PARTS}{part.pk}/change/"
    sent = form_of(staff_client, address)
    heard.clear()
    staff_client.post(address, sent | {"name": "After"})
    updates = [each for each in heard if each["action"] == "update"]
    assert [(each["entity"], each["actor"], each["changes"]) for each in updates] == [
        (part, superuser, {"name": ["Before", "After"]})
    ]


def test_a_save_without_a_change_is_not_announced(staff_client: Client, heard: list[dict[str, Any]]) -> None:
    part = make_part()
    address = f"{PARTS}{part.pk}/change/"
    sent = form_of(staff_client, address)
    heard.clear()
    assert staff_client.post(address, sent).status_code == 302
    assert heard == []
    assert not LogEntry.objects.exists()


def test_a_change_in_an_inline_is_announced_with_the_row_it_hangs_on(
    staff_client: Client, heard: list[dict[str, Any]]
) -> None:
    seller = make_seller()
    SellerLocation.objects.create(seller=seller, latitude=61.5, longitude=23.8)
    address = f"/admin/accounts/seller/{seller.pk}/change/"
    sent = form_of(staff_client, address)
    heard.clear()
    staff_client.post(address, sent | {"locations-0-latitude": "60.2"})
    assert [each["changes"] for each in heard] == [{"locations": [None, {"changed": 1}]}]


def test_delete_hides_the_row_and_restore_shows_it_again(staff_client: Client, heard: list[dict[str, Any]]) -> None:
    vehicle = make_vehicle()
    make_part(vehicle=vehicle)
    address = f"/admin/inventory/vehicle/{vehicle.pk}"
    assert "This can be undone" in staff_client.get(f"{address}/delete/").content.decode()
    heard.clear()
    staff_client.post(f"{address}/delete/", {"post": "yes"})
    assert not Vehicle.objects.exists()
    assert Part.objects.exists()
    assert [each["action"] for each in heard] == ["delete"]
    lists = {
        state: staff_client.get(f"/admin/inventory/vehicle/?{state}").context["cl"].result_count
        for state in ("", "deleted=only", "deleted=all")
    }
    assert lists == {"": 0, "deleted=only": 1, "deleted=all": 1}
    staff_client.post(f"{address}/restore_rows/")
    assert Vehicle.objects.exists()


def test_a_deleted_row_offers_only_to_restore_it_or_to_delete_it_for_good(staff_client: Client) -> None:
    part = make_part()
    part.soft_delete(timezone.now())
    page = staff_client.get(f"{PARTS}{part.pk}/change/").content.decode()
    for name, offered in {"restore_rows": True, "delete_for_good": True, "list_parts": False, "delete": False}.items():
        assert (f"{PARTS}{part.pk}/{name}/" in page) is offered


def test_a_row_without_soft_delete_goes_at_once_and_takes_along_what_hangs_on_it(
    staff_client: Client, heard: list[dict[str, Any]]
) -> None:
    identities = [
        UserIdentity.objects.create(user=make_user(), provider="google", provider_account_id=str(number))
        for number in range(3)
    ]
    heard.clear()
    one = f"/admin/accounts/useridentity/{identities[0].pk}/delete/"
    assert "This cannot be undone." in staff_client.get(one).content.decode()
    staff_client.post(one, {"post": "yes"})
    chosen = {"action": "delete_selected", "index": 0, "_selected_action": [row.pk for row in identities[1:]]}
    assert "This cannot be undone." in staff_client.post("/admin/accounts/useridentity/", chosen).content.decode()
    assert UserIdentity.objects.count() == 2
    staff_client.post("/admin/accounts/useridentity/", chosen | {"post": "yes"})
    assert not UserIdentity.objects.exists()
    assert [each["action"] for each in heard] == ["delete"] * 3


def test_live_rows_offer_neither_restore_nor_delete_for_good(staff_client: Client) -> None:
    vehicle = make_vehicle()
    page = staff_client.get(f"/admin/inventory/vehicle/{vehicle.pk}/change/").content.decode()
    assert "restore_rows" not in page
    assert "delete_for_good" not in page
    staff_client.post(f"/admin/inventory/vehicle/{vehicle.pk}/delete_for_good/", {"staff_confirmed": 1})
    assert Vehicle.objects.exists()


def test_delete_for_good_shows_what_goes_along_and_is_for_superusers(
    staff_client: Client, seller_client: Client, seller: Any
) -> None:
    vehicle = make_vehicle(seller=seller)
    make_part(vehicle=vehicle)
    vehicle.soft_delete(timezone.now())
    address = f"/admin/inventory/vehicle/{vehicle.pk}/delete_for_good/"
    assert seller_client.post(address, {"staff_confirmed": 1}).status_code == 403
    assert "1 part<" in staff_client.get(address).content.decode()
    assert Vehicle.all_objects.exists()
    response = staff_client.post(address, {"staff_confirmed": 1})
    assert [str(message) for message in get_messages(response.wsgi_request)] == ["1 donor vehicle deleted for good."]
    assert not Vehicle.all_objects.exists()


def test_rows_are_deleted_from_the_list_after_a_question(staff_client: Client) -> None:
    vehicles = [make_vehicle(), make_vehicle()]
    data: dict[str, Any] = {"action": "delete_rows", "index": 0, "_selected_action": [each.pk for each in vehicles]}
    assert "They can be restored" in staff_client.post("/admin/inventory/vehicle/", data).content.decode()
    assert Vehicle.objects.count() == 2
    staff_client.post("/admin/inventory/vehicle/", data | {"staff_confirmed": 1})
    assert Vehicle.objects.count() == 0
