"""What every page of the staff site answers, costs, loads and filters."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.models.users import Role
from config.options import options
from config.staff.fields import readable_fields
from config.staff.filters import operators_of
from inventory.models import Car, Part
from tests.admin.conftest import Reader
from tests.admin.rows import Rows, fill, fill_inlines, staff
from tests.builders import make_car, make_lead, make_part, make_seller, make_user
from tests.schema.rows import MODELS

# Measuring takes most of the time here, and other tests run the same lines.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

MOST_QUERIES = 12
# More than an inline shows at once, and than the queries that a page may take.
MANY = 22
REGISTERED: list[Any] = [model for model in MODELS if admin.site.is_registered(model)]

RELATIONS = {field.name for model in MODELS for field in model._meta.concrete_fields if field.remote_field}


APPS = sorted({model._meta.app_label for model in REGISTERED})


def registered_of(app: str) -> list[Any]:
    return [model for model in REGISTERED if model._meta.app_label == app]


def asking(person: User, query: str = "") -> HttpRequest:
    """Return the request of a person who asks for an address with this query."""
    request = RequestFactory().get(f"/?{query}")
    request.user = person
    return request


class Loaded(HTMLParser):
    """Addresses that a browser fetches by itself, and the inputs that a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inputs: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" or (tag in {"script", "img", "iframe", "source", "video", "audio", "embed"}):
            self.addresses.append(given.get("src") or given.get("href") or "")
        self.addresses += re.findall(r"url\(['\"]?([^'\")]+)", given.get("style") or "")
        if tag == "input":
            self.inputs.append(given)


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def pages_of(model: Any, row: Any) -> list[str]:
    return [address(model, "changelist"), address(model, "add"), address(model, "change", row.pk)]


def counts_of(address: str) -> int:
    """Return how many tables the page shows: one that has more rows than are shown is counted by a query."""
    for model, model_admin in admin.site._registry.items():
        if address.startswith(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")):
            return len(model_admin.inlines) if address.endswith("/change/") else 1
    raise AssertionError(address)


def costs(client: Client, rows: Rows, models: list[Any]) -> dict[str, int]:
    """Return how many queries each page takes that opens to the person."""
    # As if the rows were committed: until then whoever wrote a setting reads all of them anew, past the cache.
    connection.run_on_commit.clear()
    options([])
    found = {}
    for model in models:
        for page in pages_of(model, rows[model][0]):
            with CaptureQueriesContext(connection) as queries:
                response: Any = client.get(page)
            assert response.status_code in {200, 403}, page
            if response.status_code == 200:
                found[page.replace(f"/{rows[model][0].pk}/", "/first/")] = len(queries)
    return found


@pytest.mark.postgres_only
@pytest.mark.parametrize("app", APPS)
def test_pages_cost_at_most_twelve_queries_whatever_the_number_of_rows(app: str, superuser: User) -> None:
    reader, models = Reader(superuser), registered_of(app)
    # Django keeps the kinds of rows that it has read once.
    ContentType.objects.get_for_models(*MODELS)
    few = fill(2)
    fill_inlines(few, 2)
    costs_of_few = costs(reader, few, models)
    assert len(costs_of_few) > 2 * len(models)
    many = fill(MANY)
    fill_inlines(many, MANY)
    costs_of_many = costs(reader, many, models)
    assert {page: cost for page, cost in costs_of_many.items() if cost > MOST_QUERIES} == {}
    assert set(costs_of_few) == set(costs_of_many)
    grown = {
        page: (costs_of_few[page], cost)
        for page, cost in costs_of_many.items()
        if not costs_of_few[page] <= cost <= costs_of_few[page] + counts_of(page)
    }
    assert grown == {}


@pytest.mark.postgres_only
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SELLER])
def test_pages_cost_other_roles_no_more(role: str) -> None:
    person = staff(role)
    rows = fill(MANY, owner=person if role == Role.SELLER else make_user(Role.SELLER), assigned_to=None)
    fill_inlines(rows, MANY)
    found = costs(Reader(person), rows, REGISTERED)
    assert found
    assert {page: cost for page, cost in found.items() if cost > MOST_QUERIES} == {}


@pytest.mark.any_engine
@pytest.mark.parametrize("app", APPS)
def test_no_page_loads_anything_from_elsewhere_or_asks_for_an_id(app: str, superuser: User) -> None:
    rows = fill(2)
    fill_inlines(rows, 2)
    nobody, reader = Client(), Reader(superuser)
    answers = {"login": nobody.get(reverse("admin:login"))}
    pages = [reverse("admin:index"), reverse("admin:password_change")]
    for model in registered_of(app):
        pages += [*pages_of(model, rows[model][0]), address(model, "export")]
    answers |= {page: reader.get(page) for page in pages}
    foreign, raw = {}, {}
    for page, response in answers.items():
        if response.status_code == 403:
            continue
        assert response.status_code == 200, page
        loaded = Loaded(response.content.decode())
        foreign[page] = [each for each in loaded.addresses if re.match(r"([a-z]+:)?//", each)]
        raw[page] = [given for given in loaded.inputs if "vForeignKeyRawIdAdminField" in (given.get("class") or "")]
        raw[page] += [
            given
            for given in loaded.inputs
            if given.get("type") in {"text", "number"} and (given.get("name") or "").rpartition("-")[2] in RELATIONS
        ]
    assert {page: found for page, found in foreign.items() if found} == {}
    assert {page: found for page, found in raw.items() if found} == {}


