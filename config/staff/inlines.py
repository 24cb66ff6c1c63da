"""Rows of other tables on a form, each table in a tab of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.html import format_html
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import display

from config.staff.columns import change_url
from config.staff.forms import MOST_INLINE_ROWS, StaffInlineFormSet, StaffModelForm
from config.staff.relations import RelationFields

if TYPE_CHECKING:
    from django.http import HttpRequest


class _StaffInline(RelationFields):
    """Common to all inlines: a tab, twenty rows a page, searching relations, no query per row."""

    form = StaffModelForm
    formset = StaffInlineFormSet
    tab = True
    extra = 0
    max_num = MOST_INLINE_ROWS
    per_page = 20
    hide_title = True
    fields: Any
    fk_name: Any
    needs: tuple[str, ...] = ()

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs.setdefault("absolute_max", MOST_INLINE_ROWS)
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]  # the mixin stands before an inline
        formset.reader = (request, self.admin_site)
        return formset

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)  # type: ignore[misc]  # the mixin stands before an inline
        closed = [name for name in self.closed_relations(request, readonly) if name != self.fk_name]
        shown = self.fields
        return (*readonly, *[name for name in closed if shown is None or name in shown])

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

    `fields` names the columns that follow the link.
    """

    template_after = "staff/all_rows.html"
    per_page = 10

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["record", *(self.fields or ())]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Record")  # type: ignore[untyped-decorator]  # the theme has no types
    def record(self, row: Any) -> str:
        address = change_url(row, row)
        return format_html('<a class="staff-link" href="{}">{}</a>', address, row) if address else str(row)
