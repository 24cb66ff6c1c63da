from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import Seller
from config.db.errors import Refused
from inventory.bulk import BulkReport, create_parts, create_sellers, create_vehicles
from inventory.models import Part, Vehicle
from inventory.models.parts import PartStatus
from tests.builders import NOON, make_category, make_part, make_seller, make_user, make_vehicle, make_vin

pytestmark = pytest.mark.django_db


def vehicle_row(seller: Seller, /, **cells: Any) -> dict[str, Any]:
    return {"vin": make_vin(), "year": 2015, "make": "Toyota", "model": "Corolla", "seller": seller.name} | cells


def part_row(vehicle: Vehicle, /, **cells: Any) -> dict[str, Any]:
    facts = {"name": "Alternator", "description": "Tested.", "price": "950.00"}
    return facts | {"vehicle": vehicle.vin, "seller": vehicle.seller.public_id} | cells


def seller_row(owner: str, /, **cells: Any) -> dict[str, Any]:
    facts = {"name": "Yard", "street": "1 Main Road", "city": "Durban", "province": "KZN", "phone": "+27 31 1"}
    return facts | {"owner": owner} | cells


def reasons(report: BulkReport, outcome: str = "failed") -> list[tuple[int, str]]:
    assert report.processed == report.created + report.skipped + report.failed
    return [(finding.row, finding.reason) for finding in report.findings if finding.outcome == outcome]


def test_vehicles_with_a_vin_that_exists_are_skipped_and_counted_as_skipped() -> None:
    there = make_vehicle()
    twice = make_vin()
    rows = [
        vehicle_row(there.seller, vin=there.vin.lower()),
        vehicle_row(there.seller, vin=twice),
        vehicle_row(there.seller, vin=f" {twice.lower()} "),
    ]

    report = create_vehicles(rows)

    assert (report.processed, report.created, report.skipped, report.failed) == (3, 1, 2, 0)
    assert reasons(report, "skipped") == [
        (1, f"A vehicle with the VIN {there.vin} exists already."),
        (3, f"A vehicle with the VIN {twice} exists already."),
    ]


def test_a_deleted_vehicle_leaves_its_vin_free() -> None:
    gone = make_vehicle(deleted_at=NOON)

    assert create_vehicles([vehicle_row(gone.seller, vin=gone.vin)]).created == 1


def test_a_vin_that_failed_in_one_row_may_come_in_the_next() -> None:
    seller, vin = make_seller(), make_vin()

    report = create_vehicles([vehicle_row(seller, vin=vin, year="old"), vehicle_row(seller, vin=vin)])

    assert (report.created, report.skipped, report.failed) == (1, 0, 1)


def test_rows_of_more_than_one_batch_are_all_accounted_for_and_numbered() -> None:
    seller = make_seller()
    first = make_vin()
    rows = [vehicle_row(seller, vin=first), *[vehicle_row(seller) for _ in range(1499)]]
    rows[1200]["vin"] = first
    rows[1300]["seller"] = "Nobody"

    report = create_vehicles(rows)

    assert (report.processed, report.created, report.skipped, report.failed) == (1500, 1498, 1, 1)
    assert [(finding.row, finding.outcome) for finding in report.findings] == [(1201, "skipped"), (1301, "failed")]
    assert Vehicle.objects.count() == 1498


def test_the_number_of_queries_does_not_depend_on_the_rows(django_assert_max_num_queries: Any) -> None:
    vehicle = make_vehicle()
    limit = 12 if connection.vendor == "postgresql" else 40  # SQLite inserts fewer rows per statement

    with django_assert_max_num_queries(limit):
        report = create_parts([part_row(vehicle) for _ in range(500)])

    assert report.created == 500


def test_what_save_would_derive_is_derived() -> None:
    vehicle = make_vehicle()
    create_vehicles([vehicle_row(vehicle.seller, vin="tst00000x00000001", engine_size="2.0L", make=" VW ")])
    create_parts([part_row(vehicle, part_number="ab-12 3", currency="eur")])

    created, part = Vehicle.objects.exclude(pk=vehicle.pk).get(), Part.objects.get()
    assert (created.vin, created.engine_cc, created.make) == ("TST00000X00000001", 2000, "VW")
    assert (part.part_number, part.part_number_norm, part.currency) == ("AB-12 3", "AB123", "EUR")


