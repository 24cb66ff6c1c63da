"""What the database itself refuses, on whichever engine the suite runs, and what staff are told about it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import BaseConstraint, Field, ForeignKey, IntegerField, Model, UniqueConstraint

from config.db.composite_keys import CompositeForeignKey
from config.ops.schema import read_catalog
from tests.schema.rows import BY_LABEL, MODELS, ROWS, make_row, write_raw
from tests.schema.violations import FIRST_ROW, VIOLATIONS


def holds_the_key(model: type[Model], constraint: BaseConstraint) -> bool:
    """Whether this unique rule is only there to be pointed to: the key alone is unique already."""
    key = model._meta.pk
    assert key is not None
    return isinstance(constraint, UniqueConstraint) and key.name in constraint.fields


ALL_CONSTRAINTS = {
    str(constraint.name): (model, constraint) for model in MODELS for constraint in model._meta.constraints
}
CONSTRAINTS: dict[str, Any] = {name: rule for name, rule in ALL_CONSTRAINTS.items() if not holds_the_key(*rule)}
every_model = pytest.mark.parametrize("label", sorted(BY_LABEL))
every_constraint = pytest.mark.parametrize("name", sorted(CONSTRAINTS))


def rows_and_violation(name: str) -> tuple[Any, Any, dict[str, Any]]:
    model, _ = CONSTRAINTS[name]
    first, second = make_row(model), make_row(model)
    if name in FIRST_ROW:
        write_raw(first, FIRST_ROW[name])
        first.refresh_from_db()
    return first, second, VIOLATIONS[name](first, second)


def columns_of(model: type[Model]) -> dict[str, Field]:
    return {str(field.column): field for field in model._meta.concrete_fields}


def test_every_model_has_a_valid_row() -> None:
    assert set(ROWS) == set(BY_LABEL)


def test_every_constraint_has_a_violation_and_every_violation_a_constraint() -> None:
    assert set(VIOLATIONS) == set(CONSTRAINTS)


@pytest.mark.django_db
@every_constraint
def test_the_database_refuses_it(name: str) -> None:
    _, second, violation = rows_and_violation(name)
    with pytest.raises(IntegrityError) as refusal:
        write_and_look(second, violation)
    assert names_in(refusal.value) & names_of(name, violation)


@transaction.atomic
def write_and_look(row: Model, values: dict[str, Any]) -> None:
    write_raw(row, values)
    # Foreign keys are looked at when a transaction ends, and a test's is rolled back.
    connection.check_constraints()


def names_in(error: IntegrityError) -> set[str]:
    """The words of the engine's message."""
    for mark in "\"'(),:":
        error = IntegrityError(str(error).replace(mark, " "))
    return set(str(error).split())


def names_of(name: str, violation: dict[str, Any]) -> set[str]:
    """How the engines may call the constraint.

    SQLite names the columns of a unique rule and of a foreign key. A column of positive numbers has a rule of its own
    beside the named one.
    """
    model, constraint = CONSTRAINTS[name]
    table = model._meta.db_table
    if isinstance(constraint, CompositeForeignKey):
        return {name, *(f"{table}.{model._meta.get_field(field).column}" for field in constraint.fields)}
    if isinstance(constraint, UniqueConstraint):
        return {name, *(f"{table}.{column}" for column in violation)}
    positive = {column for column in violation if "Positive" in type(columns_of(model)[column]).__name__}
    return {name, *positive, *(f"{table}_{column}_check" for column in positive)}


@pytest.mark.django_db
def test_the_database_knows_every_constraint_by_name() -> None:
    known = {name for kind, name in read_catalog(connection) if kind in {"constraint", "index"}}
    assert {f"{model._meta.db_table}.{name}" for name, (model, _) in ALL_CONSTRAINTS.items()} <= known


@pytest.mark.django_db
@every_constraint
def test_staff_are_told_in_a_sentence(name: str) -> None:
    _, constraint = CONSTRAINTS[name]
    _, second, violation = rows_and_violation(name)
    for column, value in violation.items():
        setattr(second, column, value)
    with pytest.raises(ValidationError) as refusal:
        constraint.validate(type(second), second)
    (message,) = refusal.value.messages
    assert message == constraint.violation_error_message
    assert message[0].isupper()
    assert message.endswith(".")
    assert message != BaseConstraint.default_violation_error_message


