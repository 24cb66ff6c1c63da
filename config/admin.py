"""The staff site: its title, its navigation by domain, and the dashboard that it opens with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst

from config.audit import entity_key
from config.dashboard import dashboard
from config.staff.columns import list_url
from config.staff.fields import admin_of
from config.staff.site import BaseStaffSite, Hit, person

if TYPE_CHECKING:
    from django.http import HttpRequest

# Domain: the lists that belong to it, each with its symbol. A list shows to those who may view it.
NAVIGATION: dict[str, dict[str, str]] = {
    "Stock": {
        "inventory.car": "directions_car",
        "inventory.vehicle": "car_repair",
        "inventory.part": "settings",
        "inventory.category": "category",
        "inventory.sellercategory": "sell",
        "inventory.carslughistory": "history",
    },
    "Demand": {
        "leads.lead": "contact_phone",
        "leads.voucher": "redeem",
        "leads.vouchercode": "qr_code",
        "leads.voucherclaim": "bookmark_added",
        "leads.voucherredemption": "receipt_long",
        "leads.supportticket": "support_agent",
        "leads.newslettersubscriber": "mail",
    },
    "People": {
        "accounts.seller": "storefront",
        "accounts.sellerlocation": "location_on",
        "accounts.user": "group",
        "accounts.subscription": "card_membership",
        "accounts.userpreference": "tune",
        "accounts.useridentity": "badge",
        "accounts.usersession": "devices",
        "accounts.onetimetoken": "key",
    },
    "Traffic": {
        "analytics.event": "ads_click",
        "analytics.pageview": "visibility",
        "analytics.webvital": "speed",
        "analytics.dailymetric": "monitoring",
        "analytics.auditlog": "policy",
        "accounts.paymentevent": "payments",
    },
    "Settings": {
        "analytics.systemsetting": "toggle_on",
        "accounts.language": "language",
        "accounts.translation": "translate",
        "accounts.storedfile": "folder",
        "accounts.integration": "hub",
        "auth.group": "admin_panel_settings",
    },
}


class StaffSite(BaseStaffSite):
    """Where staff work."""

    site_header = site_title = "Forecourt"
    index_title = "Dashboard"
    index_template = "staff/dashboard.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {"dashboard": dashboard(request, self), **(extra_context or {})}
        page: TemplateResponse = super().index(request, context)
        return page

    def get_urls(self) -> list[Any]:
        return [path("status/", self.admin_view(self.status), name="status"), *super().get_urls()]

    def status(self, request: HttpRequest) -> TemplateResponse:
        """Show whether all is well. Raises PermissionDenied for all but super administrators."""
        if not person(request).is_superuser:
            raise PermissionDenied
        # Loads what looks at machines and servers, which nothing else here needs.
        from config.status import status

        context = {**self.each_context(request), "title": "Status", "status": status(now=timezone.now())}
        return TemplateResponse(request, "staff/status.html", context)

    def find(self, request: HttpRequest, text: str) -> list[Hit]:
        # Reads the apps' models, which are not there yet when this module is.
        from config.search import search_everything

        return search_everything(person(request), text)

    def history_url(self, request: HttpRequest, row: Any) -> str:
        audit_log = apps.get_model("analytics.auditlog")
        audit_admin = admin_of(self, audit_log)
        if isinstance(row, audit_log) or audit_admin is None or not audit_admin.has_view_permission(request):
            return ""
        return list_url(audit_log, f"entity_type:exact:{row._meta.label_lower}", f"entity_id:exact:{entity_key(row)}")

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the sidebar's groups with the lists that the person may view."""
        groups: list[dict[str, Any]] = [
            {"items": [_item("Dashboard", "space_dashboard", reverse("admin:index"), request)]}
        ]
        if person(request).is_superuser:
            groups[0]["items"].append(_item("Status", "monitor_heart", reverse("admin:status"), request))
        for title, lists in NAVIGATION.items():
            items = [
                _item(capfirst(str(model._meta.verbose_name_plural)), icon, list_url(model), request)
                for model, icon in ((apps.get_model(label), icon) for label, icon in lists.items())
                if (model_admin := admin_of(self, model)) is not None and model_admin.has_view_permission(request)
            ]
            if items:
                groups.append({"title": title, "items": items, "separator": True})
        return groups


def _item(title: str, icon: str, link: str, request: HttpRequest) -> dict[str, Any]:
    active = request.path == link if link == reverse("admin:index") else request.path.startswith(link)
    return {"title": title, "icon": icon, "link": link, "active": active, "has_permission": True}