def test_dates_without_a_zone_are_the_sellers_own_time() -> None:
    seller = make_seller(timezone="Africa/Johannesburg")
    rows = [
        vehicle_row(seller, acquired_at="2026-03-01"),
        vehicle_row(seller, acquired_at="2026-03-01T10:00Z"),
        vehicle_row(seller),
    ]

    create_vehicles(rows, now=NOON)

    assert list(Vehicle.objects.order_by("pk").values_list("acquired_at", flat=True)) == [
        datetime(2026, 2, 28, 22, 0, tzinfo=UTC),
        datetime(2026, 3, 1, 10, 0, tzinfo=UTC),
        NOON,
    ]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"fuel_type": "Bensiini"}, "PETROL"),
        ({"fuel_type": "SÄHKÖ"}, "ELECTRIC"),
        ({"fuel_type": "plug-in hybrid"}, "PLUGIN_HYBRID"),
        ({"fuel_type": "phev"}, "PLUGIN_HYBRID"),
        ({"transmission": "Automaatti"}, "AUTOMATIC"),
        ({"transmission": "semi automatic"}, "SEMI_AUTOMATIC"),
        ({"drivetrain": "Neliveto (4Motion)"}, "AWD"),
        ({"drivetrain": "4x4"}, "FOUR_WD"),
        ({"drivetrain": "etuvetava"}, "FWD"),
        ({"condition": "needs_work"}, "NEEDS_WORK"),
    ],
)
def test_choices_take_any_case_and_the_words_of_other_systems(cells: dict[str, str], code: str) -> None:
    report = create_vehicles([vehicle_row(make_seller(), **cells)])

    assert reasons(report) == []
    assert report.findings == []
    assert getattr(Vehicle.objects.get(), *cells) == code


def test_an_unknown_fuel_is_noted_and_an_unknown_condition_refused() -> None:
    seller = make_seller()

    report = create_vehicles([vehicle_row(seller, fuel_type="steam"), vehicle_row(seller, condition="shiny")])

    assert reasons(report, "note") == [(1, "fuel_type: “steam” is unknown, stored as OTHER.")]
    assert reasons(report) == [
        (2, "condition: “shiny” is unknown: choose one of NEW, EXCELLENT, GOOD, FAIR, POOR, NEEDS_WORK.")
    ]
    assert Vehicle.objects.get().fuel_type == "OTHER"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"vin": ""}, "vin is missing."),
        ({"vin": "SHORT"}, "vin: A VIN has 17 letters and digits, without I, O and Q."),
        ({"vin": ["a"]}, "vin: must be a text or a number."),
        ({"year": "1850"}, "year: The year lies between 1900 and"),
        ({"year": "2015.5"}, "year: “2015.5” is not a whole number: write digits only, such as 2015."),
        ({"year": "٢٠١٥"}, "is not a whole number"),
        ({"year": True}, "year: must be a text or a number."),
        ({"year": "9" * 400}, "is not a whole number"),
        ({"mileage_km": "-5"}, "mileage_km: Ensure this value is greater than or equal to 0."),
        ({"mileage_km": "3000000000"}, "mileage_km: Ensure this value is less than or equal to 2147483647."),
        ({"make": "M" * 101}, "make: Ensure this value has at most 100 characters (it has 101)."),
        ({"make": "Toy\x00ota"}, "make: contains a NUL character."),
        ({"make": "\ud800"}, "make: contains half a character."),
        ({"acquired_at": "03/04/2024"}, "acquired_at: “03/04/2024” is not a date: write it as 2026-03-31"),
        ({"acquired_at": "2024-02-30"}, "acquired_at: “2024-02-30” is not a date"),
        ({"acquired_at": "9999-12-31T23:59:59-10:00"}, "is not a date in the years 1900 to 2200."),
        ({"acquired_at": "0001-01-01"}, "acquired_at: “0001-01-01” is not a date in the years 1900 to 2200."),
        ({"seller": "Nobody"}, "seller: “Nobody” is unknown."),
        ({"seller": "x" * 5000}, "seller: “xxxxx"),
        ({"seller": {}}, "seller: must be a text or a number."),
        ({"public_id": "../etc"}, "public_id: at most 36 letters, digits, dashes and underscores."),
    ],
)
def test_a_vehicle_that_cannot_be_stored_is_rejected_with_its_reason(cells: dict[str, Any], reason: str) -> None:
    report = create_vehicles([vehicle_row(make_seller(), **cells)])

    ((row, said),) = reasons(report)
    assert row == 1
    assert reason in said
    assert len(said) < 300
    assert not Vehicle.objects.exists()


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    report = create_vehicles([vehicle_row(make_seller(), vin="", year="x", make=None)])

    assert reasons(report) == [
        (1, "vin is missing. year: “x” is not a whole number: write digits only, such as 2015. make is missing.")
    ]


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("1 234,50", "is not a number as we read it: write digits with a point before the decimals and nothing"),
        ("1,234.50", "is not a number as we read it"),
        ("-5", "price: Ensure this value is greater than or equal to 0.01."),
        ("0", "price: Ensure this value is greater than or equal to 0.01."),
        ("NaN", "price: “NaN” is not a number as we read it"),
        ("Infinity", "price: “Infinity” is not a number"),
        ("1e3", "price: “1e3” is not a number"),
        ("=1+1", "price: “=1+1” is not a number"),
        ("12.345", "price: Ensure that there are no more than 2 decimal places."),
        ("12345678901.00", "price: Ensure that there are no more than"),
        (True, "price: must be a text or a number."),
    ],
)
def test_a_price_that_is_none_is_rejected(price: Any, reason: str) -> None:
    report = create_parts([part_row(make_vehicle(), price=price)])

    ((_, said),) = reasons(report)
    assert reason in said
    assert not Part.objects.exists()


