"""How the database would find the first page of the staff site's lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest

from accounts.models import User
from accounts.models.users import Role
from config.ops.health.look import Look
from config.ops.health.report import Column, Section

if TYPE_CHECKING:
    from django.db.models import Model

# What reads a whole table: the words of PostgreSQL and of SQLite.
_WHOLE_TABLE = re.compile(r"Seq Scan on (\w+)|SCAN (\w+)(?! USING)(?:\n|$)")
_COST = re.compile(r"cost=[\d.]+\.\.([\d.]+)")


def plans(look: Look) -> Section:
    """List the plans of all lists, or show the whole plan of the one that `look.explain` names."""
    section = Section("plans")
    found = {label: _plan(look, model) for label, model in _models(look.explain).items()}
    source = "EXPLAIN of the list's first page, as a super administrator sees it"
    rows = [
        (label, _cost(plan), ", ".join(sorted({name for pair in _WHOLE_TABLE.findall(plan) for name in pair if name})))
        for label, plan in found.items()
    ]
    columns = (Column("list", "List"), Column("cost", "Cost"), Column("whole", "Tables read as a whole"))
    section.table("plans", "Plans of the lists", columns, rows, source=source)
    if look.explain:
        section.table(
            "lines", f"Plan of {look.explain}", (Column("line", "Line"),),
            [(line,) for line in found[look.explain].splitlines()], source=source,
        )  # fmt: skip
    section.notes.append("A small table is read as a whole because that is quicker than any index.")
    return section


def list_names() -> list[str]:
    """Return the names of the lists that can be explained."""
    admin.autodiscover()
    return sorted(model._meta.label_lower for model in admin.site._registry)


def _models(name: str) -> dict[str, type[Model]]:
    return {label: apps.get_model(label) for label in ([name] if name else list_names())}


def _plan(look: Look, model: type[Model]) -> str:
    request: Any = HttpRequest()
    request.method = "GET"
    request.user = User(role=Role.SUPER_ADMIN, is_superuser=True, is_staff=True, is_active=True)
    changes = admin.site.get_model_admin(model).get_changelist_instance(request)
    return str(changes.queryset.using(look.connection.alias)[: changes.list_per_page].explain())


def _cost(plan: str) -> float | None:
    found = _COST.search(plan)
    return float(found[1]) if found else None
