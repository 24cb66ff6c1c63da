"""Leads: from the first request to the last word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import capfirst

from accounts.models import Seller, User
from accounts.models.users import Role
from config.audit import announce
from config.db.errors import Refused
from config.db.iso import ZERO_DECIMAL_CURRENCIES
from config.options import option
from leads.models import Lead, LeadActivity, LeadNote
from leads.models.leads import (
    CLOSED_STATUSES,
    MANUAL_ACTIVITIES,
    WORKING_ROLES,
    ActivityType,
    LeadPriority,
    LeadStatus,
)
from leads.scoring import current_rules, priority_for, score_lead
from leads.services.timeline import DESCRIPTION_LENGTH, timeline_entry

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from django.db.models import QuerySet

    from inventory.models import Car, Part

NOTE_LENGTH = 2000
NOTE_PREVIEW = 100
# So many people are asked in turn to take a new lead; if all of them leave at that moment, nobody gets it.
ASSIGNEES_TRIED = 5


class LeadChanged(Refused):
    """Somebody else changed the lead after it was read."""

    def __init__(self, lead: Lead) -> None:
        super().__init__(f"Somebody else has changed or deleted {lead} meanwhile. Reload the page and look again.")


# The request


@transaction.atomic
def create_lead(
    *,
    name: str,
    email: str,
    message: str,
    phone: str = "",
    source: str = "contact_form",
    car: Car | None = None,
    part: Part | None = None,
    seller: Seller | None = None,
    user: User | None = None,
    priority: LeadPriority | None = None,
    ip_address: str | None = None,
    user_agent: str = "",
    actor: User | None = None,
    now: datetime | None = None,
) -> Lead:
    """Store a request with its score, and assign it where staff asked for that.

    Texts are kept as they were typed. `ip_address` and `user_agent` are the sender's, so they are never taken from the
    request of a colleague who types a lead in. Raises ValidationError for fields that are empty, too long or malformed.
    """
    now = now or timezone.now()
    lead = Lead(
        name=name,
        email=email,
        phone=phone,
        message=message,
        source=source,
        car=car,
        part=part,
        seller=seller or _seller_of(car, part),
        user=user,
        subject_label=subject_label(car, part),
        ip_address=ip_address,
        user_agent=user_agent,
        created_at=now,
        updated_at=now,
    )
    rules = current_rules()
    if rules.scoring:
        lead.score, lead.score_factors = score_lead(
            name=name, email=email, phone=phone, message=message, has_car=car is not None, rules=rules
        )
        lead.priority = priority_for(lead.score, rules)
    if priority is not None:
        lead.priority, lead.priority_set_by_staff = priority, True
    lead.clean_fields(exclude=["car", "part", "seller", "user", "assigned_to"])
    lead.save()
    received = f"received by {source.replace('_', ' ')}"
    timeline_entry(lead, ActivityType.CREATED, capfirst(received), actor=actor, now=now).save()
    announce(
        "create",
        lead,
        event_type="LEAD_CREATED",
        actor=actor,
        seller=lead.seller,
        description=f"Lead {received}",
        metadata={"source": source, "score": lead.score},
    )
    if option("leads.auto_assignment"):
        _assign_to_somebody(lead, actor, now)
    return lead


def _seller_of(car: Car | None, part: Part | None) -> Seller | None:
    subject = part if part is not None else car
    return subject.seller if subject is not None else None


def subject_label(car: Car | None, part: Part | None) -> str:
    """Return what was asked about as it was then, so that it can be read after the row is gone."""
    labels = [f"{subject}, {_price(subject.price, subject.currency)}" for subject in (car, part) if subject is not None]
    return "; ".join(labels)[: Lead._meta.get_field("subject_label").max_length]


def _price(amount: Decimal, currency: str) -> str:
    return f"{amount:,.{0 if currency in ZERO_DECIMAL_CURRENCIES else 2}f} {currency}"


def _assign_to_somebody(lead: Lead, actor: User | None, now: datetime) -> None:
    for assignee in _least_busy_people():
        try:
            assign_lead(lead=lead, assignee=assignee, actor=actor, now=now)
        except Refused:
            # This one has left since we looked; the request must be stored whoever works it.
            continue
        return


def _least_busy_people() -> QuerySet[User]:
    is_open = ~Q(leads_assigned__status__in=CLOSED_STATUSES) & Q(leads_assigned__deleted_at__isnull=True)
    people = User.objects.filter(role=Role.ADMIN, is_active=True)
    by_work = people.annotate(open_leads=Count("leads_assigned", filter=is_open)).order_by("open_leads", "pk")
    return by_work[:ASSIGNEES_TRIED]


# Status


@transaction.atomic
def change_lead_status(
    *, lead: Lead, status: LeadStatus | str, actor: User | None = None, now: datetime | None = None
) -> Lead:
    """Move a lead on. The first contact is dated once; closing dates the end, and reopening takes that date away.

    A reopened lead of somebody who cannot work it any more is nobody's again. Raises LeadChanged if the lead no longer
    has the status that it was read with.
    """
    now, old, new = now or timezone.now(), LeadStatus(lead.status), LeadStatus(status)
    if old == new:
        return lead
    leads, leaver = Lead.objects.filter(pk=lead.pk, status=old), None
    if old in CLOSED_STATUSES and new not in CLOSED_STATUSES:
        leaver = _leaver_with(lead)
        leads = leads.filter(assigned_to=lead.assigned_to)
    if not leads.update(**_status_values(new, now)):
        raise LeadChanged(lead)
    lead.refresh_from_db(fields=["status", "responded_at", "closed_at", "updated_at"])
    _status_entry(lead, old, new, actor, now).save()
    announce(
        "status_change",
        lead,
        event_type="LEAD_STATUS_CHANGED",
        actor=actor,
        description=f"{old.label} to {new.label}",
        changes={"status": [old, new]},
    )
    if leaver is not None:
        assign_lead(lead=lead, assignee=None, actor=actor, now=now)
    return lead


def _status_values(status: LeadStatus, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"status": status, "closed_at": now if status in CLOSED_STATUSES else None}
    if status == LeadStatus.CONTACTED:
        values["responded_at"] = Coalesce(F("responded_at"), Value(now))
    return values


def _status_entry(lead: Lead, old: LeadStatus, new: LeadStatus, actor: User | None, now: datetime) -> LeadActivity:
    description, metadata = f"{old.label} to {new.label}", {"from": old, "to": new}
    return timeline_entry(lead, ActivityType.STATUS_CHANGED, description, actor=actor, now=now, metadata=metadata)


# Priority


@transaction.atomic
def change_lead_priority(
    *, lead: Lead, priority: LeadPriority | int, actor: User | None = None, now: datetime | None = None
) -> Lead:
    """Choose a lead's priority; from then on a new score leaves it alone.

    Raises LeadChanged if the lead no longer has the priority that it was read with.
    """
    now, old, new = now or timezone.now(), LeadPriority(lead.priority), LeadPriority(priority)
    if old == new:
        return lead
    won = Lead.objects.filter(pk=lead.pk, priority=old).update(priority=new, priority_set_by_staff=True)
    if not won:
        raise LeadChanged(lead)
    lead.refresh_from_db(fields=["priority", "priority_set_by_staff", "updated_at"])
    priority_entry(lead, old, new, actor, now).save()
    announce(
        "update",
        lead,
        event_type="LEAD_PRIORITY_CHANGED",
        actor=actor,
        description=f"{old.label} to {new.label}",
        changes={"priority": [old, new]},
    )
    return lead


def priority_entry(lead: Lead, old: LeadPriority, new: LeadPriority, actor: User | None, now: datetime) -> LeadActivity:
    """Return the timeline's entry of a changed priority, not yet written."""
    description, metadata = f"{old.label} to {new.label}", {"from": old, "to": new}
    return timeline_entry(lead, ActivityType.PRIORITY_CHANGED, description, actor=actor, now=now, metadata=metadata)


