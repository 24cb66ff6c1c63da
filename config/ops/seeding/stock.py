"""Categories, donor vehicles with parts, and cars for sale, as the fixtures describe them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q
from django.utils.text import slugify

from accounts.models import Seller
from config.ops.seeding.pictures import car_picture_urls, part_picture_urls
from config.ops.seeding.run import made, seed_id
from inventory.models import (
    Car,
    CarFeature,
    CarImage,
    CarSpecification,
    Category,
    Part,
    PartImage,
    SellerCategory,
    Vehicle,
)
from inventory.models.cars import CarStatus
from inventory.models.parts import PartStatus

if TYPE_CHECKING:
    from datetime import datetime

    from config.ops.seeding.run import SeedRun

# What a fixture says about a row beside the row's own fields.
_NOT_FIELDS = frozenset(
    {
        *("seller", "vehicle", "source_car", "category", "parts", "features", "specifications", "drawing", "pictures"),
        *("price", "days_ago", "sold_days_ago", "acquired_days_ago", "reserved_days"),
    }
)


def ensure_categories(run: SeedRun, tree: list[dict[str, Any]], *, at: datetime) -> dict[str, Category]:
    """Return all categories of the tree by name."""
    categories = {}
    for position, facts in enumerate(tree):
        main = _ensure_category(run, facts["name"], None, position, at, icon=facts["icon"])
        categories[facts["name"]] = main
        for place, name in enumerate(facts["children"]):
            categories[name] = _ensure_category(run, name, main, place, at)
    return categories


def _ensure_category(
    run: SeedRun, name: str, parent: Category | None, position: int, at: datetime, icon: str = ""
) -> Category:
    public_id = seed_id("category", name)
    in_use = Q(name__iexact=name) | Q(slug=slugify(name))
    known = Q(public_id=public_id) | (in_use & Q(deleted_at__isnull=True))
    values = {"public_id": public_id, "name": name, "parent": parent, "sort_order": position, "icon": icon}
    return run.ensure(Category, known, **values, **made(at))[0]


def ensure_seller_categories(run: SeedRun, seller: Seller, seller_is_new: bool, categories: list[Category]) -> None:
    """Give a new seller these categories, the first as the primary one."""
    rows = [
        SellerCategory(seller=seller, category=category, is_primary=place == 0)
        for place, category in enumerate(categories)
    ]
    run.ensure_children(seller, seller_is_new, "seller_categories", rows)


def ensure_vehicle(
    run: SeedRun, facts: dict[str, Any], *, seller: Seller, acquired_at: datetime, source_car: Car | None = None
) -> Vehicle:
    """Return the donor vehicle that a fixture describes, without its parts."""
    public_id = seed_id("vehicle", facts["vin"])
    values = {name: value for name, value in facts.items() if name not in _NOT_FIELDS}
    values |= {"public_id": public_id, "seller": seller, "acquired_at": acquired_at, "source_car": source_car}
    known = Q(public_id=public_id) | Q(vin=facts["vin"], deleted_at__isnull=True)
    return run.ensure(Vehicle, known, **values | made(acquired_at + timedelta(hours=9)))[0]


def ensure_part(
    run: SeedRun, facts: dict[str, Any], *, vehicle: Vehicle, categories: dict[str, Category], at: datetime
) -> Part:
    """Return the part that a fixture describes, with its pictures."""
    public_id = seed_id("part", f"{vehicle.vin}/{facts['part_number']}")
    values = {name: value for name, value in facts.items() if name not in _NOT_FIELDS}
    values |= {
        "public_id": public_id,
        "vehicle": vehicle,
        "seller": vehicle.seller,
        "category": categories[facts["category"]],
        "price": Decimal(facts["price"]),
    }
    values |= made(at) | _part_dates(run, facts)
    part, is_new = run.ensure(Part, Q(public_id=public_id), **values)
    urls = part_picture_urls(facts["drawing"])[: facts["pictures"]]
    images = [
        PartImage(part=part, url=url, alt_text=f"{facts['name']}, {view}", position=place)
        for place, (view, url) in enumerate(urls)
    ]
    run.ensure_children(part, is_new, "images", images)
    if is_new and part.status == PartStatus.SOLD:
        _count_sale(part.seller_id)
    return part


def _count_sale(seller: int) -> None:
    """Take a sold part for one of those that the seller's total counts already, or count it."""
    own, at = Seller.objects.filter(pk=seller), F("updated_at")
    if not own.filter(archived_sales__gt=0).update(archived_sales=F("archived_sales") - 1, updated_at=at):
        own.update(total_sales=F("total_sales") + 1, updated_at=at)


def _part_dates(run: SeedRun, facts: dict[str, Any]) -> dict[str, Any]:
    if facts.get("status") == PartStatus.SOLD:
        sold_at = run.moment(facts["sold_days_ago"])
        return {"sold_at": sold_at, "updated_at": sold_at}
    if facts.get("status") == PartStatus.RESERVED:
        return {"reserved_until": run.now + timedelta(days=facts["reserved_days"])}
    return {}


def ensure_car(run: SeedRun, facts: dict[str, Any], *, seller: Seller) -> Car:
    """Return the car that a fixture describes, with pictures, features and specifications."""
    public_id = seed_id("car", facts["slug"])
    at = run.moment(facts["days_ago"])
    values = {name: value for name, value in facts.items() if name not in _NOT_FIELDS}
    values |= {"public_id": public_id, "seller": seller, "price": Decimal(facts["price"]), "published_at": at} | made(
        at
    )
    if facts["status"] == CarStatus.SOLD:
        values["sold_at"] = values["updated_at"] = run.moment(facts["sold_days_ago"])
    in_use = Q(slug=facts["slug"]) | (Q(vin=facts["vin"]) if "vin" in facts else Q())
    car, is_new = run.ensure(Car, Q(public_id=public_id) | (in_use & Q(deleted_at__isnull=True)), **values)
    _ensure_car_details(run, car, is_new, facts, at)
    return car


def _ensure_car_details(run: SeedRun, car: Car, is_new: bool, facts: dict[str, Any], at: datetime) -> None:
    name = f"{facts['name']} {facts['year']}"
    images = [
        CarImage(car=car, url=url, alt_text=f"{name}, {view}", position=place, is_primary=place == 0, created_at=at)
        for place, (view, url) in enumerate(car_picture_urls(facts["drawing"], facts["color"]))
    ]
    features = [CarFeature(car=car, text=text, position=place) for place, text in enumerate(facts["features"])]
    specifications = [
        CarSpecification(car=car, label=label, value=value, position=place)
        for place, (label, value) in enumerate(facts["specifications"])
    ]
    run.ensure_children(car, is_new, "images", images)
    run.ensure_children(car, is_new, "features", features)
    run.ensure_children(car, is_new, "specifications", specifications)
