"""PartPal files for tests: the real layout, and rows with plain defaults of which a test names what it cares about."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Of each column: its type as Prisma writes it for SQLite, whether it must be given, and its default.
TABLES: dict[str, dict[str, tuple[str, bool, str]]] = {
    "users": {
        "id": ("TEXT", True, ""),
        "email": ("TEXT", True, ""),
        "name": ("TEXT", True, ""),
        "password": ("TEXT", True, ""),
        "role": ("TEXT", True, "'BUYER'"),
        "isVerified": ("BOOLEAN", True, "false"),
        "emailVerified": ("DATETIME", False, ""),
        "createdAt": ("DATETIME", True, "CURRENT_TIMESTAMP"),
        "updatedAt": ("DATETIME", True, ""),
    },
    "refresh_tokens": {
        "id": ("TEXT", True, ""),
        "token": ("TEXT", True, ""),
        "userId": ("TEXT", True, ""),
        "expiresAt": ("DATETIME", True, ""),
        "createdAt": ("DATETIME", True, "CURRENT_TIMESTAMP"),
    },
    "categories": {
        "id": ("TEXT", True, ""),
        "name": ("TEXT", True, ""),
        "parentId": ("TEXT", False, ""),
        "description": ("TEXT", False, ""),
        "isActive": ("BOOLEAN", True, "true"),
    },
    "sellers": {
        "id": ("TEXT", True, ""),
        "userId": ("TEXT", True, ""),
        "businessName": ("TEXT", True, ""),
        "businessType": ("TEXT", True, ""),
        "description": ("TEXT", False, ""),
        "isVerified": ("BOOLEAN", True, "false"),
        "rating": ("REAL", False, ""),
        "totalSales": ("INTEGER", True, "0"),
        "subscriptionPlan": ("TEXT", True, "'STARTER'"),
        "createdAt": ("DATETIME", True, "CURRENT_TIMESTAMP"),
        "updatedAt": ("DATETIME", True, ""),
        "street": ("TEXT", True, ""),
        "city": ("TEXT", True, ""),
        "province": ("TEXT", True, ""),
        "postalCode": ("TEXT", True, ""),
        "country": ("TEXT", True, "'South Africa'"),
        "latitude": ("REAL", False, ""),
        "longitude": ("REAL", False, ""),
        "phone": ("TEXT", True, ""),
        "whatsapp": ("TEXT", False, ""),
        "website": ("TEXT", False, ""),
        "businessHours": ("TEXT", False, ""),
        "email": ("TEXT", False, ""),
    },
    "vehicles": {
        "id": ("TEXT", True, ""),
        "vin": ("TEXT", True, ""),
        "year": ("INTEGER", True, ""),
        "make": ("TEXT", True, ""),
        "model": ("TEXT", True, ""),
        "variant": ("TEXT", False, ""),
        "engineSize": ("TEXT", False, ""),
        "fuelType": ("TEXT", False, ""),
        "transmission": ("TEXT", False, ""),
        "color": ("TEXT", False, ""),
        "mileage": ("INTEGER", False, ""),
        "condition": ("TEXT", True, ""),
        "acquisitionDate": ("DATETIME", True, ""),
        "sellerId": ("TEXT", True, ""),
        "createdAt": ("DATETIME", True, "CURRENT_TIMESTAMP"),
        "updatedAt": ("DATETIME", True, ""),
    },
    "parts": {
        "id": ("TEXT", True, ""),
        "vehicleId": ("TEXT", True, ""),
        "sellerId": ("TEXT", True, ""),
        "name": ("TEXT", True, ""),
        "partNumber": ("TEXT", False, ""),
        "description": ("TEXT", True, ""),
        "condition": ("TEXT", True, ""),
        "price": ("REAL", True, ""),
        "currency": ("TEXT", True, "'ZAR'"),
        "status": ("TEXT", True, "'AVAILABLE'"),
        "location": ("TEXT", True, ""),
        "images": ("TEXT", True, ""),
        "isListedOnMarketplace": ("BOOLEAN", True, "false"),
        "categoryId": ("TEXT", False, ""),
        "createdAt": ("DATETIME", True, "CURRENT_TIMESTAMP"),
        "updatedAt": ("DATETIME", True, ""),
    },
    "analytics_events": {
        "id": ("TEXT", True, ""),
        "eventType": ("TEXT", True, ""),
        "partId": ("TEXT", False, ""),
        "sellerId": ("TEXT", False, ""),
        "userId": ("TEXT", False, ""),
        "sessionId": ("TEXT", False, ""),
        "userAgent": ("TEXT", False, ""),
        "metadata": ("TEXT", False, ""),
        "timestamp": ("DATETIME", True, "CURRENT_TIMESTAMP"),
        "createdAt": ("DATETIME", True, "CURRENT_TIMESTAMP"),
    },
    "activity_logs": {
        "id": ("TEXT", True, ""),
        "sellerId": ("TEXT", False, ""),
        "userId": ("TEXT", False, ""),
        "type": ("TEXT", True, ""),
        "description": ("TEXT", True, ""),
        "metadata": ("TEXT", False, ""),
        "timestamp": ("DATETIME", True, "CURRENT_TIMESTAMP"),
    },
}
FOREIGN_KEYS = {
    ("refresh_tokens", "userId"): "users",
    ("categories", "parentId"): "categories",
    ("sellers", "userId"): "users",
    ("vehicles", "sellerId"): "sellers",
    ("parts", "vehicleId"): "vehicles",
    ("parts", "sellerId"): "sellers",
    ("parts", "categoryId"): "categories",
}
UNIQUE = (
    ("users", "email"),
    ("refresh_tokens", "token"),
    ("sellers", "userId"),
    ("vehicles", "vin"),
    ("categories", "name"),
)

NOON = 1_772_452_800_000  # 2026-03-02 12:00 UTC, in milliseconds
PASSWORD = "Sininen-Saab-900"
# bcrypt of PASSWORD with the lowest cost
PASSWORD_HASH = "$2b$04$DD47XcmVOZCq.GTbCC/vx.93DD0/X5i3JlZaQqc3x7wL6iVpdPONG"

DEFAULTS: dict[str, dict[str, Any]] = {
    "users": {"name": "Aino Virtanen", "password": PASSWORD_HASH, "isVerified": 1, "createdAt": NOON},
    "refresh_tokens": {"expiresAt": NOON + 10**12, "createdAt": NOON},
    "categories": {"isActive": 1},
    "sellers": {
        "businessName": "Autopurkamo",
        "businessType": "SCRAP_YARD",
        "street": "1 Main Road",
        "city": "Cape Town",
        "province": "Western Cape",
        "postalCode": "7500",
        "phone": "+27215550123",
        "createdAt": NOON,
    },
    "vehicles": {
        "year": 2015,
        "make": "Toyota",
        "model": "Hilux",
        "condition": "GOOD",
        "acquisitionDate": NOON,
        "createdAt": NOON,
    },
    "parts": {
        "name": "Alternator",
        "description": "Tested.",
        "condition": "GOOD",
        "price": 950.5,
        "location": "Shelf A1",
        "images": "[]",
        "createdAt": NOON,
    },
    "analytics_events": {"eventType": "SEARCH", "timestamp": NOON, "createdAt": NOON},
    "activity_logs": {"type": "part_sold", "description": "Part sold", "timestamp": NOON},
}


@dataclass(frozen=True)
class Raw:
    """Bytes that stand in a text column as text, whether they are UTF-8 or not."""

    bytes: bytes


@dataclass
class PartPalFile:
    """A file in the making. `loose` leaves out what a tool that edits files by hand may have taken away."""

    path: Path
    loose: bool = False
    _count: int = 0
    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Those that are not written yet."""

    def add(self, table: str, **values: Any) -> str:
        """Add a row and return its id; parents that are not named are made."""
        self._count += 1
        row = {"id": f"c{table[:3]}{self._count:08d}", **DEFAULTS[table]}
        if "updatedAt" in TABLES[table]:
            row["updatedAt"] = NOON + 1500
        row |= self._distinct(table)
        row |= values
        for column in [column for owner, column in FOREIGN_KEYS if owner == table]:
            if column not in row and TABLES[table][column][1]:
                row[column] = self._parent_of(table, column, row)
        self.rows.append((table, row))
        return str(row["id"])

    def write(self) -> Path:
        """Write what was added since the file was made, and return its path."""
        with closing(sqlite3.connect(self.path)) as database, database:
            if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in layout(loose=self.loose):
                    database.execute(statement)
            for table, row in self.rows:
                places = ["CAST(? AS TEXT)" if isinstance(value, Raw) else "?" for value in row.values()]
                columns = ", ".join(f'"{column}"' for column in row)
                database.execute(
                    f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join(places)})',
                    [value.bytes if isinstance(value, Raw) else value for value in row.values()],
                )
        self.rows.clear()
        return self.path

    def _distinct(self, table: str) -> dict[str, Any]:
        number = self._count
        return {
            "users": {"email": f"person{number}@example.org"},
            "refresh_tokens": {"token": f"token-{number}"},
            "categories": {"name": f"Category {number}"},
            "vehicles": {"vin": f"WTST00000{number:08d}"},
        }.get(table, {})

    def _parent_of(self, table: str, column: str, row: dict[str, Any]) -> str:
        if (table, column) == ("parts", "sellerId"):
            owners = {str(values["id"]): values["sellerId"] for name, values in self.rows if name == "vehicles"}
            return str(owners.get(row["vehicleId"]) or self.add("sellers"))
        return self.add(FOREIGN_KEYS[table, column])


def layout(*, loose: bool) -> list[str]:
    """Return the statements that make the tables and the unique indexes."""
    statements = []
    for table, columns in TABLES.items():
        lines = []
        for name, (kind, is_required, default) in columns.items():
            rules = " PRIMARY KEY" if name == "id" else ""
            rules += " NOT NULL" if is_required and not loose else ""
            rules += f" DEFAULT {default}" if default else ""
            lines.append(f'"{name}" {kind}{rules}')
        for (owner, name), parent in FOREIGN_KEYS.items():
            if owner == table:
                lines.append(f'FOREIGN KEY ("{name}") REFERENCES "{parent}" ("id")')
        statements.append(f'CREATE TABLE "{table}" ({", ".join(lines)})')
    if not loose:
        statements += [f'CREATE UNIQUE INDEX "{t}_{c}_key" ON "{t}" ("{c}")' for t, c in UNIQUE]
    return statements
