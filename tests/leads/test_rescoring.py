"""Scores computed anew."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from analytics.models import AuditLog
from analytics.settings import set_setting
from config.db.errors import Refused
from leads.models import Lead, LeadActivity
from leads.models.leads import LeadPriority
from leads.services import change_lead_priority, create_lead, delete_lead, rescore_lead, rescore_leads
from leads.services.rescoring import Rescored
from tests.builders import NOON, make_car, make_lead

pytestmark = pytest.mark.django_db

REQUEST: dict[str, Any] = {
    "name": "Ann Lee",
    "email": "ann@lee.example",
    "phone": "+358 40 1234567",
    "message": "Is it still there?",
}


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rescore_leads", *arguments, stdout=out)
    return out.getvalue()


def stale_lead(**fields: Any) -> Lead:
    """A lead with the score 45, whose row says 0."""
    return make_lead(**REQUEST | {"priority": LeadPriority.LOW} | fields)


def test_a_lead_gets_the_score_and_priority_of_today() -> None:
    lead = rescore_lead(lead=stale_lead(), now=NOON)
    assert (lead.score, lead.priority) == (45, LeadPriority.MEDIUM)
    assert lead.score_factors == {"phone_provided": 20, "business_email": 10, "full_name": 10, "minimal_message": 5}
    assert LeadActivity.objects.get().description == "Low to Medium"
    changes: Any = AuditLog.objects.get().changes
    assert (changes["score"], changes["priority"]) == ([0, 45], [1, 2])


def test_a_priority_that_staff_chose_stays() -> None:
    lead = stale_lead()
    change_lead_priority(lead=lead, priority=LeadPriority.URGENT)
    rescore_lead(lead=lead)
    assert (lead.score, lead.priority) == (45, LeadPriority.URGENT)
    counts = rescore_leads()
    assert (counts.priorities_changed, counts.priorities_kept) == (0, 1)


def test_a_car_that_is_gone_was_asked_about_all_the_same() -> None:
    car = make_car()
    lead = create_lead(**REQUEST, car=car)
    car.delete()
    lead.refresh_from_db()
    assert lead.car is None
    assert rescore_lead(lead=lead).score == 75


def test_scoring_again_changes_nothing_and_says_nothing() -> None:
    create_lead(**REQUEST)
    AuditLog.objects.all().delete()
    assert rescore_leads() == Rescored(checked=1)
    rescore_lead(lead=Lead.objects.get())
    assert not AuditLog.objects.exists()


def test_all_live_leads_are_scored_batch_by_batch() -> None:
    leads = [stale_lead() for _ in range(5)]
    delete_lead(lead=leads.pop())
    AuditLog.objects.all().delete()
    seen: list[int] = []
    counts = rescore_leads(batch_size=3, progress=lambda so_far: seen.append(so_far.checked))
    assert counts == Rescored(checked=4, scores_changed=4, priorities_changed=4)
    assert seen == [3, 4]
    assert set(Lead.objects.values_list("score", flat=True)) == {45}
    entries: Any = AuditLog.objects.order_by("id").values_list("metadata", flat=True)
    assert [entry["ids"] for entry in entries] == [
        [lead.public_id for lead in leads[:3]],
        [lead.public_id for lead in leads[3:]],
    ]


def test_a_preview_counts_and_writes_nothing() -> None:
    stale_lead()
    text = run("--dry-run")
    assert text == (
        "1 leads checked: 1 scores and 1 priorities would change; 0 priorities were chosen by staff and stay.\n"
    )
    assert Lead.objects.get().score == 0
    assert not LeadActivity.objects.exists()


def test_the_command_prints_its_counts_for_programs() -> None:
    stale_lead()
    assert json.loads(run("--json")) == {
        "dry_run": False,
        "checked": 1,
        "scores_changed": 1,
        "priorities_changed": 1,
        "priorities_kept": 0,
    }
    assert Lead.objects.get().score == 45


def test_the_command_is_silent_when_asked_to_be() -> None:
    assert run("--verbosity", "0") == ""


def test_while_scoring_is_off_nothing_is_scored() -> None:
    lead = stale_lead()
    set_setting("leads.scoring", False)
    with pytest.raises(Refused, match="is switched off"):
        rescore_lead(lead=lead)
    with pytest.raises(CommandError, match=r"leads\.scoring"):
        run()
    lead.refresh_from_db()
    assert lead.score == 0


def test_a_deleted_lead_is_not_scored() -> None:
    lead = stale_lead()
    delete_lead(lead=lead)
    with pytest.raises(Refused, match="restore it first"):
        rescore_lead(lead=lead)
