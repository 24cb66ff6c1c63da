"""A marketplace for benchmarks of reads: cars with all that belongs to them, parts, sellers, vouchers, leads and views.

`BENCH_SCALE` (100) is the number of cars in thousands and of parts in ten thousands. The rows are the same every time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, models

from accounts.models import Seller, User
from analytics.models import Event
from config.db import bulk
from config.ops.scale.catalogue import CAR_FEATURES, CAR_MODELS, COMBUSTION_PART_KINDS, PART_KINDS
from config.ops.scale.rows import shape_of
from config.ops.scale.texts import CAR_DESCRIPTIONS, PART_DESCRIPTIONS
from config.ops.search_words import refresh_words
from inventory.models import Car, CarFeature, CarImage, CarSpecification, Category, Part, PartImage, Vehicle
from inventory.models.base import FuelType, Transmission
from inventory.models.parts import normalize_part_number
from leads.models import Lead, Voucher
from leads.models.vouchers import VoucherState
from tests.builders import NOON, make_user
from tests.word_indexes import without_word_indexes

SCALE = int(os.environ.get("BENCH_SCALE", "100"))
CARS, PARTS = SCALE * 1000, SCALE * 10_000
SELLERS, VEHICLES, VOUCHERS, CATEGORIES = 2000, SCALE * 500, 2000, 40
IMAGES, FEATURES, SPECIFICATIONS, VIEWS = 3, 8, 8, 3
BEGIN = NOON - timedelta(minutes=PARTS)
CITIES = tuple(f"City {number}" for number in range(50))
PROVINCES = ("Western Cape", "Gauteng", "Limpopo", "Free State")
KINDS = (*PART_KINDS, *COMBUSTION_PART_KINDS)
SPECIFICATION_LABELS = ("Engine", "Seats", "Doors", "Previous owners", "Colour", "Towing", "Length", "Boot")

Values = dict[str, Any]


def fill() -> None:
    """Write all rows into the empty database of the default connection."""
    rng = random.Random(7)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        # The rows fit each other as they are made; looking at each again would take longer than writing it.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '256MB'")
    with without_word_indexes():
        _write_all(rng)
    refresh_words(connection)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")


def _write_all(rng: random.Random) -> None:
    write(Category, _categories())
    owner = make_user(email="owner@example.org")
    write(Seller, _sellers(rng, owner))
    write(Vehicle, _vehicles(rng))
    write(Car, _cars(rng))
    write(CarImage, _car_images())
    write(CarFeature, _car_features(rng))
    write(CarSpecification, _car_specifications(rng))
    write(Part, _parts(rng))
    write(PartImage, _part_images())
    write(Voucher, _vouchers(rng))
    write(Event, _views(rng))
    write(Lead, _leads(rng))


def write(model: type[models.Model], rows: Iterator[Values]) -> None:
    """Write rows by COPY; what they leave out is the column's default."""
    first = next(rows)
    shape = shape_of(model, with_key="id" in first)
    bulk.load(model, shape.columns, _tuples(model, shape.columns, shape.defaults, first, rows))
    bulk.advance_keys(model)


def _tuples(
    model: type[models.Model], columns: Sequence[str], defaults: Values, first: Values, rows: Iterator[Values]
) -> Iterator[tuple[Any, ...]]:
    # Times and ids that a row leaves out are nobody's concern here.
    usual = defaults | {name: NOON for name in ("created_at", "updated_at", "acquired_at") if name in columns}
    for row in _chained(first, rows):
        complete = usual | row
        yield tuple(complete[column] for column in columns)


def _chained(first: Values, rows: Iterator[Values]) -> Iterator[Values]:
    yield first
    yield from rows


def _at(number: int, of: int) -> datetime:
    return BEGIN + (NOON - BEGIN) * number / (of + 1)


def _categories() -> Iterator[Values]:
    for number in range(1, CATEGORIES + 1):
        parent = None if number <= 8 else (number - 1) % 8 + 1
        slug = f"category-{number}"
        yield {
            "id": number,
            "public_id": slug,
            "slug": slug,
            "name": f"Category {number}",
            "parent_id": parent,
            "path": f"{slug}/" if parent is None else f"category-{parent}/{slug}/",
            "level": 1 if parent is None else 2,
        }


def _sellers(rng: random.Random, owner: User) -> Iterator[Values]:
    for number in range(1, SELLERS + 1):
        is_verified = number % 10 > 0
        yield {
            "id": number,
            "public_id": f"seller-{number}",
            "owner_id": owner.pk,
            "name": f"Yard {number}",
            "business_type": "DISMANTLER",
            "city": rng.choice(CITIES),
            "province": rng.choice(PROVINCES),
            "latitude": rng.uniform(-35, -22),
            "longitude": rng.uniform(17, 33),
            "is_verified": is_verified,
            "rating": Decimal(rng.randrange(20, 51)) / 10,
            "total_sales": rng.randrange(5000),
            "verified_at": NOON if is_verified else None,
            "description": "Opposite the station.",
        }


