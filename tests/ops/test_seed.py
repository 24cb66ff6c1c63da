"""`manage.py seed`: the profiles, what a second run does, and what is refused."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Integration, Language, Seller, Subscription, Translation, User, UserIdentity
from accounts.models.users import Role
from analytics.daily_metrics import days_to_roll_up, roll_up, rolled_up
from analytics.models import AuditLog, Event, PageView, WebVital
from config.ops.maintenance.integrity import find_problems
from config.ops.scratch import child_environment, connected, migrate_from_zero, scratch_url
from config.ops.seeding.pictures import FOLDER, draw_all
from inventory.models import Car, CarFeature, CarImage, Category, Part, PartImage, Vehicle
from leads.models import Lead, Voucher
from leads.models.leads import LeadPriority, LeadStatus
from leads.models.vouchers import ClaimStatus
from leads.services.rescoring import rescore_lead
from tests.builders import make_event, make_user

pytestmark = pytest.mark.django_db

NOW = "2026-03-02T12:00"
LATER = "2026-04-11T03:30"
OURS = ("accounts", "inventory", "leads", "analytics")
PROFILES = ("minimal", "partpal", "kroi", "venta", "demo")

DONORS = {
    "1HGBH41JXMN109186": ("BMW", "320i", "Sport Line", 2018, 85_000, "GOOD", "2024-01-15"),
    "2FMDK3GC8DBA12345": ("Mercedes-Benz", "C-Class", "C200", 2016, 120_000, "FAIR", "2024-02-20"),
    "3VW2K7AJ9EM123456": ("Volkswagen", "Golf", "GTI", 2014, 145_000, "GOOD", "2024-03-10"),
    "4JGDF2FE8EA123789": ("Audi", "A4", "TFSI", 2019, 65_000, "EXCELLENT", "2024-01-05"),
    "5NPE34AF0FH123456": ("BMW", "X3", "xDrive20d", 2017, 95_000, "GOOD", "2024-02-14"),
    "6G2VX12G85L123456": ("Toyota", "Camry", "2.5 VVT-i", 2015, 180_000, "FAIR", "2024-03-01"),
    "7FMCU0G64HUB12345": ("Ford", "Focus", "1.6 Trend", 2013, 210_000, "POOR", "2024-03-15"),
}
# Part number: price in rand, on the marketplace, pictures, category, place in the yard.
PARTS = {
    "BMW-11002298005": ("15000.00", True, 2, "Engine Blocks", "Bay A-15"),
    "BMW-51117394468": ("2500.00", True, 1, "Bumpers", "Bay B-08"),
    "BMW-12317823697": ("1800.00", True, 1, "Alternators", "Shelf C-22"),
    "MB-A2052702700": ("8500.00", True, 2, "Automatic Gearboxes", "Bay A-03"),
    "MB-A2057200305": ("1200.00", False, 1, "Doors", "Bay B-12"),
    "VW-02M300012FX": ("4500.00", True, 1, "Manual Gearboxes", "Bay A-07"),
    "VW-06K145722H": ("3200.00", True, 2, "Engine Components", "Shelf C-15"),
    "AUDI-8W0941005": ("5500.00", True, 1, "Electrical", "Shelf D-18"),
    "BMW-11002455345": ("18000.00", True, 2, "Engine Blocks", "Bay A-20"),
    "TOY-5211906280": ("800.00", True, 1, "Bumpers", "Bay B-25"),
    "TOY-2810031050": ("450.00", False, 1, "Starters", "Shelf C-30"),
    "FORD-1676498": ("200.00", False, 1, "Wiring Harnesses", "Shelf C-05"),
}
# Slug: name, price in euro, mileage, drivetrain, segment, number of features and specifications.
CARS = {
    "bmw-318-2017": ("BMW 318", "14100.00", 235_000, "RWD", "PREMIUM", 12, 8),
    "skoda-octavia-tdi-2018": ("Skoda Octavia 2.0 TDI", "14000.00", 235_000, "FWD", "FAMILY", 12, 8),
    "skoda-octavia-combi-2015": ("Skoda Octavia Combi", "7500.00", 276_000, "FWD", "FAMILY", 12, 8),
    "skoda-superb-4x4-2018": ("Skoda Superb 2.0 TDI Style 4x4", "20000.00", 230_000, "AWD", "PREMIUM", 15, 9),
    "skoda-karoq-tdi-2019": ("Skoda Karoq 1.6 TDI", "14900.00", 235_000, "FWD", "SUV", 13, 9),
    "mercedes-e220d-2017": ("Mercedes-Benz E220 d A", "14000.00", 281_000, "RWD", "PREMIUM", 15, 9),
    "volkswagen-troc-2019": ("Volkswagen T-Roc", "18500.00", 178_000, "FWD", "SUV", 13, 8),
    "volkswagen-tiguan-2020": ("Volkswagen Tiguan", "31000.00", 67_000, "AWD", "SUV", 15, 9),
    "audi-q3-tdi-2018": ("Audi Q3 2.0 TDI", "27250.00", 125_000, "AWD", "PREMIUM", 16, 10),
}


@pytest.fixture(autouse=True)
def development(settings: Settings) -> None:
    """Seeding is meant for development; nobody has chosen an administrator's password."""
    settings.DEBUG = True
    settings.ADMIN_EMAIL = "admin@example.org"
    settings.ADMIN_PASSWORD = ""


