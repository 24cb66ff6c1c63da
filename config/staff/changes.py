"""What a save in the back office changed, for the audit log."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from config.staff.secrets import HIDDEN, is_secret

# Kept by the program on every save; alone they are no change.
_NOT_A_CHANGE = frozenset({"updated_at"})


def snapshot(row: Any) -> dict[str, Any]:
    """Return the row's values by field, secrets left as they are for comparison: never to be stored as they are."""
    missing = row.get_deferred_fields()
    return {
        field.name: getattr(row, field.attname) for field in row._meta.concrete_fields if field.attname not in missing
    }


def changes_between(before: dict[str, Any], row: Any) -> dict[str, list[Any]]:
    """Return field: [before, after] for what differs, secrets hidden; an empty `before` stands for a new row."""
    changed: dict[str, list[Any]] = {}
    after = snapshot(row)
    for field in row._meta.concrete_fields:
        if field.name not in after or field.name in _NOT_A_CHANGE:
            continue
        old, new = _plain(before.get(field.name)), _plain(after[field.name])
        if old == new:
            continue
        changed[field.name] = [HIDDEN if old else old, HIDDEN if new else new] if is_secret(field) else [old, new]
    return changed


def inline_changes(formsets: list[Any]) -> dict[str, list[Any]]:
    """Return what was done to rows of inlines: how many were added, changed and deleted, by their table's name."""
    done: dict[str, list[Any]] = {}
    for formset in formsets:
        names = str(formset.model._meta.verbose_name_plural)
        counts = {
            # A service that made the new rows has told the audit log of each.
            "added": 0 if getattr(formset, "is_announced", False) else len(formset.new_objects),
            "changed": len(formset.changed_objects),
            "deleted": len(formset.deleted_objects),
        }
        if any(counts.values()):
            done[names] = [None, {what: count for what, count in counts.items() if count}]
    return done


def _plain(value: Any) -> Any:
    """Return a value as JSON would give it back."""
    try:
        return json.loads(json.dumps(value, cls=DjangoJSONEncoder))
    except TypeError:
        return str(value)
