"""The same change to many leads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models.users import Role
from analytics.models import AuditLog
from config.db.errors import Refused
from leads.models import Lead, LeadActivity
from leads.models.leads import LeadPriority, LeadStatus
from leads.services import (
    assign_leads,
    change_priority_of_leads,
    change_status_of_leads,
    delete_leads,
)
from leads.services.leads import MOST_AT_ONCE
from tests.builders import NOON, make_lead, make_user

pytestmark = pytest.mark.django_db

EARLIER = NOON - timedelta(days=1)


def test_many_follow_the_rules_for_one() -> None:
    fresh, answered = make_lead(), make_lead(status=LeadStatus.QUALIFIED, responded_at=EARLIER)
    closed = make_lead(status=LeadStatus.SPAM, closed_at=EARLIER)
    number = change_status_of_leads(leads=Lead.objects.all(), status=LeadStatus.CONTACTED, now=NOON)
    assert number == 3
    for lead in (fresh, answered, closed):
        lead.refresh_from_db()
    assert {fresh.status, answered.status, closed.status} == {LeadStatus.CONTACTED}
    assert (fresh.responded_at, answered.responded_at, closed.responded_at) == (NOON, EARLIER, NOON)
    assert closed.closed_at is None


def test_closing_many_dates_them_all_and_leaves_those_that_have_the_status_already() -> None:
    lead, lost = make_lead(), make_lead(status=LeadStatus.LOST, closed_at=EARLIER)
    assert change_status_of_leads(leads=Lead.objects.all(), status=LeadStatus.LOST, now=NOON) == 1
    lead.refresh_from_db()
    lost.refresh_from_db()
    assert (lead.closed_at, lost.closed_at) == (NOON, EARLIER)


def test_there_is_one_audit_entry_for_all_and_one_timeline_entry_for_each() -> None:
    actor = make_user(Role.ADMIN)
    leads = [make_lead(), make_lead()]
    change_status_of_leads(leads=Lead.objects.all(), status=LeadStatus.SPAM, actor=actor, now=NOON)
    entry = AuditLog.objects.get()
    assert (entry.action, entry.event_type, entry.actor) == ("status_change", "BULK_LEADS_STATUS", actor)
    assert entry.entity_type == "leads.lead"
    assert entry.metadata == {"ids": [lead.public_id for lead in leads], "count": 2, "status": "SPAM"}
    activities = LeadActivity.objects.order_by("lead").values_list("lead", "type", "description", "actor")
    assert list(activities) == [(lead.pk, "STATUS_CHANGED", "New to Spam", actor.pk) for lead in leads]


def test_many_are_assigned_to_somebody_and_to_nobody() -> None:
    first, second = make_user(Role.ADMIN), make_user(Role.ADMIN)
    make_lead(), make_lead(assigned_to=first), make_lead(assigned_to=second)
    assert assign_leads(leads=Lead.objects.all(), assignee=second) == 2
    assert Lead.objects.filter(assigned_to=second).count() == 3
    assert assign_leads(leads=Lead.objects.all(), assignee=None) == 3
    assert Lead.objects.unassigned().count() == 3
    metadata: Any = AuditLog.objects.order_by("id").values_list("metadata", flat=True)
    assert [told["assigned_to"] for told in metadata] == [second.public_id, None]


def test_many_are_not_assigned_to_somebody_who_cannot_work_them() -> None:
    make_lead()
    with pytest.raises(Refused, match="cannot work leads"):
        assign_leads(leads=Lead.objects.all(), assignee=make_user(Role.VIEWER))
    assert Lead.objects.unassigned().count() == 1


def test_many_get_a_priority_that_staff_chose() -> None:
    make_lead(), make_lead(priority=LeadPriority.URGENT)
    assert change_priority_of_leads(leads=Lead.objects.all(), priority=LeadPriority.URGENT) == 1
    assert Lead.objects.filter(priority=LeadPriority.URGENT).count() == 2
    assert Lead.objects.filter(priority_set_by_staff=True).count() == 1
    assert LeadActivity.objects.get().description == "Medium to Urgent"


def test_many_are_deleted_and_only_those_that_were_chosen() -> None:
    make_lead(name="Ann"), make_lead(name="Ann"), make_lead(name="Bea")
    assert delete_leads(leads=Lead.objects.filter(name="Ann"), now=NOON) == 2
    assert Lead.objects.get().name == "Bea"
    metadata: Any = AuditLog.objects.get().metadata
    assert metadata["count"] == 2


def test_nothing_to_change_leaves_no_trace() -> None:
    make_lead()
    assert change_status_of_leads(leads=Lead.objects.all(), status=LeadStatus.NEW) == 0
    assert not AuditLog.objects.exists()


def test_many_cost_as_many_queries_as_a_few() -> None:
    counts = []
    for number in (2, 20):
        Lead.objects.all().delete()
        for _ in range(number):
            make_lead()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            change_status_of_leads(leads=Lead.objects.all(), status=LeadStatus.CONTACTED)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_too_many_at_once_are_refused() -> None:
    Lead.objects.bulk_create(Lead(name="x", email="x@example.org", message="x") for _ in range(MOST_AT_ONCE + 1))
    with pytest.raises(Refused, match="at most 1000 leads"):
        delete_leads(leads=Lead.objects.all())
    assert Lead.objects.count() == MOST_AT_ONCE + 1
