"""Statements that the ORM writes once: that takes it longer than the server takes for the answer.

A list that is asked for again has the same text, with other values in a few places: the present moment, the row at
which a page goes on. The text is kept by what else decides it, such as filters and order, and the values are put in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, Func, Value

from config.db.reading import database_of, fetch, one_of, statement_of

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

    Build = Callable[..., QuerySet[Any, tuple[Any, ...]]]

MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where the value with this number goes."""

    number: int


@dataclass(frozen=True, slots=True)
class Along:
    """What is read along with rows of `model`: `columns` from `source` (FROM and joins), in which `key` is theirs."""

    model: type[Model]
    columns: str
    source: str
    key: str

    def of(self, keys: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Return the columns of the rows with these keys, with one query."""
        if not keys:
            return {}
        wanted, parameters = one_of(self.model, self.key, keys)
        statement = f"SELECT {self.key}, {self.columns} {self.source} WHERE {wanted}"
        return {row[0]: row[1:] for row in fetch(self.model, statement, parameters)}

    def around(self, statement: str, order: str) -> str:
        """Return what reads the rows of a statement, the key of which is called `pk`, and these columns of them."""
        # A statement that begins with WITH may write, and would be searched for that every time.
        source = f"{self.source} JOIN ({statement}) AS found ON found.pk = {self.key}"
        return f"SELECT found.*, {self.columns} {source} ORDER BY {order}"


@dataclass(frozen=True, slots=True)
class _Written:
    model: type[Model]
    statement: str
    parameters: tuple[Any, ...]
    order: str


_kept: dict[Hashable, _Written] = {}
# What nobody can ask for by chance.
_TEXT, _NUMBER = secrets.token_hex(8), 2**62 + secrets.randbelow(2**60)


def read_values(
    key: Hashable,
    build: Build,
    *values: Any,
    limit: int,
    offset: int = 0,
    keep_plan: bool = False,
    along: Along | None = None,
) -> list[tuple[Any, ...]]:
    """Return rows of `build(*values)`, a queryset of `values_list` that is not sliced yet.

    Equal keys must mean equal texts, whatever the values: `build` may not look at these, nor ask the database. Without
    a key nothing is kept.
    `keep_plan` is that of `config.db.reading.fetch`. What is read `along` follows the values of a row, of which the
    last has to be its `pk`, and which hold all that the rows are ordered by.
    """
    # Planned anew, one statement for all of it would take longer than two.
    at_once = keep_plan and not offset
    if along is not None and not (at_once and key is not None and database_of(along.model).vendor == "postgresql"):
        rows = read_values(key, build, *values, limit=limit, offset=offset, keep_plan=keep_plan)
        beside = along.of([row[-1] for row in rows])
        return [(*row, *beside[row[-1]]) for row in rows if row[-1] in beside]
    known = None if key is None else _kept.get(key)
    if known is None:
        found = build(*values)
        if key is None or database_of(found.model).vendor != "postgresql":
            return list(found[offset : offset + limit])
        try:
            known = _write(build, values)
        except EmptyResultSet:
            return []
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = known
    parameters = [values[each.number] if isinstance(each, _Slot) else each for each in known.parameters]
    page = f"{known.statement} LIMIT {limit:d} OFFSET {offset:d}"
    return fetch(known.model, along.around(page, known.order) if along else page, parameters, keep_plan=at_once)


def _write(build: Build, values: tuple[Any, ...]) -> _Written:
    stand_ins = [_stand_in(value, number) for number, value in enumerate(values)]
    slots = {stand_in: _Slot(number) for number, stand_in in enumerate(stand_ins)}
    rows = build(*stand_ins)
    statement, parameters = statement_of(rows)
    names = [each for each in rows.query.order_by if isinstance(each, str)]
    order = ", ".join(f'found."{name.lstrip("-")}" {"DESC" if name.startswith("-") else "ASC"}' for name in names)
    return _Written(rows.model, statement, tuple(_slot_or_value(each, slots) for each in parameters), order)


def _stand_in(value: Any, number: int) -> Any:
    """Return a value that a column of the same type takes and nothing else is equal to."""
    if isinstance(value, datetime):
        return datetime(1, 1, 1, 0, 0, number, tzinfo=UTC)
    if isinstance(value, str):
        return f"{_TEXT}{number}"
    if isinstance(value, int) and not isinstance(value, bool):
        return _NUMBER + number
    if isinstance(value, float):
        # Such floats lie 1024 apart.
        return float(_NUMBER + number * 2048)
    return _Slot(number)


def _slot_or_value(parameter: Any, slots: dict[Any, _Slot]) -> Any:
    return slots.get(parameter, parameter) if isinstance(parameter, Hashable) else parameter


class Beyond(Func):
    """True for rows that follow a place in an order: whose columns, as one, are greater (or less) than its values."""

    output_field = BooleanField()

    def __init__(self, *columns: str, place: tuple[Any, ...], greater: bool) -> None:
        super().__init__(*columns)
        self.place = place
        self.sign = ">" if greater else "<"

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        """Return the comparison; the server knows the values' types by those of the columns."""
        return self._compared(compiler, ["%s"] * len(self.place), self.place)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Return the comparison with the values as SQLite keeps them."""
        columns = self.get_source_expressions()
        pairs = zip(self.place, columns, strict=True)
        compiled = [compiler.compile(Value(value, output_field=column.output_field)) for value, column in pairs]
        return self._compared(compiler, [sql for sql, _ in compiled], _joined(compiled))

    def _compared(self, compiler: Any, marks: list[str], values: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        compiled = [compiler.compile(column) for column in self.get_source_expressions()]
        columns = ", ".join(sql for sql, _ in compiled)
        return f"({columns}) {self.sign} ({', '.join(marks)})", (*_joined(compiled), *values)


def _joined(compiled: list[tuple[str, Any]]) -> tuple[Any, ...]:
    return tuple(parameter for _, parameters in compiled for parameter in parameters)
