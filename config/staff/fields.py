"""The fields of a model that a person may read, its own and those of the rows it points at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst

from config.staff.secrets import is_secret

if TYPE_CHECKING:
    from django.http import HttpRequest

# In this order: a date with time is also a date, and a field with choices is also text or a number.
_KINDS: tuple[tuple[type[models.Field[Any, Any]] | tuple[type[models.Field[Any, Any]], ...], str], ...] = (
    (models.BooleanField, "boolean"),
    (models.DateTimeField, "datetime"),
    (models.DateField, "date"),
    (models.JSONField, "json"),
    ((models.DecimalField, models.FloatField, models.IntegerField), "number"),
    ((models.CharField, models.TextField, models.FileField), "text"),
    ((models.UUIDField, models.GenericIPAddressField), "text"),
)


@dataclass(frozen=True, slots=True)
class ReadableField:
    """One field under the name that addresses and exports use: `price`, or `seller.city` for a related row's."""

    key: str
    label: str
    group: str
    kind: str
    field: Any

    @property
    def path(self) -> str:
        return self.key.replace(".", "__")

    @property
    def full_label(self) -> str:
        return f"{self.group}: {self.label}" if self.group else self.label


def kind_of(field: Any) -> str:
    """Return relation, choice, boolean, datetime, date, json, number, text or other."""
    field = getattr(field, "output_field", field)
    if field.remote_field is not None:
        return "relation"
    if field.choices:
        return "choice"
    return next((kind for classes, kind in _KINDS if isinstance(field, classes)), "other")


def is_text(text: str) -> bool:
    """Whether both databases store `text`: it holds no NUL and no half of a surrogate pair."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text))


def is_key(field: Any, value: Any) -> bool:
    """Whether `value`, as an address or a form carries it, can be a value of the key `field` at all."""
    try:
        key = field.to_python(value)
    except (ValidationError, ValueError):
        return False
    if isinstance(key, int):
        return -(2**63) <= key < 2**63
    return key is not None and is_text(str(key))


def deletes_softly(model: Any) -> bool:
    """Whether rows of `model` are hidden before they are gone."""
    return callable(getattr(model, "soft_delete", None))


def admin_of(site: admin.AdminSite, model: Any) -> Any:
    """Return the admin class registered for `model`, or None."""
    try:
        return site.get_model_admin(model)
    except NotRegistered:
        return None


def visible_rows(request: HttpRequest, site: admin.AdminSite, model: Any) -> Any:
    """Return the rows of `model` that the person may see, or None where the person may see none of the table."""
    related_admin = admin_of(site, model)
    if related_admin is None or not related_admin.has_view_permission(request):
        return None
    rows = getattr(related_admin, "visible_rows", related_admin.get_queryset)
    return rows(request)


def readable_fields(request: HttpRequest, model_admin: Any) -> dict[str, ReadableField]:
    """Return what the person may read, by key: own fields first, then those of each relation the person may view."""
    found: dict[str, ReadableField] = {}
    site = model_admin.admin_site
    for field in _concrete_fields(model_admin.model):
        label = capfirst(str(field.verbose_name))
        readable = ReadableField(field.name, label, "", kind_of(field), field)
        if readable.kind == "relation" and visible_rows(request, site, field.related_model) is None:
            continue
        found[readable.key] = readable
    for relation in [readable for readable in found.values() if readable.kind == "relation"]:
        for field in _concrete_fields(relation.field.related_model):
            kind = kind_of(field)
            if kind == "relation" and visible_rows(request, site, field.related_model) is None:
                continue
            key = f"{relation.key}.{field.name}"
            found[key] = ReadableField(key, capfirst(str(field.verbose_name)), relation.label, kind, field)
    return found


def _concrete_fields(model: Any) -> list[Any]:
    return [
        field
        for field in model._meta.concrete_fields
        if not is_secret(field) and not isinstance(field, models.BinaryField)
    ]
