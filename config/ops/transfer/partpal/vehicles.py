"""PartPal's vehicles that are broken for parts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from config.ops.transfer.layout import Move, Target
from config.ops.transfer.partpal.checking import LARGEST_INTEGER, LONGEST_ID, RowCheck
from config.ops.transfer.partpal.duplicates import duplicates
from config.ops.transfer.partpal.quick import UNUSUAL, Unusual, quick_time
from config.ops.transfer.partpal.words import codes_of
from config.ops.transfer.values import NULL
from inventory.models import Vehicle
from inventory.models.base import FIRST_CAR_YEAR, LAST_PLAUSIBLE_YEAR, engine_cc
from inventory.vin import has_valid_check_digit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.ops.transfer.layout import Context, SourceRow
    from config.ops.transfer.partpal.owners import Owners

LONGEST_WORD = 100
LONGEST_ENGINE_SIZE = 20
LONGEST_COLOR = 50

VIN = re.compile(r"[0-9A-HJ-NPR-Z]{17}")
# The first place of VINs of North America, the only ones that must have a check digit (49 CFR 565.15).
WITH_CHECK_DIGIT = frozenset("12345")

VEHICLES = Target(
    Vehicle,
    (
        *("id", "public_id", "vin", "year", "make", "model", "trim", "engine_size", "engine_cc", "fuel_type"),
        *("transmission", "color", "mileage_km", "condition", "acquired_at", "seller_id", "created_at", "updated_at"),
        *("drivetrain", "description"),
    ),
    defaulted=frozenset({"drivetrain", "description"}),
)
SELECT = (
    'SELECT t.rowid, t.id, t.vin, t.year, t.make, t.model, t.variant, t."engineSize", t."fuelType", t.transmission,'
    ' t.color, t.mileage, t.condition, t."acquisitionDate", t."sellerId", s.rowid, t."createdAt", t."updatedAt"'
    ' FROM vehicles t LEFT JOIN sellers s ON s.id = t."sellerId"'
)


def normal_vin(text: str) -> str:
    """Return a VIN as it is compared."""
    return text.strip().upper()


def vehicles(context: Context, owners: Owners) -> Move:
    """Return how vehicles are moved; `owners` learns whose each of them is."""
    return Move("vehicles", VEHICLES, SELECT, _Vehicles(context, owners).convert)


class _Vehicles:
    def __init__(self, context: Context, owners: Owners) -> None:
        self.owners = owners
        self.check = RowCheck(context, "vehicles")
        self.is_refused = context.keys.is_refused
        self.same_vin = duplicates(context.source, "vehicles", "vin", normal_vin)
        self.fuels = codes_of("fuel_type") | {None: ""}
        self.transmissions = codes_of("transmission") | {None: ""}
        self.conditions = codes_of("condition")

    def convert(self, row: SourceRow, children: Sequence[list[str]]) -> str | None:
        try:
            line: str | None = self._quickly(row)
        except UNUSUAL:
            line = self.with_care(row, children)
        if line is not None:
            self.owners.put(row[0], row[15])
        return line

    def _quickly(self, row: SourceRow) -> str:
        (rowid, public_id, vin, year, make, model, trim, engine_size, fuel, transmission, color, mileage) = row[:12]
        (condition, acquired_at, _, seller, created_at, updated_at) = row[12:]
        trim, engine_size, color = trim or "", engine_size or "", color or ""
        texts = "".join((public_id, make, model, trim, engine_size, color))
        if (
            (seller is None or self.is_refused("sellers", seller))
            or (not texts.isprintable() or "\\" in texts)
            or (not VIN.fullmatch(vin) or vin[0] in WITH_CHECK_DIGIT or rowid in self.same_vin)
            or (type(year) is not int or not FIRST_CAR_YEAR <= year <= LAST_PLAUSIBLE_YEAR)
            or (mileage is not None and (type(mileage) is not int or not 0 <= mileage <= LARGEST_INTEGER))
            or (not 1 <= len(public_id) <= LONGEST_ID or len(make) > LONGEST_WORD or len(model) > LONGEST_WORD)
            or (len(trim) > LONGEST_WORD or len(engine_size) > LONGEST_ENGINE_SIZE or len(color) > LONGEST_COLOR)
            or not updated_at
        ):
            raise Unusual
        return (
            f"{rowid}\t{public_id}\t{vin}\t{year}\t{make}\t{model}\t{trim}\t{engine_size}\t{_engine_cc(engine_size)}"
            f"\t{self.fuels[fuel]}\t{self.transmissions[transmission]}\t{color}"
            f"\t{NULL if mileage is None else mileage}\t{self.conditions[condition]}\t{quick_time(acquired_at)}"
            f"\t{seller}\t{quick_time(created_at)}\t{quick_time(updated_at)}\t\t"
        )

    def with_care(self, row: SourceRow, _children: Sequence[list[str]]) -> str | None:
        """Convert a row value by value, and tell what there is to tell."""
        (rowid, public_id, vin, year, make, model, trim, engine_size, fuel, transmission, color, mileage) = row[:12]
        (condition, acquired_at, seller_id, seller, created_at, updated_at) = row[12:]
        check = self.check
        check.begin(rowid, public_id)
        created = check.time("createdAt", created_at)
        return check.finish(
            str(rowid),
            check.identifier("id", public_id),
            self._vin(rowid, vin),
            str(check.whole("year", year, FIRST_CAR_YEAR, LAST_PLAUSIBLE_YEAR)),
            check.text("make", make, LONGEST_WORD),
            check.text("model", model, LONGEST_WORD),
            check.text("variant", trim, LONGEST_WORD),
            check.text("engineSize", engine_size, LONGEST_ENGINE_SIZE),
            _engine_cc(engine_size) if isinstance(engine_size, str) else NULL,
            check.code("fuelType", fuel, "fuel_type", optional=True),
            check.code("transmission", transmission, "transmission", optional=True),
            check.text("color", color, LONGEST_COLOR),
            self._mileage(mileage),
            check.code("condition", condition, "condition"),
            check.time("acquisitionDate", acquired_at),
            check.parent("sellerId", "sellers", seller_id, seller),
            created,
            check.last_change("updatedAt", updated_at, created),
            *("", ""),
        )

    def _vin(self, rowid: int, value: Any) -> str:
        check = self.check
        raw = check.plain("vin", value)
        vin = normal_vin(raw)
        if not vin:
            if not isinstance(value, bytes):
                check.note("vin", "empty_text", "an empty text stands where there is no value", value)
            return NULL
        if not VIN.fullmatch(vin):
            message = "a VIN has 17 letters and digits, without I, O and Q"
            check.bad("vin", "not_a_vin", message, value)
            return NULL
        check.single("vin", value, "vin", self.same_vin.get(rowid))
        if vin[0] in WITH_CHECK_DIGIT and not has_valid_check_digit(vin):
            message = "the ninth place is not the check digit that VINs of North America have; kept as it is"
            check.note("vin", "check_digit", message, value, vin)
        return check.changed("vin", raw, vin, "trimmed and in capital letters, as VINs are compared", len(vin))

    def _mileage(self, value: Any) -> str:
        check = self.check
        mileage = check.whole("mileage", value, -LARGEST_INTEGER, LARGEST_INTEGER, optional=True)
        if mileage is None:
            return NULL
        if mileage < 0:
            check.note("mileage", "negative", "a mileage is not negative, and was left out", value)
            return NULL
        return str(mileage)


@lru_cache(maxsize=1024)
def _engine_cc(engine_size: str) -> str:
    """Return the cell of the cubic centimetres that an engine size means, where it means any."""
    number = engine_cc(engine_size[:LONGEST_ENGINE_SIZE])
    return NULL if number is None or number > LARGEST_INTEGER else str(number)
