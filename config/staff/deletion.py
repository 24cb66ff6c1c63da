"""What goes with a row that is deleted, counted by the database instead of read into memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models

from config.staff.fields import admin_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

_DEEPEST = 5
_NAMES_SHOWN = 20


@dataclass
class Consequences:
    """Rows by kind that a deletion takes along, leaves without their link, or is forbidden by."""

    deleted: dict[str, int] = field(default_factory=dict)
    unlinked: dict[str, int] = field(default_factory=dict)
    protected: list[str] = field(default_factory=list)
    missing_permissions: set[str] = field(default_factory=set)


def consequences_of(rows: Iterable[Any], request: HttpRequest, site: AdminSite) -> Consequences:
    """Follow every relation that points at `rows`; costs a few queries per relation, whatever the number of rows."""
    found = Consequences()
    rows = list(rows)
    if rows:
        _follow(type(rows[0]), {"__in": [row.pk for row in rows]}, "", found, request, site, (type(rows[0]),))
    return found


def _follow(
    model: Any,
    pks: dict[str, Any],
    path: str,
    found: Consequences,
    request: HttpRequest,
    site: AdminSite,
    seen: tuple[Any, ...],
) -> None:
    for relation in model._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
            continue
        child = relation.related_model
        lookup = f"{relation.field.name}__{path}" if path else relation.field.name
        count = child._base_manager.filter(**{f"{lookup}{suffix}": value for suffix, value in pks.items()}).count()
        if not count:
            continue
        names = str(child._meta.verbose_name_plural)
        if relation.on_delete in (models.PROTECT, models.RESTRICT):
            found.protected.append(f"{count} {names}")
        elif relation.on_delete is models.CASCADE:
            found.deleted[names] = found.deleted.get(names, 0) + count
            child_admin = admin_of(site, child)
            if child_admin is not None and not child_admin.has_delete_permission(request):
                found.missing_permissions.add(str(child._meta.verbose_name))
            if child not in seen and len(seen) < _DEEPEST:
                _follow(child, pks, lookup, found, request, site, (*seen, child))
        else:
            found.unlinked[names] = found.unlinked.get(names, 0) + count


def names_of(rows: Iterable[Any]) -> list[str]:
    """Return the first rows' names and how many there are more."""
    rows = list(rows)
    names = [str(row) for row in rows[:_NAMES_SHOWN]]
    return [*names, f"… and {len(rows) - _NAMES_SHOWN} more"] if len(rows) > _NAMES_SHOWN else names
