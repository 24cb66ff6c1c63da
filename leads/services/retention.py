"""What becomes of leads when they are old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F, Q

from config.db.removal import change_in_batches
from config.options import option
from leads.models import Lead

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


def leads_with_old_traces(now: datetime) -> QuerySet[Lead]:
    """Return the leads that came long ago and still tell from which address and browser."""
    since = now - timedelta(days=option("retention.lead_trace_days"))
    told = Q(ip_address__isnull=False) | ~Q(user_agent="")
    return Lead.all_objects.filter(told, created_at__lt=since)


def forget_lead_traces(now: datetime) -> int:
    """Take address and browser from old leads and return how many they were."""
    return change_in_batches(leads_with_old_traces(now), _forget)


def _forget(leads: QuerySet[Lead]) -> int:
    # Nobody worked on the lead, so it was not changed as staff understand it.
    return leads.update(ip_address=None, user_agent="", updated_at=F("updated_at"))
