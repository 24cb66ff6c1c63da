"""Whether the rows of the database agree with each other and with its rules, and putting counts right.

The database keeps most of it by itself. But files are edited by other programs, rules are switched off for a bulk load
and come back unproven, and counts are no rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connections, router, transaction
from django.db.models import (
    BigIntegerField,
    Case,
    CheckConstraint,
    Exists,
    F,
    ForeignKey,
    IntegerField,
    OuterRef,
    When,
)
from django.db.models.functions import Cast
from django.db.models.sql import Query

from accounts.models import Integration
from config.audit import announce
from config.db.composite_keys import CompositeForeignKey
from config.db.removal import change_in_batches
from inventory.services.integrity import (
    correct_places,
    misplaced_categories,
    sellers_with_right_sales,
    vehicles_that_are_cars,
)
from leads.services.integrity import vouchers_with_right_claims, vouchers_with_right_redemptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model, QuerySet

EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows of one table that break one rule; `examples` name the first of them."""

    check: str
    table: str
    rows: int
    text: str
    examples: tuple[str, ...]
    fixable: bool = False


@dataclass(frozen=True, slots=True)
class Counter:
    """A column that counts other rows; `rows` have the number that they come to as `right`."""

    column: str
    rows: Callable[[], QuerySet[Any]]

    @property
    def wrong(self) -> QuerySet[Any]:
        """The rows where the column says something else."""
        return self.rows().exclude(**{self.column: F("right")})


COUNTERS = (
    Counter("total_sales", sellers_with_right_sales),
    Counter("redemption_count", vouchers_with_right_redemptions),
    Counter("claim_count", vouchers_with_right_claims),
)


def find_problems() -> Iterator[Finding]:
    """Yield what is wrong, one kind of problem of one table at a time. Writes nothing."""
    for model in _models():
        yield from _foreign_keys(model)
        yield from _check_constraints(model)
    yield from _counters()
    yield from _categories()
    yield from _shared_vins()
    yield from _generic_links()


def fix_counters() -> int:
    """Put every count right that is wrong, each with an entry in the audit log; return how many rows.

    A count that a rule forbids stays as it is: `find_problems` goes on naming it.
    """
    fixed = correct_places()
    for counter in COUNTERS:
        fixed += change_in_batches(counter.wrong, partial(_fix, counter))
    return fixed


def _fix(counter: Counter, batch: QuerySet[Any]) -> int:
    manager = batch.model._base_manager
    keys = list(
        manager.filter(pk__in=batch.values("pk")).order_by("pk").select_for_update().values_list("pk", flat=True)
    )
    fixed = 0
    # Counted again under the locks: whoever counts up holds the row.
    for row in counter.wrong.filter(pk__in=keys).order_by("pk"):
        before = getattr(row, counter.column)
        try:
            with transaction.atomic():
                manager.filter(pk=row.pk).update(**{counter.column: row.right})
        except IntegrityError:
            continue
        announce(
            "update", row, event_type="COUNTER_CORRECTED", changes={counter.column: [before, row.right]}
        )  # fmt: skip
        fixed += 1
    return fixed


def _models() -> list[type[Model]]:
    return [
        model for model in apps.get_models(include_auto_created=True) if model._meta.managed and not model._meta.proxy
    ]


def _finding(
    check: str, rows: QuerySet[Any], text: str, *, fixable: bool = False, name: Any = str
) -> Iterator[Finding]:
    number = rows.count()
    if number:
        examples = tuple(name(row) for row in rows.order_by("pk")[:EXAMPLES])
        yield Finding(check, rows.model._meta.db_table, number, text, examples, fixable)


def _key(row: Any) -> str:
    return str(row.pk)


# Links


def _foreign_keys(model: type[Model]) -> Iterator[Finding]:
    for link in model._meta.concrete_fields:
        if isinstance(link, ForeignKey):
            target: Any = link.remote_field.model
            there = target._base_manager.filter(**{link.target_field.attname: OuterRef(link.attname)})
            rows = model._base_manager.filter(~Exists(there), **{f"{link.attname}__isnull": False})
            text = f"{link.column} names a row of {target._meta.db_table} that is not there"
            yield from _finding("foreign key", rows, text, name=_key)
    for constraint in model._meta.constraints:
        if isinstance(constraint, CompositeForeignKey):
            yield from _composite_key(model, constraint)


