"""A PartPal file of a small business, with values in it as files in the wild have them: wrong, broken and doubled."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.transfer.partpal_file import NOON, TABLES, PartPalFile, Raw

DAY = 86_400_000
LATIN_1 = Raw("Hämäläinen".encode("latin-1"))
HALF_A_PAIR = Raw(b"broken \xed\xa0\xbd emoji")
ENDLESS = "Ä" * 20_000
FAR_AWAY = (2**63 - 1, -(9 * 10**18), "0000-00-00 00:00:00", "not a date", 253_402_300_800_000)
NO_NUMBERS = ("unknown", "12 500 km", "1998/99", "", "0x7CE")
NO_JSON = ('{"a": 1,', "[object Object]", "", "{'single': true}", "NaN")

# Each kind of dirt: where it can be, and what it looks like there.
Place = tuple[str, str, tuple[Any, ...]]
KINDS: dict[str, tuple[Place, ...]] = {
    "broken JSON": (
        ("parts", "images", NO_JSON),
        ("sellers", "businessHours", NO_JSON),
        ("analytics_events", "metadata", NO_JSON),
        ("activity_logs", "metadata", NO_JSON),
    ),
    "JSON that is not stored": (
        ("analytics_events", "metadata", ('{"q": "x\\u0000y"}', '{"q": "\\ud83d"}', json.dumps('{"q": "\\u0000"}'))),
        ("parts", "images", ('["\\ud83d"]', '["/a\\u0000.jpg"]')),
    ),
    "text where a number is": (
        ("vehicles", "year", NO_NUMBERS),
        ("vehicles", "mileage", NO_NUMBERS),
        ("sellers", "totalSales", NO_NUMBERS),
        ("sellers", "rating", ("five stars", "4,5")),
        ("sellers", "latitude", ("south", "33° 55'")),
    ),
    "a number out of range": (
        ("parts", "price", (0.0, -5.0, 1e12, float("inf"))),
        ("vehicles", "year", (0, 20150, -2015)),
        ("vehicles", "mileage", (2**31, -1)),
        ("sellers", "rating", (5.5, -0.1)),
        ("sellers", "totalSales", (-1, 2**40)),
        ("sellers", "longitude", (181.0, -1e9)),
    ),
    "a price in words": (("parts", "price", ("9" * 9999 + "x", b"9" * 9999, "R 1 999,99", "POA")),),
    "a NUL": (
        ("parts", "description", ("before\0after",)),
        ("users", "name", ("before\0after",)),
        ("analytics_events", "metadata", ("{\0}",)),
        ("activity_logs", "description", ("\0",)),
    ),
    "bytes that are no UTF-8": (
        ("parts", "description", (LATIN_1, HALF_A_PAIR)),
        ("sellers", "businessName", (LATIN_1,)),
        ("users", "name", (LATIN_1, HALF_A_PAIR)),
        ("categories", "description", (LATIN_1,)),
        ("refresh_tokens", "token", (LATIN_1,)),
    ),
    "bytes where a text is": (("vehicles", "make", (b"BMW",)), ("parts", "images", (b"[]",))),
    "a text without end": (
        ("parts", "name", (ENDLESS,)),
        ("users", "name", (ENDLESS,)),
        ("sellers", "city", (ENDLESS,)),
        ("vehicles", "color", (ENDLESS,)),
        ("analytics_events", "sessionId", (ENDLESS,)),
    ),
    "a date that is none": (
        ("parts", "createdAt", FAR_AWAY),
        ("vehicles", "acquisitionDate", FAR_AWAY),
        ("users", "emailVerified", FAR_AWAY),
        ("refresh_tokens", "expiresAt", FAR_AWAY),
        ("analytics_events", "timestamp", FAR_AWAY),
        ("sellers", "updatedAt", (*FAR_AWAY, 0)),
    ),
    "an orphan": (
        ("parts", "vehicleId", ("cmissing",)),
        ("vehicles", "sellerId", ("cmissing",)),
        ("parts", "categoryId", ("cmissing",)),
        ("sellers", "userId", ("cmissing",)),
        ("refresh_tokens", "userId", ("cmissing",)),
        ("categories", "parentId", ("cmissing",)),
        ("analytics_events", "partId", ("cmissing",)),
    ),
    "a truth that is none": (
        ("users", "isVerified", ("maybe", 7)),
        ("parts", "isListedOnMarketplace", ("yes!",)),
        ("categories", "isActive", ("on",)),
    ),
    "a word nobody knows": (
        ("users", "role", ("wizard",)),
        ("parts", "status", ("scrapped",)),
        ("parts", "currency", ("R", "")),
        ("vehicles", "fuelType", ("steam",)),
        ("sellers", "country", ("Atlantis",)),
    ),
    "a VIN that is none": (("vehicles", "vin", ("SHORT", "WTST00000O0000001")),),
    "a password that is none": (("users", "password", ("secret", "")),),
}
DOUBLES = (("users", "email"), ("vehicles", "vin"), ("categories", "name"))


@dataclass(frozen=True)
class Planted:
    """A value that is to be found."""

    table: str
    id: str
    column: str


def dirty_file(path: Path, *, seed: int, count: int) -> list[Planted]:
    """Write a file with so many bad values, each in a row of its own, and return where they are."""
    choice = random.Random(seed)
    file = PartPalFile(path, loose=True)
    rows = _business(file, choice)
    planted: list[Planted] = []
    free = {table: [row for name, row in rows if name == table] for table in TABLES}
    for kept in free.values():
        choice.shuffle(kept)
    kinds = [*KINDS, "a double"]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        plant = _double if kind == "a double" else _value
        planted.append(plant(free, kind, choice))
    file.write()
    return planted


def _value(free: dict[str, list[dict[str, Any]]], kind: str, choice: random.Random) -> Planted:
    table, column, values = choice.choice(KINDS[kind])
    row = free[table].pop()
    row[column] = choice.choice(values)
    return Planted(table, row["id"], column)


def _double(free: dict[str, list[dict[str, Any]]], _kind: str, choice: random.Random) -> Planted:
    table, column = choice.choice(DOUBLES)
    row, other = free[table].pop(), free[table].pop()
    swap: Callable[[str], str] = str.lower if table == "vehicles" else str.upper
    row[column] = swap(other[column])
    return Planted(table, row["id"], column)


def _business(file: PartPalFile, choice: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """Add clean rows of all kinds, of which some have a documented change to be noted, and return them."""

    def when() -> Any:
        milliseconds = NOON - choice.randrange(1000) * DAY
        return choice.choice([milliseconds, milliseconds, "2024-05-06 07:08:09", "2024-05-06T07:08:09.120Z"])

    users = [file.add("users", createdAt=when(), role=choice.choice(["BUYER", "SELLER"])) for _ in range(60)]
    for user in users:
        file.add("refresh_tokens", userId=user)
    categories = [file.add("categories") for _ in range(20)]
    categories += [file.add("categories", parentId=choice.choice(categories)) for _ in range(40)]
    sellers = [file.add("sellers", userId=user, rating=4.5, latitude=-33.9, longitude=18.4) for user in users[:40]]
    vehicles = [
        file.add("vehicles", sellerId=choice.choice(sellers), mileage=1000, createdAt=when()) for _ in range(70)
    ]
    owners = {row["id"]: row["sellerId"] for table, row in file.rows if table == "vehicles"}
    parts = []
    for vehicle in vehicles * 2:
        images = json.dumps([f"https://example.org/{number}.jpg" for number in range(choice.randrange(3))])
        status = choice.choice(["AVAILABLE", "RESERVED", "SOLD"])
        values = {"images": images, "status": status, "isListedOnMarketplace": choice.randrange(2), "createdAt": when()}
        parts.append(
            file.add(
                "parts",
                vehicleId=vehicle,
                sellerId=owners[vehicle],
                categoryId=choice.choice([None, *categories]),
                description=choice.choice(["Tested.", "Ääniä ei ole.\n\tNouto 🚗", "C:\\parts \\N"]),
                price=choice.choice([950.0, 19.99, 0.1 + 0.2, 1234.5678]),
                **values,
            )
        )
    for _ in range(120):
        file.add(
            "analytics_events",
            partId=choice.choice(parts),
            sellerId=choice.choice(sellers),
            userId=choice.choice([None, *users]),
            metadata=choice.choice([None, '{"a":1}', '{"ip": "10.0.0.1"}']),
            timestamp=when(),
        )
    for _ in range(40):
        file.add(
            "activity_logs", sellerId=choice.choice(sellers), metadata=json.dumps({"partId": choice.choice(parts)})
        )
    return file.rows


def count_rows(path: Path) -> dict[str, int]:
    """Return how many rows each table of a file has."""
    with closing(sqlite3.connect(path)) as database:
        return {table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in TABLES}
