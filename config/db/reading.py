"""Reading with statements of our own, where building the ORM's costs more than the database's answer.

Conditions, orders and pages stay querysets; what belongs to the rows of a page comes by one statement from here.
Values go in as parameters only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, make_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import NotSupportedError, connections, router
from django.utils.dateparse import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model, QuerySet

_CENT = Decimal("0.01")

ShapeT = TypeVar("ShapeT")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with two places, and its currency (ISO 4217)."""

    amount: Decimal
    currency: str


def database_of(model: type[Model]) -> BaseDatabaseWrapper:
    """Return the connection from which rows of a model are read."""
    return connections[router.db_for_read(model)]


def fetch(
    model: type[Model], statement: str, parameters: Sequence[Any] = (), *, keep_plan: bool = True
) -> list[tuple[Any, ...]]:
    """Return all rows of a statement that reads `model` and what belongs to it.

    PostgreSQL plans a statement that comes again and again only once for all values, which takes it longer than the
    answer; without `keep_plan` it looks at the values every time, as it has to where they decide which index serves.
    """
    database = database_of(model)
    try:
        return _fetch(database, statement, parameters, keep_plan)
    except NotSupportedError:
        # So the server calls a kept plan whose columns a migration has changed since.
        if not keep_plan or database.in_atomic_block:
            raise
        with database.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        return _fetch(database, statement, parameters, keep_plan)


def _fetch(
    database: BaseDatabaseWrapper, statement: str, parameters: Sequence[Any], keep_plan: bool
) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            from config.db.postgresql.base import make_quick

            make_quick(cursor, keep_plan=keep_plan)
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def one_of(model: type[Model], column: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the condition that a column has one of the values, and its parameters."""
    if database_of(model).vendor == "postgresql":
        # One text for any number of values, so that there is one plan.
        return f"{column} = ANY(%s)", [list(values)]
    return f"{column} IN ({', '.join(['%s'] * len(values))})", list(values)


def statement_of(rows: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return a queryset's statement and its parameters, to stand within another. Raises EmptyResultSet."""
    statement, parameters = rows.query.get_compiler(using=rows.db).as_sql()
    return statement, tuple(parameters)


def in_order_of(keys: Iterable[int], found: dict[int, Any]) -> list[Any]:
    """Return what was found for each key, in the order of the keys; what went meanwhile is left out."""
    return [found[key] for key in keys if key in found]


def shaped(shape: type[ShapeT], *values: Any) -> ShapeT:
    """Return the values of a row as an instance of `shape`, a frozen data class with as many fields in this order.

    The class has slots, and no base or defaults.
    """
    row = _open(shape)(*values)  # type: ignore[arg-type]  # a class can be looked up
    row.__class__ = shape
    return row  # type: ignore[no-any-return]  # it was of the twin's class


@cache
def _open(shape: type[Any]) -> type[Any]:
    """Return a class with the same slots that is not frozen: its instances are made in a fourth of the time."""
    return make_dataclass(shape.__name__, [field.name for field in fields(shape)], slots=True)


def extended(shape: Callable[..., ShapeT], row: Any, *values: Any) -> ShapeT:
    """Return a row as an instance of `shape`, whose class adds these values to that of `row`."""
    return shape(*(getattr(row, field.name) for field in fields(row)), *values)


def list_of(database: BaseDatabaseWrapper, columns: Sequence[str], source: str) -> str:
    """Return an expression for the rows of `source` (FROM, WHERE, ORDER BY) as a list of lists; see `listed`."""
    gather, pack = ("json_agg", "json_build_array")
    if database.vendor == "sqlite":
        gather, pack = ("json_group_array", "json_array")
    names = ", ".join(columns)
    return f"(SELECT {gather}({pack}({names})) FROM (SELECT {names} {source}) AS listed)"  # noqa: S608  # our own names


def listed(value: Any) -> list[Any]:
    """Return what `list_of` gave, or a JSON column that holds a list."""
    return document(value) or []


def document(value: Any) -> Any:
    """Return a JSON column as read, None where it is empty."""
    return json.loads(value) if isinstance(value, str) else value


def money(amount: Any, currency: str) -> Money:
    """Return an amount as read; SQLite gives it as a number of its own kind."""
    if isinstance(amount, Decimal):
        return Money(amount, currency)
    return Money(Decimal(str(amount)).quantize(_CENT), currency)


def optional_decimal(value: Any) -> Decimal | None:
    """Return a number with two places as read."""
    return value if value is None or isinstance(value, Decimal) else Decimal(str(value)).quantize(_CENT)


def moment(value: Any) -> datetime:
    """Return a time as read; SQLite gives it without its zone, or as a text. Raises ValueError for another text."""
    if isinstance(value, str):
        parsed = parse_datetime(value)
        if parsed is None:
            raise ValueError(f"{value!r} is not a time.")
        value = parsed
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)  # type: ignore[no-any-return]