def _described(rng: random.Random, number: int) -> Values:
    model = rng.choice(CAR_MODELS)
    return {
        "make": model.make,
        "model": model.model,
        "trim": rng.choice(model.trims),
        "year": rng.randrange(2002, 2026),
        "fuel_type": rng.choice(FuelType.values),
        "transmission": rng.choice(Transmission.values),
        "engine_size": "2.0L",
        "engine_cc": 2000,
        "power_hp": rng.randrange(60, 300),
        "color": "Blue",
        "mileage_km": rng.randrange(300_000),
        "condition": rng.choice(("EXCELLENT", "GOOD", "FAIR")),
    }


def _vehicles(rng: random.Random) -> Iterator[Values]:
    for number in range(1, VEHICLES + 1):
        seller = number % SELLERS + 1
        yield {"id": number, "public_id": f"vehicle-{number}", "seller_id": seller, **_described(rng, number)}


def _cars(rng: random.Random) -> Iterator[Values]:
    texts = [text for each in CAR_DESCRIPTIONS.values() for text in each]
    for number in range(1, CARS + 1):
        described, at = _described(rng, number), _at(number, CARS)
        name = f"{described['make']} {described['model']}"
        yield {
            **described,
            "id": number,
            "public_id": f"car-id-{number}",
            "slug": f"car-{number}",
            "name": name,
            "seller_id": rng.randrange(1, SELLERS + 1) if number % 4 else None,
            "created_at": at,
            "price": Decimal(rng.randrange(500, 60_000)),
            "segment": rng.choice(("SUV", "FAMILY", "COMPACT")),
            "status": "AVAILABLE" if number % 5 else "RESERVED",
            "is_featured": number % 50 == 1,
            "published_at": at,
            "description": rng.choice(texts),
            "paragraphs": [rng.choice(texts)],
        }


def _car_images() -> Iterator[Values]:
    for car in range(1, CARS + 1):
        for place in range(IMAGES):
            url, text = f"https://pictures.example.org/cars/{car}/{place}.jpg", f"Car {car}, view {place}"
            yield {"car_id": car, "url": url, "alt_text": text, "position": place, "is_primary": place == 0}


def _car_features(rng: random.Random) -> Iterator[Values]:
    for car in range(1, CARS + 1):
        for place, text in enumerate(rng.sample(CAR_FEATURES, FEATURES)):
            yield {"car_id": car, "text": text, "position": place}


def _car_specifications(rng: random.Random) -> Iterator[Values]:
    for car in range(1, CARS + 1):
        for place, label in enumerate(SPECIFICATION_LABELS):
            yield {"car_id": car, "label": label, "value": str(rng.randrange(10)), "position": place}


def _parts(rng: random.Random) -> Iterator[Values]:
    texts = [text for each in PART_DESCRIPTIONS.values() for text in each]
    sides = ("front left", "front right", "rear left", "rear right", "left", "right", "", "")
    for number in range(1, PARTS + 1):
        vehicle = number % VEHICLES + 1
        kind, model, side = rng.choice(KINDS), rng.choice(CAR_MODELS), rng.choice(sides)
        part_number = f"{rng.randrange(10, 100)}{rng.choice('ABCDEFGH')} {rng.randrange(1000):03} {rng.randrange(1000)}"
        yield {
            "id": number,
            "public_id": f"part-{number}",
            "vehicle_id": vehicle,
            "seller_id": vehicle % SELLERS + 1,
            "name": " ".join(f"{kind.name} {side} {model.make} {model.model}".split()),
            "part_number": part_number,
            "part_number_norm": normalize_part_number(part_number),
            "description": rng.choice(texts),
            "category_id": rng.randrange(1, CATEGORIES + 1),
            "condition": rng.choice(("EXCELLENT", "GOOD", "FAIR")),
            "price": Decimal(rng.randrange(50, 30_000)),
            "is_listed": number % 10 > 0,
            "created_at": _at(number, PARTS),
        }


def _part_images() -> Iterator[Values]:
    for part in range(1, PARTS + 1, 2):
        yield {"part_id": part, "url": f"https://pictures.example.org/parts/{part}.jpg", "alt_text": f"Part {part}"}


def _vouchers(rng: random.Random) -> Iterator[Values]:
    for number in range(1, VOUCHERS + 1):
        yield {
            "id": number,
            "public_id": f"voucher-{number}",
            "seller_id": number % SELLERS + 1,
            **{f"{text}_key": f"voucher.{number}.{text}" for text in ("title", "description", "terms")},
            "discount_type": "percentage",
            "discount_value": Decimal(15),
            "state": VoucherState.PUBLISHED,
            "valid_from": NOON - timedelta(days=9),
            "expires_at": NOON + timedelta(days=60),
        }


def _views(rng: random.Random) -> Iterator[Values]:
    for number in range(CARS * VIEWS):
        at = _at(number, CARS * VIEWS)
        yield {
            "public_id": f"view-{number}",
            "event_type": "CAR_VIEW",
            "occurred_at": at,
            "created_at": at,
            "car_id": rng.randrange(1, CARS + 1),
            "session_id": f"{rng.getrandbits(64):016x}",
        }


def _leads(rng: random.Random) -> Iterator[Values]:
    for number in range(CARS // 2):
        yield {
            "public_id": f"lead-{number}",
            "name": f"Visitor {number}",
            "email": f"visitor{number}@example.org",
            "message": "Is it still there?",
            "car_id": rng.randrange(1, CARS + 1),
            "created_at": _at(number, CARS),
        }
