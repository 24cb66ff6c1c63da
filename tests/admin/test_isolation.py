"""A seller's staff meet nothing of other sellers, and an administrator nothing of colleagues' leads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Seller, Translation, User
from accounts.models.users import Role
from analytics.models import AuditLog, Event
from inventory.models import Category, Part, PartImage, Vehicle
from leads.models import Lead, LeadActivity, LeadNote, Voucher, VoucherClaim, VoucherCode, VoucherRedemption
from leads.services import add_lead_note, assign_lead, create_lead
from tests.admin.conftest import said
from tests.admin.forms import address, errors_of, send
from tests.admin.rows import fill, staff
from tests.builders import (
    NOON,
    make_category,
    make_language,
    make_lead,
    make_part,
    make_seller,
    make_translation,
    make_user,
    make_vehicle,
    make_vin,
    make_voucher,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

SellersRows = dict[Any, Any]
OWNED: list[Any] = [Seller, Vehicle, Part, Voucher, VoucherCode, VoucherClaim, VoucherRedemption]


def rows_listed(client: Client, model: Any, query: str = "") -> set[Any]:
    response: Any = client.get(f"{address(model, 'changelist')}{query}")
    return set(response.context_data["cl"].result_list)


@pytest.fixture
def seller() -> User:
    return staff(Role.SELLER)


@pytest.fixture
def shop(seller: User, sign_in: Callable[[User], Client]) -> SimpleNamespace:
    """Two rows of each table that belongs to the seller, two of another's, and the seller's browser."""
    own = fill(2, [*OWNED, PartImage], owner=seller)
    foreign = fill(2, [*OWNED, PartImage], owner=make_user(Role.SELLER))
    return SimpleNamespace(client=sign_in(seller), own=own, foreign=foreign)


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_the_page_of_an_own_row_links_only_to_pages_that_open(model: Any, shop: SimpleNamespace) -> None:
    page = shop.client.get(address(model, "change", shop.own[model][0].pk)).content.decode()
    linked = set(re.findall(r'href="(/admin/[^"]+/change/)"', page))
    assert {link: shop.client.get(link).status_code for link in linked} == dict.fromkeys(linked, 200)


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
class TestRowsOfAnotherSeller:
    def test_are_not_listed_searched_or_exported(self, model: Any, shop: SimpleNamespace) -> None:
        assert rows_listed(shop.client, model) == set(shop.own[model])
        assert rows_listed(shop.client, model, "?q=e") <= set(shop.own[model])
        page = address(model, "export")
        download: Any = shop.client.get(f"{page}?format=json&column={model._meta.pk.name}")
        exported = {row["id"] for row in json.loads(b"".join(download.streaming_content))}
        assert exported == {row.pk for row in shop.own[model]}

    def test_are_not_found_by_a_filter_on_them(self, model: Any, shop: SimpleNamespace) -> None:
        for field in model._meta.concrete_fields:
            if field.related_model in OWNED:
                foreign = shop.foreign[field.related_model][0]
                assert rows_listed(shop.client, model, f"?f={field.name}:is:{foreign.pk}") == set()

    def test_have_no_page_to_look_at_change_or_delete(self, model: Any, shop: SimpleNamespace) -> None:
        row = shop.foreign[model][0]
        before = type(row)._base_manager.values().get(pk=row.pk)
        for page, data in (("change", {}), ("delete", {"post": "yes"}), ("history", {})):
            for answer in (
                shop.client.get(address(model, page, row.pk)),
                shop.client.post(address(model, page, row.pk), data),
            ):
                assert answer.status_code in {302, 403}
        assert type(row)._base_manager.values().get(pk=row.pk) == before

    def test_are_untouched_by_every_action(self, model: Any, shop: SimpleNamespace) -> None:
        row = shop.foreign[model][0]
        before = type(row)._base_manager.values().get(pk=row.pk)
        listing: Any = shop.client.get(address(model, "changelist"))
        form = listing.context_data.get("action_form")
        actions = [name for name, _ in form.fields["action"].choices if name] if form else []
        for action in actions:
            data = {
                "action": action,
                "_selected_action": [row.pk],
                "staff_confirmed": 1,
                "post": "yes",
                "plan": "STARTER",
            }
            shop.client.post(address(model, "changelist"), data)
            shop.client.post(address(model, "changelist"), {**data, "select_across": 1, "_selected_action": []})
            shop.client.post(f"{address(model, 'changelist')}{row.pk}/{action}/", {"staff_confirmed": 1})
        assert type(row)._base_manager.values().get(pk=row.pk) == before


@pytest.mark.parametrize(("model", "field"), [("vehicle", "seller"), ("part", "seller"), ("part", "vehicle")])
def test_searching_selects_offer_own_rows_only(model: str, field: str, shop: SimpleNamespace) -> None:
    query = {"app_label": "inventory", "model_name": model, "field_name": field, "term": ""}
    found = shop.client.get(reverse("admin:autocomplete"), query).json()["results"]
    related: Any = {"seller": Seller, "vehicle": Vehicle}[field]
    assert {int(each["id"]) for each in found} == {row.pk for row in shop.own[related]}


@pytest.mark.parametrize(
    "query", [("inventory", "vehicle", "source_car"), ("accounts", "seller", "owner"), ("leads", "lead", "assigned_to")]
)
def test_searching_selects_of_closed_tables_are_closed(query: tuple[str, str, str], shop: SimpleNamespace) -> None:
    names = dict(zip(("app_label", "model_name", "field_name"), query, strict=True))
    assert shop.client.get(reverse("admin:autocomplete"), {**names, "term": ""}).status_code == 403


def vehicle_data(seller: Seller, **changes: Any) -> dict[str, Any]:
    return {
        "make": "Toyota", "model": "Hilux", "year": 2012, "vin": make_vin(), "seller": seller.pk, "condition": "GOOD",
        "acquired_at_0": "2026-03-02", "acquired_at_1": "12:00", **formset("parts"), **changes,
    }  # fmt: skip


def part_data(vehicle: Vehicle, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Gearbox", "description": "Tested.", "vehicle": vehicle.pk, "seller": vehicle.seller_id,
        "condition": "GOOD", "price": "2500", "currency": "ZAR", **formset("images"), **changes,
    }  # fmt: skip


def voucher_data(seller: Seller, **changes: Any) -> dict[str, Any]:
    return {
        "seller": seller.pk, "discount_type": "percentage", "discount_value": "10", "currency": "ZAR",
        "max_per_user": 1, "metadata": "{}",
        **formset("codes"), **formset("claims"), **formset("redemptions"), **changes,
    }  # fmt: skip


def formset(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def test_a_seller_adds_vehicles_parts_and_vouchers_for_own_sellers(shop: SimpleNamespace) -> None:
    seller = shop.own[Seller][0]
    assert shop.client.post(address(Vehicle, "add"), vehicle_data(seller)).status_code == 302
    vehicle = Vehicle.objects.get(model="Hilux")
    assert shop.client.post(address(Part, "add"), part_data(vehicle)).status_code == 302
    assert Part.objects.get(name="Gearbox").seller == seller
    assert shop.client.post(address(Voucher, "add"), voucher_data(seller, discount_value="7")).status_code == 302
    assert Voucher.objects.get(discount_value=7).state == "draft"


@pytest.mark.parametrize("model", [Vehicle, Part, Voucher])
def test_a_seller_cannot_add_for_another(model: Any, shop: SimpleNamespace) -> None:
    foreign = shop.foreign[Seller][0]
    data = {
        Vehicle: vehicle_data(foreign),
        Part: part_data(shop.foreign[Vehicle][0]),
        Voucher: voucher_data(foreign),
    }[model]
    number = model.objects.count()
    response: Any = shop.client.post(address(model, "add"), data)
    assert response.status_code == 200
    assert "seller" in response.context_data["adminform"].form.errors
    assert model.objects.count() == number


@pytest.mark.parametrize("model", [Vehicle, Part, Voucher])
def test_a_seller_cannot_move_a_row_to_another(model: Any, shop: SimpleNamespace) -> None:
    row, foreign = shop.own[model][0], shop.foreign
    data = {
        Vehicle: vehicle_data(foreign[Seller][0]),
        Part: part_data(foreign[Vehicle][0]),
        Voucher: voucher_data(foreign[Seller][0]),
    }[model]
    response: Any = shop.client.post(address(model, "change", row.pk), data)
    assert response.status_code == 200
    assert model.objects.get(pk=row.pk).seller_id == row.seller_id


def test_a_picture_of_another_sellers_part_cannot_be_moved_or_deleted_through_the_own_form(
    shop: SimpleNamespace,
) -> None:
    own, foreign = shop.own[PartImage][0], shop.foreign[PartImage][0]
    row = {"id": foreign.pk, "part": own.part_id, "url": "https://example.org/x.jpg", "position": 0, "DELETE": "on"}
    data = part_data(own.part.vehicle, **formset("images", row, initial=1))
    shop.client.post(address(Part, "change", own.part_id), data)
    stored = PartImage.objects.get(pk=foreign.pk)
    assert (stored.part_id, stored.url) == (foreign.part_id, foreign.url)


class TestTextsOfOthers:
    """Texts are found by keys, so whoever writes to any key writes any text of the product."""

    @pytest.fixture
    def texts(self, shop: SimpleNamespace) -> dict[str, str]:
        """The texts of another seller's voucher, of a category and of the site, by their keys."""
        make_language("en", is_default=True)
        make_category("Engine", name_key="category.engine.name")
        texts = {shop.foreign[Voucher][0].title_key: "Ours", "category.engine.name": "Engine", "site.terms": "Terms"}
        for key, text in texts.items():
            make_translation(key, text)
        return texts

    @staticmethod
    def stored(texts: dict[str, str]) -> dict[str, str]:
        return dict(Translation.objects.filter(key__in=texts, language="en").values_list("key", "value"))

    def test_are_not_written_with_a_new_voucher(self, shop: SimpleNamespace, texts: dict[str, str]) -> None:
        for number, key in enumerate(texts, start=7):
            data = voucher_data(shop.own[Seller][0], discount_value=number, title_key=key, title="OVERWRITTEN")
            assert shop.client.post(address(Voucher, "add"), data).status_code == 302
            voucher = Voucher.objects.get(discount_value=number)
            assert voucher.title_key == f"voucher.{voucher.public_id.lower()}.title"
            assert Translation.objects.get(key=voucher.title_key).value == "OVERWRITTEN"
        assert self.stored(texts) == texts

    def test_are_not_written_with_a_voucher_that_is_there(self, shop: SimpleNamespace, texts: dict[str, str]) -> None:
        voucher = make_voucher(seller=shop.own[Seller][0])
        page = address(Voucher, "change", voucher.pk)
        for key in texts:
            keys = dict.fromkeys(("title_key", "description_key", "terms_key"), key)
            assert send(shop.client, page, **keys, title=f"Not {key}", terms="OVERWRITTEN").status_code == 302
            stored = Voucher.objects.get(pk=voucher.pk)
            assert Translation.objects.get(key=stored.title_key).value == f"Not {key}"
            assert stored.title_key == f"voucher.{voucher.public_id.lower()}.title"
            assert stored.description_key == voucher.description_key
        assert self.stored(texts) == texts

    def test_stay_as_they_are_where_a_voucher_shares_a_key(self, shop: SimpleNamespace, texts: dict[str, str]) -> None:
        make_translation("site.terms", "Ehdot", "fi")
        voucher = make_voucher(seller=shop.own[Seller][0], terms_key="site.terms", title_key="category.engine.name")
        page = address(Voucher, "change", voucher.pk)
        assert send(shop.client, page, terms="Mine", title="").status_code == 302
        assert self.stored(texts) == texts
        stored = Voucher.objects.get(pk=voucher.pk)
        assert stored.title_key == "category.engine.name"
        assert stored.terms_key == f"voucher.{voucher.public_id.lower()}.terms"
        # What the text is in other languages goes along.
        own = dict(Translation.objects.filter(key=stored.terms_key).values_list("language_id", "value"))
        assert own == {"en": "Mine", "fi": "Ehdot"}

    @pytest.mark.parametrize("owner", ["voucher", "deleted voucher", "seller", "category"])
    def test_are_changed_by_an_administrator_among_the_translations_alone(
        self, owner: str, shop: SimpleNamespace, texts: dict[str, str], sign_in: Callable[[User], Client]
    ) -> None:
        voucher, other = make_voucher(title_key="shared"), shop.foreign[Voucher][0]
        make_translation("shared", "Everybody's")
        if owner.endswith("voucher"):
            deleted_at = NOON if owner.startswith("deleted") else None
            Voucher.objects.filter(pk=other.pk).update(terms_key="shared", deleted_at=deleted_at)
        elif owner == "seller":
            Seller.objects.filter(pk=other.seller_id).update(description_key="shared")
        else:
            Category.objects.update(description_key="shared")
        page, client = address(Voucher, "change", voucher.pk), sign_in(staff(Role.ADMIN))
        assert list(errors_of(send(client, page, title="Mine"))) == ["title"]
        assert self.stored({"shared": ""}) == {"shared": "Everybody's"}
        # The rest of the voucher can be changed.
        assert send(client, page, discount_value="12").status_code == 302

    def test_do_not_become_the_name_of_a_seller(self, shop: SimpleNamespace, texts: dict[str, str]) -> None:
        seller = shop.own[Seller][0]
        keys = {"name_key": "category.engine.name", "description_key": "site.terms"}
        page = address(Seller, "change", seller.pk)
        assert send(shop.client, page, **keys, city="Espoo").status_code == 302
        stored = Seller.objects.get(pk=seller.pk)
        assert (stored.city, stored.name_key, stored.description_key) == ("Espoo", None, None)

    def test_may_be_chosen_by_an_administrator_unless_a_row_has_the_key(
        self, shop: SimpleNamespace, texts: dict[str, str], sign_in: Callable[[User], Client]
    ) -> None:
        voucher, client = make_voucher(), sign_in(staff(Role.ADMIN))
        page = address(Voucher, "change", voucher.pk)
        foreign, category, site = texts
        for key in (foreign, category):
            assert list(errors_of(send(client, page, title_key=key))) == ["title_key"]
        assert send(client, page, terms_key=site).status_code == 302
        assert Voucher.objects.get(pk=voucher.pk).terms_key == site

    def test_their_keys_are_shown_to_those_who_see_translations_alone(
        self, shop: SimpleNamespace, texts: dict[str, str], sign_in: Callable[[User], Client]
    ) -> None:
        own = shop.own[Voucher][0]
        page = address(Voucher, "change", own.pk)
        assert own.terms_key not in shop.client.get(page).content.decode()
        assert own.terms_key in sign_in(staff(Role.VIEWER)).get(page).content.decode()


