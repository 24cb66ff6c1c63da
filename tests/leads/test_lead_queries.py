"""What staff ask about leads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models.users import Role
from leads.models import Lead, LeadNote
from leads.models.leads import LeadPriority, LeadStatus
from leads.queries import LeadFilters, earlier_leads_of, lead_counts_by_status, leads_for
from tests.builders import NOON, make_lead, make_user

pytestmark = pytest.mark.django_db


def test_each_role_sees_its_own_part_of_the_leads() -> None:
    admin, other = make_user(Role.ADMIN), make_user(Role.ADMIN)
    mine, nobodys, theirs = make_lead(assigned_to=admin), make_lead(), make_lead(assigned_to=other)
    assert set(leads_for(admin)) == {mine, nobodys}
    for role in (Role.SUPER_ADMIN, Role.VIEWER):
        assert set(leads_for(make_user(role))) == {mine, nobodys, theirs}
    for role in (Role.SELLER, Role.BUYER):
        assert not leads_for(make_user(role)).exists()


@pytest.mark.parametrize("where", ["name", "email", "message"])
def test_a_text_search_narrows_what_one_may_see_and_never_widens_it(where: str) -> None:
    admin, other = make_user(Role.ADMIN), make_user(Role.ADMIN)
    text = {where: "zebra@example.org"}
    mine, _ = make_lead(assigned_to=admin, **text), make_lead(assigned_to=other, **text)
    make_lead(assigned_to=admin)
    assert list(leads_for(admin, LeadFilters(text="ZEBRA"))) == [mine]


def test_filters_are_joined() -> None:
    boss, admin = make_user(Role.SUPER_ADMIN), make_user(Role.ADMIN)
    lead = make_lead(
        assigned_to=admin, status=LeadStatus.QUALIFIED, priority=LeadPriority.HIGH, source="phone", created_at=NOON
    )
    make_lead(created_at=NOON)
    day = timedelta(days=1)
    for filters in (
        LeadFilters(status="QUALIFIED"),
        LeadFilters(priority=3),
        LeadFilters(assignee=admin),
        LeadFilters(source="phone"),
        LeadFilters(text="visitor", status="QUALIFIED", priority=3, assignee=admin, source="phone", since=NOON - day),
    ):
        assert list(leads_for(boss, filters)) == [lead]
    assert lead not in leads_for(boss, LeadFilters(unassigned=True))
    assert leads_for(boss, LeadFilters(unassigned=True)).count() == 1
    assert not leads_for(boss, LeadFilters(since=NOON + day)).exists()
    assert not leads_for(boss, LeadFilters(until=NOON)).exists()
    assert leads_for(boss, LeadFilters(since=NOON, until=NOON + day)).count() == 2


def test_leads_are_counted_by_status_for_the_current_filter_in_one_query() -> None:
    boss = make_user(Role.SUPER_ADMIN)
    make_lead(source="phone"), make_lead(source="phone"), make_lead(status=LeadStatus.CONTACTED, source="phone")
    make_lead(status=LeadStatus.QUALIFIED)
    with CaptureQueriesContext(connection) as queries:
        counts = lead_counts_by_status(leads_for(boss, LeadFilters(source="phone")))
    assert len(queries) == 1
    assert counts == dict.fromkeys(LeadStatus, 0) | {LeadStatus.NEW: 2, LeadStatus.CONTACTED: 1}


def test_earlier_leads_have_the_same_address_or_number_newest_first_and_at_most_five() -> None:
    boss = make_user(Role.SUPER_ADMIN)
    lead = make_lead(email="ann@example.org", phone="+27 1", created_at=NOON)
    same = [make_lead(email="ANN@example.org", created_at=NOON - timedelta(days=days)) for days in range(1, 6)]
    by_phone = make_lead(phone="+27 1", created_at=NOON - timedelta(hours=1))
    make_lead(phone="", created_at=NOON - timedelta(hours=1))
    make_lead(email="ann@example.org", created_at=NOON + timedelta(hours=1))
    assert earlier_leads_of(lead, user=boss) == [by_phone, *same[:4]]


def test_no_telephone_number_makes_no_two_people_the_same() -> None:
    boss, lead = make_user(Role.SUPER_ADMIN), make_lead(phone="")
    make_lead(phone="", created_at=lead.created_at - timedelta(hours=1))
    assert earlier_leads_of(lead, user=boss) == []


def test_earlier_leads_of_a_colleague_stay_hidden() -> None:
    admin = make_user(Role.ADMIN)
    lead = make_lead(email="ann@example.org", created_at=NOON)
    make_lead(email="ann@example.org", assigned_to=make_user(Role.ADMIN), created_at=NOON - timedelta(days=1))
    assert earlier_leads_of(lead, user=admin) == []
    assert Lead.objects.count() == 2


def test_notes_of_some_leads_are_those_of_no_others() -> None:
    mine, other = make_lead(source="telephone"), make_lead()
    note = LeadNote.objects.create(lead=mine, text="Called back.")
    LeadNote.objects.create(lead=other, text="Nobody there.")
    assert list(LeadNote.objects.of_leads(Lead.objects.filter(source="telephone"))) == [note]
    assert not LeadNote.objects.of_leads(Lead.objects.none()).exists()
