"""Values as the cells of a COPY line, written exactly as PostgreSQL's own COPY (text format) prints them.

That holds for a session with ``TimeZone`` UTC, ``DateStyle`` ISO and the default ``extra_float_digits``. A cell that
was sent then comes back as the same bytes, so that the content of both sides can be compared by a checksum.
Sources: PostgreSQL's documentation of COPY (file formats) and of the types' input and output.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NULL = "\\N"
TRUE = "t"
FALSE = "f"

# Text.

_ESCAPES = {ord("\\"): "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def text_cell(text: str) -> str:
    """Return the cell of a text, which must be storable."""
    if text.isprintable() and "\\" not in text:
        return text
    return text.translate(_ESCAPES)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL takes the text: it holds no NUL and no half of a surrogate pair."""
    return text.isprintable() or ("\0" not in text and (text.isascii() or _SURROGATE.search(text) is None))


# Numbers and truth.


def boolean_cell(value: bool) -> str:
    """Return the cell of a boolean."""
    return TRUE if value else FALSE


def float_cell(value: float) -> str:
    """Return the cell of a double precision number: the shortest digits that mean the same number."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    digits = repr(value)
    if abs(value) < 1e15:
        return digits.removesuffix(".0")
    mantissa, exponent = _strict_digits(value, Decimal(digits).normalize()).split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").removesuffix(".")
    return f"{mantissa}e+{int(exponent):02d}"


def _strict_digits(value: float, shortest: Decimal) -> str:
    """Return large `value` in scientific notation, with the digits that PostgreSQL chooses.

    Python also takes a shortest form that lies exactly half-way to the next number; PostgreSQL goes on to the next
    digit then. Only numbers beyond 2**53 have half-way points with so few digits.
    """
    longer = (f"{value:.{places}e}" for places in range(len(shortest.as_tuple().digits), 17))
    candidates = (f"{shortest:e}", *longer)
    return next(one for one in candidates if float(one) == value and not _is_half_way(Decimal(one), value))


def _is_half_way(number: Decimal, value: float) -> bool:
    if abs(value) < 2**53:
        return False
    exact, twice = int(value), int(number * 2)
    neighbours = (math.nextafter(value, math.inf), math.nextafter(value, -math.inf))
    return any(math.isfinite(one) and twice == exact + int(one) for one in neighbours)


def numeric_cell(value: Decimal, places: int) -> str:
    """Return the cell of a number that is kept with so many places, rounded half up (away from zero)."""
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{abs(rounded) if rounded.is_zero() else rounded:f}"


# Time.

_FRACTIONS = tuple(f".{thousandth:03d}".rstrip("0").rstrip(".") + "+00" for thousandth in range(1000))
_SECONDS = tuple(f"{second:02d}" for second in range(60))
_MINUTES = tuple(f" {hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60))
_EPOCH = date(1970, 1, 1)
_DAY = 86_400_000

# The years 1 to 9999, which Python's dates span, but for a day at either end: every time zone can show the rest.
_FIRST_DAY, _LAST_DAY = date.min + timedelta(days=1), date.max - timedelta(days=1)
# The same, in milliseconds since 1970 UTC.
FIRST_MILLISECOND = (_FIRST_DAY - _EPOCH).days * _DAY
LAST_MILLISECOND = ((_LAST_DAY - _EPOCH).days + 1) * _DAY - 1


def require_calendar(day: date) -> None:
    """Raise OverflowError for a date, or a time in UTC, that some time zone has outside of the years 1 to 9999."""
    is_inside = 1 < day.year < 9999 or _FIRST_DAY.toordinal() <= day.toordinal() <= _LAST_DAY.toordinal()
    if not is_inside:
        raise OverflowError(day)


class _Days(dict[int, str]):
    """The days since 1970 as they are written; a file has few, and asks for them again and again."""

    most = 32_768

    def __missing__(self, number: int) -> str:
        if len(self) >= self.most:
            self.clear()
        day = _EPOCH + timedelta(days=number)
        require_calendar(day)
        text = self[number] = day.isoformat()
        return text


_DAYS = _Days()


def milliseconds_cell(milliseconds: int) -> str:
    """Return the cell of a time given in milliseconds since 1970 UTC.

    Raises OverflowError where some time zone has it outside the years 1 to 9999.
    """
    # Without divmod and without another function: this is done millions of times.
    rest = milliseconds % _DAY
    return (
        f"{_DAYS[milliseconds // _DAY]}{_MINUTES[rest // 60_000]}{_SECONDS[rest // 1000 % 60]}{_FRACTIONS[rest % 1000]}"
    )


def moment_cell(moment: datetime) -> str:
    """Return the cell of an aware time.

    Raises OverflowError where some time zone has it outside the years 1 to 9999.
    """
    moment = moment.astimezone(UTC)
    require_calendar(moment)
    text = moment.replace(tzinfo=None).isoformat(" ")
    return (text.rstrip("0") if "." in text else text) + "+00"


def date_cell(day: date) -> str:
    """Return the cell of a date."""
    return day.isoformat()


# JSON.

# What a number in jsonb can hold: digits before and after the point.
_MOST_DIGITS = 131_072
_MOST_PLACES = 16_383
_SHORT_NUMBER = 1000  # characters, of which none can be too many

_MOST_ORDERS = 1024
_MOST_KEY_CHARACTERS = 500
_ORDERS: dict[tuple[str, ...], Sequence[tuple[str, str]]] = {}


class JSONProblem(ValueError):
    """A text that is no JSON or that jsonb does not take; the message says why."""


class UnstorableJSON(JSONProblem):
    """JSON with a NUL or half a surrogate pair in a text."""


class JSONNumber(str):
    """A number as it is written in JSON, so that no digit is lost."""

    __slots__ = ()


def json_cell(value: Any) -> str:
    """Return the cell of a JSON value in jsonb's normal form.

    Raises UnstorableJSON for texts that PostgreSQL does not take, JSONProblem for what else jsonb does not take.
    """
    try:
        text = _normal(value)
    except RecursionError as error:
        raise JSONProblem("the levels are too many") from error
    if not is_storable(text) or ("\\u0000" in text and "\\u0000" in text.replace("\\\\", "")):
        raise UnstorableJSON("a text holds a NUL character or half a character")
    return text_cell(text)


def parse_json(text: str) -> Any:
    """Return the value of a JSON text, its numbers as `JSONNumber`. Raises JSONProblem."""
    try:
        # Most texts are one value without blanks around it.
        value, end = _scan(text, 0)
    except (StopIteration, RecursionError, json.JSONDecodeError):
        return _parse_with_care(text)
    return value if end == len(text) else _parse_with_care(text)


def _parse_with_care(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise JSONProblem("the levels are too many") from error
    except json.JSONDecodeError as error:
        raise JSONProblem(f"{error.msg} at character {error.pos + 1}") from error


def json_text_cell(text: str) -> str:
    """Return the cell of a JSON text in jsonb's normal form. Raises JSONProblem, or UnstorableJSON."""
    return json_cell(parse_json(text))