def test_a_seller_cannot_judge_itself(shop: SimpleNamespace) -> None:
    seller = shop.own[Seller][0]
    Seller.objects.filter(pk=seller.pk).update(is_verified=False, rating=None)
    page = address(Seller, "change", seller.pk)
    data = {
        "name": "New name", "business_type": "DEALER", "country": "ZA", "timezone": "Africa/Johannesburg",
        "plan": "ENTERPRISE", "owner": shop.foreign[Seller][0].owner_id, "rating": "5", "is_verified": "on",
        "total_sales": 99, "is_active": "", "verified_at_0": "2026-01-01",
    }  # fmt: skip
    assert send(shop.client, page, **data).status_code == 302
    stored = Seller.objects.get(pk=seller.pk)
    assert stored.name == "New name"
    assert (stored.plan, stored.owner_id, stored.rating) == ("STARTER", seller.owner_id, None)
    assert (stored.is_verified, stored.total_sales, stored.is_active) == (False, 0, True)
    for action in ("verify", "unverify", "give_plan"):
        answer = shop.client.post(
            f"{page.removesuffix('change/')}{action}/", {"staff_confirmed": 1, "plan": "ENTERPRISE"}
        )
        assert answer.status_code == 403
    assert Seller.objects.get(pk=seller.pk).plan == "STARTER"


