"""The order of a list: by columns that an index knows, so that each page of it is found at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connections, models
from django.db.models import F, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Values that many rows share, as they share none at all: rows of one value are in no order unless the index goes on
# with one.
_FEW_VALUES = (models.BooleanField, models.SmallIntegerField)


@dataclass(frozen=True, slots=True)
class Order:
    """An order by columns of the table itself, all in one direction, the last of them the key."""

    columns: tuple[str, ...]
    descending: bool

    @classmethod
    def of(cls, names: Sequence[Any], model: Any) -> Order | None:
        """Return the order of these names, such as ``-created_at``; None where it is of another kind."""
        plain = [name for name in names if isinstance(name, str)]
        signs = {name.startswith("-") for name in plain}
        columns = tuple(_column(name.lstrip("-"), model) for name in plain)
        if len(plain) < len(names) or len(signs) != 1 or None in columns or columns[-1] != model._meta.pk.attname:
            return None
        # Another column that may be empty than the first would need a case of its own for each.
        if any(model._meta.get_field(column).null for column in columns[1:]):
            return None
        return cls(tuple(filter(None, columns)), signs.pop())

    def names(self, *, backwards: bool = False) -> list[str]:
        sign = "-" if self.descending != backwards else ""
        return [f"{sign}{column}" for column in self.columns]

    def unindexed(self, *, backwards: bool = False) -> list[Any]:
        """Return the order as expressions, so that no index tempts the planner to walk along the whole table."""
        descending = self.descending != backwards
        columns = [Coalesce(F(column), F(column)) for column in self.columns]
        return [column.desc() if descending else column.asc() for column in columns]

    def beyond(self, values: Sequence[Any], model: Any, *, using: str, backwards: bool = False) -> list[Q]:
        """Return the conditions of the rows that follow the one with these values: of the nearest ones first.

        Several, because an index looks up either a range or what is empty.
        """
        descending = self.descending != backwards
        first, *rest = values
        lookup = TupleLessThan if descending else TupleGreaterThan
        empty = Q((f"{self.columns[0]}__isnull", True))
        # PostgreSQL takes what is empty for more than all values, SQLite for less.
        empty_first = descending == (connections[using].vendor == "postgresql")
        if first is None:
            among_empty = empty & Q(lookup(Tuple(*self.columns[1:]), tuple(rest)))
            return [among_empty, ~empty] if empty_first else [among_empty]
        after = Q(lookup(Tuple(*self.columns), tuple(values)))
        may_be_empty = model._meta.get_field(self.columns[0]).null
        return [after, empty] if may_be_empty and not empty_first else [after]

    def before(self, values: Sequence[Any], *, backwards: bool = False) -> Q:
        """Return the condition of the rows that come earlier than the one with these values, none of them empty."""
        lookup = TupleGreaterThan if self.descending != backwards else TupleLessThan
        return Q(lookup(Tuple(*self.columns), tuple(values)))


def _column(name: str, model: Any) -> str | None:
    if name == "pk":
        return str(model._meta.pk.attname)
    field = next((each for each in model._meta.concrete_fields if name in {each.name, each.attname}), None)
    # By a relation's name, rows follow the order of the other table.
    return None if field is None or (field.remote_field is not None and name != field.attname) else str(field.attname)


def ordered_by_index(model: Any, name: str, default: Sequence[str]) -> bool:
    """Whether an index gives the rows in the order of a column, and among equal ones in the `default` order."""
    column = _column(name, model)
    if column is None:
        return False
    field = model._meta.get_field(column)
    tail = [] if not has_few_values(field) else [_column(each.lstrip("-"), model) for each in default]
    wanted = [column, *[each for each in tail if each != column]]
    return any(columns[: len(wanted)] == wanted for columns in _indexes(model)) or bool(field.unique and not tail)


def has_few_values(field: Any) -> bool:
    return bool(field.choices) or field.null or field.blank or isinstance(field, _FEW_VALUES)


def _indexes(model: Any) -> Iterator[list[Any]]:
    for index in model._meta.indexes:
        if index.fields and not index.condition and not index.opclasses:
            yield [model._meta.get_field(name).attname for name, _ in index.fields_orders]
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields and not constraint.condition:
            yield [model._meta.get_field(name).attname for name in constraint.fields]