def test_prices_are_stored_to_the_cent() -> None:
    vehicle = make_vehicle()

    create_parts([part_row(vehicle, price=price) for price in ("1234.5", 20, Decimal("0.01"))])

    stored = Part.objects.order_by("pk").values_list("price", flat=True)
    assert list(stored) == [Decimal("1234.50"), Decimal("20.00"), Decimal("0.01")]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"currency": "XYZ"}, "currency: “XYZ” is not a three-letter ISO 4217 currency code, such as EUR or ZAR."),
        ({"vehicle": "TST00000X99999999"}, "vehicle: “TST00000X99999999” is unknown."),
        ({"category": "Wings"}, "category: “Wings” is unknown."),
        ({"is_listed": "maybe"}, "is_listed: “maybe” is neither true nor false"),
        ({"status": "SOLD"}, "A sold one needs its sale date; the others have none."),
        ({"status": "lost"}, "status: “lost” is unknown: choose one of AVAILABLE, RESERVED, SOLD."),
        ({"name": "n" * 201}, "name: Ensure this value has at most 200 characters (it has 201)."),
    ],
)
def test_a_part_that_cannot_be_stored_is_rejected_and_its_neighbours_created(
    cells: dict[str, Any], reason: str
) -> None:
    vehicle = make_vehicle()

    report = create_parts([part_row(vehicle), part_row(vehicle, **cells), part_row(vehicle)])

    ((row, said),) = reasons(report)
    assert (row, report.created, Part.objects.count()) == (2, 2, 2)
    assert reason in said


def test_a_part_must_belong_to_the_seller_of_its_vehicle() -> None:
    vehicle, other = make_vehicle(), make_seller()

    report = create_parts([part_row(vehicle, seller=other.name)])

    assert reasons(report) == [(1, f"seller: {other} is not the seller of the vehicle {vehicle}.")]


def test_categories_are_found_by_name_slug_and_public_id_and_inactive_ones_refused() -> None:
    vehicle, category = make_vehicle(), make_category("Brake Pads")
    make_category("Öljyt")
    make_category("Old", is_active=False)
    names = ["brake pads", "BRAKE-PADS", category.public_id, "ÖLJYT", "old"]

    report = create_parts([part_row(vehicle, category=name) for name in names])

    assert reasons(report) == [(5, "category: Old is inactive and not offered for new parts.")]
    stored = Part.objects.order_by("pk").values_list("category__name", flat=True)
    assert list(stored) == ["Brake Pads", "Brake Pads", "Brake Pads", "Öljyt"]


def test_two_sellers_of_one_name_are_doubtful_and_the_public_id_is_not() -> None:
    first, _ = make_seller(name="Yard"), make_seller(name="Yard")

    report = create_vehicles([vehicle_row(first), vehicle_row(first, seller=first.public_id)])

    assert reasons(report) == [(1, "seller: “Yard” is the name of several: give the public id.")]
    assert Vehicle.objects.get().seller == first


def test_listing_follows_the_rules_of_listing_and_says_so() -> None:
    vehicle, unverified = make_vehicle(), make_vehicle(seller=make_seller(name="New", is_verified=False))
    rows = [
        part_row(vehicle, is_listed="yes"),
        part_row(vehicle, is_listed=True, status="reserved"),
        part_row(unverified, is_listed="1"),
    ]

    report = create_parts(rows)

    assert list(Part.objects.order_by("pk").values_list("is_listed", flat=True)) == [True, False, False]
    assert reasons(report, "note") == [
        (2, "Not listed: the part is reserved."),
        (3, "Not listed: New is not verified: verify the seller first."),
    ]


def test_sold_parts_count_for_their_seller() -> None:
    vehicle = make_vehicle()

    create_parts([part_row(vehicle, status="Sold", sold_at="2026-01-05"), part_row(vehicle)])

    assert Seller.objects.get().total_sales == 1
    assert Part.objects.filter(status=PartStatus.SOLD).count() == 1


