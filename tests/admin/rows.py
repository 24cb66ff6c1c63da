"""Rows of every table in any number, with every relation filled: made in bulk, from one valid row each."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import UniqueConstraint
from django.utils import timezone

from accounts.models import User
from accounts.models.users import Role
from config.db.ids import new_ulid
from inventory.models import Car, Category, Part, SellerCategory
from leads.models import VoucherClaim
from tests.builders import make_user, make_vin
from tests.schema.rows import MODELS, make_row

Rows = dict[Any, list[Any]]


def in_order(wanted: list[Any]) -> list[Any]:
    """Return the models and all they need, each behind those it points at."""
    ordered: list[Any] = []

    def place(model: Any) -> None:
        if model in ordered or model not in MODELS:
            return
        for field in _relations(model):
            if field.related_model is not model:
                # A generic relation is filled with a car.
                place(Car if field.related_model is ContentType else field.related_model)
        ordered.append(model)

    for model in wanted:
        place(model)
    return ordered


# Tables that hold a pair once: the rows of the pool are taken, so the other side is made anew.
ONCE_WITH: dict[Any, Any] = {VoucherClaim: User, SellerCategory: Category}


def fill(number: int, tables: list[Any] = MODELS, **pins: Any) -> Rows:
    """Make `number` rows of each table; row n points at row n of the others, or at what `pins` names by field."""
    rows: Rows = {}
    for model in in_order(tables):
        rows[model] = clones(model, number, rows, pins)
    return rows


def fill_inlines(rows: Rows, number: int) -> None:
    """Hang `number` rows of each inline on the first row of its parent."""
    for model, model_admin in admin.site._registry.items():
        for inline in getattr(model_admin, "inlines", ()):
            for field in _relations(inline.model):
                if field.related_model is model and inline.fk_name in (None, field.name):
                    others = dict(rows)
                    if partner := ONCE_WITH.get(inline.model):
                        others[partner] = clones(partner, number, {}, {})
                    clones(inline.model, number, others, {field.name: rows[model][0]})


def clones(model: Any, number: int, rows: Rows, pins: dict[str, Any]) -> list[Any]:
    """Make `number` rows of `model` that differ in what must be unique."""
    pattern = make_row(model)
    unique = set(_unique_names(model))
    made = []
    for position in range(number):
        row = copy.copy(pattern)
        row._state = copy.copy(pattern._state)
        row._state.adding = True
        row._state.fields_cache = {}
        for field in model._meta.concrete_fields:
            _vary(row, field, position, rows, pins, unique)
        if isinstance(row, Part):
            row.seller = row.vehicle.seller
        made.append(row)
    models.QuerySet(model).bulk_create(made)
    models.QuerySet(model).filter(pk=pattern.pk).delete()
    return made


def _vary(row: Any, field: Any, position: int, rows: Rows, pins: dict[str, Any], unique: set[str]) -> None:
    if field.primary_key and isinstance(field, models.AutoField):
        row.pk = None
    elif field.related_model is ContentType:
        row.content_type = ContentType.objects.get_for_model(Car)
        row.object_id = str(rows[Car][min(position, len(rows[Car]) - 1)].pk)
    elif field.remote_field is not None:
        _relate(row, field, position, rows, pins)
    elif field.name in {"public_id", "file_id"}:
        setattr(row, field.name, new_ulid() if field.name == "public_id" else field.get_default())
    elif field.name == "vin":
        row.vin = make_vin()
    elif isinstance(field, models.BooleanField) and field.name in {"is_primary", "is_default"}:
        setattr(row, field.name, False)
    elif (field.name in unique or field.primary_key) and isinstance(field, models.CharField):
        value = getattr(row, field.name)
        if value:
            setattr(row, field.name, _numbered(value, field))


def _relate(row: Any, field: Any, position: int, rows: Rows, pins: dict[str, Any]) -> None:
    if field.name in pins:
        setattr(row, field.name, pins[field.name])
    elif field.related_model in rows:
        others = rows[field.related_model]
        # One-to-one rows are made anew: those of the pool are taken.
        free = others[min(position, len(others) - 1)] if not field.one_to_one else None
        if free is not None:
            setattr(row, field.name, free)
        elif not field.null:
            setattr(row, field.name, make_row(field.related_model))
        else:
            setattr(row, field.name, None)
    elif field.related_model is type(row) and field.null:
        setattr(row, field.name, None)


_suffixes = iter(range(10_000_000))


def _numbered(value: str, field: Any) -> str:
    number = str(next(_suffixes))
    if "@" in value:
        return f"n{number}.{value}"
    return f"{value[: (field.max_length or 200) - len(number) - 1]}.{number}" if field.max_length > 12 else f"z{number}"


def _relations(model: Any) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.remote_field is not None]


def _unique_names(model: Any) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if field.unique:
            yield field.name
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield from constraint.fields
            expressions: list[Any] = list(constraint.expressions)
            for expression in expressions:
                nodes: list[Any] = list(expression.flatten()) if hasattr(expression, "flatten") else [expression]
                yield from (node_name for node in nodes if (node_name := getattr(node, "name", "")))


def staff(role: str) -> User:
    """Return a person who may sign in to the back office by `role`."""
    return make_user(role, last_login=timezone.now())


STAFF = (Role.SUPER_ADMIN, Role.ADMIN, Role.VIEWER, Role.SELLER)
