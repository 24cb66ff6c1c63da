"""Rows for tests: plain defaults, and only what a test cares about as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import Language, Seller, Translation, User
from accounts.models.users import Role, UserStatus
from analytics.models import Event
from inventory.models import Car, Category, Part, Vehicle
from inventory.models.cars import Segment
from inventory.vin import check_digit
from leads.models import Lead, SupportTicket, Voucher

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "Correct-horse-7"  # of people who exist in tests only

_numbers = count(1)


def make_vin() -> str:
    """Return a VIN that no other call returned, with a correct check digit."""
    raw = f"TST00000{0}{next(_numbers):08d}"
    return raw[:8] + check_digit(raw) + raw[9:]


def make_user(role: str = Role.BUYER, *, password: str | None = None, **fields: Any) -> User:
    number = next(_numbers)
    defaults = {
        "email": f"person{number}@example.org",
        "name": f"Person {number}",
        "role": role,
        "status": UserStatus.ACTIVE,
    }
    return User.objects.create_user(password=password, **defaults | fields)


def make_language(code: str = "en", **fields: Any) -> Language:
    return Language.objects.get_or_create(code=code, defaults={"name": code.upper()} | fields)[0]


def make_translation(key: str, value: str, language: str = "en", **fields: Any) -> Translation:
    return Translation.objects.create(key=key, value=value, language=make_language(language), **fields)


def make_seller(**fields: Any) -> Seller:
    if "owner" not in fields:
        fields["owner"] = make_user(Role.SELLER)
    return Seller.objects.create(**{"name": f"Seller {next(_numbers)}", "is_verified": True} | fields)


def make_category(name: str | None = None, **fields: Any) -> Category:
    return Category.objects.create(name=name or f"Category {next(_numbers)}", **fields)


def make_vehicle(**fields: Any) -> Vehicle:
    if "seller" not in fields:
        fields["seller"] = make_seller()
    defaults = {"make": "Toyota", "model": "Corolla", "year": 2015, "vin": make_vin(), "acquired_at": NOON}
    return Vehicle.objects.create(**defaults | fields)


def make_part(**fields: Any) -> Part:
    if "vehicle" not in fields:
        fields["vehicle"] = make_vehicle(**({"seller": fields["seller"]} if "seller" in fields else {}))
    fields.setdefault("seller", fields["vehicle"].seller)
    defaults = {"name": f"Alternator {next(_numbers)}", "description": "Tested.", "price": Decimal("950.00")}
    return Part.objects.create(**defaults | fields)


def make_car(**fields: Any) -> Car:
    defaults = {
        "make": "Skoda",
        "model": "Octavia",
        "year": 2018,
        "vin": make_vin(),
        "mileage_km": 120_000,
        "price": Decimal("14900.00"),
        "segment": Segment.FAMILY,
        "published_at": NOON,
    }
    return Car.objects.create(**defaults | fields)


def make_lead(**fields: Any) -> Lead:
    number = next(_numbers)
    defaults = {"name": f"Visitor {number}", "email": f"visitor{number}@example.org", "message": "Is it still there?"}
    return Lead.objects.create(**defaults | fields)


def make_voucher(**fields: Any) -> Voucher:
    number = next(_numbers)
    if "seller" not in fields:
        fields["seller"] = make_seller()
    defaults = {
        "title_key": f"voucher.{number}.title",
        "description_key": f"voucher.{number}.description",
        "terms_key": f"voucher.{number}.terms",
        "discount_type": "percentage",
        "discount_value": Decimal(15),
        "valid_from": NOON - timedelta(days=1),
        "expires_at": NOON + timedelta(days=60),
    }
    return Voucher.objects.create(**defaults | fields)


def make_ticket(**fields: Any) -> SupportTicket:
    if "user" not in fields:
        fields["user"] = make_user()
    return SupportTicket.objects.create(**{"title": "Where is my part?", "description": "Ordered on Monday."} | fields)


def make_event(**fields: Any) -> Event:
    return Event.objects.create(**{"event_type": "PART_VIEW", "occurred_at": NOON} | fields)
