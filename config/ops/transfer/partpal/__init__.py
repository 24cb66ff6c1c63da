"""PartPal's own SQLite file, as its Prisma schema makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.db.errors import Refused
from config.ops.transfer.partpal.categories import CATEGORIES, categories
from config.ops.transfer.partpal.duplicates import is_unique
from config.ops.transfer.partpal.images import IMAGES
from config.ops.transfer.partpal.owners import Owners
from config.ops.transfer.partpal.parts import PARTS, parts
from config.ops.transfer.partpal.people import SESSIONS, USERS, refresh_tokens, users
from config.ops.transfer.partpal.sellers import SELLERS, sellers
from config.ops.transfer.partpal.traffic import ACTIVITIES, EVENTS, activities, events
from config.ops.transfer.partpal.vehicles import VEHICLES, vehicles

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

    from django.db.models import Model

    from config.ops.transfer.layout import Context, Move

# The columns that are read of each table.
COLUMNS = {
    "users": ("id", "email", "name", "password", "role", "isVerified", "emailVerified", "createdAt", "updatedAt"),
    "refresh_tokens": ("id", "token", "userId", "expiresAt", "createdAt"),
    "categories": ("id", "name", "parentId", "description", "isActive"),
    "sellers": (
        *("id", "userId", "businessName", "businessType", "description", "isVerified", "rating", "totalSales"),
        *("subscriptionPlan", "street", "city", "province", "postalCode", "country", "latitude", "longitude"),
        *("phone", "whatsapp", "website", "businessHours", "email", "createdAt", "updatedAt"),
    ),
    "vehicles": (
        *("id", "vin", "year", "make", "model", "variant", "engineSize", "fuelType", "transmission", "color"),
        *("mileage", "condition", "acquisitionDate", "sellerId", "createdAt", "updatedAt"),
    ),
    "parts": (
        *("id", "vehicleId", "sellerId", "name", "partNumber", "description", "condition", "price", "currency"),
        *("status", "location", "images", "isListedOnMarketplace", "categoryId", "createdAt", "updatedAt"),
    ),
    "analytics_events": (
        *("id", "eventType", "partId", "sellerId", "userId", "sessionId", "userAgent", "metadata", "timestamp"),
        "createdAt",
    ),
    "activity_logs": ("id", "sellerId", "userId", "type", "description", "metadata", "timestamp"),
}
# Tables that other layouts do not have together.
TELLING = frozenset({"refresh_tokens", "vehicles", "analytics_events", "activity_logs"})


class PartPal:
    """The layout of PartPal's `dev.db`."""

    name = "PartPal (Prisma)"
    tables = tuple(COLUMNS)
    models: tuple[type[Model], ...] = tuple(
        target.model for target in (USERS, SESSIONS, CATEGORIES, SELLERS, VEHICLES, PARTS, IMAGES, EVENTS, ACTIVITIES)
    )
    matched: frozenset[type[Model]] = frozenset()
    estimated: Mapping[str, str] = {
        "inventory_part.sold_at": "parts.updatedAt of sold parts",
        "inventory_category.created_at, updated_at": "the time of the move",
    }

    def recognises(self, source: sqlite3.Connection) -> bool:
        """Whether the file has PartPal's tables, or at least those that only PartPal has."""
        tables = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return tables >= TELLING

    def refuse_unready(self, source: sqlite3.Connection) -> None:
        """Raise Refused when tables or columns are missing, or ids need not be unique."""
        missing = [
            f"{table}.{column}"
            for table, columns in COLUMNS.items()
            for column in sorted(set(columns) - _columns(source, table))
        ]
        if missing:
            raise Refused(
                f"The file looks like PartPal's but is not of its latest schema. Missing: {', '.join(missing[:10])}"
                f"{f' and {len(missing) - 10} more' if len(missing) > 10 else ''}. Run PartPal's own migrations"
                " (`npx prisma migrate deploy`) on a copy of the file, and move the copy."
            )
        loose = [table for table in COLUMNS if not is_unique(source, table, "id")]
        if loose:
            raise Refused(
                f"The file has lost the primary key of {', '.join(loose)}: several rows could have one id. Put it back"
                " in a copy of the file, and move the copy."
            )

    def moves(self, context: Context) -> Iterator[Move]:
        """Yield the moves; what needs a look at a whole table is found before its move is given."""
        owners = Owners()
        for move in (users, refresh_tokens, categories, sellers):
            yield move(context)
        yield vehicles(context, owners)
        yield parts(context, owners)
        yield events(context)
        yield activities(context)


def _columns(source: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in source.execute("SELECT name FROM pragma_table_info(?)", [table])}
