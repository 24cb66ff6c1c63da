"""What goes with a row that is deleted, counted by the database instead of read into memory."""

from __future__ import annotations

from collections import defaultdict
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


@dataclass(frozen=True)
class Released:
    """Relations that protect rows, but for a service that knows what to do: it takes them along, or unlinks them."""

    taken_along: tuple[Any, ...] = ()
    unlinked: tuple[Any, ...] = ()

    def also(self, *, taken_along: tuple[Any, ...] = (), unlinked: tuple[Any, ...] = ()) -> Released:
        """Return these and the relations of a higher app."""
        return Released((*self.taken_along, *taken_along), (*self.unlinked, *unlinked))


def consequences_of(
    rows: Iterable[Any], request: HttpRequest, site: AdminSite, released: Released | None = None
) -> Consequences:
    """Follow every relation that points at `rows`; costs a few queries per relation, whatever the number of rows."""
    rows = list(rows)
    if not rows:
        return Consequences()
    paths = _Paths(released or Released())
    paths.follow(type(rows[0]), {"__in": [row.pk for row in rows]}, "", (type(rows[0]),))
    return paths.counted(request, site)


class _Paths:
    """The ways that lead to the rows of each table, so that a row is counted once, however many lead to it."""

    def __init__(self, released: Released) -> None:
        self.released = released
        self.deleted: dict[Any, list[Any]] = defaultdict(list)
        self.unlinked: dict[Any, list[Any]] = defaultdict(list)
        self.protected: dict[Any, list[Any]] = defaultdict(list)

    def follow(self, model: Any, pks: dict[str, Any], path: str, seen: tuple[Any, ...]) -> None:
        for relation in model._meta.get_fields(include_hidden=True):
            if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
                continue
            child = relation.related_model
            lookup = f"{relation.field.name}__{path}" if path else relation.field.name
            rows = child._base_manager.filter(**{f"{lookup}{suffix}": value for suffix, value in pks.items()})
            if not rows.exists():
                continue
            kind = self._kind(relation)
            kind[child].append(rows)
            if kind is self.deleted and child not in seen and len(seen) < _DEEPEST:
                self.follow(child, pks, lookup, (*seen, child))

    def _kind(self, relation: Any) -> dict[Any, list[Any]]:
        if relation.field in self.released.unlinked:
            return self.unlinked
        if relation.on_delete is models.CASCADE or relation.field in self.released.taken_along:
            return self.deleted
        return self.protected if relation.on_delete in (models.PROTECT, models.RESTRICT) else self.unlinked

    def counted(self, request: HttpRequest, site: AdminSite) -> Consequences:
        deleted = {model: _number(ways) for model, ways in self.deleted.items()}
        unlinked = {}
        for model, ways in self.unlinked.items():
            gone = self.deleted.get(model, [])
            unlinked[model] = _number([*ways, *gone]) - deleted.get(model, 0)
        protected = {model: _number(ways) for model, ways in self.protected.items()}
        found = Consequences(in_words(deleted), in_words(unlinked))
        found.protected = [f"{number} {names}" for names, number in in_words(protected).items()]
        for model in deleted:
            child_admin = admin_of(site, model)
            if child_admin is not None and not child_admin.has_delete_permission(request):
                found.missing_permissions.add(str(model._meta.verbose_name))
        return found


def _number(ways: list[Any]) -> int:
    """Return how many rows the querysets hold together; one that is in several counts once."""
    if len(ways) <= 1:
        return sum(rows.count() for rows in ways)
    first, *others = [rows.order_by().values("pk") for rows in ways]
    number: int = first.union(*others).count()
    return number


def in_words(numbers: dict[Any, int]) -> dict[str, int]:
    """Return how many rows of each model there are by what they are called; tables called the same are one kind."""
    kinds: dict[tuple[str, str], int] = {}
    for model, number in numbers.items():
        kind = str(model._meta.verbose_name), str(model._meta.verbose_name_plural)
        kinds[kind] = kinds.get(kind, 0) + number
    return {one if number == 1 else many: number for (one, many), number in kinds.items() if number}


def names_of(rows: Iterable[Any]) -> list[str]:
    """Return the first rows' names and how many there are more."""
    rows = list(rows)
    names = [str(row) for row in rows[:_NAMES_SHOWN]]
    return [*names, f"… and {len(rows) - _NAMES_SHOWN} more"] if len(rows) > _NAMES_SHOWN else names
