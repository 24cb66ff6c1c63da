"""People who still have leads to work cannot leave."""

from __future__ import annotations

import pytest

from accounts.models import User
from accounts.models.users import Role, UserStatus
from accounts.services import delete_user, set_role, suspend_user
from config.db.errors import Refused
from leads.models import Lead
from leads.models.leads import LeadStatus
from leads.services import assign_lead, delete_lead
from tests.builders import NOON, make_lead, make_user
from tests.races import at_the_same_time


@pytest.mark.django_db
def test_a_person_with_open_leads_is_kept_and_told_how_many() -> None:
    person, boss = make_user(Role.ADMIN, name="Ann Lee"), make_user(Role.SUPER_ADMIN)
    for _ in range(2):
        make_lead(assigned_to=person)
    with pytest.raises(Refused, match="2 open leads are assigned to Ann Lee"):
        suspend_user(user=person, actor=boss)
    with pytest.raises(Refused, match="2 open leads"):
        delete_user(user=person, actor=boss)
    person.refresh_from_db()
    assert (person.status, person.deleted_at) == (UserStatus.ACTIVE, None)


@pytest.mark.django_db
def test_a_person_with_open_leads_keeps_a_role_that_works_leads() -> None:
    person, boss = make_user(Role.ADMIN, name="Ann Lee"), make_user(Role.SUPER_ADMIN)
    lead = make_lead(assigned_to=person)
    for role in (Role.VIEWER, Role.SELLER, Role.BUYER):
        with pytest.raises(Refused, match="1 open lead is assigned to Ann Lee"):
            set_role(user=person, role=role, actor=boss)
    person.refresh_from_db()
    assert person.role == Role.ADMIN
    set_role(user=person, role=Role.SUPER_ADMIN, actor=boss)
    assign_lead(lead=lead, assignee=boss)
    set_role(user=person, role=Role.VIEWER, actor=boss)
    assert person.role == Role.VIEWER


@pytest.mark.django_db
def test_closed_and_deleted_leads_keep_nobody() -> None:
    person, boss = make_user(Role.ADMIN), make_user(Role.SUPER_ADMIN)
    make_lead(assigned_to=person, status=LeadStatus.CONVERTED, closed_at=NOON)
    delete_lead(lead=make_lead(assigned_to=person))
    suspend_user(user=person, actor=boss)
    person.refresh_from_db()
    assert person.status == UserStatus.SUSPENDED


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_nobody_leaves_while_a_lead_is_being_assigned_to_them(attempt: int) -> None:
    person, boss, lead = make_user(Role.ADMIN), make_user(Role.SUPER_ADMIN), make_lead()
    results = at_the_same_time(
        lambda: assign_lead(lead=Lead.objects.get(pk=lead.pk), assignee=User.objects.get(pk=person.pk)),
        lambda: suspend_user(user=User.objects.get(pk=person.pk), actor=boss),
    )
    refusals = [result for result in results if isinstance(result, Exception)]
    assert [type(refusal) for refusal in refusals] == [Refused]
    person.refresh_from_db()
    lead.refresh_from_db()
    assert (person.status == UserStatus.SUSPENDED) == (lead.assigned_to is None)
