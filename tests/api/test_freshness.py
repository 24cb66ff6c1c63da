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
from tests.builders import make_car, make_category, make_part, make_seller, make_translation, make_vehicle, make_voucher

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
