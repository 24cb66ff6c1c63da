"""What becomes of the past when it is old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.models import AuditLog, Event, PageView, WebVital
from analytics.settings import get_setting

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


def _days_before(now: datetime, key: str) -> datetime:
    return now - timedelta(days=get_setting(key))


def old_audit_entries(now: datetime) -> QuerySet[AuditLog]:
    """Return the audit entries that were written long ago; only maintenance, which archives them, removes any."""
    return AuditLog.objects.filter(created_at__lt=_days_before(now, "retention.audit_days"))


def old_events(now: datetime) -> QuerySet[Event]:
    """Return the events that occurred long ago."""
    return Event.objects.filter(occurred_at__lt=_days_before(now, "retention.event_days"))


def old_page_views(now: datetime) -> QuerySet[PageView]:
    """Return the page views of long ago."""
    return PageView.objects.filter(created_at__lt=_days_before(now, "retention.page_view_days"))


def old_web_vitals(now: datetime) -> QuerySet[WebVital]:
    """Return the measurements of pages that were made long ago."""
    return WebVital.objects.filter(created_at__lt=_days_before(now, "retention.web_vital_days"))
