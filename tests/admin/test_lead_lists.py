"""Lists of what belongs to leads find what an administrator may see by index, with 100,000 rows each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from accounts.models import User
from accounts.models.users import Role
from leads.models import Lead, LeadActivity, LeadNote
from tests.admin.rows import staff
from tests.admin.test_lists import WORDS, addresses, listed
from tests.api.test_plans import repeat, whole_tables
from tests.builders import make_lead
from tests.word_indexes import without_word_indexes

# Writing the rows takes some seconds, or a minute where others keep the processors busy.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.no_cover, pytest.mark.timeout(300)]

ROWS = 100_000
LEADS = 30_000
LISTS: list[Any] = [LeadActivity, LeadNote]


@pytest.fixture(scope="module", autouse=True)
def people(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, User]]:
    """Fill the tables in a transaction that is never committed, and return administrators by what they see."""
    with django_db_blocker.unblock(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SET LOCAL statement_timeout = 0")
        people = {share: staff(Role.ADMIN) for share in ("half of all", "some", "nearly nothing")}
        with without_word_indexes(Lead, LeadNote):
            fill(people["half of all"], people["some"], staff(Role.ADMIN))
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = origin")
            cursor.execute("ANALYZE")
        yield people
        transaction.set_rollback(True)


def fill(busy: User, other: User, another: User) -> None:
    lead = make_lead(name="Ann", assigned_to=another)
    assigned = (
        f"CASE WHEN number % 2 = 0 THEN {busy.pk} WHEN number % 6 = 1 THEN {other.pk}"
        f" WHEN number % 5000 = 3 THEN NULL ELSE {another.pk} END"
    )
    repeat(Lead, lead, LEADS, assigned_to_id=assigned, name=WORDS, email="'ann' || number || '@example.org'")
    of_lead = f"{lead.pk} + number % {LEADS}"
    repeat(LeadActivity, LeadActivity.objects.create(lead=lead, type="CREATED"), ROWS, lead_id=of_lead)
    repeat(LeadNote, LeadNote.objects.create(lead=lead, text="Door"), ROWS, lead_id=of_lead, text=WORDS)


@pytest.mark.parametrize("share", ["half of all", "some", "nearly nothing"])
@pytest.mark.parametrize("model", LISTS)
def test_no_page_order_or_filter_reads_a_whole_table(model: Any, share: str, people: dict[str, User]) -> None:
    scanned: dict[str, set[str]] = {}
    for address in addresses(model, people[share]):
        if address.startswith("q="):
            continue
        with CaptureQueriesContext(connection) as queries:
            listed(model, people[share], address)
        statements = [each["sql"] for each in queries.captured_queries if each["sql"].startswith(("SELECT", "WITH"))]
        found = set().union(*map(whole_tables, statements)) & {each._meta.db_table for each in LISTS}
        scanned |= {address: found} if found else {}
    assert scanned == {}


@pytest.mark.parametrize("model", LISTS)
def test_an_administrator_sees_what_belongs_to_own_leads_and_those_of_nobody(
    model: Any, people: dict[str, User]
) -> None:
    for share, person in people.items():
        shown = listed(model, person)
        visible = model.objects.visible_to(person)
        newest = list(visible.order_by("-created_at", "-pk").values_list("pk", flat=True)[:50])
        assert [row.pk for row in shown.result_list] == newest, share
        assert shown.result_count == visible.count() or not shown.result_count.is_exact, share
    assert str(listed(model, people["some"]).result_count) == "more than 10,000"
