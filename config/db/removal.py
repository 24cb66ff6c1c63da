"""Removing and changing many rows: a slice at a time, so that memory and statements do not grow with their number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import QuerySet

SLICE_ROWS = 500
BATCH_ROWS = 1000


def locked_slices(rows: QuerySet[Any], *, size: int = SLICE_ROWS) -> Iterator[list[Any]]:
    """Return the keys of `rows` in slices of `size`; each is locked, so that nobody hangs something new on its rows.

    Call this inside `atomic`. `rows` must not join other tables: those rows would be locked as well.
    """
    ordered, last = rows.order_by("pk"), None
    while True:
        rest = ordered if last is None else ordered.filter(pk__gt=last)
        keys = list(rest.select_for_update().values_list("pk", flat=True)[:size])
        if not keys:
            return
        yield keys
        last = keys[-1]


def remove_rows(rows: QuerySet[Any], *, size: int = SLICE_ROWS) -> Counter[str]:
    """Remove `rows` with all that goes along, and return how many rows of which model (`inventory.Car`) that were.

    Call this inside `atomic`. Raises ProtectedError if a row is needed by one that stays.
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
