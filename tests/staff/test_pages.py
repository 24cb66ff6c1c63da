"""What every page costs, loads and shows."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import SellerLocation
from config.staff.columns import format_money, picture
from inventory.models import CarFeature, CarImage
from leads.models import LeadNote
from tests.builders import make_car, make_category, make_lead, make_part, make_seller, make_user, make_vehicle
from tests.staff.site import site

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.staff.urls"), pytest.mark.any_engine]

_LOADED = re.compile(r"""<(?:script|img|link|iframe|source|video|audio)\b[^>]*?\b(?:src|href)=["']([^"']+)["']""", re.I)


def fill(number: int) -> None:
    """Make `number` rows in each list, the first of each with as many rows in its inlines."""
    seller, car, lead = make_seller(), make_car(), make_lead()
    for _ in range(number):
        SellerLocation.objects.create(seller=seller, latitude=1, longitude=1)
        CarImage.objects.create(car=car, url="/media/a.jpg")
        CarFeature.objects.create(car=car, text="Tow bar")
        LeadNote.objects.create(lead=lead, author=make_user(), text="Called.")
        make_part(vehicle=make_vehicle(seller=seller), category=make_category())
        make_lead(car=make_car(seller=make_seller()), assigned_to=make_user("ADMIN"))


def pages() -> list[str]:
    found: list[str] = []
    for model in site._registry:
        prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{prefix}_changelist"), reverse(f"{prefix}_add"), reverse(f"{prefix}_export")]
        first = model._default_manager.order_by("pk").first()
        if first is not None:
            found += [reverse(f"{prefix}_change", args=(first.pk,)), reverse(f"{prefix}_delete", args=(first.pk,))]
    return found


def test_pages_load_nothing_from_elsewhere(staff_client: Client) -> None:
    fill(2)
    CarImage.objects.create(car=make_car(), url="https://pictures.example.org/a.jpg")
    addresses = [(staff_client, address) for address in [*pages(), "/admin/password_change/"]]
    for reader, address in [*addresses, (Client(), "/admin/login/")]:
        page = reader.get(address).content.decode()
        loaded = _LOADED.findall(page)
        assert [each for each in loaded if re.match(r"(?:[a-z]+:)?//", each)] == [], address


def test_a_list_links_only_to_where_the_person_may_go(seller_client: Client, staff_client: Client, seller: Any) -> None:
    assert (
        f"/admin/accounts/user/{seller.owner_id}/change/"
        in staff_client.get("/admin/accounts/seller/").content.decode()
    )
    page = seller_client.get("/admin/accounts/seller/").content.decode()
    assert f"/admin/accounts/user/{seller.owner_id}/change/" not in page
    assert str(seller.owner) in page


def test_counts_are_of_rows_that_the_person_may_see_and_lead_to_them(seller_client: Client, seller: Any) -> None:
    vehicle = make_vehicle(seller=seller)
    make_part(vehicle=vehicle)
    gone = make_part(vehicle=vehicle)
    gone.soft_delete(gone.created_at)
    page = seller_client.get("/admin/inventory/vehicle/").content.decode()
    link = f"/admin/inventory/part/?f=vehicle%3Ais%3A{vehicle.pk}"
    assert f'<a class="staff-count" href="{link}" aria-label="1 Parts">1</a>' in page
    assert seller_client.get(link).context["cl"].result_count == 1


def test_a_large_table_on_a_page_shows_its_first_rows_and_leads_to_all(staff_client: Client) -> None:
    seller = make_seller()
    for _ in range(13):
        make_vehicle(seller=seller)
    page = staff_client.get(f"/admin/accounts/seller/{seller.pk}/change/").content.decode()
    assert page.count('class="staff-link" href="/admin/inventory/vehicle/') == 11
    assert "All 13 donor vehicles" in page


def test_pictures_of_other_servers_are_links_and_nothing_but_web_addresses_is() -> None:
    assert picture("/media/a.jpg") == '<img class="staff-thumbnail" src="/media/a.jpg" alt="" loading="lazy">'
    assert "<img" not in picture("https://pictures.example.org/a.jpg")
    assert "<img" not in picture("//pictures.example.org/a.jpg")
    assert picture("javascript:alert(1)") == "-"
    assert "<script>" not in picture('"><script>alert(1)</script>')


def test_money_has_its_currency_and_no_decimals_where_there_are_none() -> None:
    assert format_money(Decimal("12500.00"), "EUR") == "12,500.00 EUR"
    assert format_money(Decimal("1200.00"), "JPY") == "1,200 JPY"


def test_a_choice_without_a_colour_shows_its_label(staff_client: Client) -> None:
    make_car(status="COMING_SOON")
    assert "Coming soon" in staff_client.get("/admin/inventory/car/").content.decode()


@pytest.mark.urls("config.urls")
def test_the_sidebar_has_what_the_person_may_view(seller_client: Client, staff_client: Client) -> None:
    page = seller_client.get("/admin/").content.decode()
    assert 'href="/admin/inventory/part/"' in page
    assert 'href="/admin/leads/lead/"' not in page
    assert 'href="/admin/leads/lead/"' in staff_client.get("/admin/").content.decode()


@pytest.mark.urls("config.urls")
def test_the_dashboard_counts_and_leads_to_the_rows_counted(staff_client: Client) -> None:
    make_lead(status="NEW")
    make_lead(status="NEW")
    make_seller(is_verified=False)
    response = staff_client.get("/admin/")
    figures = {figure["label"]: figure for figure in response.context["dashboard"]["figures"]}
    assert (figures["New leads"]["number"], figures["Sellers to verify"]["number"]) == ("2", "1")
    assert staff_client.get(figures["New leads"]["link"]).context["cl"].result_count == 2
