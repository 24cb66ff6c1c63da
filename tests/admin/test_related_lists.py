"""Lists of what belongs to other rows, of leads above all, find it by index, with 100,000 rows each.

Everybody sees vouchers; of leads, administrators see their own and those of nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.admin.views.main import PAGE_VAR
from django.db import connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from accounts.models import Translation, User
from accounts.models.users import Role
from leads.models import Lead, LeadActivity, LeadNote, Voucher, VoucherClaim
from tests.admin.rows import staff
from tests.admin.test_lists import WORDS, addresses, listed
from tests.builders import NOON, make_lead, make_translation, make_user, make_voucher
from tests.many_rows import many_rows, repeat, whole_tables
from tests.word_indexes import without_word_indexes

# Writing the rows takes some seconds, or a minute where others keep the processors busy.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.no_cover, pytest.mark.timeout(300)]

ROWS = 100_000
LEADS = VOUCHERS = BUYERS = 30_000
OF_LEADS: list[Any] = [LeadActivity, LeadNote]
LISTS: list[Any] = [*OF_LEADS, VoucherClaim]
# As many words as texts have, so that the planner learns how often each is used.
NAMES = f"({WORDS}) || ' number ' || (number % 150)"
EVERYBODY = "all"
SHARES = ["half of all", "some", "nearly nothing"]
SEEN = [*[(model, share) for model in OF_LEADS for share in SHARES], *[(model, EVERYBODY) for model in LISTS]]
HAVING: dict[Any, Callable[[str], Q]] = {
    LeadActivity: lambda word: Q(lead__name__icontains=word),
    LeadNote: lambda word: Q(lead__name__icontains=word) | Q(text__icontains=word),
    VoucherClaim: lambda word: (
        Q(user__name__icontains=word)
        | Q(voucher__title_key__in=Translation.objects.filter(value__icontains=word).values("key"))
    ),
}


@pytest.fixture(scope="module", autouse=True)
def people(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, User]]:
    """Fill the tables in a transaction that is never committed, and return administrators by what they see."""
    with django_db_blocker.unblock(), transaction.atomic():
        people = {EVERYBODY: staff(Role.SUPER_ADMIN)} | {share: staff(Role.ADMIN) for share in SHARES}
        with many_rows(), without_word_indexes(Lead, LeadNote, Translation, User):
            fill_leads(people["half of all"], people["some"], staff(Role.ADMIN))
            fill_vouchers()
        yield people
        transaction.set_rollback(True)


def fill_leads(busy: User, other: User, another: User) -> None:
    lead = make_lead(name="Ann", assigned_to=another)
    assigned = (
        f"CASE WHEN number % 2 = 0 THEN {busy.pk} WHEN number % 6 = 1 THEN {other.pk}"
        f" WHEN number % 5000 = 3 THEN NULL ELSE {another.pk} END"
    )
    repeat(Lead, lead, LEADS, assigned_to_id=assigned, name=NAMES, email="'ann' || number || '@example.org'")
    of_lead = f"{lead.pk} + number % {LEADS}"
    repeat(LeadActivity, LeadActivity.objects.create(lead=lead, type="CREATED"), ROWS, lead_id=of_lead)
    repeat(LeadNote, LeadNote.objects.create(lead=lead, text="Door"), ROWS, lead_id=of_lead, text=NAMES)


def fill_vouchers() -> None:
    key = "'title ' || number"
    repeat(Translation, make_translation("title", "Door"), VOUCHERS, key=key, value=NAMES)
    voucher, buyer = make_voucher(), make_user()
    repeat(Voucher, voucher, VOUCHERS, title_key=key)
    repeat(User, buyer, BUYERS, name=NAMES, email="'buyer' || number || '@example.org'")
    claim = VoucherClaim.objects.create(voucher=voucher, user=buyer, expires_at=NOON)
    # Every round of the buyers has other vouchers.
    of_both = {
        "voucher_id": f"{voucher.pk} + (number + number / {BUYERS}) % {VOUCHERS}",
        "user_id": f"{buyer.pk} + number % {BUYERS}",
    }
    repeat(VoucherClaim, claim, ROWS, **of_both, claimed_at="claimed_at + number * interval '1 minute'")


@pytest.mark.parametrize(("model", "share"), SEEN)
def test_no_page_search_order_or_filter_reads_a_whole_table(model: Any, share: str, people: dict[str, User]) -> None:
    scanned: dict[str, set[str]] = {}
    for address in addresses(model, people[share]):
        with CaptureQueriesContext(connection) as queries:
            listed(model, people[share], address)
        statements = [each["sql"] for each in queries.captured_queries if each["sql"].startswith(("SELECT", "WITH"))]
        found = set().union(*map(whole_tables, statements)) & {each._meta.db_table for each in LISTS}
        scanned |= {address: found} if found else {}
    assert scanned == {}


@pytest.mark.parametrize(("model", "share"), SEEN)
@pytest.mark.parametrize("word", ["door", "alternator", "nothing"])
def test_a_search_finds_all_rows_in_the_order_of_the_list(
    model: Any, share: str, word: str, people: dict[str, User]
) -> None:
    person = people[share]
    rows = model.objects.visible_to(person) if model in OF_LEADS else model.objects.all()
    wanted = rows.filter(HAVING[model](word)).order_by(*model._meta.ordering).values_list("pk", flat=True)
    first, last = (listed(model, person, f"q={word}&{PAGE_VAR}={page}") for page in (1, "last"))
    assert [row.pk for row in first.result_list] == list(wanted[:50])
    assert [row.pk for row in last.result_list] == list(wanted.reverse()[:50])[::-1]
    count = first.result_count
    assert count == len(wanted) if count.is_exact else count == pytest.approx(len(wanted), rel=0.1)


@pytest.mark.parametrize("model", OF_LEADS)
def test_an_administrator_sees_what_belongs_to_own_leads_and_those_of_nobody(
    model: Any, people: dict[str, User]
) -> None:
    for share in SHARES:
        person = people[share]
        shown = listed(model, person)
        visible = model.objects.visible_to(person)
        newest = list(visible.order_by("-created_at", "-pk").values_list("pk", flat=True)[:50])
        assert [row.pk for row in shown.result_list] == newest, share
        assert shown.result_count == visible.count() or not shown.result_count.is_exact, share
    assert str(listed(model, people["some"]).result_count) == "more than 10,000"
