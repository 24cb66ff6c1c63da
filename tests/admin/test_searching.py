"""What the search boxes of lists find, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import RequestFactory

from accounts.models import Language, Translation, User, UserSession
from analytics.models import AuditLog, Event, PageView
from inventory.models import Car, Part, SellerCategory
from leads.models import LeadNote, Voucher, VoucherCode
from tests.builders import (
    NOON,
    make_car,
    make_category,
    make_lead,
    make_part,
    make_seller,
    make_user,
    make_vehicle,
    make_voucher,
)

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture
def rows() -> dict[str, Any]:
    """One row of each table that is found, beside one that is not."""
    anna = make_user(name="Anna Käpylä", email="anna@example.org")
    part = make_part(vehicle=make_vehicle(vin=None), name="Alternator Volvo", part_number="06F-903 023C")
    make_part(vehicle=part.vehicle, name="Door")
    make_user(name="Somebody else")
    car = make_car(make="Volvo", model="V60", vin="YV1RS61T942345678")
    lead = make_lead(name="Pekka Virtanen")
    voucher = make_voucher(title_key="voucher.spring.title")
    make_voucher(title_key="voucher.autumn.title")
    english = Language.objects.get_or_create(code="en", defaults={"name": "English"})[0]
    Translation.objects.create(key=voucher.title_key, language=english, value="Spring service", domain="voucher")
    kept = SellerCategory.objects.create(seller=make_seller(name="Nurmi Auto"), category=make_category("Gearboxes"))
    return {
        "user": anna,
        "session": UserSession.objects.create(user=anna, access_token_hash="1" * 64, expires_at=NOON),
        "part": part,
        "car": car,
        "note": LeadNote.objects.create(lead=lead, text="Called about the towbar."),
        "voucher": voucher,
        "code": VoucherCode.objects.create(voucher=voucher, code="SPRING26", type="short"),
        "kept": kept,
        "event": Event.objects.create(event_type="PART_VIEW", session_id="abc-1"),
        "view": PageView.objects.create(path="/cars/volvo-v60"),
        "entry": AuditLog.objects.create(action="update", entity_label="Volvo V60", event_type="CAR_SOLD"),
    }


@pytest.mark.parametrize(
    ("model", "text", "found"),
    [
        (User, "kapyla anna", "user"),
        (User, "anna@example", "user"),
        (UserSession, "Anna", "session"),
        (Part, "volvo altern", "part"),
        (Part, "06f903023", "part"),
        (Car, "YV1RS61T942345678", "car"),
        (Car, "v60", "car"),
        (LeadNote, "towbar", "note"),
        (LeadNote, "pekka", "note"),
        (Voucher, "service spring", "voucher"),
        (Voucher, "voucher.spring.title", "voucher"),
        (VoucherCode, "SPRING26", "code"),
        (VoucherCode, "spri-ng26", "code"),
        (VoucherCode, "spring", "code"),
        (SellerCategory, "nurmi", "kept"),
        (SellerCategory, "gear", "kept"),
        (Event, "part view", "event"),
        (Event, "abc-1", "event"),
        (PageView, "/cars/vol", "view"),
        (AuditLog, "v60", "entry"),
        (AuditLog, "car_sold", "entry"),
    ],
)
def test_each_list_finds_its_rows(model: Any, text: str, found: str, rows: dict[str, Any]) -> None:
    assert listed(model, text) == [rows[found]]


@pytest.mark.parametrize("text", ["door alternator", "zzz", "%", "x'--"])
def test_what_no_row_has_finds_nothing(text: str, rows: dict[str, Any]) -> None:
    assert [listed(model, text) for model in (User, UserSession, Part, Voucher, Event, PageView, AuditLog)] == [[]] * 7


def listed(model: Any, text: str) -> list[Any]:
    request = RequestFactory().get("/", {"q": text})
    request.user = make_user("SUPER_ADMIN", name="Zoë")
    return list(admin.site.get_model_admin(model).get_changelist_instance(request).result_list)
