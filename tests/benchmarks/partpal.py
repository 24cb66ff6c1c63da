"""A large PartPal file for benchmarks: plausible rows, the same ones every time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from tests.transfer.partpal_file import NOON, PASSWORD_HASH, TABLES, layout

# How many rows a file of scale 100 has; every other scale has its share of them.
COUNTS = {
    "users": 20_000,
    "refresh_tokens": 20_000,
    "sellers": 5_000,
    "vehicles": 50_000,
    "parts": 500_000,
    "analytics_events": 500_000,
    "activity_logs": 50_000,
}
CATEGORIES = 36
YEAR = 365 * 86_400_000  # milliseconds
CITIES = (("Cape Town", "Western Cape", -33.92, 18.42), ("Durban", "KwaZulu-Natal", -29.85, 31.02))
NAMES = ("Aino Virtanen", "Íñigo Núñez Peña", "Thabo Nkosi", "Annelie van der Merwe", "Yrjö Hämäläinen")
PARTS = (
    "Alternator",
    "Starter motor",
    "Gearbox (manual)",
    "Left headlight",
    "Etupuskuri",
    "Faro delantero",
    "Radiator",
)
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36"
)


def write_partpal_file(path: Path, *, scale: int) -> int:
    """Write a file with `scale` hundredths of COUNTS and return how many rows it has."""
    counts = {table: count * scale // 100 for table, count in COUNTS.items()} | {"categories": CATEGORIES}
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode = OFF")
        for statement in layout(loose=False):
            database.execute(statement)
        for table, count in counts.items():
            places = ", ".join("?" * len(TABLES[table]))
            database.executemany(f'INSERT INTO "{table}" VALUES ({places})', _rows(table, count, counts))
    return sum(counts.values())


def identifier(table: str, number: int) -> str:
    """Return the id of a row, as long as Prisma's."""
    return f"cm{table[:3]}{number * 7_919 % 9_999_991:08d}{number:012d}"


def _rows(table: str, count: int, counts: dict[str, int]) -> Iterator[list[Any]]:
    random = Random(table)
    columns = list(TABLES[table])
    for number in range(count):
        values = VALUES[table](number, random, counts)
        created = _time(random)
        values = {"id": identifier(table, number), "createdAt": created, "updatedAt": created} | values
        yield [values.get(column) for column in columns]


def _time(random: Random) -> int | str:
    """Return a time as it stands in such files: mostly milliseconds, else as SQLite itself writes it."""
    moment = NOON - random.randrange(3 * YEAR)
    return moment if random.random() < 0.9 else f"2024-0{random.randrange(1, 10)}-1{random.randrange(10)} 08:15:00"


def _user(number: int, random: Random, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "email": f"person{number}@example.org",
        "name": random.choice(NAMES),
        "password": PASSWORD_HASH,
        "role": "SELLER" if number < counts["sellers"] else "BUYER",
        "isVerified": 1,
    }


def _token(number: int, random: Random, counts: dict[str, int]) -> dict[str, Any]:
    user = identifier("users", random.randrange(counts["users"]))
    return {"token": f"{random.getrandbits(512):x}{number}", "userId": user, "expiresAt": NOON + 3 * YEAR}


def _category(number: int, random: Random, counts: dict[str, int]) -> dict[str, Any]:
    parent = identifier("categories", number % 6) if number >= 6 else None
    return {"name": f"{random.choice(PARTS)} {number}", "parentId": parent, "isActive": 1}


def _seller(number: int, random: Random, counts: dict[str, int]) -> dict[str, Any]:
    city, province, latitude, longitude = random.choice(CITIES)
    return {
        "userId": identifier("users", number),
        "businessName": f"{random.choice(NAMES)} Autopurkamo",
        "businessType": "SCRAP_YARD",
        "description": 'Good "used" parts;\tall makes\\models.\nOpen Saturdays.',
        "isVerified": 1,
        "totalSales": 0,
        "subscriptionPlan": "STARTER",
        "street": f"{number} Main Road",
        "city": city,
        "province": province,
        "postalCode": "7500",
        "country": "South Africa",
        "latitude": latitude + random.random() / 4,
        "longitude": longitude + random.random() / 4,
        "phone": "+27215550123",
        "businessHours": json.dumps({"monday": {"open": "08:00", "close": "17:00", "closed": False}}),
    }


def _vehicle(number: int, random: Random, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "vin": f"WF0XXXGCDX{number:07d}",
        "year": random.randrange(1995, 2025),
        "make": random.choice(("Toyota", "Škoda", "Ford")),
        "model": "Hilux",
        "fuelType": random.choice(("PETROL", "DIESEL")),
        "transmission": random.choice(("MANUAL", "AUTOMATIC")),
        "mileage": random.randrange(400_000),
        "condition": "GOOD",
        "acquisitionDate": _time(random),
        "sellerId": identifier("sellers", number % counts["sellers"]),
    }


def _part(number: int, random: Random, counts: dict[str, int]) -> dict[str, Any]:
    vehicle = random.randrange(counts["vehicles"])
    images = [f"https://images.example.org/parts/{number}/{place}.jpg" for place in range(random.randrange(4))]
    name = random.choice(PARTS)
    is_sold = random.random() < 0.2
    return {
        "vehicleId": identifier("vehicles", vehicle),
        "sellerId": identifier("sellers", vehicle % counts["sellers"]),
        "name": f"{name} {random.choice(('OEM', 'used', 'reconditioned'))}",
        "partNumber": f"A-{random.randrange(999_999):06d}-X" if random.random() < 0.75 else None,
        "description": f"{name} in good condition, from an accident-damaged car. Ring for the price of the whole set.",
        "condition": random.choice(("NEW", "EXCELLENT", "GOOD", "FAIR", "POOR")),
        "price": random.randrange(1, 20_000) + random.choice((0.0, 0.99)),
        "currency": "ZAR",
        "status": "SOLD" if is_sold else "AVAILABLE",
        "location": f"Shelf A{random.randrange(40)}",
        "images": json.dumps(images),
        "isListedOnMarketplace": int(not is_sold and random.random() < 0.6),
        "categoryId": identifier("categories", random.randrange(CATEGORIES)) if random.random() < 0.9 else None,
    }


def _event(number: int, random: Random, counts: dict[str, int]) -> dict[str, Any]:
    moment = _time(random)
    return {
        "eventType": random.choice(("PART_VIEW", "PART_VIEW", "SELLER_CONTACT")),
        "partId": identifier("parts", random.randrange(counts["parts"])),
        "sellerId": identifier("sellers", random.randrange(counts["sellers"])),
        "userId": identifier("users", random.randrange(counts["users"])) if random.random() < 0.4 else None,
        "sessionId": f"{random.getrandbits(64):016x}",
        "userAgent": BROWSER,
        "metadata": json.dumps({"referrer": "https://www.example.org/", "price": random.randrange(9_999) / 100}),
        "timestamp": moment,
        "createdAt": moment,
    }


def _log(number: int, random: Random, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "sellerId": identifier("sellers", random.randrange(counts["sellers"])),
        "userId": identifier("users", random.randrange(counts["users"])),
        "type": random.choice(("part_sold", "marketplace_listing", "vehicle_added", "part_listed")),
        "description": random.choice(PARTS),
        "metadata": json.dumps({"partId": identifier("parts", random.randrange(counts["parts"]))}),
        "timestamp": _time(random),
    }


VALUES = {
    "users": _user,
    "refresh_tokens": _token,
    "categories": _category,
    "sellers": _seller,
    "vehicles": _vehicle,
    "parts": _part,
    "analytics_events": _event,
    "activity_logs": _log,
}
