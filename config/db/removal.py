"""Removing and changing many rows: a slice at a time, so that memory and statements do not grow with their number."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import CASCADE

from config.db.base import HeldModel
from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.models import Model, QuerySet

SLICE_ROWS = 500
BATCH_ROWS = 1000
HELD_ROWS_NAMED = 5


class Held(Refused):
    """A hold keeps rows that would be removed; the text names them."""


def refuse_held(rows: QuerySet[Any]) -> None:
    """Raise Held if there is a hold on one of `rows`, or on a row that would go along with them."""
    held: dict[Any, None] = {}
    model: Any = rows.model
    for kept, way in _ways_to_held(model):
        found = kept._base_manager.filter(**{f"{way}__in": rows.order_by().values("pk")}).exclude(hold="")
        held.update(dict.fromkeys(found.order_by("pk")[: HELD_ROWS_NAMED + 1]))
    _refuse(held)


def _refuse(held: Iterable[Any]) -> None:
    rows = list(islice(held, HELD_ROWS_NAMED + 1))
    if rows:
        names = [f"{row} ({row._meta.verbose_name}, {row.get_hold_display().lower()})" for row in rows]
        others = " and others" if len(names) > HELD_ROWS_NAMED else ""
        text = ", ".join(names[:HELD_ROWS_NAMED])
        raise Held(f"There is a hold on {text}{others}: lift it first. Nothing was removed.")


@cache
def _ways_to_held(model: type[Model]) -> tuple[tuple[type[Model], str], ...]:
    """Return the tables with holds whose rows go with rows of `model`, each with the lookup that leads back to it."""
    ways = [(model, "pk")] if issubclass(model, HeldModel) else []
    return (*ways, *_ways_below(model, "", (model,)))


def _ways_below(model: type[Model], path: str, above: tuple[type[Model], ...]) -> Iterator[tuple[type[Model], str]]:
    relations: Any = model._meta.get_fields(include_hidden=True)
    for relation in relations:
        child = relation.related_model
        if getattr(relation, "on_delete", None) is not CASCADE or child in above:
            continue
        way = f"{relation.field.name}__{path}" if path else relation.field.name
        if issubclass(child, HeldModel):
            yield child, way
        yield from _ways_below(child, way, (*above, child))


def locked_slices(rows: QuerySet[Any], *, size: int = SLICE_ROWS) -> Iterator[list[Any]]:
    """Return the keys of `rows` in slices of `size`; each is locked, so that nobody hangs something new on its rows.

    Call this inside `atomic`. `rows` must not join other tables: those rows would be locked as well. Raises Held if
    there is a hold on one of them.
    """
    ordered, last = rows.order_by("pk"), None
    while True:
        rest = ordered if last is None else ordered.filter(pk__gt=last)
        keys = list(rest.select_for_update().values_list("pk", flat=True)[:size])
        if not keys:
            return
        if issubclass(rows.model, HeldModel):
            _refuse(rows.model._base_manager.filter(pk__in=keys).exclude(hold="").order_by("pk"))
        yield keys
        last = keys[-1]


def remove_rows(rows: QuerySet[Any], *, size: int = SLICE_ROWS) -> Counter[str]:
    """Remove `rows` with all that goes along, and return how many rows of which model (`inventory.Car`) that were.

    Call this inside `atomic`. Raises Held if there is a hold on one of them, and ProtectedError if a row is needed by
    one that stays.
    """
    removed: Counter[str] = Counter()
    for keys in locked_slices(rows, size=size):
        removed.update(rows.model._base_manager.filter(pk__in=keys).delete()[1])
    return removed


def change_in_batches(rows: QuerySet[Any], change: Callable[[QuerySet[Any]], int], *, size: int = BATCH_ROWS) -> int:
    """Call `change` with a batch of `rows` at a time, each in a transaction of its own, and return how many it changed.

    The batch has the condition of `rows` still in it: what somebody changed since the keys were read is left out.
    """
    ordered, last, changed = rows.order_by("pk"), None, 0
    while True:
        rest = ordered if last is None else ordered.filter(pk__gt=last)
        keys = list(rest.values_list("pk", flat=True)[:size])
        if not keys:
            return changed
        with transaction.atomic(using=rows.db):
            changed += change(rows.filter(pk__in=keys))
        last = keys[-1]


def delete_in_batches(rows: QuerySet[Any], *, size: int = BATCH_ROWS) -> int:
    """Delete `rows` a batch at a time, each in a transaction of its own, and return how many they were."""
    label = rows.model._meta.label
    return change_in_batches(rows, lambda batch: batch.delete()[1].get(label, 0), size=size)
