"""Leads with a past: what the sender wrote, how far staff came with it, and every step on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.ops.seeding.run import seed_id
from inventory.models import Car, Part
from leads.models import Lead, LeadActivity, LeadNote
from leads.models.leads import CLOSED_STATUSES, ActivityType, LeadStatus
from leads.scoring import current_rules, priority_for, score_lead
from leads.services.leads import subject_label
from leads.services.timeline import timeline_entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from accounts.models import User
    from config.ops.seeding.run import SeedRun

# The way to each status.
_WORKED = (LeadStatus.CONTACTED, LeadStatus.QUALIFIED, LeadStatus.NEGOTIATING)
PATHS: dict[str, tuple[LeadStatus, ...]] = {
    LeadStatus.NEW: (),
    LeadStatus.CONTACTED: _WORKED[:1],
    LeadStatus.QUALIFIED: _WORKED[:2],
    LeadStatus.NEGOTIATING: _WORKED,
    LeadStatus.CONVERTED: (*_WORKED, LeadStatus.CONVERTED),
    LeadStatus.LOST: (LeadStatus.CONTACTED, LeadStatus.LOST),
    LeadStatus.SPAM: (LeadStatus.SPAM,),
}
# Hours between the steps: assigned soon, answered an hour later, then about one step a day.
_FIRST_GAPS = (0.6, 1.2)
_LATER_GAP = 19.0
# Of the time since the request, so that the newest leads' steps do not lie ahead.
_LATEST_STEP = 0.9


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a timeline to be."""

    kind: ActivityType
    text: str
    at: datetime
    status: LeadStatus | None = None


def ensure_leads(
    run: SeedRun,
    fixture: list[dict[str, Any]],
    *,
    cars: dict[str, Car],
    parts: dict[str, Part],
    people: dict[str, User],
) -> set[str]:
    """Create the leads that a fixture describes, each with the timeline of its status; returns all their public ids."""
    stories = {}
    for facts in fixture:
        lead = _lead(run, facts, cars.get(facts.get("car", "")), parts.get(facts.get("part", "")))
        lead.assigned_to = people.get(facts.get("assignee", ""))
        steps = _steps(facts, lead, run.now)
        _apply(lead, steps)
        stories[lead.public_id] = (lead, steps)
    new = run.ensure_many(Lead, [lead for lead, _ in stories.values()])
    found = set(stories) - new
    run.tally(LeadNote).unchanged += LeadNote.objects.filter(lead__public_id__in=found).count()
    run.tally(LeadActivity).unchanged += LeadActivity.objects.filter(lead__public_id__in=found).count()
    _create_timelines(run, [stories[public_id] for public_id in stories if public_id in new], people)
    return set(stories)


def _lead(run: SeedRun, facts: dict[str, Any], car: Car | None, part: Part | None) -> Lead:
    rules, at = current_rules(), run.moment(facts["days_ago"])
    phone = facts.get("phone", "")
    score, factors = score_lead(
        name=facts["name"],
        email=facts["email"],
        phone=phone,
        message=facts["message"],
        has_car=car is not None,
        rules=rules,
    )
    subject = part if part is not None else car
    return Lead(
        public_id=seed_id("lead", facts["key"]),
        name=facts["name"],
        email=facts["email"],
        phone=phone,
        message=facts["message"],
        source=facts.get("source", "contact_form"),
        car=car,
        part=part,
        seller=subject.seller if subject is not None else None,
        subject_label=subject_label(car, part),
        score=score,
        score_factors=factors,
        priority=priority_for(score, rules),
        ip_address=f"198.51.100.{sum(facts['email'].encode()) % 254 + 1}",
        created_at=at,
        updated_at=at,
    )


def _steps(facts: dict[str, Any], lead: Lead, now: datetime) -> list[Step]:
    """Return what happened after the request, in order."""
    planned: list[tuple[ActivityType, str, LeadStatus | None]] = []
    path = PATHS[facts["status"]]
    if lead.assigned_to is not None:
        planned.append((ActivityType.ASSIGNED, f"Assigned to {lead.assigned_to}", None))
    planned += [(ActivityType.STATUS_CHANGED, "", status) for status in path[:1]]
    planned += [(ActivityType(kind), text, None) for kind, text in facts.get("activities", ())]
    planned += [(ActivityType.NOTE_ADDED, text, None) for text in facts.get("notes", ())]
    planned += [(ActivityType.STATUS_CHANGED, "", status) for status in path[1:]]
    gaps = [*_FIRST_GAPS[: len(planned)], *[_LATER_GAP] * (len(planned) - len(_FIRST_GAPS))]
    since = (now - lead.created_at) / timedelta(hours=1)
    pace = min(1.0, _LATEST_STEP * since / sum(gaps)) if gaps else 1.0
    moments = [lead.created_at + timedelta(hours=pace * sum(gaps[: place + 1])) for place in range(len(planned))]
    return [Step(kind, text, at, status) for (kind, text, status), at in zip(planned, moments, strict=True)]


def _apply(lead: Lead, steps: list[Step]) -> None:
    """Bring the lead to where its steps end."""
    for step in steps:
        lead.updated_at = step.at
        if step.status is None:
            continue
        lead.status = step.status
        if step.status == LeadStatus.CONTACTED:
            lead.responded_at = step.at
        lead.closed_at = step.at if step.status in CLOSED_STATUSES else None


def _create_timelines(run: SeedRun, stories: list[tuple[Lead, list[Step]]], people: dict[str, User]) -> None:
    notes = {
        (lead.public_id, step.text): _note(lead, step)
        for lead, steps in stories
        for step in steps
        if step.kind == ActivityType.NOTE_ADDED
    }
    run.create_many(LeadNote, list(notes.values()))
    # Somebody of the staff sorted out what nobody was assigned to.
    anybody = next(iter(people.values()), None)
    entries = []
    for lead, steps in stories:
        received = f"Received by {lead.source.replace('_', ' ')}"
        entries.append(timeline_entry(lead, ActivityType.CREATED, received, actor=None, now=lead.created_at))
        entries += _timeline(lead, steps, lead.assigned_to or anybody, notes)
    run.create_many(LeadActivity, entries)


def _note(lead: Lead, step: Step) -> LeadNote:
    author = lead.assigned_to
    return LeadNote(lead=lead, author=author, author_label=str(author or ""), text=step.text, created_at=step.at)


def _timeline(
    lead: Lead, steps: list[Step], actor: User | None, notes: dict[tuple[str, str], LeadNote]
) -> Iterator[LeadActivity]:
    status = LeadStatus.NEW
    for step in steps:
        text = step.text
        metadata: dict[str, Any] | None = None
        if step.kind == ActivityType.NOTE_ADDED:
            metadata = {"note": notes[lead.public_id, step.text].pk}
        elif step.kind == ActivityType.ASSIGNED and lead.assigned_to is not None:
            metadata = {"to": lead.assigned_to.public_id}
        elif step.status is not None:
            text, metadata = f"{status.label} to {step.status.label}", {"from": status, "to": step.status}
            status = step.status
        yield timeline_entry(lead, step.kind, text, actor=actor, now=step.at, metadata=metadata)
