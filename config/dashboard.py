"""What the staff site opens with: figures and the newest leads, each only for those who may see the rows behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from config.staff.columns import EMPTY, list_url
from config.staff.fields import visible_rows

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

_NEWEST = 8


def dashboard(request: HttpRequest, site: AdminSite) -> dict[str, Any]:
    """Return figures, bars and tables; one query for each table that the person may view, and one more for leads."""
    cars, parts, sellers, leads = (
        _live_rows(request, site, label)
        for label in ("inventory.car", "inventory.part", "accounts.seller", "leads.lead")
    )
    figures: list[dict[str, Any]] = []
    bars: list[dict[str, Any]] = []
    tables: list[dict[str, Any]] = []
    if leads is not None:
        panel = _by_status(leads, "Leads by status")
        new = next((bar["number"] for bar in panel["rows"] if bar["code"] == "NEW"), 0)
        figures.append(_figure("New leads", new, list_url(leads.model, "status:any:NEW"), "not contacted yet"))
        bars.append(panel)
        tables.append(_newest_leads(leads))
    if cars is not None:
        panel = _by_status(cars, "Cars by status")
        available = next((bar["number"] for bar in panel["rows"] if bar["code"] == "AVAILABLE"), 0)
        figures.append(
            _figure("Cars available", available, list_url(cars.model, "status:any:AVAILABLE"), "for sale now")
        )
        bars.insert(0, panel)
    if parts is not None:
        numbers = parts.aggregate(listed=Count("pk", filter=Q(is_listed=True)), total=Count("pk"))
        link = list_url(parts.model, "is_listed:is:yes")
        figures.append(_figure("Parts listed", numbers["listed"], link, f"of {numbers['total']:,} in stock"))
    if sellers is not None:
        numbers = sellers.aggregate(waiting=Count("pk", filter=Q(is_verified=False)), total=Count("pk"))
        link = list_url(sellers.model, "is_verified:is:no")
        figures.append(_figure("Sellers to verify", numbers["waiting"], link, f"of {numbers['total']:,} sellers"))
    return {"figures": figures, "bars": bars, "tables": tables}


def _live_rows(request: HttpRequest, site: AdminSite, label: str) -> Any:
    rows = visible_rows(request, site, apps.get_model(label))
    return None if rows is None else rows.filter(deleted_at__isnull=True)


def _figure(label: str, number: int, link: str, note: str) -> dict[str, Any]:
    return {"label": label, "number": f"{number:,}", "link": link, "note": note}


def _by_status(rows: Any, title: str) -> dict[str, Any]:
    numbers = dict(rows.order_by().values_list("status").annotate(number=Count("pk")))
    shown = [
        {
            "code": code,
            "label": label,
            "number": numbers.get(code, 0),
            "link": list_url(rows.model, f"status:any:{code}"),
        }
        for code, label in rows.model._meta.get_field("status").flatchoices
    ]
    return {"title": title, "rows": shown, "most": max(numbers.values(), default=1)}


def _newest_leads(leads: Any) -> dict[str, Any]:
    now = timezone.now()
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
        for lead in leads.select_related("car", "assigned_to").order_by("-created_at", "-pk")[:_NEWEST]
    ]
    headers = ["Name", "Status", "Priority", "Car", "Assigned to", "Received"]
    return {"title": "Newest leads", "rows": rows, "headers": headers, "link": list_url(leads.model)}
