"""What a save in the back office changed: for the audit log, and for those who have the row's page open."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.formats import date_format

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
    """Return what was done to rows of inlines: how many were added, changed and deleted, by their table's name.

    Those that the audit log was told of one by one are left out.
    """
    done: dict[str, list[Any]] = {}
    for formset in formsets:
        if getattr(formset, "is_announced", False):
            continue
        names = str(formset.model._meta.verbose_name_plural)
        counts = {
            "added": len(formset.new_objects),
            "changed": len(formset.changed_objects),
            "deleted": len(formset.deleted_objects),
        }
        if any(counts.values()):
            done[names] = [None, {what: count for what, count in counts.items() if count}]
    return done


def last_change(row: Any) -> str:
    """Return when the row was last saved, and by whom if that was on its page; nothing where rows keep no times."""
    saved_at = getattr(row, "updated_at", None)
    if saved_at is None:
        return ""
    kind = ContentType.objects.get_for_model(type(row))
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk), action_time__gte=saved_at)
    entry = entries.select_related("user").first()
    moment = date_format(timezone.localtime(saved_at), "DATETIME_FORMAT")
    return f"last saved {moment} by {entry.user}" if entry else f"last saved {moment}"


def _plain(value: Any) -> Any:
    """Return a value as JSON would give it back."""
    try:
        return json.loads(json.dumps(value, cls=DjangoJSONEncoder))
    except TypeError:
        return str(value)