def seed(*options: str) -> str:
    out = StringIO()
    call_command("seed", *options, stdout=out)
    return out.getvalue()


def seed_json(profile: str, now: str = NOW) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(seed("--profile", profile, "--now", now, "--json"))
    return result


def every_row() -> dict[str, list[dict[str, Any]]]:
    """All rows of our tables with all their columns."""
    models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    return {
        model._meta.label: list(getattr(model, "all_objects", model._default_manager).order_by("pk").values())
        for model in models
    }


def generated_password(output: str, email: str) -> str:
    found = re.search(rf"^\s+{re.escape(email)}\s+(\S+)", output, re.MULTILINE)
    assert found is not None, output
    return found[1]


# A second run


@pytest.mark.parametrize("profile", PROFILES)
def test_the_books_agree_with_the_tables_and_a_second_run_on_another_day_changes_nothing(profile: str) -> None:
    empty = {label: len(rows) for label, rows in every_row().items()}
    first = seed_json(profile, NOW)
    rows = every_row()
    added = {label: len(table) - empty[label] for label, table in rows.items() if len(table) != empty[label]}
    created = {label: tally["created"] for label, tally in first["models"].items()}
    assert {label: count for label, count in created.items() if count} == added
    assert first["total"] == {"created": sum(added.values()), "changed": 0, "unchanged": 0}

    second = seed_json(profile, LATER)
    assert second["total"] == {"created": 0, "changed": 0, "unchanged": sum(added.values())}
    assert {label: tally["unchanged"] for label, tally in second["models"].items()} == created
    assert every_row() == rows


def test_the_demo_completes_what_single_profiles_loaded_on_other_days() -> None:
    with transaction.atomic():
        whole = seed_json("demo")["models"]
        transaction.set_rollback(True)
    seed_json("kroi", "2026-02-20T08:00")
    seed_json("partpal", "2026-02-24T08:00")
    demo = seed_json("demo")["models"]
    same = {label for label in whole if not label.startswith("analytics.") or label == "analytics.SystemSetting"}
    assert {label: demo[label]["created"] + demo[label]["unchanged"] for label in same} == {
        label: whole[label]["created"] for label in same
    }


def test_what_staff_changed_hid_or_removed_within_a_row_stays_so() -> None:
    seed_json("demo")
    Car.objects.filter(slug="bmw-318-2017").update(price=Decimal("12345.00"), name="Sale!")
    Part.objects.get(part_number="FORD-1676498").soft_delete(datetime(2026, 3, 3, tzinfo=UTC))
    CarFeature.objects.filter(car__slug="audi-q3-tdi-2018").delete()
    User.objects.filter(email="viewer@example.org").update(email="sipho@example.org")
    Seller.objects.filter(name="Durban Motor Spares").update(name="Durban Spares")
    User.objects.get(email="emily.carter@example.org").soft_delete(datetime(2026, 3, 3, tzinfo=UTC))
    rows = every_row()
    assert seed_json("demo", LATER)["total"]["created"] == 0
    assert every_row() == rows


def test_a_row_that_came_from_elsewhere_under_the_same_key_is_taken_as_it_is() -> None:
    owner = make_user(Role.SELLER, email="mike.johnson@example.org", name="Michael Johnson")
    category = Category.objects.create(name="engine components")
    default = Language.objects.create(code="fr", name="Français", is_default=True)
    seed_json("partpal")
    assert Seller.objects.get(name="Cape Town Auto Parts").owner == owner
    assert Category.objects.get(name="Engine Blocks").parent == category
    assert list(Language.objects.filter(is_default=True)) == [default]