def _composite_key(model: type[Model], constraint: CompositeForeignKey) -> Iterator[Finding]:
    columns = [model._meta.get_field(name).attname for name in constraint.fields]  # type: ignore[union-attr]  # they are columns
    target: Any = model._meta.get_field(constraint.fields[0]).related_model
    there = target._base_manager.filter(
        **{to: OuterRef(column) for to, column in zip(constraint.to_fields, columns, strict=True)}
    )
    known = {f"{column}__isnull": False for column in columns}
    rows = model._base_manager.filter(~Exists(there), **known)
    yield from _finding("foreign key", rows, str(constraint.violation_error_message), name=_key)


def _generic_links() -> Iterator[Finding]:
    rows = Integration.objects.filter(content_type__isnull=False, object_id__isnull=False)
    for kind in ContentType.objects.filter(pk__in=rows.order_by().values("content_type").distinct()).order_by("pk"):
        of_kind: QuerySet[Any] = rows.filter(content_type=kind)
        model = kind.model_class()
        text = f"object_id names a row of {model._meta.db_table if model else kind} that is not there"
        if model is not None:
            assert model._meta.pk is not None  # noqa: S101 - every concrete model has one
            wanted: Any = OuterRef("object_id")
            if isinstance(model._meta.pk, IntegerField):
                # The database may look at the text before it looks at the kind of row.
                is_number = When(object_id__regex=r"^[0-9]{1,18}$", then=Cast("object_id", BigIntegerField()))
                of_kind, wanted = of_kind.annotate(number=Case(is_number)), OuterRef("number")
            of_kind = of_kind.filter(~Exists(model._base_manager.filter(pk=wanted)))
        yield from _finding("generic link", of_kind, text)


# Rules


def _check_constraints(model: type[Model]) -> Iterator[Finding]:
    checks = [constraint for constraint in model._meta.constraints if isinstance(constraint, CheckConstraint)]
    if not checks:
        return
    connection = connections[router.db_for_read(model)]
    quote, table = connection.ops.quote_name, model._meta.db_table
    compiled = [_sql(model, constraint, connection) for constraint in checks]
    # A rule is kept where it is true or, for want of a value, unknown.
    counts = ", ".join(f"count(CASE WHEN NOT ({sql}) THEN 1 END)" for sql, _ in compiled)
    with connection.cursor() as cursor:
        parameters = [parameter for _, each in compiled for parameter in each]
        cursor.execute(f"SELECT {counts} FROM {quote(table)}", parameters)  # noqa: S608 - conditions of the models
        numbers = cursor.fetchone()
        for constraint, (sql, each), number in zip(checks, compiled, numbers, strict=True):
            if number:
                key = quote(_key_column(model))
                cursor.execute(
                    f"SELECT {key} FROM {quote(table)} WHERE NOT ({sql}) ORDER BY {key} LIMIT {EXAMPLES}",  # noqa: S608 - as above
                    each,
                )
                examples = tuple(str(found) for (found,) in cursor.fetchall())
                text = f"{constraint.name}: {constraint.violation_error_message}"
                yield Finding("check constraint", table, number, text, examples)


def _key_column(model: type[Model]) -> str:
    assert model._meta.pk is not None  # noqa: S101 - every concrete model has one
    return str(model._meta.pk.column)


def _sql(model: type[Model], constraint: CheckConstraint, connection: Any) -> tuple[str, list[Any]]:
    query = Query(model=model, alias_cols=False)
    condition: Any = constraint.condition
    where = query.build_where(condition)
    sql, parameters = where.as_sql(query.get_compiler(connection=connection), connection)
    return sql, list(parameters)


# Counts and derived values


def _counters() -> Iterator[Finding]:
    for counter in COUNTERS:

        def name(row: Any, column: str = counter.column) -> str:
            return f"{row.pk} has {getattr(row, column)} instead of {row.right}"

        yield from _finding("counter", counter.wrong, f"{counter.column} is wrong", fixable=True, name=name)


def _categories() -> Iterator[Finding]:
    wrong, rings = misplaced_categories()
    if wrong:
        examples = tuple(f"{place.category} has {place.stored} instead of {place.right}" for place in wrong[:EXAMPLES])
        text = "level or path is not what the parents say"
        yield Finding("counter", "inventory_category", len(wrong), text, examples, fixable=True)
    if rings:
        text = "categories are above and below each other: give one of them another parent"
        yield Finding("category ring", "inventory_category", len(rings), text, tuple(map(str, rings[:EXAMPLES])))


def _shared_vins() -> Iterator[Finding]:
    text = "a car has the same VIN, though the vehicle was not made of it"
    yield from _finding("VIN", vehicles_that_are_cars(), text, name=lambda row: f"{row.pk} {row.vin}")
