"""PartPal's sellers."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from accounts.models import Seller
from accounts.provinces import south_african_province
from config.ops.transfer.layout import Move, Target
from config.ops.transfer.partpal.checking import LARGEST_INTEGER, RowCheck, decoded_json
from config.ops.transfer.partpal.contacts import country_code, international_phone, web_address
from config.ops.transfer.values import NULL, TRUE, JSONProblem, UnstorableJSON, float_cell, json_cell, text_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.ops.transfer.layout import Context, SourceRow

DEFAULT_COUNTRY = "ZA"
DEFAULT_TIMEZONE = "Africa/Johannesburg"
HIGHEST_RATING = Decimal(5)

SELLERS = Target(
    Seller,
    (
        *("id", "public_id", "owner_id", "name", "business_type", "description", "is_verified", "rating"),
        *("total_sales", "plan", "street", "city", "province", "postal_code", "country", "latitude", "longitude"),
        *("phone", "whatsapp", "website", "business_hours", "email", "created_at", "updated_at"),
        *("timezone", "primary_image_url", "is_open", "is_active"),
    ),
    defaulted=frozenset({"timezone", "primary_image_url", "is_open", "is_active"}),
)
SELECT = (
    'SELECT t.rowid, t.id, t."userId", u.rowid, t."businessName", t."businessType", t.description, t."isVerified",'
    ' t.rating, t."totalSales", t."subscriptionPlan", t.street, t.city, t.province, t."postalCode", t.country,'
    ' t.latitude, t.longitude, t.phone, t.whatsapp, t.website, t."businessHours", t.email, t."createdAt", t."updatedAt"'
    ' FROM sellers t LEFT JOIN users u ON u.id = t."userId"'
)
# Read from one end to the other: an index would fetch every row by itself. In the order of the sellers' rows.
SALES = (
    'SELECT s.rowid, count(*) FROM parts p NOT INDEXED JOIN sellers s ON s.id = p."sellerId"'
    " WHERE upper(p.status) = 'SOLD' GROUP BY s.rowid ORDER BY s.rowid"
)


def sellers(context: Context) -> Move:
    """Return how sellers are moved."""
    return Move("sellers", SELLERS, SELECT, _Sellers(context).convert)


class _Sellers:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.check = RowCheck(context, "sellers")
        self.sales = _Sales(context)

    def convert(self, row: SourceRow, _children: Sequence[list[str]]) -> str | None:
        (rowid, public_id, user_id, user, name, kind, description, verified, rating, sales, plan) = row[:11]
        (street, city, province, postal_code, country, latitude, longitude) = row[11:18]
        (phone, whatsapp, website, hours, email, created_at, updated_at) = row[18:]
        check = self.check
        check.begin(rowid, public_id)
        created = check.time("createdAt", created_at)
        code = self._country(country)
        return check.finish(
            str(rowid),
            check.identifier("id", public_id),
            check.parent("userId", "users", user_id, user),
            check.text("businessName", name, 200),
            check.code("businessType", kind, "business_type"),
            check.text("description", description),
            check.boolean("isVerified", verified),
            self._rating(rating),
            self._total_sales(rowid, sales),
            check.code("subscriptionPlan", plan, "plan"),
            check.text("street", street, 255),
            check.text("city", city, 100),
            self._province(province, code),
            check.text("postalCode", postal_code, 20),
            code,
            *self._position(latitude, longitude),
            self._phone("phone", phone, code),
            self._phone("whatsapp", whatsapp, code),
            self._website(website),
            self._business_hours(hours),
            self._email(email),
            created,
            check.last_change("updatedAt", updated_at, created),
            *(DEFAULT_TIMEZONE, "", TRUE, TRUE),
        )

    def _rating(self, value: Any) -> str:
        number = self.check.number("rating", value, optional=True)
        return NULL if number is None else self.check.decimal("rating", value, number, Decimal(0), HIGHEST_RATING)

    def _total_sales(self, rowid: int, value: Any) -> str:
        total = self.check.whole("totalSales", value, 0, LARGEST_INTEGER)
        sold = self.sales.of(rowid)
        if total is not None and total != sold:
            message = f"the file has {sold:,} sold parts of this seller; the total was kept as it is"
            self.check.note("totalSales", "differs", message, value, total)
        return str(total)

    def _country(self, value: Any) -> str:
        raw = self.check.plain("country", value)
        code = country_code(raw)
        if code is None:
            message = f"the country is unknown, and {DEFAULT_COUNTRY} stands for it"
            self.check.note("country", "unknown_word", message, value, DEFAULT_COUNTRY)
        return code or DEFAULT_COUNTRY

    def _province(self, value: Any, country: str) -> str:
        raw = self.check.plain("province", value, 100)
        kept = south_african_province(raw) if country == "ZA" else raw
        return self.check.changed("province", raw, kept, "the official name of the province", 100)

    def _position(self, latitude: Any, longitude: Any) -> tuple[str, str]:
        check = self.check
        cells = (self._degrees("latitude", latitude, 90), self._degrees("longitude", longitude, 180))
        if cells.count(NULL) == 1 and not check.is_bad:
            column, value = ("latitude", latitude) if cells[1] == NULL else ("longitude", longitude)
            check.note(column, "incomplete", "half of a position is no position, and was left out", value)
            return NULL, NULL
        return cells

    def _degrees(self, column: str, value: Any, limit: int) -> str:
        number = self.check.number(column, value, optional=True)
        if number is None:
            return NULL
        if abs(number) > limit:
            self.check.bad(column, "out_of_range", f"it is not between -{limit} and {limit} degrees", value)
        return float_cell(float(number))

    def _phone(self, column: str, value: Any, country: str) -> str:
        raw = self.check.plain(column, value, 50)
        kept = international_phone(raw, country) if raw else None
        if kept is None:
            if raw.strip():
                self.check.note(
                    column, "unreadable", "it is no phone number that can be read; kept as it is", value, raw
                )
            return text_cell(raw)
        return self.check.changed(column, raw, kept, "the international form", 50)

    def _website(self, value: Any) -> str:
        raw = self.check.plain("website", value)
        kept = web_address(raw)
        if kept is None:
            if raw.strip():
                self.check.note("website", "not_an_address", "it is no address on the web, and was left out", value, "")
            return ""
        return self.check.changed("website", raw, kept, "an address with its scheme", 255)

    def _email(self, value: Any) -> str:
        raw = self.check.plain("email", value)
        return self.check.changed("email", raw, raw.strip().lower(), "trimmed and in lower case", 254)

    def _business_hours(self, value: Any) -> str:
        check = self.check
        raw = check.plain("businessHours", value)
        if value is None:
            return NULL
        try:
            hours, is_decoded = decoded_json(raw)
            cell = json_cell(hours)
        except UnstorableJSON as problem:
            check.bad("businessHours", "unstorable_json", str(problem), value)
            return NULL
        except JSONProblem as problem:
            check.note("businessHours", "invalid_json", f"it is no JSON ({problem}), and was left out", value)
            return NULL
        if hours is None:
            return NULL
        if not isinstance(hours, dict):
            check.note("businessHours", "invalid_json", "it names no days, and was left out", value)
            return NULL
        if is_decoded:
            check.note("businessHours", "decoded", "it was JSON in a text", value, cell)
        return cell


class _Sales:
    """How many parts each seller has sold, in 16 bytes for each."""

    def __init__(self, context: Context) -> None:
        self._rowids, self._counts = array("q"), array("q")
        for rowid, count in context.source.execute(SALES):
            self._rowids.append(rowid)
            self._counts.append(count)

    def of(self, rowid: int) -> int:
        """Return the number of sold parts of the seller in this row."""
        place = bisect_left(self._rowids, rowid)
        return self._counts[place] if place < len(self._rowids) and self._rowids[place] == rowid else 0
