"""Every list of the staff site finds its rows by an index, with 100,000 of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.db import connection, transaction
from django.db.models import DateField, UniqueConstraint
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from accounts.models import Seller, User
from accounts.models.users import Role
from analytics.models import AuditLog, Event
from config.ops.search_words import refresh_words
from config.staff.site import OfferedRows
from inventory.models import Part
from tests.admin.rows import staff
from tests.builders import NOON, make_part, make_seller, make_vehicle
from tests.many_rows import many_rows, repeat, whole_tables
from tests.word_indexes import without_word_indexes

# Writing the rows takes some seconds, or a minute where others keep the processors busy.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.no_cover, pytest.mark.timeout(300)]

ROWS = 100_000
SELLERS = 500
LISTS: list[Any] = [Part, Event, AuditLog]
WORDS = "CASE number % 50 WHEN 0 THEN 'Alternator' WHEN 1 THEN 'Gearbox' ELSE 'Door' END"


@pytest.fixture(scope="module", autouse=True)
def boss(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[User]:
    """Fill the tables in a transaction that is never committed, and return who looks at them."""
    with django_db_blocker.unblock(), transaction.atomic():
        person = staff(Role.SUPER_ADMIN)
        with many_rows(), without_word_indexes(Part, AuditLog):
            fill()
        yield person
        transaction.set_rollback(True)


def fill() -> None:
    seller = make_seller(owner=staff(Role.SELLER))
    repeat(Seller, seller, SELLERS)
    part = make_part(vehicle=make_vehicle(seller=seller), name="Door")
    condition = "CASE number % 3 WHEN 0 THEN 'FAIR' ELSE 'GOOD' END"
    owned = {"seller_id": f"{seller.pk} + number % {SELLERS}", "vehicle_id": f"{part.vehicle_id}"}
    state = {"status": "CASE number % 40 WHEN 0 THEN 'RESERVED' ELSE 'AVAILABLE' END", "condition": condition}
    named = {"name": WORDS, "price": "100 + number % 5000", "part_number_norm": "'P' || number"}
    repeat(Part, part, ROWS, **owned, **state, **named)
    event = Event.objects.create(event_type="PART_VIEW", part=part, session_id="first")
    kinds = "CASE number % 90 WHEN 0 THEN 'SEARCH' ELSE 'PART_VIEW' END"
    later = {"occurred_at": "occurred_at + number * interval '1 minute'", "session_id": "'visit ' || number"}
    repeat(Event, event, ROWS, event_type=kinds, is_bot="number % 5000 = 0", **later)
    entry = AuditLog.objects.create(action="update", entity_label="Door", created_at=NOON)
    actions = "CASE number % 2000 WHEN 0 THEN 'delete' ELSE 'update' END"
    repeat(AuditLog, entry, ROWS, action=actions, entity_label=WORDS, success="number % 5000 <> 0")


def asking(person: User, query: str = "") -> HttpRequest:
    request = RequestFactory().get(f"/?{query}")
    request.user = person
    return request


def listed(model: Any, person: User, query: str = "") -> Any:
    """Return the list of an address with all that its page shows read."""
    changelist: Any = admin.site.get_model_admin(model).get_changelist_instance(asking(person, query))
    assert changelist.dates is not None
    return changelist


def addresses(model: Any, person: User) -> list[str]:
    """Return what the address of a list may ask, one by one."""
    first, last = listed(model, person), listed(model, person, f"{PAGE_VAR}=last")
    asked = ["", f"{PAGE_VAR}=last", "q=alternator", "q=gearb", "q=P77", "q=search", "q=nothing", "q=door"]
    asked += [urlencode({PAGE_VAR: beside}) for beside in (first.beside.later, last.beside.earlier)]
    if first.date_hierarchy:
        year = f"{first.date_hierarchy}__year=2026"
        asked += [year, f"{year}&{first.date_hierarchy}__month=4"]
    for position, name in enumerate(first.list_display):
        if name in first.sortable_by:
            asked += [f"o={position}", f"o=-{position}", f"o={position}&{PAGE_VAR}=last"]
    for spec in first.filter_specs:
        asked += filtered(spec)
    return asked


def filtered(spec: Any) -> list[str]:
    names = [name for name in spec.expected_parameters() if name]
    field: Any = getattr(spec, "field", None)
    if getattr(field, "flatchoices", None):
        return [f"{names[0]}={code}" for code, _ in field.flatchoices]
    if names[0].endswith("_from"):
        ends = ("2026-03-05", "2026-03-06") if isinstance(field, DateField) else (300, 301)
        return [urlencode(dict(zip(names, ends, strict=True)))]
    values = {"deleted": ("only", "all"), "f": ()}.get(names[0], ("1", "0"))
    return [f"{names[0]}={value}" for value in values]


@pytest.mark.parametrize("model", LISTS)
def test_no_list_reads_a_whole_table(model: Any, boss: User) -> None:
    scanned: dict[str, set[str]] = {}
    for address in addresses(model, boss):
        with CaptureQueriesContext(connection) as queries:
            listed(model, boss, address)
        statements = [each["sql"] for each in queries.captured_queries if each["sql"].startswith(("SELECT", "WITH"))]
        found = set().union(*map(whole_tables, statements)) & {each._meta.db_table for each in LISTS}
        scanned |= {address: found} if found else {}
    assert scanned == {}


def test_every_filter_of_a_list_has_an_index() -> None:
    without: set[str] = set()
    registry: dict[Any, Any] = admin.site._registry
    for model, model_admin in registry.items():
        names = [each if isinstance(each, str) else str(each[0]) for each in model_admin.list_filter]
        if not getattr(model_admin, "is_small", False):
            without |= {f"{model.__name__}.{name}" for name in names if not is_indexed(model, name)}
    assert without == set()


def is_indexed(model: Any, name: str) -> bool:
    """Whether an index begins with the column, or is of the rows that have something there."""
    field, options = model._meta.get_field(name), model._meta
    indexes = [*options.indexes, *(rule for rule in options.constraints if isinstance(rule, UniqueConstraint))]
    first = {(each.fields or [each.expressions[0].name])[0].lstrip("-") for each in indexes if is_of_columns(each)}
    asked = {
        name.partition("__")[0] for each in options.indexes if each.condition for name, _ in each.condition.children
    }
    return field.unique or field.db_index or name in first | asked


def is_of_columns(index: Any) -> bool:
    return bool(index.fields) or hasattr(index.expressions[0], "name")


@pytest.mark.parametrize("model", LISTS)
def test_a_large_list_tells_about_how_many_rows_it_has(model: Any, boss: User) -> None:
    count = listed(model, boss).result_count
    assert str(count) in {"about 99,000", "about 100,000"}


def test_what_few_rows_have_is_counted_exactly(boss: User) -> None:
    counts = {
        "status=RESERVED": ("status__exact=RESERVED", "2,500"),
        "a word": ("q=alternator", "2,000"),
        "a number": ("q=P77777", "1"),
    }
    assert {name: str(listed(Part, boss, query).result_count) for name, (query, _) in counts.items()} == {
        name: count for name, (_, count) in counts.items()
    }


def test_the_last_page_holds_the_last_rows_and_leads_back(boss: User) -> None:
    last = listed(Part, boss, f"{PAGE_VAR}=last")
    wanted = list(Part.objects.order_by("created_at", "id").values_list("pk", flat=True)[:100])[::-1]
    assert [row.pk for row in last.result_list] == wanted[50:]
    links = {link["title"]: link["link"] for link in last.page_links}
    assert (links["First"], links["Next"], links["Last"]) == ("?p=1", "", "")
    before = listed(Part, boss, links["Previous"].removeprefix("?"))
    assert [row.pk for row in before.result_list] == wanted[:50]


def test_a_search_keeps_the_order_of_the_list_from_page_to_page(boss: User) -> None:
    wanted = list(
        Part.objects.filter(name="Alternator").order_by("-created_at", "-id").values_list("pk", flat=True)[:150]
    )
    seen, query = [], "q=alternator"
    for _ in range(3):
        found = listed(Part, boss, query)
        seen += [row.pk for row in found.result_list]
        query = urlencode({"q": "alternator", PAGE_VAR: found.beside.later})
    assert seen == wanted


def test_a_seller_reads_the_own_rows_alone(boss: User) -> None:
    owner = Seller.objects.order_by("pk").first().owner  # type: ignore[union-attr]  # there are some
    with CaptureQueriesContext(connection) as queries:
        shown = listed(Part, owner)
    statements = [each["sql"] for each in queries.captured_queries if each["sql"].startswith("SELECT")]
    assert set().union(*map(whole_tables, statements)) & {"inventory_part"} == set()
    assert {row.seller.owner_id for row in shown.result_list} == {owner.pk}


@pytest.mark.parametrize("model", [Event, AuditLog])
def test_an_administrator_who_sees_no_leads_of_colleagues_reads_no_whole_table(model: Any, boss: User) -> None:
    administrator = staff(Role.ADMIN)
    for query in ("", f"{PAGE_VAR}=last", "q=search"):
        with CaptureQueriesContext(connection) as queries:
            listed(model, administrator, query)
        statements = [each["sql"] for each in queries.captured_queries if each["sql"].startswith("SELECT")]
        assert set().union(*map(whole_tables, statements)) & {model._meta.db_table} == set()


def test_what_is_offered_for_a_relation_is_found_by_index(boss: User) -> None:
    model_admin = admin.site.get_model_admin(Part)
    for text in ("", "alternator", "P77"):
        with CaptureQueriesContext(connection) as queries:
            assert len(OfferedRows(model_admin, asking(boss), Part.objects.all(), text)[0:21]) > 0
        statements = [each["sql"] for each in queries.captured_queries if each["sql"].startswith("SELECT")]
        assert set().union(*map(whole_tables, statements)) & {"inventory_part"} == set()


def test_a_misspelled_search_is_answered_with_what_was_probably_meant(boss: User) -> None:
    refresh_words(connection)
    found = listed(Part, boss, "q=altrenator")
    assert (found.result_list, found.meant) == ([], {"words": "alternator", "link": "?q=alternator"})
    assert listed(Part, boss, "q=zzzzqqqq").meant is None
