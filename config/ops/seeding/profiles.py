"""The profiles of `seed`: each is a small business of its own, and the demo is all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from accounts.models import Integration, PaymentEvent, Seller, SellerLocation, Subscription, User, UserIdentity
from accounts.models.users import Role
from config.ops.seeding.fixtures import read_fixture
from config.ops.seeding.leads import ensure_leads
from config.ops.seeding.people import ensure_seller, ensure_user
from config.ops.seeding.run import made, seed_id
from config.ops.seeding.stock import (
    ensure_car,
    ensure_categories,
    ensure_part,
    ensure_seller_categories,
    ensure_vehicle,
)

if TYPE_CHECKING:
    from datetime import datetime

    from config.ops.seeding.run import SeedRun
    from inventory.models import Car, Category, Part, Vehicle
    from leads.models import Voucher


@dataclass
class Stock:
    """What the profiles loaded so far, by the names that fixtures use for it; of leads, the public ids."""

    sellers: dict[str, Seller] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)
    vehicles: dict[str, Vehicle] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    cars: dict[str, Car] = field(default_factory=dict)
    vouchers: dict[str, Voucher] = field(default_factory=dict)
    leads: set[str] = field(default_factory=set)


def load_partpal(run: SeedRun, stock: Stock) -> None:
    """Load the parts marketplace: categories, sellers with owners, donor vehicles, parts with pictures."""
    run.say("Loading the parts marketplace")
    fixture = read_fixture("partpal")
    opened_at = min(seller["created_at"] for seller in fixture["sellers"])
    stock.categories |= ensure_categories(run, fixture["categories"], at=opened_at)
    for facts in fixture["sellers"]:
        load_seller(run, stock, facts, at=facts["created_at"])
    for facts in fixture["vehicles"]:
        acquired_at = facts["acquired_at"]
        vehicle = ensure_vehicle(run, facts, seller=stock.sellers[facts["seller"]], acquired_at=acquired_at)
        stock.vehicles[facts["vin"]] = vehicle
        for part in facts["parts"]:
            at = acquired_at + timedelta(days=4, hours=10)
            stock.parts[part["part_number"]] = ensure_part(
                run, part, vehicle=vehicle, categories=stock.categories, at=at
            )


def load_seller(run: SeedRun, stock: Stock, facts: dict[str, Any], *, at: datetime) -> None:
    """Load one seller with its owner and the categories it trades in."""
    owner, _ = ensure_user(run, role=Role.SELLER, at=at, **facts["owner"])
    seller, is_new = ensure_seller(run, facts, owner=owner, at=at)
    categories = [stock.categories[name] for name in facts.get("categories", ())]
    ensure_seller_categories(run, seller, is_new, categories)
    stock.sellers[facts["key"]] = seller


def load_kroi(run: SeedRun, stock: Stock) -> None:
    """Load the car dealer: nine cars with pictures, features and specifications, and a lead."""
    run.say("Loading the car dealer")
    fixture = read_fixture("kroi")
    load_seller(run, stock, fixture["dealer"], at=fixture["dealer"]["created_at"])
    for facts in fixture["cars"]:
        stock.cars[facts["slug"]] = ensure_car(run, facts, seller=stock.sellers["kroi"])
    stock.leads |= ensure_leads(run, fixture["leads"], cars=stock.cars, parts={}, people={})


def load_venta(run: SeedRun, stock: Stock) -> None:
    """Load the mobile vendor: linked identity, positions, subscription, name in an outside service."""
    run.say("Loading the mobile vendor")
    fixture = read_fixture("venta")
    user_facts, vendor_facts, identity = fixture["user"], fixture["vendor"], fixture["identity"]
    at = run.moment(user_facts["days_ago"])
    user, _ = ensure_user(run, role=Role.SELLER, at=at, name=user_facts["name"], email=user_facts["email"])
    account = {"provider": identity["provider"], "provider_account_id": identity["provider_account_id"]}
    public_id = seed_id("identity", identity["provider_account_id"])
    known = Q(public_id=public_id) | Q(**account)
    run.ensure(UserIdentity, known, public_id=public_id, user=user, is_email_verified=True, **identity, **made(at))
    positions = [_position(run, location) for location in fixture["locations"]]
    newest = max(positions, key=lambda position: position.recorded_at)
    last = {"last_latitude": newest.latitude, "last_longitude": newest.longitude, "last_seen_at": newest.recorded_at}
    vendor, is_new = ensure_seller(run, vendor_facts, owner=user, at=at, **last)
    stock.sellers[vendor_facts["key"]] = vendor
    for position in positions:
        position.seller = vendor
    run.ensure_children(vendor, is_new, "locations", positions)
    _ensure_subscription(run, user, vendor, fixture)
    target = {"content_type": ContentType.objects.get_for_model(Seller), "object_id": str(vendor.pk)}
    run.ensure(Integration, Q(**fixture["integration"]), **fixture["integration"], **target, **made(at))


def _position(run: SeedRun, location: dict[str, Any]) -> SellerLocation:
    return SellerLocation(
        latitude=location["latitude"],
        longitude=location["longitude"],
        accuracy_m=location["accuracy_m"],
        recorded_at=run.moment(location["days_ago"]),
    )


def _ensure_subscription(run: SeedRun, user: User, vendor: Seller, fixture: dict[str, Any]) -> None:
    facts, payment = fixture["subscription"], fixture["payment_event"]
    start, period = run.moment(facts["days_ago"]), timedelta(days=facts["period_days"])
    began = start + (run.now - start) // period * period
    public_id = seed_id("subscription", facts["external_id"])
    run.ensure(
        Subscription,
        Q(public_id=public_id)
        | Q(provider=facts["provider"], external_id=facts["external_id"])
        | Q(provider=facts["provider"], user=user, status=facts["status"]),
        public_id=public_id,
        user=user,
        seller=vendor,
        provider=facts["provider"],
        product_id=facts["product_id"],
        external_id=facts["external_id"],
        status=facts["status"],
        start_date=start,
        current_period_start=began,
        current_period_end=began + period,
        **made(start),
    )
    payload = {"subscription": facts["external_id"], "product": facts["product_id"]}
    known = Q(provider=payment["provider"], event_id=payment["event_id"])
    run.ensure(PaymentEvent, known, **payment, payload=payload, received_at=start, processed_at=start)