# Assignment


@transaction.atomic
def assign_lead(*, lead: Lead, assignee: User | None, actor: User | None = None, now: datetime | None = None) -> Lead:
    """Give a lead to a colleague, or to nobody.

    Raises Refused for somebody who cannot work leads, LeadChanged if the lead went to somebody else meanwhile.
    """
    now = now or timezone.now()
    old = lead.assigned_to
    if old == assignee:
        return lead
    _check_assignee(assignee)
    if not Lead.objects.filter(pk=lead.pk, assigned_to=old).update(assigned_to=assignee):
        raise LeadChanged(lead)
    lead.refresh_from_db(fields=["assigned_to", "updated_at"])
    _assignment_entry(lead, assignee, actor, now).save()
    announce(
        "update",
        lead,
        event_type="LEAD_ASSIGNED",
        actor=actor,
        description=_assignment_in_words(assignee),
        changes={"assigned_to": [_public_id(old), _public_id(assignee)]},
    )
    return lead


def _check_assignee(assignee: User | None) -> None:
    """Raise Refused unless leads can be given to this person; the person cannot leave before we are done."""
    if assignee is not None and not _can_work_leads(assignee):
        raise Refused(f"{assignee} cannot work leads: choose an active administrator.")


def _can_work_leads(user: User) -> bool:
    """Whether the person is there and has a role for it, which stays so until the transaction ends."""
    return lock_person(user).filter(role__in=WORKING_ROLES, is_active=True).first() is not None


def _leaver_with(lead: Lead) -> User | None:
    """Return who has a closed or deleted lead if that person cannot work it: no colleague would see it opened again."""
    # Such leads keep nobody from leaving, and may have got to somebody else since this one was read.
    assignee = lead.assigned_to = User.all_objects.filter(leads_assigned=lead).first()
    return assignee if assignee is not None and not _can_work_leads(assignee) else None


