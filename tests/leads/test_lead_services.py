"""A lead from the first request to the last word."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models.users import Role, UserStatus
from accounts.services import suspend_user
from analytics.models import AuditLog, Event
from analytics.settings import set_setting
from config.db.errors import Refused
from leads.models import Lead, LeadActivity, LeadNote
from leads.models.leads import CLOSED_STATUSES, ActivityType, LeadPriority, LeadStatus
from leads.services import (
    LeadChanged,
    add_lead_note,
    assign_lead,
    change_lead_priority,
    change_lead_status,
    create_lead,
    delete_lead,
    record_lead_activity,
    restore_lead,
)
from tests.builders import NOON, make_car, make_lead, make_part, make_seller, make_user, make_vehicle
from tests.races import before_the_commit

pytestmark = pytest.mark.django_db

REQUEST: dict[str, Any] = {"name": "Ann O'Brien", "email": "Ann@Example.org", "message": "Is it still there?"}
LATER = NOON + timedelta(hours=3)
MUCH_LATER = NOON + timedelta(days=3)


def timeline(lead: Lead) -> list[tuple[str, str]]:
    return list(lead.activities.order_by("id").values_list("type", "description"))


# Creation


def test_a_request_is_scored_dated_and_in_its_own_timeline() -> None:
    lead = create_lead(**REQUEST, now=NOON)
    lead.refresh_from_db()
    assert (lead.email, lead.source, lead.status) == ("ann@example.org", "contact_form", LeadStatus.NEW)
    assert lead.score_factors == {"business_email": 10, "full_name": 10, "minimal_message": 5}
    assert (lead.score, lead.priority, lead.created_at) == (25, LeadPriority.LOW, NOON)
    assert timeline(lead) == [("CREATED", "Received by contact form")]


@pytest.mark.parametrize(
    "message",
    [
        "Is the gearbox & clutch <ok>?",
        "Robert'); DROP TABLE leads;--",
        "select one and price = 5 -- thanks",
        "sp_ rear",
    ],
)
def test_a_message_is_kept_as_it_was_typed(message: str) -> None:
    lead = create_lead(**REQUEST | {"message": message, "email": "wasp_fan@example.org"})
    lead.refresh_from_db()
    assert lead.message == message


def test_a_car_raises_the_score_and_its_facts_outlive_it() -> None:
    seller = make_seller()
    car = make_car(make="Skoda", model="Octavia", year=2018, price=Decimal(14900), currency="EUR", seller=seller)
    lead = create_lead(**REQUEST, car=car)
    assert lead.score_factors["car_interest"] == 30
    assert lead.seller == seller
    car.delete()
    lead.refresh_from_db()
    assert (lead.car, lead.subject_label) == (None, "Skoda Octavia 2018, 14,900.00 EUR")


def test_a_part_can_be_asked_about_too() -> None:
    part = make_part(name="Alternator", price=Decimal(95000), currency="JPY", vehicle=make_vehicle())
    lead = create_lead(**REQUEST, part=part)
    assert (lead.part, lead.seller) == (part, part.seller)
    assert lead.subject_label == "Alternator, 95,000 JPY"
    assert "car_interest" not in lead.score_factors


@pytest.mark.parametrize("wrong", [{"email": "nobody"}, {"name": ""}, {"name": "x" * 201}, {"message": ""}])
def test_a_request_that_cannot_be_stored_is_refused_whole(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        create_lead(**REQUEST | wrong)
    assert not Lead.objects.exists()
    assert not AuditLog.objects.exists()


def test_without_scoring_a_lead_has_no_score_and_medium_priority() -> None:
    set_setting("leads.scoring", False)
    lead = create_lead(**REQUEST, car=make_car())
    assert (lead.score, lead.score_factors, lead.priority) == (0, {}, LeadPriority.MEDIUM)


def test_a_new_lead_is_counted_among_the_events_and_audited() -> None:
    car = make_car(seller=make_seller())
    lead = create_lead(**REQUEST, car=car, ip_address="192.0.2.7", user_agent="Mozilla/5.0", now=NOON)
    event = Event.objects.get()
    assert (event.event_type, event.car, event.seller, event.occurred_at) == ("LEAD_CREATED", car, car.seller, NOON)
    assert (event.ip_address, event.metadata) == ("192.0.2.7", {"lead": lead.public_id, "source": "contact_form"})
    entry = AuditLog.objects.get()
    assert (entry.action, entry.event_type, entry.entity_id) == ("create", "LEAD_CREATED", lead.public_id)
    assert entry.metadata == {"source": "contact_form", "score": lead.score}


def test_with_auto_assignment_a_lead_goes_to_the_least_busy_administrator() -> None:
    set_setting("leads.auto_assignment", True)
    busy, idle = make_user(Role.ADMIN), make_user(Role.ADMIN)
    make_user(Role.VIEWER)
    make_lead(assigned_to=busy)
    make_lead(assigned_to=idle, status=LeadStatus.LOST, closed_at=NOON)
    lead = create_lead(**REQUEST)
    assert lead.assigned_to == idle
    assert timeline(lead)[-1] == ("ASSIGNED", f"Assigned to {idle}")


def test_with_auto_assignment_and_nobody_to_assign_the_lead_is_stored() -> None:
    set_setting("leads.auto_assignment", True)
    assert create_lead(**REQUEST).assigned_to is None


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_request_outlives_the_leaving_of_whoever_would_get_it() -> None:
    set_setting("leads.auto_assignment", True)
    boss, first, second = make_user(Role.SUPER_ADMIN), make_user(Role.ADMIN), make_user(Role.ADMIN)
    lead = before_the_commit(lambda: suspend_user(user=first, actor=boss), lambda: create_lead(**REQUEST))
    assert lead.assigned_to == second
    change_lead_status(lead=lead, status=LeadStatus.LOST)
    alone = before_the_commit(lambda: suspend_user(user=second, actor=boss), lambda: create_lead(**REQUEST))
    assert alone.assigned_to is None
    assert set(Lead.objects.all()) == {lead, alone}


# Status


def test_the_first_contact_is_dated_once() -> None:
    lead = make_lead()
    change_lead_status(lead=lead, status=LeadStatus.CONTACTED, now=NOON)
    change_lead_status(lead=lead, status=LeadStatus.QUALIFIED, now=LATER)
    change_lead_status(lead=lead, status=LeadStatus.CONTACTED, now=MUCH_LATER)
    lead.refresh_from_db()
    assert lead.responded_at == NOON


@pytest.mark.parametrize("status", CLOSED_STATUSES)
def test_closing_dates_the_end_and_reopening_clears_it(status: LeadStatus) -> None:
    lead = make_lead()
    assert change_lead_status(lead=lead, status=status, now=NOON).closed_at == NOON
    assert change_lead_status(lead=lead, status=LeadStatus.NEGOTIATING, now=LATER).closed_at is None


LEFT: Any = [{"status": UserStatus.SUSPENDED}, {"role": Role.VIEWER}, {"deleted_at": NOON}]


@pytest.mark.parametrize("left", LEFT, ids=["suspended", "role", "deleted"])
def test_a_reopened_lead_of_somebody_who_cannot_work_it_is_everybodys(left: dict[str, Any]) -> None:
    person, colleague = make_user(**{"role": Role.ADMIN} | left), make_user(Role.ADMIN)
    lead = make_lead(status=LeadStatus.LOST, closed_at=NOON, assigned_to=person)
    change_lead_status(lead=lead, status=LeadStatus.CONTACTED, actor=colleague)
    assert Lead.objects.visible_to(colleague).get().assigned_to is None
    assert timeline(lead) == [("STATUS_CHANGED", "Lost to Contacted"), ("ASSIGNED", "Assigned to nobody")]
    entries = AuditLog.objects.order_by("id").values_list("event_type", flat=True)
    assert list(entries) == ["LEAD_STATUS_CHANGED", "LEAD_ASSIGNED"]


def test_who_has_a_reopened_lead_is_whoever_has_it_now() -> None:
    lead, person = make_lead(status=LeadStatus.LOST, closed_at=NOON), make_user(Role.ADMIN)
    assign_lead(lead=Lead.objects.get(), assignee=person)
    suspend_user(user=person, actor=make_user(Role.SUPER_ADMIN))
    change_lead_status(lead=lead, status=LeadStatus.NEW)
    assert Lead.objects.get().assigned_to is None


def test_a_lead_stays_with_whoever_can_work_it_and_with_whoever_closed_it() -> None:
    working, left = make_user(Role.ADMIN), make_user(Role.ADMIN, status=UserStatus.SUSPENDED)
    reopened = make_lead(status=LeadStatus.LOST, closed_at=NOON, assigned_to=working)
    closed = make_lead(status=LeadStatus.LOST, closed_at=NOON, assigned_to=left)
    change_lead_status(lead=reopened, status=LeadStatus.NEW)
    change_lead_status(lead=closed, status=LeadStatus.SPAM)
    assert [Lead.objects.get(pk=each.pk).assigned_to for each in (reopened, closed)] == [working, left]


def test_a_status_change_is_in_the_timeline_and_in_the_audit_log() -> None:
    actor, lead = make_user(Role.ADMIN), make_lead()
    change_lead_status(lead=lead, status="QUALIFIED", actor=actor, now=NOON)
    activity = LeadActivity.objects.get()
    assert (activity.type, activity.description, activity.actor) == ("STATUS_CHANGED", "New to Qualified", actor)
    assert (activity.metadata, activity.created_at) == ({"from": "NEW", "to": "QUALIFIED"}, NOON)
    entry = AuditLog.objects.get()
    assert (entry.action, entry.changes) == ("status_change", {"status": ["NEW", "QUALIFIED"]})
    assert entry.actor == actor


def test_the_same_status_again_changes_nothing() -> None:
    lead = make_lead(status=LeadStatus.LOST, closed_at=NOON)
    change_lead_status(lead=lead, status=LeadStatus.LOST, now=LATER)
    lead.refresh_from_db()
    assert lead.closed_at == NOON
    assert not LeadActivity.objects.exists()
    assert not AuditLog.objects.exists()


def test_whoever_read_the_lead_before_a_colleague_changed_it_is_refused() -> None:
    lead = make_lead()
    seen_by_a_colleague = Lead.objects.get(pk=lead.pk)
    change_lead_status(lead=seen_by_a_colleague, status=LeadStatus.LOST, now=NOON)
    with pytest.raises(LeadChanged, match="Reload the page"):
        change_lead_status(lead=lead, status=LeadStatus.CONTACTED, now=LATER)
    lead.refresh_from_db()
    assert (lead.status, lead.responded_at) == (LeadStatus.LOST, None)
    assert LeadActivity.objects.count() == 1


# Priority


def test_a_chosen_priority_is_remembered_as_chosen() -> None:
    actor, lead = make_user(Role.ADMIN), make_lead()
    change_lead_priority(lead=lead, priority=LeadPriority.URGENT, actor=actor)
    lead.refresh_from_db()
    assert (lead.priority, lead.priority_set_by_staff) == (LeadPriority.URGENT, True)
    assert timeline(lead) == [("PRIORITY_CHANGED", "Medium to Urgent")]
    assert AuditLog.objects.get().changes == {"priority": [2, 4]}


def test_a_priority_that_a_colleague_changed_meanwhile_is_refused() -> None:
    lead = make_lead()
    change_lead_priority(lead=Lead.objects.get(pk=lead.pk), priority=LeadPriority.HIGH)
    with pytest.raises(LeadChanged):
        change_lead_priority(lead=lead, priority=LeadPriority.LOW)
    lead.refresh_from_db()
    assert lead.priority == LeadPriority.HIGH


def test_leads_sort_by_the_rank_of_their_priority() -> None:
    low, urgent, high = (
        make_lead(priority=rank) for rank in (LeadPriority.LOW, LeadPriority.URGENT, LeadPriority.HIGH)
    )
    assert list(Lead.objects.all()) == [urgent, high, low]


# Assignment


def test_an_assignment_is_audited_and_can_be_taken_back() -> None:
    lead, colleague = make_lead(), make_user(Role.ADMIN)
    assign_lead(lead=lead, assignee=colleague)
    assign_lead(lead=lead, assignee=None)
    assert lead.assigned_to is None
    assert timeline(lead) == [("ASSIGNED", f"Assigned to {colleague}"), ("ASSIGNED", "Assigned to nobody")]
    changes: Any = AuditLog.objects.order_by("id").values_list("changes", flat=True)
    assert [change["assigned_to"] for change in changes] == [[None, colleague.public_id], [colleague.public_id, None]]


@pytest.mark.parametrize(
    "fields",
    [{"role": Role.VIEWER}, {"role": Role.SELLER}, {"role": Role.BUYER}, {"role": "ADMIN", "status": "banned"}],
)
def test_a_lead_goes_only_to_somebody_who_can_work_it(fields: dict[str, Any]) -> None:
    lead, person = make_lead(), make_user(**fields)
    with pytest.raises(Refused, match="cannot work leads"):
        assign_lead(lead=lead, assignee=person)
    lead.refresh_from_db()
    assert lead.assigned_to is None


def test_a_lead_that_went_to_a_colleague_meanwhile_is_not_taken_away() -> None:
    lead, first, second = make_lead(), make_user(Role.ADMIN), make_user(Role.ADMIN)
    assign_lead(lead=Lead.objects.get(pk=lead.pk), assignee=first)
    with pytest.raises(LeadChanged):
        assign_lead(lead=lead, assignee=second)
    lead.refresh_from_db()
    assert lead.assigned_to == first


# Notes and activities


def test_a_note_keeps_its_author_as_text_when_the_person_is_gone() -> None:
    author, lead = make_user(Role.ADMIN, name="Ann Lee"), make_lead()
    note = add_lead_note(lead=lead, text="  Wants it in blue.  ", actor=author, now=NOON)
    author.delete()
    note.refresh_from_db()
    assert (note.text, note.author, note.author_label, note.created_at) == ("Wants it in blue.", None, "Ann Lee", NOON)


def test_a_note_is_announced_in_the_timeline_with_a_preview() -> None:
    lead = make_lead()
    note = add_lead_note(lead=lead, text="x" * 300)
    activity = LeadActivity.objects.get()
    assert (activity.type, activity.metadata) == (ActivityType.NOTE_ADDED, {"note": note.pk})
    assert activity.description == "x" * 99 + "…"
    assert AuditLog.objects.get().event_type == "NOTE_ADDED_TO_LEAD"


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_a_note_has_1_to_2000_characters(text: str) -> None:
    with pytest.raises(Refused, match="1 to 2000 characters"):
        add_lead_note(lead=make_lead(), text=text)
    assert not LeadNote.objects.exists()
    assert not LeadActivity.objects.exists()


def test_a_note_of_2000_characters_is_taken() -> None:
    assert len(add_lead_note(lead=make_lead(), text="x" * 2000).text) == 2000


def test_a_call_is_recorded_with_who_made_it() -> None:
    actor, lead = make_user(Role.ADMIN), make_lead()
    record_lead_activity(
        lead=lead, type=ActivityType.PHONE_CALL, description="No answer", metadata={"minutes": 2}, actor=actor, now=NOON
    )
    activity = LeadActivity.objects.get()
    assert (activity.type, activity.actor, activity.metadata) == ("PHONE_CALL", actor, {"minutes": 2})
    assert activity.created_at == NOON


@pytest.mark.parametrize("kind", ["CREATED", "STATUS_CHANGED", "PRIORITY_CHANGED", "ASSIGNED", "NOTE_ADDED"])
def test_what_the_program_writes_cannot_be_recorded_by_hand(kind: str) -> None:
    with pytest.raises(Refused, match="written by itself"):
        record_lead_activity(lead=make_lead(), type=kind)
    assert not LeadActivity.objects.exists()


def test_an_activity_is_described_in_at_most_1000_characters() -> None:
    with pytest.raises(Refused, match="at most 1000"):
        record_lead_activity(lead=make_lead(), type=ActivityType.MEETING, description="x" * 1001)
    assert not LeadActivity.objects.exists()


# Deletion


def test_a_deleted_lead_is_hidden_and_can_come_back() -> None:
    lead = make_lead()
    delete_lead(lead=lead, now=NOON)
    assert not Lead.objects.exists()
    assert lead.deleted_at == NOON
    with pytest.raises(Refused, match="deleted already"):
        delete_lead(lead=lead)
    restore_lead(lead=lead)
    assert Lead.objects.get() == lead
    with pytest.raises(Refused, match="is not deleted"):
        restore_lead(lead=lead)
    assert list(AuditLog.objects.order_by("id").values_list("event_type", flat=True)) == [
        "LEAD_DELETED",
        "LEAD_RESTORED",
    ]


@pytest.mark.parametrize("left", LEFT, ids=["suspended", "role", "deleted"])
def test_a_restored_lead_of_somebody_who_cannot_work_it_is_everybodys(left: dict[str, Any]) -> None:
    person, colleague = make_user(**{"role": Role.ADMIN} | left), make_user(Role.ADMIN)
    lead = make_lead(assigned_to=person, deleted_at=NOON)
    closed = make_lead(assigned_to=person, deleted_at=NOON, status=LeadStatus.CONVERTED, closed_at=NOON)
    restore_lead(lead=lead, actor=colleague)
    restore_lead(lead=closed, actor=colleague)
    assert Lead.objects.visible_to(colleague).get() == lead
    assert timeline(lead) == [("ASSIGNED", "Assigned to nobody")]
    # Who closed a lead stays known.
    assert Lead.objects.get(pk=closed.pk).assigned_to_id == person.pk


def test_a_lead_that_is_gone_for_good_is_neither_reopened_nor_restored() -> None:
    lead = make_lead(status=LeadStatus.LOST, closed_at=NOON)
    Lead.objects.get().delete()
    with pytest.raises(LeadChanged):
        change_lead_status(lead=lead, status=LeadStatus.NEW)
    with pytest.raises(Refused, match="is not deleted"):
        restore_lead(lead=lead)


def test_a_deleted_lead_takes_no_notes_and_no_activities() -> None:
    lead = make_lead()
    delete_lead(lead=Lead.objects.get())
    with pytest.raises(Refused, match="is deleted: restore it first"):
        add_lead_note(lead=lead, text="Called back.")
    with pytest.raises(Refused, match="is deleted: restore it first"):
        record_lead_activity(lead=lead, type=ActivityType.PHONE_CALL)
    assert not LeadNote.objects.exists()
    assert not LeadActivity.objects.exists()


def test_a_deleted_lead_cannot_be_moved_on() -> None:
    lead = make_lead()
    delete_lead(lead=Lead.objects.get(pk=lead.pk))
    with pytest.raises(LeadChanged):
        change_lead_status(lead=lead, status=LeadStatus.CONTACTED)
