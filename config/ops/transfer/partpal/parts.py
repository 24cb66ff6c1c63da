"""PartPal's parts, with their pictures."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from config.db.iso import CURRENCIES
from config.ops.transfer.layout import Finding, Move, Target
from config.ops.transfer.partpal.checking import LONGEST_ID, ROUNDED, RowCheck
from config.ops.transfer.partpal.images import IMAGES, image_lines, quick_images
from config.ops.transfer.partpal.quick import TRUTH, UNUSUAL, Unusual, quick_price, quick_text, quick_time
from config.ops.transfer.partpal.words import codes_of
from config.ops.transfer.values import FALSE, NULL, TRUE, is_storable
from inventory.models import Part
from inventory.models.parts import PartStatus, normalize_part_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.ops.transfer.layout import Context, SourceRow

LONGEST_NAME = 200
LONGEST_PART_NUMBER = 100
LONGEST_LOCATION = 100
LOWEST_PRICE = Decimal("0.01")
HIGHEST_PRICE = Decimal("9999999999.99")

SOLD = str(PartStatus.SOLD)
NOT_LISTED = ("not_listed", "a sold part is not listed on the marketplace")

PARTS = Target(
    Part,
    (
        *("id", "public_id", "vehicle_id", "seller_id", "category_id", "name", "part_number", "part_number_norm"),
        *("description", "condition", "price", "currency", "status", "sold_at", "yard_location", "is_listed"),
        *("created_at", "updated_at"),
    ),
)
# The seller is the vehicle's: a part belongs to who broke the vehicle, whatever the part's own column says.
SELECT = (
    'SELECT t.rowid, t.id, t."vehicleId", v.rowid, v."sellerId", t."sellerId", s.rowid, t.name, t."partNumber",'
    ' t.description, t.condition, t.price, t.currency, t.status, t.location, t.images, t."isListedOnMarketplace",'
    ' t."categoryId", c.rowid, t."createdAt", t."updatedAt" FROM parts t LEFT JOIN vehicles v ON v.id = t."vehicleId"'
    ' LEFT JOIN sellers s ON s.id = v."sellerId" LEFT JOIN categories c ON c.id = t."categoryId"'
)


def parts(context: Context) -> Move:
    """Return how parts are moved. Sold ones get the time of their last change as their sale date."""
    return Move("parts", PARTS, SELECT, _Parts(context).convert, children=(IMAGES,))


class _Parts:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.report = context.report
        self.check = RowCheck(context, "parts")
        self.is_refused = context.keys.is_refused
        self.conditions = codes_of("condition")
        self.statuses = codes_of("status")
        self.currencies = {code: code for code in CURRENCIES}

    def convert(self, row: SourceRow, children: Sequence[list[str]]) -> str | None:
        try:
            return self._quickly(row, children[0])
        except UNUSUAL:
            return self.with_care(row, children)

    def _quickly(self, row: SourceRow, images: list[str]) -> str:
        (rowid, public_id, _, vehicle, owner_id, seller_id, seller, name, number, description) = row[:10]
        (condition, price, currency, status, location, pictures, listed, category_id, category) = row[10:19]
        is_refused = self.is_refused
        if (
            (vehicle is None or seller is None or owner_id != seller_id or is_refused("vehicles", vehicle))
            or (category is None and category_id is not None)
            or (category is not None and is_refused("categories", category))
            or (not 1 <= len(public_id) <= LONGEST_ID or len(name) > LONGEST_NAME or len(location) > LONGEST_LOCATION)
            or not row[20]
        ):
            raise Unusual
        texts = "".join((public_id, name, description, location, pictures))
        if not texts.isprintable() or "\\" in texts:
            if not pictures.isprintable() or "\\" in pictures:
                raise Unusual
            public_id, name, location = quick_text(public_id), quick_text(name), quick_text(location)
            description = quick_text(description)
        created, updated = quick_time(row[19]), quick_time(row[20])
        is_listed, sold = TRUTH[listed], NULL
        amount, rounded = quick_price(price)
        self.check.begin(rowid, row[1])
        lines = quick_images(self.check, rowid, pictures)
        line = (
            f"{rowid}\t{public_id}\t{vehicle}\t{seller}\t{NULL if category is None else category}\t{name}"
            f"\t{_quick_part_number(number)}\t{description}\t{self.conditions[condition]}\t{amount}"
            f"\t{self.currencies[currency]}\t{self.statuses[status]}"
        )
        # From here on nothing is unusual any more, so it can be told.
        if rounded:
            self.report(Finding("note", "parts", row[1], "price", *ROUNDED, price, amount))
        if status == SOLD:
            sold = updated
            if listed:
                is_listed = FALSE
                self.report(Finding("note", "parts", row[1], "isListedOnMarketplace", *NOT_LISTED, listed, False))
        images += lines
        return f"{line}\t{sold}\t{location}\t{is_listed}\t{created}\t{updated}"

    def with_care(self, row: SourceRow, children: Sequence[list[str]]) -> str | None:
        """Convert a row value by value, and tell what there is to tell."""
        (rowid, public_id, vehicle_id, vehicle, owner_id, seller_id, seller, name, number, description) = row[:10]
        (condition, price, currency, status, location, pictures, listed, category_id, category) = row[10:19]
        check = self.check
        check.begin(rowid, public_id)
        created = check.time("createdAt", row[19])
        updated = check.last_change("updatedAt", row[20], created)
        code = check.code("status", status, "status")
        lines = image_lines(check, rowid, pictures)
        line = check.finish(
            str(rowid),
            check.identifier("id", public_id),
            check.parent("vehicleId", "vehicles", vehicle_id, vehicle),
            self._seller(seller_id, owner_id, seller if vehicle is not None else None),
            check.relative("categoryId", "categories", category_id, category),
            check.text("name", name, LONGEST_NAME),
            *self._part_number(number),
            check.text("description", description),
            check.code("condition", condition, "condition"),
            self._price(price),
            self._currency(currency),
            code,
            updated if code == SOLD else NULL,
            check.text("location", location, LONGEST_LOCATION),
            self._listed(listed, code),
            created,
            updated,
        )
        if line is not None:
            children[0].extend(lines)
        return line

    def _seller(self, seller_id: Any, owner_id: Any, seller: int | None) -> str:
        """Return the cell of the vehicle's seller. The part's own seller must exist, even where it is another."""
        check = self.check
        named = check.plain("sellerId", seller_id)
        if seller is None or seller_id == owner_id:
            # Of a vehicle without a seller, or without a vehicle, the row is bad for that.
            return NULL if seller is None else str(seller)
        if not named:
            check.bad("sellerId", "missing", "it names no row of sellers, and the rule is that it does", seller_id)
        elif not is_storable(named) or not self._has_seller(named):
            check.bad("sellerId", "orphan", "sellers has no row with this id", seller_id)
        else:
            message = "another seller than the vehicle's; the part goes with the vehicle"
            check.note("sellerId", "differs", message, seller_id, owner_id)
        return str(seller)

    def _has_seller(self, public_id: str) -> bool:
        found = self.context.source.execute("SELECT 1 FROM sellers WHERE id = ?", [public_id]).fetchone()
        return found is not None

    def _part_number(self, value: Any) -> tuple[str, str]:
        """Return the cells of the number as the maker writes it and as it is searched."""
        check = self.check
        raw = check.plain("partNumber", value)
        kept = raw.strip().upper()
        if not kept:
            return NULL, NULL
        cell = check.changed("partNumber", raw, kept, "trimmed and in capital letters", LONGEST_PART_NUMBER)
        return cell, normalize_part_number(kept) or NULL

    def _price(self, value: Any) -> str:
        number = self.check.number("price", value)
        return "" if number is None else self.check.decimal("price", value, number, LOWEST_PRICE, HIGHEST_PRICE)

    def _currency(self, value: Any) -> str:
        check = self.check
        raw = check.plain("currency", value)
        kept = raw.strip().upper()
        if kept not in self.currencies:
            check.bad("currency", "unknown_currency", "it is no currency code of ISO 4217", value)
        return check.changed("currency", raw, kept, "trimmed and in capital letters", max(len(kept), 3))

    def _listed(self, value: Any, code: str) -> str:
        cell = self.check.boolean("isListedOnMarketplace", value)
        if code == SOLD and cell == TRUE:
            self.check.note("isListedOnMarketplace", *NOT_LISTED, value, False)
            return FALSE
        return cell


def _quick_part_number(number: Any) -> str:
    """Return both cells of a part number that is kept as it is."""
    if number is None:
        return f"{NULL}\t{NULL}"
    if (
        not number
        or not number.isascii()
        or not number.isprintable()
        or "\\" in number
        or len(number) > LONGEST_PART_NUMBER
    ):
        raise Unusual
    if number != number.upper().strip():
        raise Unusual
    searched = number.replace("-", "")
    return f"{number}\t{searched if searched.isalnum() else normalize_part_number(number) or NULL}"
