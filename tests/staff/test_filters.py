"""Filters for every field, kept in the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import User, UserIdentity
from accounts.models.users import Role
from config.staff.fields import readable_fields
from inventory.models import Part
from leads.models import Lead
from tests.builders import make_category, make_lead, make_part, make_seller, make_user, make_vehicle
from tests.staff.site import site

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.staff.urls")]


def names(client: Client, *conditions: str, model: str = "inventory/part") -> list[str]:
    response = client.get(f"/admin/{model}/", {"f": list(conditions)})
    assert response.status_code == 200
    return sorted(row.name for row in response.context["cl"].result_list)


@pytest.fixture
def parts() -> None:
    tampere = make_seller(name="Koivu", city="Tampere", business_hours={"monday": {"isOpen": True, "note": "Työpäivä"}})
    leeds = make_seller(name="Northgate", city="Äänekoski")
    engine = make_category("Engine")
    make_part(name="Alternator", price=Decimal(500), vehicle=make_vehicle(seller=tampere), category=engine)
    make_part(name="Bumper", price=Decimal(1500), vehicle=make_vehicle(seller=tampere, vin=None), is_listed=True)
    make_part(
        name="Clutch", price=Decimal(2500), vehicle=make_vehicle(seller=leeds), part_number="CL-77", status="RESERVED"
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name:has:LT", ["Alternator"]),
        ("name:is:bumper", ["Bumper"]),
        ("seller.city:has:ÄÄNEK", ["Clutch"]),
        ("name:starts:cl", ["Clutch"]),
        ("part_number:empty", ["Alternator", "Bumper"]),
        ("part_number:filled", ["Clutch"]),
        ("price:between:1000..2000", ["Bumper"]),
        ("price:between:..1500", ["Alternator", "Bumper"]),
        ("price:between:1500..", ["Bumper", "Clutch"]),
        ("price:is:500", ["Alternator"]),
        ("status:any:RESERVED,SOLD", ["Clutch"]),
        ("status:none:RESERVED", ["Alternator", "Bumper"]),
        ("is_listed:is:yes", ["Bumper"]),
        ("is_listed:is:no", ["Alternator", "Clutch"]),
        ("category:empty", ["Bumper", "Clutch"]),
        ("category:filled", ["Alternator"]),
        ("seller.city:is:tampere", ["Alternator", "Bumper"]),
        ("vehicle.vin:empty", ["Bumper"]),
        ("category.name:has:eng", ["Alternator"]),
        ("category.name:empty", ["Bumper", "Clutch"]),
        ("seller.business_hours:has:isOpen", ["Alternator", "Bumper"]),
        ("seller.business_hours:has:Työpäivä", ["Alternator", "Bumper"]),
        ("seller.business_hours:key:monday", ["Alternator", "Bumper"]),
    ],
)
def test_a_condition_keeps_the_rows_that_meet_it(
    staff_client: Client, parts: None, condition: str, expected: list[str]
) -> None:
    assert names(staff_client, condition) == expected


def test_conditions_are_joined_by_and(staff_client: Client, parts: None) -> None:
    assert names(staff_client, "seller.city:is:Tampere", "price:between:1000..") == ["Bumper"]


def test_a_related_row_is_named_in_the_chip_without_a_query_of_its_own(
    staff_client: Client, parts: None, django_assert_max_num_queries: Any
) -> None:
    part = Part.objects.get(name="Clutch")
    address = f"/admin/inventory/part/?f=seller:is:{part.seller_id}"
    staff_client.get(address)
    with django_assert_max_num_queries(12) as filtered:
        page = staff_client.get(address).content.decode()
    with django_assert_max_num_queries(12) as plain:
        staff_client.get("/admin/inventory/part/?f=name:is:Clutch")
    assert "<b>Seller</b> is Northgate" in page
    assert len(filtered) == len(plain)


def test_dates_include_their_last_day_in_the_time_zone_of_the_site(staff_client: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    # 30 December 2026 at 23:30 in Auckland is still the morning of that day in UTC.
    make_part(name="Late", created_at=datetime(2026, 12, 30, 10, 30, tzinfo=UTC))
    make_part(name="Next day", created_at=datetime(2026, 12, 30, 11, 30, tzinfo=UTC))
    assert names(staff_client, "created_at:between:2026-12-30..2026-12-30") == ["Late"]


def test_the_last_days_move_with_today(staff_client: Client) -> None:
    make_part(name="Old", created_at=timezone.now() - timedelta(days=40))
    make_part(name="New", created_at=timezone.now() - timedelta(days=3))
    assert names(staff_client, "created_at:last:7") == ["New"]


@pytest.mark.parametrize(
    "condition",
    [
        "price:between:cheap..",
        "price:between:",
        "price:is:NaN",
        "vehicle.year:is:2018.5",
        "vehicle.year:between:2018.5..2019",
        "vehicle.year:is:" + "9" * 5_000,
        "price:is:1e400",
        "price:is:999999999999999999999999999",
        "created_at:between:2026-02-30..",
        "created_at:last:-1",
        "status:any:STOLEN",
        "is_listed:is:maybe",
        "seller:is:abc",
        "seller:is:99999999999999999999",
        "name:has:\x00",
        "name:over:1",
        "nothing:is:1",
        "seller.nothing:is:1",
        "seller.owner.password:has:pbkdf2",
        "price",
        ":::",
    ],
)
def test_what_cannot_be_understood_shows_no_row_and_says_why(staff_client: Client, parts: None, condition: str) -> None:
    response = staff_client.get("/admin/inventory/part/", {"f": condition})
    assert response.status_code == 200
    assert list(response.context["cl"].result_list) == []
    assert "This filter was not understood, so no rows are shown." in response.content.decode()
    assert [str(message) for message in get_messages(response.wsgi_request)]


def test_a_chip_leads_to_the_list_without_its_condition(staff_client: Client, parts: None) -> None:
    response = staff_client.get("/admin/inventory/part/?f=price:is:500&f=name:has:a&o=1")
    chips = response.context["cl"].chips
    assert [chip["without"] for chip in chips] == ["?f=name%3Ahas%3Aa&o=1", "?f=price%3Ais%3A500&o=1"]


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("vehicle.year:is:2018", "2018"),
        ("vehicle.year:between:2018..2020.0", "2018 and 2020"),
        ("id:is:12345", "12345"),
        ("vehicle.mileage_km:between:90000..", "from 90,000"),
        ("price:is:1500.50", "1,500.5"),
    ],
)
def test_years_and_keys_are_no_amounts(staff_client: Client, condition: str, shown: str) -> None:
    (chip,) = staff_client.get("/admin/inventory/part/", {"f": condition}).context["cl"].chips
    assert (chip["value"], chip["problem"]) == (shown, "")


def test_secrets_can_be_neither_filtered_nor_looked_up(staff_client: Client, superuser: User) -> None:
    request = RequestFactory().get("/")
    request.user = superuser
    for model in (User, UserIdentity):
        keys = set(readable_fields(request, site.get_model_admin(model)))
        assert not {key for key in keys if "password" in key or key.endswith(("access_token", "id_token", "_hash"))}
    make_user(email="someone@example.org")
    assert staff_client.get("/admin/accounts/user/?f=password:has:pbkdf2").context["cl"].result_count == 0
    refused = staff_client.get("/admin/accounts/user/?password__startswith=pbkdf2")
    assert (refused.status_code, refused.headers["Location"]) == (302, "/admin/accounts/user/?e=1")


def test_relations_to_tables_that_the_person_may_not_view_offer_nothing(seller_client: Client, seller: Any) -> None:
    make_part(vehicle=make_vehicle(seller=seller), name="Own")
    assert names(seller_client, "seller.city:empty") == ["Own"]
    # A seller's role has no access to the table of users.
    response = seller_client.get("/admin/accounts/seller/?f=owner.email:has:a")
    assert response.context["cl"].result_count == 0
    assert "There is no field" in response.content.decode()


def test_a_filter_through_a_relation_tells_nothing_about_rows_out_of_sight() -> None:
    """An administrator sees own and free leads only, so a note's filter must not reach another's lead."""
    admin = make_user(Role.ADMIN, is_staff=True)
    make_lead(name="Foreign", assigned_to=make_user(Role.ADMIN))
    make_lead(name="Own", assigned_to=admin)
    request = RequestFactory().get("/", {"f": "name:has:o"})
    request.user = admin
    rows = site.get_model_admin(Lead).get_queryset(request)
    assert [row.name for row in rows] == ["Own"]