def test_a_month_is_the_same_for_the_same_moment() -> None:
    months = []
    for _ in range(2):
        with transaction.atomic():
            seed_json("demo")
            events = Event.objects.order_by("occurred_at", "public_id")
            views = PageView.objects.order_by("created_at", "session_id", "path")
            months.append(
                (
                    list(events.values_list("public_id", "event_type", "occurred_at", "session_id", "metadata")),
                    list(views.values_list("path", "created_at", "load_time_ms")),
                )
            )
            transaction.set_rollback(True)
    assert months[0] == months[1]


# The profiles' facts


def test_minimal_has_five_languages_and_one_administrator() -> None:
    seed_json("minimal")
    assert dict(Language.objects.values_list("code", "is_default")) == {
        "de": False,
        "en": False,
        "es": True,
        "fi": False,
        "gn": False,
    }
    administrator = User.objects.get()
    assert (administrator.email, administrator.role, administrator.status, administrator.is_superuser) == (
        "admin@example.org",
        "SUPER_ADMIN",
        "active",
        True,
    )


def test_what_is_seeded_agrees_with_itself() -> None:
    seed("--profile", "demo")
    assert list(find_problems()) == []


def test_partpal_keeps_the_categories_and_sellers() -> None:
    seed_json("partpal")
    tree = Counter(Category.objects.values_list("level", "parent__name"))
    mains = ("Engine Components", "Body Parts", "Electrical", "Transmission")
    assert tree == {(1, None): 4} | {(2, name): 4 for name in mains}
    sellers = Seller.objects.order_by("pk")
    facts = sellers.values_list("name", "business_type", "is_verified", "rating", "total_sales", "plan", "owner__name")
    assert list(facts) == [
        ("Cape Town Auto Parts", "SCRAP_YARD", True, Decimal("4.80"), 1250, "PROFESSIONAL", "Mike Johnson"),
        ("Johannesburg Dismantlers", "DISMANTLER", True, Decimal("4.60"), 890, "ENTERPRISE", "Sarah Williams"),
        ("Durban Motor Spares", "SCRAP_YARD", False, Decimal("4.20"), 320, "STARTER", "Peter van der Merwe"),
    ]
    assert list(sellers.values_list("latitude", "longitude")) == [
        (-33.9249, 18.4241),
        (-26.2041, 28.0473),
        (-29.8587, 31.0218),
    ]
    saturdays = [(seller.business_hours or {})["saturday"] for seller in sellers]
    assert saturdays == [
        {"isOpen": True, "openTime": "08:00", "closeTime": "13:00"},
        {"isOpen": False},
        {"isOpen": True, "openTime": "08:00", "closeTime": "14:00"},
    ]


def test_partpal_keeps_the_donor_vehicles_and_parts() -> None:
    seed_json("partpal")
    columns = ("vin", "make", "model", "trim", "year", "mileage_km", "condition", "acquired_at")
    vehicles = {vin: (*facts, f"{at:%Y-%m-%d}") for vin, *facts, at in Vehicle.objects.values_list(*columns)}
    assert vehicles == DONORS
    parts = {
        part.part_number: (
            str(part.price),
            part.is_listed,
            part.images.count(),
            part.category.name if part.category else None,
            part.yard_location,
        )
        for part in Part.objects.select_related("category")
    }
    assert parts == PARTS
    assert set(Part.objects.values_list("currency", "status")) == {("ZAR", "AVAILABLE")}


def test_kroi_keeps_the_cars() -> None:
    seed_json("kroi")
    cars = {
        car.slug: (
            car.name,
            str(car.price),
            car.mileage_km,
            car.drivetrain,
            car.segment,
            car.features.count(),
            car.specifications.count(),
        )
        for car in Car.objects.all()
    }
    assert cars == CARS
    assert set(Car.objects.values_list("fuel_type", "transmission", "condition", "currency", "seller__name")) == {
        ("DIESEL", "AUTOMATIC", "GOOD", "EUR", "Kroi Autot")
    }
    assert all(car.condition_note and car.description and car.paragraphs for car in Car.objects.all())


def test_every_drivetrain_agrees_with_its_finnish_specification() -> None:
    seed_json("kroi")
    prefixes = {"FWD": "Etuvetävä", "RWD": "Takavetävä", "AWD": "Neliveto ("}
    for car in Car.objects.all():
        for value in car.specifications.filter(label="Vetotapa").values_list("value", flat=True):
            assert value.startswith(prefixes[car.drivetrain])


