"""Reads come out of the cache, and none is older than the last write."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.services import sellers as seller_services
from inventory.services import cars as car_services
from inventory.services import parts as part_services
from leads.models.vouchers import VoucherState
from tests.builders import (
    make_car,
    make_category,
    make_language,
    make_part,
    make_seller,
    make_translation,
    make_vehicle,
    make_voucher,
)

POINT = "latitude=0&longitude=0"


@pytest.mark.django_db(transaction=True)
def test_every_read_is_kept_and_every_write_ends_what_it_changed(client: Client, settings: Settings) -> None:
    settings.CACHE_READS = True
    seller = make_seller(name="Motors", latitude=0.0, longitude=0.0, rating=5, province="WC", city="Paarl")
    car = make_car(slug="car", seller=seller, is_featured=True)
    part = make_part(seller=seller, category=make_category("Engine"), is_listed=True)
    voucher = make_voucher(seller=seller, state=VoucherState.PUBLISHED, expires_at=timezone.now().replace(year=2200))
    reads = [
        *("cars", "cars/featured", "cars/makes", "cars/categories", "cars/car", f"cars/{car.public_id}"),
        "parts/autocomplete?q=oc",
        *("parts", "parts/facets", "parts/featured", f"parts/{part.public_id}", "categories"),
        *("sellers", f"sellers/{seller.public_id}", f"sellers/nearby?{POINT}", "sellers/provinces", "sellers/cities"),
        f"vouchers/nearby?{POINT}",
    ]

    def read() -> dict[str, Any]:
        answers = {address: client.get(f"/api/v1/{address}") for address in reads}
        # Every refusal has a number of its own.
        return {address: each.content if each.status_code == 200 else 404 for address, each in answers.items()}

    first = read()
    with CaptureQueriesContext(connection) as queries:
        assert read() == first
    # Languages, and the texts of what is kept without them.
    assert {word for each in queries for word in ("inventory_car", "inventory_part") if word in each["sql"]} == set()

    writes: dict[str, tuple[Callable[[], Any], set[str]]] = {
        "a car changes": (
            lambda: type(car).objects.filter(pk=car.pk).update(price=Decimal(1)),
            {"cars", "cars/featured", "cars/car", f"cars/{car.public_id}"},
        ),
        "a car is sold": (
            lambda: car_services.sell_car(car=car),
            {"cars", "cars/featured", "cars/makes", "cars/categories", "cars/car", f"cars/{car.public_id}",
             "parts/autocomplete?q=oc"},
        ),
        "a vehicle comes": (
            lambda: make_vehicle(seller=seller),
            {"sellers", f"sellers/{seller.public_id}"},
        ),
        "a title is translated": (
            lambda: make_translation(voucher.title_key, "Week"),
            {f"vouchers/nearby?{POINT}"},
        ),
        "a part is unlisted": (
            lambda: part_services.unlist_part(part=part),
            {"parts", "parts/facets", "parts/featured", f"parts/{part.public_id}", "categories", "sellers",
             f"sellers/{seller.public_id}"},
        ),
        "a seller is no longer verified": (
            lambda: seller_services.unverify_seller(seller=seller),
            {"sellers", f"sellers/{seller.public_id}", f"sellers/nearby?{POINT}", "sellers/provinces",
             "sellers/cities", f"vouchers/nearby?{POINT}"},
        ),
    }  # fmt: skip
    for name, (write, changed) in writes.items():
        before = read()
        write()
        after = read()
        assert {address for address in reads if before[address] != after[address]} == changed, name


@pytest.mark.django_db(transaction=True)
def test_a_search_over_everything_is_kept_by_language_until_something_that_it_finds_changes(
    client: Client, settings: Settings
) -> None:
    settings.CACHE_READS = True
    make_translation("motors", "Motors")
    seller = make_seller(name="Motors", name_key="motors")
    car = make_car(name="Motors 1", seller=seller)
    part = make_part(name="Motors 2", seller=seller, is_listed=True)
    make_language("fi", is_active=True)

    def found(language: str = "en") -> list[Any]:
        answer = client.get("/api/v1/search?q=motors", headers={"X-Language": language}).json()
        return [answer[kind][0]["name"] for kind in ("cars", "parts", "sellers")]

    assert found() == found() == ["Motors 1", "Motors 2", "Motors"]
    with CaptureQueriesContext(connection) as queries:
        found()
    assert not [each["sql"] for each in queries if "inventory_" in each["sql"] or "accounts_seller" in each["sql"]]

    type(car).objects.filter(pk=car.pk).update(name="Motors 3")
    assert found()[0] == "Motors 3"
    part_services.unlist_part(part=part)
    part_services.list_part(part=part)
    type(part).objects.filter(pk=part.pk).update(name="Motors 4")
    assert found()[1] == "Motors 4"
    make_translation("motors", "Moottorit", "fi")
    assert (found()[2], found("fi")[2]) == ("Motors", "Moottorit")
    seller_services.unverify_seller(seller=seller)
    assert client.get("/api/v1/search?q=motors").json() == {
        "cars": [],
        "parts": [],
        "sellers": [],
        "vouchers": [],
        "searched_for": None,
    }