@pytest.mark.any_engine
def test_our_own_styles_and_scripts_fetch_nothing_from_elsewhere() -> None:
    static = settings.BASE_DIR / "config" / "static" / "staff"
    for path in [*static.glob("*.css"), *static.glob("*.js")]:
        assert re.findall(r"https?://(?!www\.w3\.org/)[^\s'\")]+", path.read_text()) == [], path.name


@pytest.mark.postgres_only
@pytest.mark.parametrize("app", APPS)
def test_lists_can_be_searched_sorted_filtered_and_walked_by_date(app: str, superuser: User) -> None:
    fill(2)
    reader = Reader(superuser)
    for model in registered_of(app):
        model_admin: Any = admin.site._registry[model]
        by_date, others = queries_of(model_admin, asking(superuser))
        for query in [*by_date, *others]:
            # Raises what the page would answer with an error or another address.
            list(model_admin.get_changelist_instance(asking(superuser, query)).result_list)
        # A page has one template, whatever was asked; it shows everything at once.
        for query in ["", "&".join(others), *by_date]:
            response = reader.get(f"{address(model, 'changelist')}?{query}")
            assert response.status_code == 200, (query, response.headers.get("Location"))


def queries_of(model_admin: Any, request: HttpRequest) -> tuple[list[str], list[str]]:
    """Return what a list's address may ask: of its dates, and everything else."""
    changelist = model_admin.get_changelist_instance(request)
    by_date, others = [], ["q=a", "q=%C3%A4%25_%27", "all=", "p=2"]
    others += [f"o={sign}{column}" for column in changelist.get_ordering_field_columns() for sign in ("", "-")]
    others += [f"o={position}" for position, name in enumerate(changelist.list_display) if _sorts(model_admin, name)]
    if name := model_admin.date_hierarchy:
        now = timezone.now()
        by_date += [f"{name}__year={now.year}", f"{name}__year={now.year}&{name}__month={now.month}&{name}__day=1"]
    for spec in changelist.filter_specs:
        others += [choice.lstrip("?") for choice in _choices(spec, changelist)]
    return by_date, others


def _sorts(model_admin: Any, name: Any) -> bool:
    if name == "action_checkbox":
        return False
    column = getattr(model_admin, name, name) if isinstance(name, str) else name
    return isinstance(column, str) or hasattr(column, "admin_order_field")


def _choices(spec: Any, changelist: Any) -> list[str]:
    if spec.template == "staff/field_filters.html":
        return []
    asked = [choice["query_string"] for choice in spec.choices(changelist) if "query_string" in choice]
    for name in filter(None, spec.expected_parameters()):
        if name.endswith(("_from", "_to")):
            asked += [f"{name}=1", f"{name}=2026-01-02", f"{name}=zzz"]
        elif getattr(getattr(spec, "field", None), "flatchoices", None):
            asked.append(f"{name}={spec.field.flatchoices[0][0]}")
    return asked


@pytest.mark.parametrize("app", APPS)
def test_every_field_filters_with_each_of_its_operators(app: str, superuser: User) -> None:
    rows = fill(2)
    reader = Reader(superuser)
    for model in registered_of(app):
        model_admin: Any = admin.site._registry[model]
        query = urlencode(
            [
                ("f", f"{field.key}:{operator}:{sample(field, operator, rows)}")
                for field in readable_fields(asking(superuser), model_admin).values()
                for operator in operators_of(field)
            ]
        )
        conditions = model_admin.conditions(asking(superuser, query))
        assert [each.problem for each in conditions if each.problem] == []
        # The database answers each by itself: of a row that one leaves out, it would not look at the next.
        answers = {f"answer_{number}": each.query for number, each in enumerate(conditions)}
        assert model._base_manager.annotate(**answers).values_list(*answers).first(), model
        page = f"{address(model, 'export')}?format=csv&column={model._meta.pk.name}&{query}"
        download: Any = reader.get(page)
        assert download.status_code == 200, page
        assert b"".join(download.streaming_content)


