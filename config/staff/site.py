"""The base of the staff site."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite, autodiscover
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.paginator import Paginator
from django.db.models import Q
from django.template.response import TemplateResponse
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from config.db.search import in_order
from config.staff.fields import deletes_softly
from config.staff.listing import OnwardPaginator
from config.staff.orders import Order
from config.staff.pages import PlainRows

if TYPE_CHECKING:
    from django.core.checks import CheckMessage
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

# More than the box ever shows, so that its pages are one.
_MOST_RESULTS = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that a search over everything found: where it is, what it is called, and what kind of row it is."""

    title: str
    detail: str
    link: str
    icon: str


def person(request: HttpRequest) -> Any:
    """Return who is signed in; the site lets nobody else reach its pages."""
    return request.user


class OfferedRows:
    """Rows that can be chosen, in the order of their list; sliced, they are read by index."""

    def __init__(self, admin: Any, request: HttpRequest, rows: Any, text: str) -> None:
        self.rows = admin.rows_found(request, rows, text) if text else PlainRows(rows)
        self.names = [*(admin.get_ordering(request) or rows.model._meta.ordering), "-pk"]
        self.order = Order.of(self.names, rows.model)

    def __getitem__(self, part: slice) -> list[Any]:
        rows = self.rows.queryset
        if self.order is None:
            return list(rows.order_by(*self.names)[part])
        found = self.rows.take(self.order, Q(), part.stop, backwards=False)[part.start :]
        return in_order(rows, [values[-1] for values in found])


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
        return OfferedRows(admin, self.request, rows, self.term)

    def get_paginator(self, *args: Any, **kwargs: Any) -> Paginator[Any]:
        return OnwardPaginator(*args, **kwargs)


class BaseStaffSite(UnfoldAdminSite):  # type: ignore[misc]  # the theme has no types
    """Site whose searches show no hidden row.

    The apps' admin modules are read when addresses or checks ask for them: commands start in half the time without.
    """

    def check(self, app_configs: Any) -> list[CheckMessage]:
        autodiscover()
        found: list[CheckMessage] = super().check(app_configs)
        return found

    def get_urls(self) -> list[Any]:
        autodiscover()
        addresses: list[Any] = super().get_urls()
        return addresses

    def history_url(self, request: HttpRequest, row: Any) -> str:
        """Return the address of all that happened to `row`, or nothing where the person may not read it."""
        return ""

    def find(self, request: HttpRequest, text: str) -> list[Hit]:
        """Return the rows that `text` finds among all that the person may see."""
        return []

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Answer the search boxes: the sidebar's with lists, the one over everything with lists and rows.

        The theme's own keeps answers, the same for both boxes, so that rows would show that are gone by now.
        """
        begin = time.perf_counter()
        text, everywhere = request.GET.get("s", "").strip(), "extended" in request.GET
        results = self._search_apps(AdminSite.get_app_list(self, request), text.lower()) if text else []
        if everywhere:
            # Rows first: who knows the name of a list finds it in the sidebar.
            hits = self.find(request, text)
            results = [SearchResult(hit.title, hit.detail, hit.link, hit.icon) for hit in hits] + results
        pages = Paginator(results, _MOST_RESULTS)
        context = {
            "page_obj": pages,
            "results": pages.get_page(1),
            "page_counter": 0,
            "execution_time": time.perf_counter() - begin,
            "command_show_history": False,
        }
        name = "command_results" if everywhere else "search_results"
        return TemplateResponse(request, f"unfold/helpers/{name}.html", context, headers={"HX-Trigger": "search"})

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return StaffAutocompleteView.as_view(admin_site=self)(request)
