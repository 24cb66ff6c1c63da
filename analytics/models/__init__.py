from __future__ import annotations

from analytics.models.audit import AuditLog
from analytics.models.settings import SystemSetting
from analytics.models.traffic import DailyMetric, Event, PageView, WebVital

__all__ = ["AuditLog", "DailyMetric", "Event", "PageView", "SystemSetting", "WebVital"]
