"""The help desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from config.audit import announce
from config.db.errors import Refused
from leads.models import SupportTicket, TicketComment
from leads.models.tickets import HELP_DESK_ROLES, SOLVED_STATUSES, TicketStatus
from leads.services.timeline import acting_user

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User


class TicketChanged(Refused):
    """Somebody else changed the ticket after it was read."""

    def __init__(self, ticket: SupportTicket) -> None:
        super().__init__(f"Somebody else has changed {ticket} meanwhile. Reload the page and look again.")


@transaction.atomic
def change_ticket_status(
    *, ticket: SupportTicket, status: TicketStatus | str, actor: User | None = None, now: datetime | None = None
) -> SupportTicket:
    """Move a ticket on. Resolving dates the solution; reopening takes the date away. Raises TicketChanged."""
    old, new = TicketStatus(ticket.status), TicketStatus(status)
    if old == new:
        return ticket
    values = _status_values(new, now or timezone.now())
    if not SupportTicket.objects.filter(pk=ticket.pk, status=old).update(**values):
        raise TicketChanged(ticket)
    ticket.refresh_from_db(fields=["status", "resolved_at", "updated_at"])
    announce(
        "status_change",
        ticket,
        event_type="TICKET_STATUS_CHANGED",
        actor=actor,
        description=f"{old.label} to {new.label}",
        changes={"status": [old, new]},
    )
    return ticket


def _status_values(status: TicketStatus, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"status": status}
    if status == TicketStatus.RESOLVED:
        values["resolved_at"] = Coalesce(F("resolved_at"), Value(now))
    elif status not in SOLVED_STATUSES:
        values["resolved_at"] = None
    return values


@transaction.atomic
def assign_ticket(
    *, ticket: SupportTicket, assignee: User | None, actor: User | None = None, now: datetime | None = None
) -> SupportTicket:
    """Give a ticket to a colleague, or to nobody; an open one becomes assigned, and the other way round.

    Raises Refused for somebody who cannot answer tickets, TicketChanged if it went to somebody else meanwhile.
    """
    old = ticket.assignee
    if old == assignee:
        return ticket
    if assignee is not None and not (assignee.role in HELP_DESK_ROLES and assignee.is_active):
        raise Refused(f"{assignee} cannot answer tickets: choose an active administrator.")
    if not SupportTicket.objects.filter(pk=ticket.pk, assignee=old).update(assignee=assignee):
        raise TicketChanged(ticket)
    ticket.refresh_from_db(fields=["assignee", "status", "updated_at"])
    announce(
        "update",
        ticket,
        event_type="TICKET_ASSIGNED",
        actor=actor,
        description=f"Assigned to {assignee or 'nobody'}",
        changes={"assignee": [person.public_id if person is not None else None for person in (old, assignee)]},
    )
    if assignee is not None and ticket.status == TicketStatus.OPEN:
        change_ticket_status(ticket=ticket, status=TicketStatus.ASSIGNED, actor=actor, now=now)
    elif assignee is None and ticket.status == TicketStatus.ASSIGNED:
        change_ticket_status(ticket=ticket, status=TicketStatus.OPEN, actor=actor, now=now)
    return ticket


@transaction.atomic
def comment_ticket(
    *,
    ticket: SupportTicket,
    text: str,
    is_internal: bool = False,
    actor: User | None = None,
    now: datetime | None = None,
) -> TicketComment:
    """Answer a ticket, or remark on it among colleagues; the first answer that the customer can read is dated once.

    Raises Refused for an empty text, and for an internal remark by somebody outside of the help desk.
    """
    now, text, author = now or timezone.now(), text.strip(), acting_user(actor)
    if not text:
        raise Refused("Write something first.")
    answers = author is not None and author.role in HELP_DESK_ROLES and author.pk != ticket.user_id
    if is_internal and not answers:
        raise Refused("Only the help desk writes internal remarks.")
    comment: TicketComment = TicketComment.objects.create(
        ticket=ticket, author=author, text=text, is_internal=is_internal, created_at=now, updated_at=now
    )
    if answers and not is_internal:
        SupportTicket.objects.filter(pk=ticket.pk, first_response_at__isnull=True).update(first_response_at=now)
        ticket.refresh_from_db(fields=["first_response_at", "updated_at"])
    announce("create", comment, event_type="TICKET_COMMENTED", actor=actor, description=f"Comment on {ticket}")
    return comment
