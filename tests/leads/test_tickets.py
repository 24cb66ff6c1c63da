"""The help desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models.users import Role
from analytics.models import AuditLog
from config.audit import RequestContext, acting
from config.db.errors import Refused
from leads.models import SupportTicket, TicketComment
from leads.models.tickets import TicketStatus
from leads.services import assign_ticket, change_ticket_status, comment_ticket
from leads.services.tickets import TicketChanged
from tests.builders import NOON, make_ticket, make_user

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=2)


def test_resolving_is_dated_once_and_stays_when_the_ticket_is_closed() -> None:
    ticket = make_ticket()
    change_ticket_status(ticket=ticket, status=TicketStatus.RESOLVED, now=NOON)
    change_ticket_status(ticket=ticket, status=TicketStatus.CLOSED, now=LATER)
    change_ticket_status(ticket=ticket, status=TicketStatus.RESOLVED, now=LATER)
    assert ticket.resolved_at == NOON


@pytest.mark.parametrize("status", ["open", "assigned", "in_progress", "waiting_customer", "waiting_internal"])
def test_reopening_clears_the_date_of_resolution(status: str) -> None:
    ticket = make_ticket(status="resolved", resolved_at=NOON)
    change_ticket_status(ticket=ticket, status=status, now=LATER)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.resolved_at) == (status, None)
    assert AuditLog.objects.get().changes == {"status": ["resolved", status]}


def test_the_same_status_again_changes_nothing() -> None:
    change_ticket_status(ticket=make_ticket(), status="open")
    assert not AuditLog.objects.exists()


def test_a_ticket_that_a_colleague_changed_meanwhile_is_refused() -> None:
    ticket = make_ticket()
    change_ticket_status(ticket=SupportTicket.objects.get(), status="closed")
    with pytest.raises(TicketChanged):
        change_ticket_status(ticket=ticket, status="in_progress")
    assert SupportTicket.objects.get().status == "closed"


def test_assigning_an_open_ticket_makes_it_assigned_and_back() -> None:
    ticket, colleague = make_ticket(), make_user(Role.ADMIN)
    assign_ticket(ticket=ticket, assignee=colleague)
    assert (ticket.assignee, ticket.status) == (colleague, "assigned")
    assign_ticket(ticket=ticket, assignee=None)
    assert (ticket.assignee, ticket.status) == (None, "open")


def test_assigning_a_ticket_in_progress_leaves_its_status() -> None:
    ticket = make_ticket(status="in_progress")
    assign_ticket(ticket=ticket, assignee=make_user(Role.ADMIN))
    assert ticket.status == "in_progress"


@pytest.mark.parametrize("fields", [{"role": "SELLER"}, {"role": "VIEWER"}, {"role": "ADMIN", "status": "suspended"}])
def test_a_ticket_goes_only_to_somebody_who_can_answer_it(fields: dict[str, Any]) -> None:
    ticket = make_ticket()
    with pytest.raises(Refused, match="cannot answer tickets"):
        assign_ticket(ticket=ticket, assignee=make_user(**fields))
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_the_first_answer_that_the_customer_can_read_is_dated_once() -> None:
    ticket, colleague = make_ticket(), make_user(Role.ADMIN)
    comment_ticket(ticket=ticket, text="Please hurry!", actor=ticket.user, now=NOON)
    comment_ticket(ticket=ticket, text="Who knows this?", is_internal=True, actor=colleague, now=NOON)
    assert ticket.first_response_at is None
    comment_ticket(ticket=ticket, text="It is on its way.", actor=colleague, now=LATER)
    comment_ticket(ticket=ticket, text="It has arrived.", actor=colleague, now=LATER + timedelta(days=1))
    ticket.refresh_from_db()
    assert ticket.first_response_at == LATER
    assert AuditLog.objects.filter(event_type="TICKET_COMMENTED").count() == 4


def test_internal_remarks_never_reach_the_customer() -> None:
    ticket, colleague = make_ticket(), make_user(Role.ADMIN)
    public = comment_ticket(ticket=ticket, text="It is on its way.", actor=colleague)
    internal = comment_ticket(ticket=ticket, text="He called thrice.", is_internal=True, actor=colleague)
    assert list(TicketComment.objects.visible_to(ticket.user)) == [public]
    assert set(TicketComment.objects.visible_to(colleague)) == {public, internal}
    assert not TicketComment.objects.visible_to(make_user()).exists()
    assert list(SupportTicket.objects.visible_to(ticket.user)) == [ticket]
    assert not SupportTicket.objects.visible_to(make_user(Role.SELLER)).exists()


def test_a_customer_writes_no_internal_remarks_and_nobody_writes_nothing() -> None:
    ticket = make_ticket()
    with pytest.raises(Refused, match="help desk"):
        comment_ticket(ticket=ticket, text="x", is_internal=True, actor=ticket.user)
    with pytest.raises(Refused, match="Write something"):
        comment_ticket(ticket=ticket, text=" ", actor=ticket.user)
    assert not TicketComment.objects.exists()


def test_without_an_actor_the_person_behind_the_request_is_the_author() -> None:
    ticket, colleague = make_ticket(), make_user(Role.ADMIN)
    with acting(RequestContext(actor=colleague)):
        assert comment_ticket(ticket=ticket, text="Done.").author == colleague