def test_the_lead_of_kroi_scores_75_by_the_rules() -> None:
    seed_json("kroi")
    lead = Lead.objects.get()
    assert (lead.score, lead.priority, lead.status) == (75, LeadPriority.HIGH, LeadStatus.NEW)
    assert lead.score_factors == {
        "phone_provided": 20,
        "business_email": 10,
        "full_name": 10,
        "minimal_message": 5,
        "car_interest": 30,
    }
    rescore_lead(lead=lead)
    lead.refresh_from_db()
    assert lead.score == 75


def test_venta_has_the_vendor_with_identity_positions_and_subscription() -> None:
    seed_json("venta")
    vendor = Seller.objects.get()
    assert (vendor.name, vendor.business_type, vendor.latitude, vendor.longitude) == (
        "Test Vendor",
        "MOBILE_VENDOR",
        40.7128,
        -74.0060,
    )
    newest = vendor.locations.first()
    assert newest is not None
    assert (vendor.locations.count(), newest.recorded_at) == (4, vendor.last_seen_at)
    assert (vendor.last_latitude, vendor.last_longitude) == (newest.latitude, newest.longitude)
    identity = UserIdentity.objects.get()
    assert (identity.provider, identity.provider_account_id, identity.user) == (
        "clerk",
        "clerk_test_user",
        vendor.owner,
    )
    subscription = Subscription.objects.get()
    assert (subscription.user, subscription.seller, subscription.status) == (vendor.owner, vendor, "active")
    assert subscription.current_period_end is not None
    assert subscription.current_period_end > datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert Integration.objects.get().target == vendor


@override_settings(DEBUG=True, ADMIN_PASSWORD="")
class DemoTests(TestCase):
    """What the demo holds; loaded once for all of them."""

    statements: ClassVar[int]

    @classmethod
    def setUpTestData(cls) -> None:
        with CaptureQueriesContext(connection) as queries:
            seed_json("demo")
        cls.statements = len(queries)

    def test_the_demo_has_stock_in_every_state(self) -> None:
        assert set(Car.objects.values_list("status", flat=True)) == {
            "AVAILABLE",
            "RESERVED",
            "SOLD",
            "COMING_SOON",
            "UNDER_MAINTENANCE",
        }
        assert set(Part.objects.values_list("status", flat=True)) == {"AVAILABLE", "RESERVED", "SOLD"}
        donor = Vehicle.objects.get(source_car__isnull=False)
        assert donor.source_car is not None
        assert (donor.source_car.status, donor.source_car.vin) == ("SOLD", donor.vin)
        assert donor.parts.count() == 4

    def test_the_demo_has_leads_in_every_status_with_believable_timelines(self) -> None:
        now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        assert set(Lead.objects.values_list("status", flat=True)) == set(LeadStatus.values)
        for lead in Lead.objects.prefetch_related("activities", "notes"):
            times = [activity.created_at for activity in lead.activities.order_by("pk")]
            assert times == sorted(times)
            assert times[0] == lead.created_at
            assert times[-1] == lead.updated_at <= now
            assert [note.author for note in lead.notes.all()] == [lead.assigned_to] * len(lead.notes.all())
            last = lead.activities.filter(type="STATUS_CHANGED").order_by("pk").last()
            assert lead.status == ((last.metadata or {})["to"] if last else "NEW")
        assert not Lead.objects.filter(status="CONVERTED", responded_at__isnull=True).exists()

    def test_the_demo_has_traffic_on_each_of_thirty_days_and_less_on_sundays(self) -> None:
        now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        views = Counter(at.date() for at in PageView.objects.values_list("created_at", flat=True))
        days = [(now - timedelta(days=number)).date() for number in range(31)]
        assert set(views) == set(days)
        whole_days = days[1:29]
        sundays = [views[day] for day in whole_days if day.weekday() == 6]
        fridays = [views[day] for day in whole_days if day.weekday() == 4]
        assert sum(sundays) < sum(fridays)
        assert set(Event.objects.values_list("event_type", flat=True)) == {
            "CAR_VIEW",
            "PART_VIEW",
            "SEARCH",
            "SELLER_CONTACT",
            "VOUCHER_SCAN",
            "LEAD_CREATED",
        }
        assert set(WebVital.objects.values_list("rating", flat=True)) == {"good", "needs-improvement", "poor"}

    def test_nothing_but_deadlines_lies_in_the_future(self) -> None:
        now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        deadlines = {"expires_at", "due_at", "reserved_until", "current_period_end"}
        late = [
            (label, column, value)
            for label, rows in every_row().items()
            for row in rows
            for column, value in row.items()
            if isinstance(value, datetime) and column not in deadlines and value > now
        ]
        assert late == []

    def test_vouchers_count_what_was_claimed_and_redeemed(self) -> None:
        assert set(Voucher.objects.values_list("state", flat=True)) == {"draft", "published", "expired", "suspended"}
        for voucher in Voucher.objects.all():
            assert voucher.claim_count == voucher.claims.count()
            assert voucher.redemption_count == voucher.redemptions.count()
            assert voucher.redemption_count == voucher.claims.filter(status=ClaimStatus.REDEEMED).count()
            assert voucher.codes.exists()
            for key in (voucher.title_key, voucher.description_key, voucher.terms_key):
                assert set(Translation.objects.filter(key=key).values_list("language_id", flat=True)) == {
                    "es",
                    "en",
                    "fi",
                }

    def test_every_demo_row_passes_the_checks_of_its_form(self) -> None:
        for app in OURS:
            for model in apps.get_app_config(app).get_models():
                if model in {Event, PageView, WebVital, AuditLog}:
                    continue
                for row in getattr(model, "all_objects", model._default_manager).all():
                    row.full_clean(validate_unique=False, validate_constraints=False)

    def test_all_addresses_are_of_the_reserved_domain(self) -> None:
        text = json.dumps(every_row(), default=str)
        assert set(re.findall(r"[\w.+-]+@([\w.-]+\w)", text)) == {"example.org"}
        hosts = set(re.findall(r"https?://([\w.-]+)", text))
        assert all(host == "example.org" or host.endswith(".example.org") for host in hosts)

    def test_every_picture_of_the_stock_is_served_by_us(self) -> None:
        urls = {*CarImage.objects.values_list("url", flat=True), *PartImage.objects.values_list("url", flat=True)}
        assert len(urls) == 42
        for url in urls:
            response = self.client.get(url)
            assert (response.status_code, response["Content-Type"]) == (200, "image/svg+xml"), url
            assert b"".join(response).startswith(b"<svg")

    def test_each_car_has_one_primary_picture(self) -> None:
        assert all(car.images.filter(is_primary=True).count() == 1 for car in Car.objects.all())

    def test_the_days_that_are_over_are_rolled_up(self) -> None:
        now = datetime.fromisoformat(f"{NOW}+00:00")
        assert days_to_roll_up(now) == 0
        days = {day: number for day, number in rolled_up().values_list("day", "value") if number}
        assert sorted(days) == [now.date() - timedelta(days=number) for number in range(30, 0, -1)]
        assert sum(days.values()) == Event.objects.filter(is_bot=False, occurred_at__date__lt=now.date()).count()

    def test_the_demo_takes_few_statements(self) -> None:
        assert self.statements < 1400


