"""PartPal's parts, with their pictures."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from config.db.iso import CURRENCIES
from config.ops.transfer.layout import Finding, Move, Target
from config.ops.transfer.partpal.checking import LONGEST_ID, ROUNDED, RowCheck
from config.ops.transfer.partpal.images import IMAGES, image_lines, quick_images
from config.ops.transfer.partpal.owners import NOBODY
from config.ops.transfer.partpal.quick import TRUTH, UNUSUAL, Unusual, quick_price, quick_text, quick_time
from config.ops.transfer.partpal.words import codes_of
from config.ops.transfer.values import FALSE, NULL, TRUE
from inventory.models import Part
from inventory.models.parts import PartStatus, normalize_part_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.ops.transfer.layout import Context, SourceRow
    from config.ops.transfer.partpal.owners import Owners

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
SELECT = (
    'SELECT t.rowid, t.id, t."vehicleId", v.rowid, t."sellerId", s.rowid, t.name, t."partNumber", t.description,'
    ' t.condition, t.price, t.currency, t.status, t.location, t.images, t."isListedOnMarketplace",'
    ' t."categoryId", c.rowid, t."createdAt", t."updatedAt" FROM parts t LEFT JOIN vehicles v ON v.id = t."vehicleId"'
    ' LEFT JOIN sellers s ON s.id = t."sellerId" LEFT JOIN categories c ON c.id = t."categoryId"'
)


def parts(context: Context, owners: Owners) -> Move:
    """Return how parts are moved. Sold ones get the time of their last change as their sale date.

    A part goes with its vehicle, whose seller `owners` knows, whatever the part's own column says.
    """
    return Move("parts", PARTS, SELECT, _Parts(context, owners).convert, children=(IMAGES,))


class _Parts:
    def __init__(self, context: Context, owners: Owners) -> None:
        self.context = context
        self.report = context.report
        self.check = RowCheck(context, "parts")
        self.is_refused = context.keys.is_refused
        self.owner_of = owners.of
        self.conditions = codes_of("condition")
        self.statuses = codes_of("status")
        self.currencies = {code: code for code in CURRENCIES}

    def convert(self, row: SourceRow, children: Sequence[list[str]]) -> str | None:
        try:
            return self._quickly(row, children[0])
        except UNUSUAL:
            return self.with_care(row, children)

    def _quickly(self, row: SourceRow, images: list[str]) -> str:
        (rowid, public_id, _, vehicle, _, seller, name, number, description) = row[:9]
        (condition, price, currency, status, location, pictures, listed, category_id, category) = row[9:18]
        if (
            (vehicle is None or seller is None or self.owner_of(vehicle) != seller)
            or (category is None and category_id is not None)
            or (category is not None and self.is_refused("categories", category))
            or (not 1 <= len(public_id) <= LONGEST_ID or len(name) > LONGEST_NAME or len(location) > LONGEST_LOCATION)
            or not row[19]
        ):
            raise Unusual
        texts = "".join((public_id, name, description, location, pictures))
        if not texts.isprintable() or "\\" in texts:
            if not pictures.isprintable() or "\\" in pictures:
                raise Unusual
            public_id, name, location = quick_text(public_id), quick_text(name), quick_text(location)
            description = quick_text(description)
        created, updated = quick_time(row[18]), quick_time(row[19])
        is_listed, sold = TRUTH[listed], NULL
        amount, rounded = quick_price(price)
        lines = quick_images(rowid, pictures)
        if lines is None:
            lines = self._images_with_care(rowid, row[1], pictures)
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

    def _images_with_care(self, rowid: int, public_id: str, pictures: str) -> list[str]:
        check = self.check
        check.begin(rowid, public_id)
        lines = image_lines(check, rowid, pictures)
        if check.has_findings:
            raise Unusual
        return lines

    def with_care(self, row: SourceRow, children: Sequence[list[str]]) -> str | None:
        """Convert a row value by value, and tell what there is to tell."""
        (rowid, public_id, vehicle_id, vehicle, seller_id, seller, name, number, description) = row[:9]
        (condition, price, currency, status, location, pictures, listed, category_id, category) = row[9:18]
        check = self.check
        check.begin(rowid, public_id)
        created = check.time("createdAt", row[18])
        updated = check.last_change("updatedAt", row[19], created)
        code = check.code("status", status, "status")
        lines = image_lines(check, rowid, pictures)
        line = check.finish(
            str(rowid),
            check.identifier("id", public_id),
            check.parent("vehicleId", "vehicles", vehicle_id, vehicle),
            self._seller(seller_id, seller, NOBODY if vehicle is None else self.owner_of(vehicle)),
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

    def _seller(self, seller_id: Any, seller: int | None, owner: int) -> str:
        """Return the cell of the vehicle's seller. The part's own seller must exist, even where it is another."""
        check = self.check
        if seller is None:
            if seller_id is None or seller_id == "":
                check.bad("sellerId", "missing", "it names no row of sellers, and the rule is that it does", seller_id)
            else:
                check.bad("sellerId", "orphan", "sellers has no row with this id", seller_id)
        # Without an owner the vehicle is missing or bad, and so is the part.
        elif owner not in {seller, NOBODY}:
            message = "another seller than the vehicle's; the part goes with the vehicle"
            check.note("sellerId", "differs", message, seller_id, self._id_of(owner))
        return str(owner)

    def _id_of(self, seller: int) -> str:
        (public_id,) = self.context.source.execute("SELECT id FROM sellers WHERE rowid = ?", [seller]).fetchone()
        return str(public_id)

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
