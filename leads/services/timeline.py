"""What happened to a lead, for those who work it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.audit import current_context
from leads.models import LeadActivity

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from leads.models import Lead
    from leads.models.leads import ActivityType

DESCRIPTION_LENGTH = 1000


def acting_user(actor: User | None) -> User | None:
    """Return `actor`, else the person behind the running request, else nobody."""
    person = actor if actor is not None else current_context().actor
    # Somebody who is not signed in has no key.
    return person if person is not None and person.pk is not None else None


def timeline_entry(
    lead: Lead,
    kind: ActivityType,
    description: str,
    *,
    actor: User | None,
    now: datetime,
    metadata: dict[str, Any] | None = None,
) -> LeadActivity:
    """Return an entry that is not yet written."""
    return LeadActivity(
        lead=lead,
        type=kind,
        description=description[:DESCRIPTION_LENGTH],
        metadata=metadata,
        actor=acting_user(actor),
        created_at=now,
    )
