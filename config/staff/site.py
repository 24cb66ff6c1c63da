"""The base of the staff site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from unfold.sites import UnfoldAdminSite

from config.staff.fields import deletes_softly

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


def person(request: HttpRequest) -> Any:
    """Return who is signed in; the site lets nobody else reach its pages."""
    return request.user


class StaffAutocompleteView(AutocompleteJsonView):
    """Searches the rows that the person may see and that are not deleted."""

    def get_queryset(self) -> Any:
        admin: Any = self.model_admin
        visible = getattr(admin, "visible_rows", None)
        if visible is None:
            return super().get_queryset()
        rows = visible(self.request).complex_filter(self.source_field.get_limit_choices_to())
        if deletes_softly(rows.model):
            rows = rows.filter(deleted_at__isnull=True)
        if admin.search_needs:
            rows = rows.select_related(*admin.search_needs)
        ordering = admin.get_ordering(self.request) or rows.model._meta.ordering
        rows = rows.order_by(*ordering, "pk")
        rows, may_repeat = admin.get_search_results(self.request, rows, self.term)
        return rows.distinct() if may_repeat else rows


class BaseStaffSite(UnfoldAdminSite):  # type: ignore[misc]  # the theme has no types
    """Site whose searches show no hidden row."""

    def history_url(self, request: HttpRequest, row: Any) -> str:
        """Return the address of all that happened to `row`, or nothing where the person may not read it."""
        return ""

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return StaffAutocompleteView.as_view(admin_site=self)(request)