# Pictures


def test_the_picture_files_are_what_the_program_draws() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == draw_all()


# Sign-ins


def test_made_up_passwords_work_and_are_shown_once() -> None:
    output = seed("--profile", "demo", "--now", NOW)
    for email in ("admin@example.org", "sales@example.org", "viewer@example.org", "mike.johnson@example.org"):
        assert authenticate(username=email, password=generated_password(output, email)) is not None
    administrators, demos = (generated_password(output, f"{name}@example.org") for name in ("admin", "sales"))
    assert administrators != demos
    again = seed("--profile", "demo", "--now", LATER)
    assert administrators not in again
    assert demos not in again
    assert "not shown again" not in again
    assert "The password of admin@example.org stays as it is" in again
    assert authenticate(username="admin@example.org", password=administrators) is not None


def test_json_names_the_made_up_passwords_once_too() -> None:
    first, second = seed_json("minimal"), seed_json("minimal")
    assert authenticate(username="admin@example.org", password=first["sign_ins"][0]["password"]) is not None
    assert second["sign_ins"] == [{"email": "admin@example.org", "role": "SUPER_ADMIN", "password": None}]


def test_a_quiet_run_says_nothing_but_the_password() -> None:
    output = seed("--profile", "minimal", "--verbosity", "0")
    assert output.strip().startswith("Sign in with")
    assert seed("--profile", "minimal", "--verbosity", "0") == ""