@pytest.mark.django_db
@every_model
def test_required_columns_take_no_null(label: str) -> None:
    row = make_row(BY_LABEL[label])
    for field in BY_LABEL[label]._meta.concrete_fields:
        if not field.null and not field.primary_key:
            with pytest.raises(IntegrityError, match=field.column), transaction.atomic():
                write_raw(row, {str(field.column): None})


UNIQUE_COLUMNS = [
    (model._meta.label, field.column)
    for model in MODELS
    for field in model._meta.concrete_fields
    if field.unique and not field.primary_key
]


@pytest.mark.django_db
@pytest.mark.parametrize(("label", "column"), UNIQUE_COLUMNS)
def test_a_unique_column_takes_no_value_twice(label: str, column: str) -> None:
    first, second = make_row(BY_LABEL[label]), make_row(BY_LABEL[label])
    value = getattr(first, column) or unused_target(BY_LABEL[label], column)
    write_raw(first, {column: value})
    with pytest.raises(IntegrityError, match=column), transaction.atomic():
        write_raw(second, {column: value})


def unused_target(model: type[Model], column: str) -> Any:
    """The key of a row that a one-to-one column may point to."""
    field = columns_of(model)[column]
    assert isinstance(field, ForeignKey)
    return make_row(field.remote_field.model).pk


@pytest.mark.django_db
@every_model
def test_foreign_keys_point_to_rows(label: str) -> None:
    row = make_row(BY_LABEL[label])
    for field in BY_LABEL[label]._meta.concrete_fields:
        if isinstance(field, ForeignKey):
            missing: Any = "zz" if isinstance(field.target_field, models.CharField) else 2**30
            with pytest.raises(IntegrityError, match=field.column):
                write_and_look(row, {str(field.column): missing})


@pytest.mark.django_db(transaction=True)
def test_a_dangling_foreign_key_is_refused_at_commit() -> None:
    row = make_row(BY_LABEL["accounts.Seller"])
    with pytest.raises(IntegrityError), transaction.atomic():
        write_raw(row, {"owner_id": 2**30})
    row.refresh_from_db()
    assert row.owner.pk != 2**30


# Keys are left out: the database gives them out, and a foreign key is looked up.
INTEGER_COLUMNS = [
    (model._meta.label, str(field.column))
    for model in MODELS
    for field in model._meta.concrete_fields
    if isinstance(field, IntegerField) and not field.primary_key
]


@pytest.mark.django_db
@pytest.mark.parametrize(("label", "column"), INTEGER_COLUMNS)
def test_a_whole_number_beyond_the_range_of_its_column_is_refused_by_validators_and_database(
    label: str, column: str
) -> None:
    row = make_row(BY_LABEL[label])
    field = columns_of(BY_LABEL[label])[column]
    smallest, largest = BaseDatabaseOperations.integer_field_ranges[field.get_internal_type()]
    # SQLite reads a number of more than 64 bits as a float, and the float next to the limit is the limit.
    step = 4096 if largest == 2**63 - 1 else 1
    for beyond, limit in ((smallest - step, smallest), (largest + step, largest)):
        with pytest.raises(ValidationError, match=str(limit)):
            field.run_validators(beyond)
        # The number stands in the statement: a driver may refuse one of more than 64 bits by itself.
        statement = f'UPDATE "{row._meta.db_table}" SET "{column}" = {beyond} WHERE id = {row.pk}'
        with pytest.raises((IntegrityError, DataError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


TEXT_COLUMNS = [
    (model._meta.label, str(field.column))
    for model in MODELS
    for field in model._meta.concrete_fields
    if field.max_length is not None and isinstance(field, models.CharField | models.FileField)
]


@pytest.mark.django_db
@pytest.mark.parametrize(("label", "column"), TEXT_COLUMNS)
def test_a_text_longer_than_its_column_is_refused(label: str, column: str) -> None:
    row = make_row(BY_LABEL[label])
    length = columns_of(BY_LABEL[label])[column].max_length
    assert length is not None
    with pytest.raises((IntegrityError, DataError), match=r"length\(|too long"), transaction.atomic():
        write_raw(row, {column: "\u00e4" * (length + 1)})


@pytest.mark.django_db
def test_a_text_may_be_as_long_as_its_column_counted_in_characters() -> None:
    row = make_row(BY_LABEL["accounts.Seller"])
    write_raw(row, {"name": "\u00e4" * 200})
    row.refresh_from_db()
    assert len(row.name) == 200
