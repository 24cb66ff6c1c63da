"""Rows of other tables on a form, each table in a tab of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unfold.admin import StackedInline, TabularInline

from config.staff.forms import StaffInlineFormSet, StaffModelForm
from config.staff.relations import RelationFields

if TYPE_CHECKING:
    from django.http import HttpRequest


class _StaffInline(RelationFields):
    """Common to all inlines: a tab, twenty rows a page, searching relations, no query per row."""

    form = StaffModelForm
    formset = StaffInlineFormSet
    tab = True
    extra = 0
    per_page = 20
    hide_title = True
    needs: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = self.scope(request, super().get_queryset(request))  # type: ignore[misc]  # the mixin stands before an inline
        shown = [field.name for field in self.model._meta.concrete_fields if field.remote_field is not None]
        return rows.select_related(*shown, *self.needs)


class StaffTabularInline(_StaffInline, TabularInline):  # type: ignore[misc]  # the theme has no types
    """Rows as a table. `needs` names further relations that the rows' text or columns read."""


class StaffStackedInline(_StaffInline, StackedInline):  # type: ignore[misc]  # the theme has no types
    """Rows as forms, for rows with many or long fields."""


class RelatedListInline(StaffTabularInline):
    """The first rows of a large table, to look at, each with a link to its page, and a link to all of them.

    `fields` names the columns.
    """

    template_after = "staff/all_rows.html"
    per_page = 10
    show_change_link = True
    hide_title = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or super().get_readonly_fields(request, obj)
