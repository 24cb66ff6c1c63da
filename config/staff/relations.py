"""Relation fields on staff forms: every one searches, and takes only rows that the person may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from config.staff.fields import admin_of, visible_rows
from config.staff.forms import JSONFormField, RowsFormField, SearchSelect, SearchSelectMultiple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest


class RelationFields:
    """Mixin of StaffAdmin and the inlines."""

    model: Any
    admin_site: Any

    def scope(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the rows that the person may see: those of the queryset's own `visible_to`, where it has one."""
        visible_to = getattr(queryset, "visible_to", None)
        return queryset if visible_to is None else visible_to(request.user)

    def closed_relations(self, request: HttpRequest, readonly: Iterable[Any]) -> list[str]:
        """Return the relations to tables that the person may not view: shown, but nothing there could be chosen."""
        return [
            field.name
            for field in self.model._meta.concrete_fields
            if field.remote_field is not None
            and field.editable
            and field.name not in readonly
            and admin_of(self.admin_site, field.related_model) is not None
            and visible_rows(request, self.admin_site, field.related_model) is None
        ]

    def searches(self, request: HttpRequest, field: Any) -> bool:
        """Whether the related table can be searched: it has an admin class with `search_fields`."""
        related_admin = admin_of(self.admin_site, field.related_model)
        return related_admin is not None and bool(related_admin.get_search_fields(request))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, models.URLField):
            kwargs.setdefault("assume_scheme", "https")
        if isinstance(db_field, models.JSONField):
            kwargs.setdefault("form_class", JSONFormField)
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # mixin

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # The theme offers no blank where one must be chosen, so the browser would silently send the first.
        include_blank = db_field.blank or not db_field.has_default()
        choices = db_field.get_choices(include_blank=include_blank, blank_choice=[("", "Select value")])
        kwargs.setdefault("choices", choices)
        return super().formfield_for_choice_field(db_field, request, **kwargs)  # type: ignore[misc]  # mixin

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if self.searches(request, db_field):
            kwargs.setdefault("widget", SearchSelect(db_field, self.admin_site))
        self._bound_choices(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]  # mixin

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if self.searches(request, db_field):
            kwargs.setdefault("widget", SearchSelectMultiple(db_field, self.admin_site))
        kwargs.setdefault("form_class", RowsFormField)
        self._bound_choices(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]  # mixin

    def _bound_choices(self, db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> None:
        if "queryset" in kwargs:
            return
        model = db_field.related_model
        rows = visible_rows(request, self.admin_site, model)
        if rows is not None:
            kwargs["queryset"] = rows
        elif admin_of(self.admin_site, model) is not None:
            # The person may not see the table at all, so no row of it can be chosen either.
            kwargs["queryset"] = model._default_manager.none()
        else:
            # A table without lists, such as permissions, shows all its rows; their names may read what they point at.
            named_by = [field.name for field in model._meta.concrete_fields if field.remote_field is not None]
            kwargs["queryset"] = model._default_manager.select_related(*named_by)
