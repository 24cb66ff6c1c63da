"""What the staff site opens with: figures, charts and the newest leads, each only for those who may see the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from analytics.queries import platform_overview
from config.staff.columns import EMPTY, list_url
from config.staff.fields import visible_rows
from inventory.models.cars import CarStatus
from leads.models.leads import LeadStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

    from analytics.queries import PlatformOverview

_NEWEST = 8


def dashboard(request: HttpRequest, site: AdminSite) -> dict[str, Any]:
    """Return the page's parts; costs the overview's queries and one for the newest leads."""
    overview = platform_overview(request.user, now=timezone.now())  # type: ignore[arg-type]  # only staff come here
    labels = ("leads.lead", "inventory.car", "inventory.part", "accounts.seller", "leads.voucher", "analytics.event")
    rows = {label: visible_rows(request, site, apps.get_model(label)) for label in labels}
    seen = {label for label, visible in rows.items() if visible is not None}
    panels: dict[str, tuple[str, Mapping[Any, int]]] = {
        "inventory.car": ("Cars by status", overview.cars_by_status),
        "leads.lead": ("Leads by status", overview.leads_by_status),
    }
    return {
        "figures": [figure for label, figure in _figures(overview).items() if label in seen],
        "bars": [_bars(label, title, counts) for label, (title, counts) in panels.items() if label in seen],
        "days": _days(overview.events_by_day) if "analytics.event" in seen else None,
        "tables": [_newest_leads(rows["leads.lead"])] if "leads.lead" in seen else [],
    }


def _figures(overview: PlatformOverview) -> dict[str, dict[str, Any]]:
    cars, leads = overview.cars_by_status, overview.leads_by_status
    return {
        "leads.lead": _figure(
            "New leads",
            leads[LeadStatus.NEW],
            "leads.lead",
            "status:any:NEW",
            f"{overview.new_leads:,} came in the last 7 days",
        ),
        "inventory.car": _figure(
            "Cars available",
            cars[CarStatus.AVAILABLE],
            "inventory.car",
            "status:any:AVAILABLE",
            f"of {sum(cars.values()):,}",
        ),
        "inventory.part": _figure(
            "Parts listed", overview.parts_listed, "inventory.part", "is_listed:is:yes", f"of {overview.parts:,}"
        ),
        "accounts.seller": _figure(
            "Sellers to verify",
            overview.sellers_waiting,
            "accounts.seller",
            "is_verified:is:no",
            f"of {overview.sellers:,}",
        ),
        "leads.voucher": _figure(
            "Vouchers published", overview.vouchers_published, "leads.voucher", "state:any:published", "open to buyers"
        ),
    }


def _figure(label: str, number: int, model: str, condition: str, note: str) -> dict[str, Any]:
    link = list_url(apps.get_model(model), condition)
    return {"label": label, "number": f"{number:,}", "link": link, "note": note}


def _bars(model: str, title: str, counts: Mapping[Any, int]) -> dict[str, Any]:
    rows = [
        {
            "label": status.label,
            "number": number,
            "link": list_url(apps.get_model(model), f"status:any:{status.value}"),
        }
        for status, number in counts.items()
    ]
    return {"title": title, "rows": rows, "most": max(counts.values(), default=0) or 1}


def _days(events: Mapping[date, int]) -> dict[str, Any]:
    """Return a column per day of a drawing that is 10 units wide a day and 60 high."""
    most = max(events.values(), default=0) or 1
    heights = {day: max(1, round(60 * number / most)) for day, number in events.items()}
    bars = [
        {"day": day, "number": events[day], "left": 10 * place + 1, "top": 60 - height, "height": height}
        for place, (day, height) in enumerate(heights.items())
    ]
    return {"bars": bars, "total": f"{sum(events.values()):,}", "link": list_url(apps.get_model("analytics.event"))}


def _newest_leads(leads: Any) -> dict[str, Any]:
    now = timezone.now()
    newest = leads.filter(deleted_at__isnull=True).select_related("car", "assigned_to").order_by("-created_at", "-pk")
    rows = [
        {
            "cells": [
                lead.name,
                lead.get_status_display(),
                lead.get_priority_display(),
                lead.car or EMPTY,
                lead.assigned_to or "nobody yet",
                f"{timesince(lead.created_at, now, depth=1)} ago",
            ],
            "link": reverse("admin:leads_lead_change", args=(lead.pk,)),
        }
        for lead in newest[:_NEWEST]
    ]
    headers = ["Name", "Status", "Priority", "Car", "Assigned to", "Received"]
    return {"title": "Newest leads", "rows": rows, "headers": headers, "link": list_url(leads.model)}
