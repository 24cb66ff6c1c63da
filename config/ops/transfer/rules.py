"""The rules of the models as SQL, for whichever engine they are to be asked of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.sql import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    Model = type[models.Model]


@dataclass(frozen=True, slots=True)
class UniqueRule:
    """What only one row may have: columns, expressions over them, and the condition of the rows it is about."""

    name: str
    columns: list[str]
    expressions: list[str]
    condition: str


def unique_rules(model: Model, connection: BaseDatabaseWrapper) -> Iterator[UniqueRule]:
    """Yield the unique rules of the model but for its primary key, as SQL of the connection's engine.

    Columns stand without their table.
    """
    meta, quote = model._meta, connection.ops.quote_name
    for field in meta.concrete_fields:
        if field.unique and not field.primary_key:
            column = str(field.column)
            yield UniqueRule(column, [column], [quote(column)], "")
    for names in meta.unique_together:
        columns = [column_of(model, name) for name in names]
        yield UniqueRule(", ".join(columns), columns, [quote(column) for column in columns], "")
    for rule in meta.constraints:
        if isinstance(rule, models.UniqueConstraint):
            columns = constraint_columns(model, rule)
            expressions = [expression_sql(model, expression, connection) for expression in rule.expressions]
            condition = condition_sql(model, rule.condition, connection) if rule.condition else ""
            yield UniqueRule(rule.name, columns, expressions or [quote(column) for column in columns], condition)


def constraint_columns(model: Model, rule: models.UniqueConstraint) -> list[str]:
    """Return the columns that a unique constraint is about, those within its expressions included."""
    names = rule.fields or [name for expression in rule.expressions for name in named_fields(expression)]
    return [column_of(model, name) for name in names]


def column_of(model: Model, name: str) -> str:
    """Return the column of a field."""
    return next(str(field.column) for field in model._meta.concrete_fields if name in {field.name, field.attname})


def foreign_keys(model: Model) -> dict[str, models.ForeignKey[Any, Any]]:
    """Return the foreign keys of the model, by column."""
    fields = model._meta.concrete_fields
    return {str(field.column): field for field in fields if isinstance(field, models.ForeignKey)}


def has_generic_link(model: Model) -> bool:
    """Whether rows of the model lead to rows of any table, by content type and key."""
    return {"content_type_id", "object_id"} <= {field.column for field in model._meta.concrete_fields}


def may_lose_parent(field: models.ForeignKey[Any, Any]) -> bool:
    """Whether a row stays, without it, when the row goes to which it refers."""
    return bool(field.null and field.remote_field.on_delete is models.SET_NULL)


def named_fields(node: Any) -> Iterator[str]:
    """Yield the names of the fields in a condition or expression of a model, in the order in which they stand."""
    if isinstance(node, models.F):
        yield str(vars(node)["name"])
    elif isinstance(node, models.Q):
        for child in node.children:
            if isinstance(child, tuple):
                name, value = child
                yield name.partition("__")[0]
                yield from named_fields(value)
            else:
                yield from named_fields(child)
    elif hasattr(node, "get_source_expressions"):
        for part in node.get_source_expressions():
            yield from named_fields(part)


def condition_sql(model: Model, condition: Any, connection: BaseDatabaseWrapper) -> str:
    """Return a condition of the model as SQL, its columns without their table."""
    query = Query(model, alias_cols=False)
    return _compiled(query, query.build_where(condition), connection)


def expression_sql(model: Model, expression: Any, connection: BaseDatabaseWrapper) -> str:
    """Return an expression over the model's fields as SQL, its columns without their table."""
    query = Query(model, alias_cols=False)
    return _compiled(query, expression.resolve_expression(query, allow_joins=False), connection)


def _compiled(query: Query, node: Any, connection: BaseDatabaseWrapper) -> str:
    statement, parameters = query.get_compiler(connection=connection).compile(node)
    quote_value = connection.SchemaEditorClass(connection).quote_value
    return str(statement % tuple(quote_value(parameter) for parameter in parameters))