def sample(field: Any, operator: str, rows: Rows) -> str:
    if operator in {"empty", "filled"}:
        return ""
    kind = field.kind
    if kind == "choice":
        return str(field.field.flatchoices[0][0])
    if kind == "relation":
        return str(rows[field.field.related_model][0].pk) if field.field.related_model in rows else "1"
    by_operator = {"last": "7", "between": "2026-01-01..2026-12-31" if kind != "number" else "1..5"}
    by_kind = {"number": "1", "boolean": "yes", "date": "2026-01-01", "datetime": "2026-01-01"}
    return by_operator.get(operator) or by_kind.get(kind, "a")


def listed(client: Client, model: Any, *conditions: str) -> set[Any]:
    response: Any = client.get(f"{address(model, 'changelist')}?{urlencode([('f', each) for each in conditions])}")
    return set(response.context_data["cl"].result_list)


def test_each_kind_of_field_finds_the_rows_it_should(super_admin: Client) -> None:
    now = timezone.now()
    cheap = make_car(make="Fiat", price=900, seller=make_seller(city="Turku"), is_featured=True, published_at=None)
    dear = make_car(make="BMW", price=90_000, paragraphs=["Näyttelyauto"], created_at=now - timedelta(days=40))
    assert listed(super_admin, Car, "make:has:ia") == {cheap}
    assert listed(super_admin, Car, "make:is:bmw") == {dear}
    assert listed(super_admin, Car, "make:starts:BM") == {dear}
    assert listed(super_admin, Car, "price:between:..1000") == {cheap}
    assert listed(super_admin, Car, "price:between:1000..") == {dear}
    assert listed(super_admin, Car, "price:is:900") == {cheap}
    assert listed(super_admin, Car, "status:any:AVAILABLE,SOLD") == {cheap, dear}
    assert listed(super_admin, Car, "status:none:AVAILABLE") == set()
    assert listed(super_admin, Car, "is_featured:is:yes") == {cheap}
    assert listed(super_admin, Car, "created_at:last:30") == {cheap}
    assert listed(super_admin, Car, f"created_at:between:..{now - timedelta(days=39):%Y-%m-%d}") == {dear}
    assert listed(super_admin, Car, "published_at:empty") == {cheap}
    assert listed(super_admin, Car, "published_at:filled") == {dear}
    assert listed(super_admin, Car, f"seller:is:{cheap.seller_id}") == {cheap}
    assert listed(super_admin, Car, "seller.city:is:turku") == {cheap}
    assert listed(super_admin, Car, "seller:empty") == {dear}
    assert listed(super_admin, Car, "paragraphs:has:näyttely") == {dear}
    assert listed(super_admin, Car, "make:is:BMW", "price:between:..1000") == set()


def test_dates_between_are_whole_days_in_our_own_time_zone(super_admin: Client) -> None:
    day = timezone.localtime(timezone.now()).replace(hour=23, minute=59, second=59)
    late = make_lead(created_at=day)
    from leads.models import Lead

    assert listed(super_admin, Lead, f"created_at:between:{day:%Y-%m-%d}..{day:%Y-%m-%d}") == {late}
    before = day - timedelta(days=1)
    assert listed(super_admin, Lead, f"created_at:between:{before:%Y-%m-%d}..{before:%Y-%m-%d}") == set()


@pytest.mark.any_engine
@pytest.mark.parametrize(
    "condition", ["nonsense", "price:between:x..y", "price:like:1", "owner:is:1", "seller:is:many", "password:has:a"]
)
def test_a_filter_that_makes_no_sense_shows_nothing_and_says_so(condition: str, super_admin: Client) -> None:
    make_part()
    response: Any = super_admin.get(f"{address(Part, 'changelist')}?{urlencode({'f': condition})}")
    assert list(response.context_data["cl"].result_list) == []
    assert "This filter was not understood" in response.content.decode()


def test_deleted_rows_have_their_own_list(super_admin: Client) -> None:
    live, deleted = make_part(), make_part()
    deleted.soft_delete(timezone.now())
    page = address(Part, "changelist")
    shown = {}
    for query in ("", "?deleted=only", "?deleted=all"):
        response: Any = super_admin.get(f"{page}{query}")
        shown[query] = set(response.context_data["cl"].result_list)
    assert shown == {"": {live}, "?deleted=only": {deleted}, "?deleted=all": {live, deleted}}


def test_the_quick_filters_by_date_take_whole_days_and_nothing_that_is_no_date(super_admin: Client) -> None:
    noon = timezone.localtime(timezone.now()).replace(hour=12)
    today, before = make_car(created_at=noon), make_car(created_at=noon - timedelta(days=1))

    def found(query: str) -> set[Any]:
        response: Any = super_admin.get(f"{address(Car, 'changelist')}?{query}")
        return set(response.context_data["cl"].result_list)

    day, day_before = f"{noon:%Y-%m-%d}", f"{noon - timedelta(days=1):%Y-%m-%d}"
    assert found(f"created_at_from={day}&created_at_to={day}") == {today}
    assert found(f"created_at_from={day_before}&created_at_to={day}") == {today, before}
    assert found("created_at_from=yesterday") == set()
    assert found("price_from=many") == set()