def lock_person(user: User) -> Any:
    """Return the person's row, locked until the transaction ends, so that assigning and leaving wait for each other."""
    # Not the full lock: that would hold up everybody who writes a row which merely names the person.
    return User.objects.select_for_update(no_key=True).filter(pk=user.pk)


def _assignment_entry(lead: Lead, assignee: User | None, actor: User | None, now: datetime) -> LeadActivity:
    metadata = {"to": _public_id(assignee)}
    words = _assignment_in_words(assignee)
    return timeline_entry(lead, ActivityType.ASSIGNED, words, actor=actor, now=now, metadata=metadata)


def _assignment_in_words(assignee: User | None) -> str:
    return f"Assigned to {assignee}" if assignee is not None else "Assigned to nobody"


def _public_id(user: User | None) -> str | None:
    return user.public_id if user is not None else None


# Notes and activities


@transaction.atomic
def add_lead_note(*, lead: Lead, text: str, actor: User | None = None, now: datetime | None = None) -> LeadNote:
    """Write a note on a lead.

    Raises Refused for an empty note, for one of more than 2000 characters, and for a deleted lead.
    """
    _refuse_deleted(lead)
    now, text = now or timezone.now(), text.strip()
    if not 0 < len(text) <= NOTE_LENGTH:
        raise Refused(f"A note has 1 to {NOTE_LENGTH} characters; this one has {len(text)}.")
    preview = text if len(text) <= NOTE_PREVIEW else f"{text[: NOTE_PREVIEW - 1]}…"
    entry = timeline_entry(lead, ActivityType.NOTE_ADDED, preview, actor=actor, now=now)
    note: LeadNote = LeadNote.objects.create(lead=lead, author=entry.actor, text=text, created_at=now)
    entry.metadata = {"note": note.pk}
    entry.save()
    announce("create", note, event_type="NOTE_ADDED_TO_LEAD", actor=actor, description=f"Note on {lead}")
    return note


@transaction.atomic
def record_lead_activity(
    *,
    lead: Lead,
    type: ActivityType | str,  # noqa: A002 - the name of the column
    description: str = "",
    metadata: dict[str, Any] | None = None,
    actor: User | None = None,
    now: datetime | None = None,
) -> LeadActivity:
    """Record a call, mail, meeting, showing or test drive.

    Raises Refused for the types that the program writes by itself, for more than 1000 characters, and for a deleted
    lead.
    """
    _refuse_deleted(lead)
    kind, description = ActivityType(type), description.strip()
    if kind not in MANUAL_ACTIVITIES:
        raise Refused(f"“{kind.label}” is written by itself; choose what you did.")
    if len(description) > DESCRIPTION_LENGTH:
        raise Refused(f"A description has at most {DESCRIPTION_LENGTH} characters; this one has {len(description)}.")
    now = now or timezone.now()
    entry = timeline_entry(lead, kind, description, actor=actor, now=now, metadata=metadata)
    entry.save()
    announce("create", entry, event_type="LEAD_ACTIVITY_RECORDED", actor=actor, description=f"{kind.label}: {lead}")
    return entry


def _refuse_deleted(lead: Lead) -> None:
    if not Lead.objects.filter(pk=lead.pk).exists():
        raise Refused(f"{lead} is deleted: restore it first.")


# Deletion


@transaction.atomic
def delete_lead(*, lead: Lead, actor: User | None = None, now: datetime | None = None) -> Lead:
    """Hide a lead. Raises Refused if it is hidden already."""
    if not Lead.objects.filter(pk=lead.pk).update(deleted_at=now or timezone.now()):
        raise Refused(f"{lead} is deleted already.")
    lead.refresh_from_db(fields=["deleted_at", "updated_at"])
    announce("delete", lead, event_type="LEAD_DELETED", actor=actor, description="Lead deleted")
    return lead


@transaction.atomic
def restore_lead(*, lead: Lead, actor: User | None = None, now: datetime | None = None) -> Lead:
    """Show a hidden lead again; an open one of somebody who cannot work it any more is nobody's.

    Raises Refused if it is not hidden.
    """
    leaver = _leaver_with(lead)
    if not Lead.all_objects.deleted().filter(pk=lead.pk, assigned_to=lead.assigned_to).update(deleted_at=None):
        raise Refused(f"{lead} is not deleted.")
    lead.refresh_from_db(fields=["status", "deleted_at", "updated_at"])
    announce("update", lead, event_type="LEAD_RESTORED", actor=actor, description="Lead restored")
    if leaver is not None and lead.status not in CLOSED_STATUSES:
        assign_lead(lead=lead, assignee=None, actor=actor, now=now)
    return lead