def test_a_given_password_works_and_is_not_printed(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = "Quiet-harbour-41"
    output = seed("--profile", "minimal")
    assert "Quiet-harbour-41" not in output
    assert authenticate(username="admin@example.org", password="Quiet-harbour-41") is not None


def test_another_given_password_does_not_replace_the_first(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = "Quiet-harbour-41"
    seed("--profile", "minimal")
    settings.ADMIN_PASSWORD = "Loud-harbour-42"
    assert "stays as it is" in seed("--profile", "minimal")
    assert authenticate(username="admin@example.org", password="Quiet-harbour-41") is not None


@pytest.mark.parametrize("password", ["admin123", "passw0rd", "12345678901", "short7"])
def test_a_known_or_weak_password_is_refused_outside_of_development(settings: Settings, password: str) -> None:
    settings.DEBUG, settings.ADMIN_PASSWORD = False, password
    rows = every_row()
    with pytest.raises(CommandError, match="ADMIN_PASSWORD is not fit for a live site") as refusal:
        seed("--profile", "minimal", "--force")
    assert password not in str(refusal.value)
    assert every_row() == rows


def test_development_takes_any_given_password(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = "admin123"
    seed("--profile", "minimal")
    assert authenticate(username="admin@example.org", password="admin123") is not None


def test_nobody_becomes_administrator_by_having_the_address() -> None:
    make_user(Role.BUYER, email="admin@example.org")
    rows = every_row()
    with pytest.raises(CommandError, match=r"belongs to a buyer.*set ADMIN_EMAIL"):
        seed("--profile", "minimal")
    assert every_row() == rows


# Refusals


def test_it_is_refused_where_debug_is_off(settings: Settings) -> None:
    settings.DEBUG = False
    rows = every_row()
    with pytest.raises(CommandError, match=r"DEBUG is off.*--force"):
        seed()
    assert every_row() == rows


def test_forced_outside_of_development_only_the_administrator_can_sign_in(settings: Settings) -> None:
    settings.DEBUG = False
    output = seed("--force", "--now", NOW)
    able = [user.email for user in User.objects.all() if user.has_usable_password()]
    assert able == ["admin@example.org"]
    assert authenticate(username=able[0], password=generated_password(output, able[0])) is not None


def test_a_database_without_tables_is_refused_in_one_sentence() -> None:
    with scratch_url(connection) as url:
        result = manage_seed(url, "--profile", "minimal").communicate()
        assert "Traceback" not in result[1]
        assert "manage.py migrate" in result[1]


def test_killed_half_way_it_leaves_nothing() -> None:
    with scratch_url(connection) as url:
        migrate_from_zero(url)
        process = manage_seed(url)
        assert process.stdout is not None
        for line in process.stdout:
            if "mobile vendor" in line:
                break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        with connected(url) as database, database.cursor() as cursor:
            for table in ("accounts_user", "accounts_language", "inventory_car", "inventory_part", "leads_lead"):
                cursor.execute(f"SELECT count(*) FROM {table}")
                assert cursor.fetchone() == (0,)


def manage_seed(url: str, *options: str) -> subprocess.Popen[str]:
    environment = child_environment(url) | {"DEBUG": "true", "ENVIRONMENT": "development"}
    return subprocess.Popen(
        [sys.executable, str(Path(django_settings.BASE_DIR) / "manage.py"), "seed", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# Made-up rows


def test_out_of_range_scales_are_refused_before_anything_is_written() -> None:
    rows = every_row()
    with pytest.raises(CommandError, match="--scale 0: write a number from 1"):
        seed("--profile", "minimal", "--scale", "0")
    assert every_row() == rows


def test_a_refused_scale_still_shows_the_password_that_was_made_up() -> None:
    seed("--profile", "minimal", "--scale", "1", "--now", NOW)
    User.objects.filter(email="admin@example.org").update(email="chief@example.org")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("seed", "--profile", "minimal", "--scale", "1", "--now", NOW, "--json", stdout=out)
    password = json.loads(out.getvalue())["sign_ins"][0]["password"]
    assert authenticate(username="admin@example.org", password=password) is not None


def test_scale_adds_made_up_rows_to_the_profile() -> None:
    result = json.loads(seed("--profile", "minimal", "--scale", "1", "--random-seed", "7", "--now", NOW, "--json"))
    assert sum(result["scaled"].values()) == 10_000
    assert Car.objects.count() == result["scaled"]["inventory.Car"]


def test_no_day_is_taken_for_rolled_up_once_scale_added_rows() -> None:
    now = datetime.fromisoformat(f"{NOW}+00:00")
    make_event(occurred_at=now - timedelta(days=20))
    assert roll_up(now) == 1
    seed("--profile", "minimal", "--scale", "1", "--random-seed", "8", "--now", NOW)
    assert not rolled_up().exists()