def test_formula_text_is_stored_as_the_text_it_is() -> None:
    name = '=HYPERLINK("http://example.org")'

    create_parts([part_row(make_vehicle(), name=name)])

    assert Part.objects.get().name == name


def test_a_public_id_that_exists_is_skipped_even_of_a_deleted_row() -> None:
    gone = make_part(deleted_at=NOON)

    report = create_parts([part_row(gone.vehicle, public_id=gone.public_id), part_row(gone.vehicle, public_id="old-1")])

    assert reasons(report, "skipped") == [(1, f"The public id {gone.public_id} is in use already.")]
    assert Part.objects.get().public_id == "old-1"


def test_sellers_are_created_unverified_with_official_province_and_complete_address() -> None:
    owner = make_user("SELLER", email="owner@example.org")

    report = create_sellers([seller_row("Owner@Example.org ", website="yard.example.org", business_type="scrap yard")])

    seller = Seller.objects.get()
    assert (seller.owner, seller.is_verified, seller.business_type) == (owner, False, "SCRAP_YARD")
    assert (seller.province, seller.website) == ("KwaZulu-Natal", "https://yard.example.org")
    assert [reason for _, reason in reasons(report, "note")] == [
        "website: “yard.example.org” was stored with https:// before it.",
        "province: “KZN” was stored as KwaZulu-Natal.",
    ]


def test_sellers_that_exist_are_skipped_and_wrong_ones_rejected() -> None:
    owner = make_user("SELLER", email="owner@example.org")
    rows = [
        seller_row(owner.email),
        seller_row(owner.email),
        seller_row("nobody@example.org"),
        seller_row(owner.public_id, name="Other", latitude="-29.8", longitude=""),
        seller_row(owner.public_id, name="Third", phone="  "),
        seller_row(owner.public_id, name="Fourth", timezone="Mars/Base"),
    ]

    report = create_sellers(rows)

    assert (report.created, report.skipped, report.failed) == (1, 1, 4)
    assert reasons(report) == [
        (3, "owner: “nobody@example.org” is unknown."),
        (5, "phone is missing."),
        (6, "timezone: “Mars/Base” is not a time zone name, such as Africa/Johannesburg."),
        (4, "Give both latitude and longitude, or neither."),
    ]


def test_where_each_person_may_own_one_seller_a_second_is_rejected(settings: Any) -> None:
    settings.ACCOUNTS_ONE_SELLER_PER_USER = True
    make_user("SELLER", email="owner@example.org")

    report = create_sellers([seller_row("owner@example.org"), seller_row("owner@example.org", name="Second")])

    assert (report.created, report.failed) == (1, 1)


def test_a_seller_may_name_own_sellers_and_vehicles_only() -> None:
    own, foreign = make_vehicle(), make_vehicle()
    person = own.seller.owner

    vehicles = create_vehicles([vehicle_row(own.seller), vehicle_row(foreign.seller)], visible_to=person)
    parts = create_parts([part_row(own), part_row(own, vehicle=foreign.vin)], visible_to=person)

    assert reasons(vehicles) == [(2, f"seller: “{foreign.seller.name}” is unknown.")]
    assert reasons(parts) == [(2, f"vehicle: “{foreign.vin}” is unknown.")]
    assert set(Vehicle.objects.values_list("seller", flat=True)) == {own.seller_id, foreign.seller_id}
    assert Vehicle.objects.filter(seller=foreign.seller).count() == 1


@pytest.mark.parametrize(
    ("role", "create"), [("SELLER", create_sellers), ("VIEWER", create_vehicles), ("BUYER", create_parts)]
)
def test_who_may_not_add_rows_may_not_import_them(role: str, create: Any) -> None:
    with pytest.raises(Refused, match="may not add"):
        create([], visible_to=make_user(role))


def test_one_import_is_announced_once_with_its_counts_and_keys(announcements: list[dict[str, Any]]) -> None:
    seller, clerk = make_seller(), make_user("ADMIN")

    create_vehicles([vehicle_row(seller), vehicle_row(seller), vehicle_row(seller, year="x")], actor=clerk)

    (fact,) = announcements
    assert (fact["action"], fact["event_type"], fact["actor"]) == ("create", "VEHICLES_IMPORTED", clerk)
    keys = list(Vehicle.objects.order_by("pk").values_list("pk", flat=True))
    assert fact["metadata"] == {"created": 2, "skipped": 0, "failed": 1, "ids": keys}


def test_the_report_stays_small_however_much_is_wrong() -> None:
    report = create_vehicles({"vin": ""} for _ in range(2500))

    assert (report.failed, len(report.findings), report.findings_left_out) == (2500, 1000, 1500)