def test_a_seller_reads_no_field_of_the_owners_account(shop: SimpleNamespace) -> None:
    export = shop.client.get(address(Seller, "export")).content.decode()
    assert 'value="owner.email"' not in export
    assert rows_listed(shop.client, Seller, "?f=owner.email:has:example") == set()
    response = shop.client.get(f"{address(Seller, 'changelist')}?owner__email__startswith=p")
    assert response.status_code in {302, 400}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("Kerttu Autio", True), ("autio", True), ("ker", True), ("kerttu.example", False), ("+358401234567", False)],
)
def test_a_seller_finds_who_claimed_a_voucher_by_name_and_cannot_spell_out_the_rest(
    text: str, is_found: bool, shop: SimpleNamespace
) -> None:
    claim = shop.own[VoucherClaim][0]
    User.objects.filter(pk=claim.user_id).update(
        name="Kerttu Autio", email="kerttu.example@example.net", phone="+358401234567"
    )
    found = rows_listed(shop.client, VoucherClaim, f"?{urlencode({'q': text})}")
    assert found == ({claim} if is_found else set())


def test_who_may_view_people_finds_claims_by_their_addresses_too(
    shop: SimpleNamespace, sign_in: Callable[[User], Client]
) -> None:
    claim = shop.own[VoucherClaim][0]
    User.objects.filter(pk=claim.user_id).update(email="kerttu.example@example.net")
    assert rows_listed(sign_in(staff(Role.ADMIN)), VoucherClaim, "?q=kerttu.example") == {claim}


