"""Scores computed anew, after the rules have changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from config.audit import announce
from config.db.errors import Refused
from leads.models import Lead, LeadActivity
from leads.models.leads import LeadPriority
from leads.scoring import Score, ScoringRules, current_rules, priority_for, score_lead
from leads.services.leads import priority_entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from accounts.models import User

BATCH_SIZE = 500
_COMPUTED = ("score", "score_factors", "priority")


@dataclass
class Rescored:
    """Counts of leads: looked at, with another score, with another priority, and with a priority that staff chose."""

    checked: int = 0
    scores_changed: int = 0
    priorities_changed: int = 0
    priorities_kept: int = 0


@dataclass
class _Batch:
    """What must be written for the leads of one batch."""

    leads: list[Lead] = field(default_factory=list)
    entries: list[LeadActivity] = field(default_factory=list)


@transaction.atomic
def rescore_lead(*, lead: Lead, actor: User | None = None, now: datetime | None = None) -> Lead:
    """Compute a lead's score anew, and its priority unless staff chose that.

    Raises Refused while scoring is switched off, and for a deleted lead.
    """
    rules = _rules()
    locked: Lead | None = Lead.objects.select_for_update().filter(pk=lead.pk).first()
    if locked is None:
        raise Refused(f"{lead} is deleted: restore it first.")
    before = {name: getattr(locked, name) for name in _COMPUTED}
    batch = _rescore([locked], rules, Rescored(), actor, now or timezone.now())
    if batch.leads:
        _write(batch)
        pairs = {name: [old, getattr(locked, name)] for name, old in before.items()}
        changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        announce("update", locked, event_type="LEAD_RESCORED", actor=actor, changes=changes)
    lead.refresh_from_db(fields=[*_COMPUTED, "updated_at"])
    return lead


def rescore_leads(
    *,
    dry_run: bool = False,
    batch_size: int = BATCH_SIZE,
    actor: User | None = None,
    now: datetime | None = None,
    progress: Callable[[Rescored], object] = lambda counts: None,
) -> Rescored:
    """Compute every live lead's score anew, batch by batch in the order of the key, each in a transaction of its own.

    `progress` is called with the counts after each batch. Raises Refused while scoring is switched off.
    """
    rules, counts, last_key = _rules(), Rescored(), 0
    while True:
        with transaction.atomic():
            following = Lead.objects.filter(pk__gt=last_key).order_by("pk")
            leads = list((following if dry_run else following.select_for_update())[:batch_size])
            if not leads:
                return counts
            batch = _rescore(leads, rules, counts, actor, now or timezone.now())
            if batch.leads and not dry_run:
                _write(batch)
                _announce_batch(batch, actor)
        last_key = leads[-1].pk
        progress(counts)


def _rules() -> ScoringRules:
    rules = current_rules()
    if not rules.scoring:
        raise Refused("Scoring is switched off: switch the setting leads.scoring on first.")
    return rules


def _rescore(leads: list[Lead], rules: ScoringRules, counts: Rescored, actor: User | None, now: datetime) -> _Batch:
    """Set the new values on the leads, and return those that changed with the entries for their timelines."""
    batch = _Batch()
    for lead in leads:
        counts.checked += 1
        score, old_priority = _score_of(lead, rules), LeadPriority(lead.priority)
        new_priority = old_priority if lead.priority_set_by_staff else priority_for(score.score, rules)
        counts.priorities_kept += lead.priority_set_by_staff
        counts.scores_changed += lead.score != score.score
        if new_priority != old_priority:
            counts.priorities_changed += 1
            batch.entries.append(priority_entry(lead, old_priority, new_priority, actor, now))
        if (lead.score, lead.score_factors, old_priority) == (*score, new_priority):
            continue
        lead.score, lead.score_factors, lead.priority, lead.updated_at = *score, new_priority, now
        batch.leads.append(lead)
    return batch


def _score_of(lead: Lead, rules: ScoringRules) -> Score:
    # A car that is gone was asked about all the same.
    has_car = lead.car_id is not None or "car_interest" in lead.score_factors
    return score_lead(
        name=lead.name, email=lead.email, phone=lead.phone, message=lead.message, has_car=has_car, rules=rules
    )


def _write(batch: _Batch) -> None:
    Lead.objects.bulk_update(batch.leads, [*_COMPUTED, "updated_at"])
    LeadActivity.objects.bulk_create(batch.entries)


def _announce_batch(batch: _Batch, actor: User | None) -> None:
    ids = [lead.public_id for lead in batch.leads]
    announce(
        "update",
        event_type="BULK_LEADS_RESCORE",
        actor=actor,
        description=f"{len(ids)} leads",
        metadata={"entity_type": "leads.lead", "ids": ids, "count": len(ids)},
    )
