"""What a block of generated rows is made of: tables, keys, dates, and values that no other block has."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import itemgetter
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import models

from config.db.ids import CROCKFORD, encode_ulid
from inventory.vin import check_digit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Seeds times numbers must stay below the number of codes and below that of VIN endings.
SEEDS = 10**7
NUMBERS_PER_SEED = 10**8
NUMBERS_PER_BLOCK = 1000
YEARS = 3

_CODES = 32**10
_VIN_LETTERS = "".join(letter for letter in string.digits + string.ascii_uppercase if letter not in "IOQ")
_VIN_SERIALS = 10**6
_VIN_ENDINGS = len(_VIN_LETTERS) ** 6 * _VIN_SERIALS
# Prime to both, so that multiplying by it only changes the order: consecutive numbers look unrelated and stay distinct.
_SCATTER = 781_237_411_939_273
_YEAR_LETTERS = "ABCDEFGHJKLMNPRSTVWXY123456789"

Row = dict[str, Any]


def unique_code(seed: int, number: int) -> str:
    """Return ten characters that stand for this seed and number alone."""
    scattered = (seed * NUMBERS_PER_SEED + number) * _SCATTER % _CODES
    return "".join(CROCKFORD[(scattered >> shift) & 31] for shift in range(45, -1, -5))


def unique_vin(seed: int, number: int, *, manufacturer: str, year: int) -> str:
    """Return a VIN with a correct check digit whose ending stands for this seed and number alone."""
    rest, serial = divmod((seed * NUMBERS_PER_SEED + number) * _SCATTER % _VIN_ENDINGS, _VIN_SERIALS)
    letters = []
    for _ in range(6):
        rest, place = divmod(rest, len(_VIN_LETTERS))
        letters.append(_VIN_LETTERS[place])
    plant = letters.pop()
    year_letter = _YEAR_LETTERS[(year - 1980) % len(_YEAR_LETTERS)]
    description = "".join(letters)
    raw = f"{manufacturer}{description}0{year_letter}{plant}{serial:06d}"
    return raw[:8] + check_digit(raw) + raw[9:]


class Shape(NamedTuple):
    """The columns of a table, what they hold unless a row says otherwise, and how a row becomes a tuple."""

    columns: tuple[str, ...]
    defaults: Row
    values_of: Callable[[Row], tuple[Any, ...]]


@cache
def shape_of(model: type[models.Model], *, with_key: bool) -> Shape:
    """Return how rows of `model` are written; without its key the database numbers them."""
    fields = [column for column in model._meta.concrete_fields if with_key or not isinstance(column, models.AutoField)]
    # Defaults that are functions make times and random values: a row has to give those itself.
    defaults = {column.attname: column.get_default() for column in fields if _has_plain_default(column)}
    columns = tuple(column.attname for column in fields)
    return Shape(columns, defaults, itemgetter(*columns))


def _has_plain_default(column: models.Field[Any, Any]) -> bool:
    if column.has_default():
        return not callable(column.default) or column.default in {dict, list}
    return column.null


@dataclass(frozen=True, slots=True)
class Table:
    """A block's rows for one table, ready to be written."""

    model: type[models.Model]
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(slots=True)
class Block:
    """The rows of one block while they are made. Everything in it follows from its seed, number, dates and keys."""

    seed: int
    number: int
    begin: datetime
    end: datetime
    now: datetime
    # The primary keys that this block may use, for the tables to which other rows refer.
    keys: dict[type[models.Model], range]
    # Keys of the leaves of the category tree, by name.
    categories: dict[str, int]
    rng: Random = field(init=False)
    sheets: dict[type[models.Model], list[Row]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # A text as the seed is hashed in a way that does not change between processes.
        self.rng = Random(f"{self.seed}/{self.number}")  # noqa: S311 - repeatable on purpose

    def add(self, model: type[models.Model], /, **values: Any) -> Row:
        """Add a row and return it, so that what is only known later can still be changed.

        Raises TypeError if a value has no column or a column no value.
        """
        keys = self.keys.get(model)
        shape = shape_of(model, with_key=keys is not None)
        rows = self.sheets.setdefault(model, [])
        row = {**shape.defaults, **values}
        if keys is not None:
            row["id"] = keys[len(rows)]
        if len(row) != len(shape.columns):
            wrong = sorted(row.keys() ^ set(shape.columns))
            raise TypeError(f"{model.__name__}: no value or no column for {', '.join(wrong)}")
        rows.append(row)
        return row

    def size(self) -> int:
        """Return how many rows there are by now."""
        return sum(map(len, self.sheets.values()))

    def tables(self) -> Iterator[Table]:
        """Give the rows by table, referred ones before those that refer to them."""
        for model, rows in self.sheets.items():
            shape = shape_of(model, with_key=model in self.keys)
            yield Table(model, shape.columns, [shape.values_of(row) for row in rows])

    def code(self, number: int) -> str:
        """Return the unique code of a number below NUMBERS_PER_BLOCK."""
        return unique_code(self.seed, self.number * NUMBERS_PER_BLOCK + number)

    def vin(self, number: int, *, manufacturer: str, year: int) -> str:
        """Return the unique VIN of a number below NUMBERS_PER_BLOCK."""
        return unique_vin(self.seed, self.number * NUMBERS_PER_BLOCK + number, manufacturer=manufacturer, year=year)

    def public_id(self, at: datetime) -> str:
        return encode_ulid(int(at.timestamp() * 1000), self.rng.getrandbits(80))

    def session_id(self) -> str:
        return f"{self.rng.getrandbits(104):026x}"

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def moments(self, count: int) -> list[datetime]:
        """Return this many times within the block's part of the three years, the earliest first."""
        span = int((self.end - self.begin) / timedelta(milliseconds=1))
        offsets = sorted(int(self.rng.random() * span) for _ in range(count))
        return [self.begin + timedelta(milliseconds=offset) for offset in offsets]

    def between(self, earliest: datetime, latest: datetime) -> datetime:
        """Return a time from `earliest` to `latest`, which lies not before it."""
        seconds = (latest - earliest).total_seconds()
        return earliest + timedelta(milliseconds=int(self.rng.random() * seconds * 1000))

    def after(self, moment: datetime, days: float) -> datetime:
        """Return a time within so many days of `moment`, and not in the future."""
        return self.between(moment, max(moment, min(moment + timedelta(days=days), self.now)))


def part_of_time(now: datetime, number: int, blocks: int) -> tuple[datetime, datetime]:
    """Return from when to when the block `number` of `blocks` reaches: together they fill the years before `now`."""
    start = now.astimezone(UTC) - timedelta(days=365 * YEARS)
    span = now - start
    return start + span * number / blocks, start + span * (number + 1) / blocks
