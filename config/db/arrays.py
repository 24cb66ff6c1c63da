"""Rows with one of many values, looked up by index however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet


class AmongKeys(Func):
    """True where a column is one of the keys that a queryset of one column gives.

    Asked with IN, PostgreSQL weighs reading the whole table against an index and mostly reads it: then a list never
    stops early. An array, of which it knows nothing, it only looks up.
    """

    output_field = BooleanField()

    def __init__(self, column: str, keys: QuerySet[Any, Any]) -> None:
        super().__init__(F(column), ArraySubquery(keys))

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        """Return the condition."""
        column, keys = (compiler.compile(each) for each in self.get_source_expressions())
        if connection.vendor == "postgresql":
            return f"({column[0]} = ANY({keys[0]}))", [*column[1], *keys[1]]
        return f"({column[0]} IN {keys[0].removeprefix('ARRAY')})", [*column[1], *keys[1]]


class OneOf(Func):
    """True where a column has one of `values`: on PostgreSQL they are one array, which is read faster than a list."""

    output_field = BooleanField()

    def __init__(self, column: str, values: Iterable[Any]) -> None:
        super().__init__(F(column), Value(list(values)))

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        """Return the condition."""
        column, values = self.get_source_expressions()
        sql, parameters = compiler.compile(column)
        if connection.vendor == "postgresql":
            return f"({sql} = ANY(%s))", [*parameters, values.value]
        return f"({sql} IN ({', '.join(['%s'] * len(values.value))}))", [*parameters, *values.value]
