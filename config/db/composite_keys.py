"""Foreign keys of several columns, for what a row and the row it points to must have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.ddl_references import Columns, Statement, Table
from django.db.models import BaseConstraint

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from django.core.checks import CheckMessage
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.models import Field, Model


_IN_TABLE = (
    "CONSTRAINT %(name)s FOREIGN KEY (%(column)s) REFERENCES %(to_table)s (%(to_column)s) DEFERRABLE INITIALLY DEFERRED"
)


class CompositeForeignKey(BaseConstraint):
    """The rule that what `fields` hold is what `to_fields` hold in some row of the table that the first one points to.

    That table needs a unique rule over exactly `to_fields`. The database looks when a transaction ends, as it does with
    every foreign key of Django, so that both rows can change together; a row with a null in `fields` is not looked at.
    """

    def __init__(
        self,
        *,
        fields: Sequence[str],
        to_fields: Sequence[str],
        name: str,
        violation_error_code: str | None = None,
        violation_error_message: str | None = None,
    ) -> None:
        if len(fields) != len(to_fields) or len(fields) < 2:
            raise ValueError(f"{name}: name as many fields here as there, and at least two.")
        self.fields = tuple(fields)
        self.to_fields = tuple(to_fields)
        super().__init__(
            name=name, violation_error_code=violation_error_code, violation_error_message=violation_error_message
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return what stands in CREATE TABLE.

        On PostgreSQL nothing does: the key is added once all tables are there, as Django does it with its own.
        """
        if schema_editor.connection.vendor == "sqlite":
            return str(Statement(_IN_TABLE, **self._parts(model, schema_editor)))
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return None

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return what adds the key to a table that exists. On SQLite Django makes the table anew instead."""
        return Statement(schema_editor.sql_create_fk, **self._parts(model, schema_editor))

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return what drops the key. On SQLite Django makes the table anew instead."""
        parts = self._parts(model, schema_editor)
        return Statement(schema_editor.sql_delete_fk, table=parts["table"], name=parts["name"])

    def _parts(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> dict[str, Any]:
        quote = schema_editor.quote_name
        table, target = model._meta.db_table, self._target(model)._meta.db_table
        return {
            "table": Table(table, quote),
            "name": quote(self.name),
            "column": Columns(table, [str(field.column) for field in self._fields(model)], quote),
            "to_table": Table(target, quote),
            "to_column": Columns(target, [str(field.column) for field in self._target_fields(model)], quote),
            "deferrable": schema_editor.connection.ops.deferrable_sql(),
        }

    def _target(self, model: type[Model]) -> type[Model]:
        target: type[Model] = model._meta.get_field(self.fields[0]).remote_field.model  # type: ignore[union-attr]
        return target

    def _fields(self, model: type[Model]) -> list[Field[Any, Any]]:
        return [model._meta.get_field(name) for name in self.fields]  # type: ignore[misc]

    def _target_fields(self, model: type[Model]) -> list[Field[Any, Any]]:
        return [self._target(model)._meta.get_field(name) for name in self.to_fields]  # type: ignore[misc]

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: Collection[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise ValidationError unless there is a row to point to."""
        if exclude and not set(self.fields).isdisjoint(exclude):
            return
        held = [getattr(instance, field.attname) for field in self._fields(model)]
        if None in held:
            return
        columns = [field.attname for field in self._target_fields(model)]
        targets = self._target(model)._base_manager.using(using)
        if not targets.filter(**dict(zip(columns, held, strict=True))).exists():
            raise ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    def _check(self, model: type[Model], connection: Any) -> list[CheckMessage]:
        errors: list[CheckMessage] = model._check_local_fields(self.fields, "constraints")  # type: ignore[attr-defined]
        return errors

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        """Return what a migration writes down."""
        path, _, keywords = super().deconstruct()
        return path, (), {**keywords, "fields": self.fields, "to_fields": self.to_fields}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CompositeForeignKey):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.fields, self.to_fields))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: fields={self.fields!r} to_fields={self.to_fields!r} name={self.name!r}>"