class TestLeadsOfAColleague:
    @pytest.fixture
    def desk(self, sign_in: Callable[[User], Client]) -> SimpleNamespace:
        person = staff(Role.ADMIN)
        leads = {
            "own": make_lead(name="Own Virtanen", assigned_to=person),
            "free": make_lead(name="Free Virtanen"),
            "colleague's": make_lead(name="Secret Virtanen", assigned_to=staff(Role.ADMIN)),
        }
        for lead in leads.values():
            add_lead_note(lead=lead, text=f"Note on {lead.name}")
        return SimpleNamespace(client=sign_in(person), person=person, leads=leads)

    def test_are_not_listed_however_one_searches(self, desk: SimpleNamespace) -> None:
        visible = {desk.leads["own"], desk.leads["free"]}
        for query in ("", "?q=Virtanen", "?q=Secret+Virtanen&status__exact=NEW", "?deleted=all", "?f=name:has:v"):
            assert rows_listed(desk.client, Lead, query) <= visible
        assert rows_listed(desk.client, Lead, "?q=Virtanen") == visible

    def test_nor_are_their_notes_timeline_and_audit_entries(self, desk: SimpleNamespace) -> None:
        secret = desk.leads["colleague's"]
        assert all(note.lead != secret for note in rows_listed(desk.client, LeadNote, "?q=Virtanen"))
        assert all(entry.lead != secret for entry in rows_listed(desk.client, LeadActivity))
        assert len(rows_listed(desk.client, LeadNote)) == 2
        entries = rows_listed(desk.client, AuditLog)
        assert entries
        assert not any("Secret" in entry.entity_label or "Secret" in entry.description for entry in entries)

    def test_nor_are_they_told_by_the_events_and_their_export(self, desk: SimpleNamespace) -> None:
        for whose in (desk.person, None, staff(Role.ADMIN)):
            lead = create_lead(name="Virtanen", email="v@example.org", message="Is it still there?")
            assign_lead(lead=lead, assignee=whose)
        *visible, secret = Event.objects.order_by("pk")
        visible.append(Event.objects.create(event_type="PART_VIEW"))
        assert rows_listed(desk.client, Event) == set(visible)
        download: Any = desk.client.get(f"{address(Event, 'export')}?format=json&column=id")
        exported = {row["id"] for row in json.loads(b"".join(download.streaming_content))}
        assert exported == {event.pk for event in visible}
        assert desk.client.get(address(Event, "change", secret.pk)).status_code == 302

    @pytest.mark.parametrize(
        ("model", "query"),
        [
            (User, "leads_assigned={lead}"),
            (User, "leads_assigned__isnull=0"),
            (User, "lead_notes={note}"),
            (User, "sessions=1"),
            (Part, "leads={lead}"),
            (Seller, "leads={lead}"),
            (Seller, "leads__id__exact={lead}"),
        ],
    )
    def test_no_address_asks_which_rows_they_point_at(self, model: Any, query: str, desk: SimpleNamespace) -> None:
        secret = desk.leads["colleague's"]
        asked = query.format(lead=secret.pk, note=secret.notes.get().pk)
        response = desk.client.get(f"{address(model, 'changelist')}?{asked}")
        assert (response.status_code, response.headers["Location"]) == (302, f"{address(model, 'changelist')}?e=1")

    def test_their_pages_and_actions_are_closed(self, desk: SimpleNamespace) -> None:
        secret = desk.leads["colleague's"]
        page = address(Lead, "change", secret.pk)
        assert desk.client.get(page).status_code == 302
        desk.client.post(f"{page.removesuffix('change/')}change_status/", {"staff_confirmed": 1, "status": "LOST"})
        data = {"action": "change_status", "_selected_action": [secret.pk], "staff_confirmed": 1, "status": "LOST"}
        desk.client.post(address(Lead, "changelist"), data)
        note = secret.notes.get()
        assert desk.client.get(address(LeadNote, "change", note.pk)).status_code == 302
        assert Lead.objects.get(pk=secret.pk).status == "NEW"

    def test_a_note_cannot_be_added_to_them(self, desk: SimpleNamespace) -> None:
        secret = desk.leads["colleague's"]
        response: Any = desk.client.post(address(LeadNote, "add"), {"lead": secret.pk, "text": "Mine now"})
        assert response.status_code == 200
        assert secret.notes.count() == 1

    def test_the_dashboard_and_counts_know_nothing_of_them(self, desk: SimpleNamespace) -> None:
        assert "Secret" not in desk.client.get(reverse("admin:index")).content.decode()

    def test_a_lead_that_is_passed_on_leaves_the_list(self, desk: SimpleNamespace) -> None:
        own, colleague = desk.leads["own"], staff(Role.ADMIN)
        page = f"{address(Lead, 'changelist')}{own.pk}/assign/"
        response = desk.client.post(page, {"staff_confirmed": 1, "assigned_to": colleague.pk})
        assert response.headers["Location"] == address(Lead, "changelist")
        assert said(response) == ["1 lead assigned."]
        assert own not in rows_listed(desk.client, Lead)

    def test_everybody_elses_leads_are_the_super_administrators_and_viewers_to_see(
        self, desk: SimpleNamespace, sign_in: Callable[[User], Client]
    ) -> None:
        for role in (Role.SUPER_ADMIN, Role.VIEWER):
            assert rows_listed(sign_in(staff(role)), Lead) == set(desk.leads.values())


