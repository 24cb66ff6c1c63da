"""The one search of staff, and what it searches besides the stock."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from accounts.models.users import Role
from accounts.search import search_sellers
from config.search import search_everything
from leads.models import Lead, VoucherCode
from leads.search import search_leads, search_vouchers
from tests.builders import (
    NOON,
    make_car,
    make_language,
    make_lead,
    make_part,
    make_seller,
    make_ticket,
    make_translation,
    make_user,
    make_vehicle,
    make_voucher,
)

pytestmark = pytest.mark.django_db


def titles(user: User, text: str) -> list[str]:
    return [hit.title for hit in search_everything(user, text)]


def palette(user: User, text: str) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/admin/search/", {"s": text, "extended": "1"}).content.decode()


def test_sellers_are_found_by_name_place_and_telephone() -> None:
    seller = make_seller(name="Käpylän Osat", city="Helsinki", phone="+358 40 123 4567")
    make_seller(name="Karoo Breakers", city="Beaufort West")
    for text in ("kapylan", "osat helsinki", "+358 40 123"):
        assert search_sellers(text).ids == [seller.pk]


def test_leads_are_found_by_person_and_message_within_those_given() -> None:
    lead = make_lead(name="Pekka Niemelä", email="pekka@example.fi", message="Onko vetokoukku?")
    other = make_lead(name="Sari", message="Pekka told me.")
    for text in ("niemela", "pekka@example.fi", "vetokoukku pekka"):
        assert search_leads(text).ids == [lead.pk]
    assert search_leads("pekka").ids == [lead.pk, other.pk]
    assert search_leads("pekka", within=Lead.objects.exclude(pk=lead.pk)).ids == [other.pk]


def test_vouchers_are_found_by_code_and_by_their_texts_in_a_language() -> None:
    make_language("en", is_default=True)
    voucher, other = make_voucher(), make_voucher()
    VoucherCode.objects.create(voucher=other, code="SPRING-7", type="static")
    make_translation(voucher.title_key, "Spring service")
    make_translation(voucher.title_key, "Kevähuolto", "fi")
    make_translation(other.terms_key, "Not with other spring offers")
    assert search_vouchers("spring").ids == [voucher.pk, other.pk]
    assert search_vouchers("SPRING-7").ids == [other.pk]
    assert search_vouchers("kevahuolto", language="fi").ids == [voucher.pk]
    assert search_vouchers("kevahuolto", language="en").ids == []


class TestStaff:
    def test_one_text_finds_rows_of_every_kind(self) -> None:
        make_language("en", is_default=True)
        car, vehicle = make_car(name="Karoo Cruiser"), make_vehicle(model="Karoo")
        part, seller = make_part(name="Karoo badge"), make_seller(name="Karoo Breakers")
        lead, voucher = make_lead(name="Karoo Smit"), make_voucher()
        make_translation(voucher.title_key, "Karoo days")
        ticket = make_ticket(title="Karoo parcel")
        hits = search_everything(make_user(Role.SUPER_ADMIN), "karoo")
        rows = [car, vehicle, part, seller, lead]
        assert [hit.title for hit in hits] == [*map(str, rows), "Karoo days", str(ticket)]
        assert [hit.link.rstrip("/").split("/")[-2] for hit in hits] == [
            str(row.pk) for row in [*rows, voucher, ticket]
        ]

    def test_a_vin_leads_to_the_car_and_to_the_vehicle_it_became(self) -> None:
        car = make_car(vin="WVWZZZ1KZAW000017")
        vehicle = make_vehicle(vin="WVWZZZ1KZAW000017")
        assert titles(make_user(Role.SUPER_ADMIN), "wvwzzz1kzaw000017") == [str(car), str(vehicle)]

    def test_a_seller_finds_own_rows_only(self) -> None:
        owner = make_user(Role.SELLER)
        make_part(name="Karoo badge", seller=make_seller(name="Karoo Own", owner=owner))
        make_part(name="Karoo badge of another", seller=make_seller(name="Karoo Breakers"))
        make_lead(name="Karoo Smit")
        assert titles(owner, "karoo") == ["Karoo badge", "Karoo Own"]

    def test_an_administrator_finds_no_lead_of_a_colleague(self) -> None:
        administrator = make_user(Role.ADMIN)
        make_lead(name="Karoo Smit", assigned_to=make_user(Role.ADMIN))
        make_lead(name="Karoo Botha", assigned_to=administrator)
        assert titles(administrator, "karoo") == ["Karoo Botha"]

    def test_who_has_no_permission_finds_nothing(self) -> None:
        make_part(name="Karoo badge")
        assert titles(make_user(Role.BUYER), "karoo") == []

    def test_the_box_shows_rows_with_links_and_forgets_those_that_are_gone(self) -> None:
        boss, part = make_user(Role.SUPER_ADMIN), make_part(name="Karoo <badge>", part_number="06F 903")
        page = palette(boss, "karoo")
        assert f'href="/admin/inventory/part/{part.pk}/change/"' in page
        assert "Karoo &lt;badge&gt;" in page
        assert "06F 903" in page
        part.deleted_at = NOON
        part.save()
        assert "Karoo" not in palette(boss, "karoo")

    def test_the_box_still_finds_lists(self) -> None:
        assert "/admin/inventory/car/" in palette(make_user(Role.SUPER_ADMIN), "Cars")
        assert palette(make_user(Role.SUPER_ADMIN), " ").count("href=") == 0