def _refuse_constant(name: str) -> Any:
    raise JSONProblem(f"{name} is no JSON value")


_DECODER = json.JSONDecoder(parse_float=JSONNumber, parse_int=JSONNumber, parse_constant=_refuse_constant)
_scan: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]  # unknown to the stubs


def _normal(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is JSONNumber:
        return value if len(value) < _SHORT_NUMBER and value.replace(".", "", 1).isdigit() else _json_number(value)
    if kind is dict:
        return "{" + ", ".join([label + _normal(value[key]) for key, label in _ordered(tuple(value))]) + "}"
    if kind is list or kind is tuple:
        return "[" + ", ".join([_normal(item) for item in value]) + "]"
    if value is None or kind is bool:
        return "null" if value is None else "true" if value else "false"
    return _json_number(repr(value))


def _ordered(keys: tuple[str, ...]) -> Sequence[tuple[str, str]]:
    """Return the keys of an object as jsonb orders them, shorter ones first, each as it is written before a value."""
    known = _ORDERS.get(keys)
    if known is None:
        by_bytes = sorted((key.encode("utf-8", "surrogatepass"), key) for key in keys)
        by_bytes.sort(key=lambda pair: len(pair[0]))
        known = [(key, f"{encode_basestring(key)}: ") for _, key in by_bytes]
        # Objects of one column mostly have the same keys; those that do not must not fill the memory.
        if len(_ORDERS) < _MOST_ORDERS and sum(map(len, keys)) < _MOST_KEY_CHARACTERS:
            _ORDERS[keys] = known
    return known


def _json_number(text: str) -> str:
    """Return a number as numeric prints it: no exponent, as many places as were written, no negative zero."""
    plain = text if text.lstrip("-").isdigit() else _without_exponent(text)
    before, _, after = plain.lstrip("-").partition(".")
    if len(before) > _MOST_DIGITS or len(after) > _MOST_PLACES:
        raise JSONProblem("a number has too many digits")
    return plain.removeprefix("-") if not plain.strip("-0.") else plain


def _without_exponent(text: str) -> str:
    mantissa, _, exponent = text.lower().partition("e")
    if not exponent:
        return mantissa
    # Far outside of what fits, no matter how long the digits are; spelling it out would fill the memory.
    if len(exponent) > 7:
        if not mantissa.strip("-0.") and "-" not in exponent:
            return "0"
        raise JSONProblem("a number has too many digits")
    shift, sign = int(exponent), "-" if mantissa.startswith("-") else ""
    before, _, after = mantissa.lstrip("-").partition(".")
    digits, point = before + after, len(before) + shift
    if point > _MOST_DIGITS + len(digits) or point - len(digits) < -_MOST_PLACES - len(digits):
        if not digits.strip("0") and shift > 0:
            return "0"
        raise JSONProblem("a number has too many digits")
    whole = (digits[:point] + "0" * (point - len(digits))) if point > 0 else ""
    places = "0" * -point + digits[max(point, 0) :]
    return f"{sign}{whole.lstrip('0') or '0'}{'.' + places if places else ''}"