@pytest.mark.parametrize(("model", "query"), [(Part, "leads__isnull=0"), (Category, "parts=1"), (Vehicle, "parts=1")])
def test_a_seller_asks_no_list_for_the_rows_that_point_at_it(model: Any, query: str, shop: SimpleNamespace) -> None:
    response = shop.client.get(f"{address(model, 'changelist')}?{query}")
    assert response.headers["Location"] == f"{address(model, 'changelist')}?e=1"


def test_a_deleted_row_of_another_seller_stays_unseen(shop: SimpleNamespace) -> None:
    part = shop.foreign[Part][0]
    part.soft_delete(NOON)
    assert part not in rows_listed(shop.client, Part, "?deleted=all")
    shop.client.post(f"{address(Part, 'changelist')}{part.pk}/restore_rows/")
    assert Part.all_objects.get(pk=part.pk).deleted_at == NOON


def test_counts_tell_of_own_rows_only(shop: SimpleNamespace) -> None:
    category = make_category()
    make_part(vehicle=make_vehicle(seller=shop.own[Seller][0]), category=category)
    make_part(vehicle=make_vehicle(seller=make_seller()), category=category)
    listing: Any = shop.client.get(f"{reverse('admin:inventory_category_changelist')}?q={category.name}")
    assert [row.staff_parts_count for row in listing.context_data["cl"].result_list] == [1]
