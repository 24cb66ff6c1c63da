"""Cells for the fields of our models, from what Django keeps in SQLite."""

from __future__ import annotations

import ipaddress
import math
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models.fields.json import JSONField

from config.db.fields import NormalizedCharField
from config.ops.transfer.values import (
    NULL,
    JSONProblem,
    UnstorableJSON,
    date_cell,
    float_cell,
    is_storable,
    json_text_cell,
    moment_cell,
    numeric_cell,
    text_cell,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Field = models.Field[Any, Any]
    Cell = Callable[[Any], str]

# What PostgreSQL's types hold.
INTEGER_RANGES = {
    "SmallIntegerField": (-(2**15), 2**15 - 1),
    "PositiveSmallIntegerField": (0, 2**15 - 1),
    "IntegerField": (-(2**31), 2**31 - 1),
    "AutoField": (1, 2**31 - 1),
    "PositiveIntegerField": (0, 2**31 - 1),
    "BigIntegerField": (-(2**63), 2**63 - 1),
    "BigAutoField": (1, 2**63 - 1),
    "PositiveBigIntegerField": (0, 2**63 - 1),
}


class BadValue(ValueError):
    """The value fits no cell of its field: a reason for programs, and the same as a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


class Changed(ValueError):
    """The value fits once it is changed, which is to be noted."""

    def __init__(self, cell: str, moved_as: Any, reason: str, message: str) -> None:
        super().__init__(message)
        self.cell, self.moved_as, self.reason, self.message = cell, moved_as, reason, message


def cell_of(field: Field) -> Cell:
    """Return what makes a cell of the field from the value in SQLite; it raises BadValue or Changed.

    Raises NotImplementedError for a kind of field that nobody has thought of yet.
    """
    target = field
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    return _nullable(field, _plain_cell(target))


def _plain_cell(field: Field) -> Cell:
    kind = field.get_internal_type()
    if kind in INTEGER_RANGES:
        return _integer(*INTEGER_RANGES[kind])
    if isinstance(field, models.DecimalField):
        return _decimal(field.max_digits, field.decimal_places)
    if isinstance(field, NormalizedCharField):
        return _normalized(field)
    if kind in {"CharField", "SlugField", "TextField", "FileField", "FilePathField"}:
        return _text(field.max_length)
    simple: dict[str, Cell] = {
        "BooleanField": _boolean,
        "FloatField": _float,
        "DateTimeField": _moment,
        "DateField": _date,
        "UUIDField": _uuid,
        "GenericIPAddressField": _address,
    }
    if isinstance(field, JSONField):
        return _json
    if kind not in simple:
        raise NotImplementedError(f"{field}: fields of the kind {kind} cannot be moved yet.")
    return simple[kind]


def _nullable(field: Field, cell: Cell) -> Cell:
    if not field.null:

        def required(value: Any) -> str:
            if value is None:
                raise BadValue("missing", "it is empty, and the rule is that it is given")
            return cell(value)

        return required
    emptiable = not field.empty_strings_allowed or field.get_internal_type() == "GenericIPAddressField"

    def optional(value: Any) -> str:
        if value is None:
            return NULL
        if emptiable and value == "":
            raise Changed(NULL, None, "empty_text", "an empty text stands where there is no value")
        return cell(value)

    return optional


def _text(longest: int | None) -> Cell:
    def cell(value: Any) -> str:
        _require(str, value, "text")
        if not is_storable(value):
            raise _unstorable(value)
        if longest is not None and len(value) > longest:
            raise BadValue("too_long", f"it has {len(value):,} characters, and {longest} are the most")
        return text_cell(value)

    return cell


def _unstorable(value: str) -> BadValue:
    if "\0" in value:
        return BadValue("nul_byte", "a NUL character is in it, which PostgreSQL does not store")
    return BadValue("invalid_utf8", "its bytes are no UTF-8 text")


def _normalized(field: NormalizedCharField) -> Cell:
    plain = _text(field.max_length)

    def cell(value: Any) -> str:
        _require(str, value, "text")
        kept = field.normalize(value)
        if kept == value:
            return plain(value)
        spelled = NULL if kept is None else plain(kept)
        raise Changed(spelled, kept, "normalized", "it was written in another way than the program keeps it")

    return cell


def _integer(lowest: int, highest: int) -> Cell:
    def cell(value: Any) -> str:
        if type(value) is not int:
            raise BadValue("not_an_integer", "it is no whole number")
        if not lowest <= value <= highest:
            raise BadValue("out_of_range", f"it is not between {lowest} and {highest}")
        return str(value)

    return cell


def _boolean(value: Any) -> str:
    if value == 1 and type(value) is int:
        return "t"
    if value == 0 and type(value) is int:
        return "f"
    raise BadValue("not_a_boolean", "it is neither 0 nor 1")


def _float(value: Any) -> str:
    if type(value) is int:
        value = float(value)
    if type(value) is not float:
        raise BadValue("not_a_number", "it is no number")
    if not math.isfinite(value):
        raise BadValue("not_finite", "it is infinite")
    return float_cell(value)


def _decimal(digits: int, places: int) -> Cell:
    limit = Decimal(10) ** (digits - places)

    def cell(value: Any) -> str:
        if type(value) not in {int, float}:
            raise BadValue("not_a_number", "it is no number")
        # The shortest digits that mean this number: what was meant when it was written.
        number = Decimal(repr(value))
        if not number.is_finite() or abs(number) >= limit:
            raise BadValue("out_of_range", f"it has more than {digits - places} digits before the point")
        rounded = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
        if abs(rounded) >= limit:
            raise BadValue("out_of_range", f"it has more than {digits - places} digits before the point")
        text = numeric_cell(number, places)
        if rounded != number:
            raise Changed(text, text, "rounded", f"it has more than {places} places, and was rounded")
        return text

    return cell


def _moment(value: Any) -> str:
    _require(str, value, "time")
    try:
        moment = datetime.fromisoformat(value)
        return moment_cell(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError as error:
        raise BadValue("out_of_range", "it is not within the years 1 to 9999") from error
    except ValueError as error:
        raise BadValue("not_a_time", "it is no time that can be read") from error


def _date(value: Any) -> str:
    _require(str, value, "date")
    try:
        return date_cell(date.fromisoformat(value))
    except ValueError as error:
        raise BadValue("not_a_date", "it is no date that can be read") from error


def _uuid(value: Any) -> str:
    _require(str, value, "UUID")
    try:
        return str(UUID(value))
    except ValueError as error:
        raise BadValue("not_a_uuid", "it is no UUID") from error


def _address(value: Any) -> str:
    _require(str, value, "IP address")
    try:
        return address_cell(ipaddress.ip_address(value))
    except ValueError as error:
        raise BadValue("not_an_address", "it is no IP address") from error


def address_cell(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return the cell of an address as PostgreSQL's type inet prints it. Raises ValueError for one with a zone."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.scope_id:
        raise ValueError("an address of one interface")
    number = int(address)
    # As the C library does, an IPv4 address in the last 32 bits is printed as one.
    if number >> 32 == 0xFFFF:
        return f"::ffff:{ipaddress.IPv4Address(number & 0xFFFFFFFF)}"
    if number >> 32 == 0 and number >> 16:
        return f"::{ipaddress.IPv4Address(number)}"
    return str(address)


def _json(value: Any) -> str:
    _require(str, value, "JSON")
    if "\0" in value or not is_storable(value):
        raise _unstorable(value)
    try:
        return json_text_cell(value)
    except UnstorableJSON as error:
        raise BadValue("unstorable_json", str(error)) from error
    except JSONProblem as error:
        raise BadValue("invalid_json", f"it is no JSON: {error}") from error


def _require(kind: type, value: Any, name: str) -> None:
    if type(value) is not kind:
        raise BadValue("wrong_type", f"it is no {name} but of another kind ({type(value).__name__})")
