"""The list of parts in the back office against the stock admin's, on one server and the same rows, and against itself.

What the database takes is measured beside the stock admin with as many rows; what a whole page takes, beside the same
page with ten thousand. `BENCH_SCALE` (100) is the number of parts in ten thousands.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import date_hierarchy
from django.contrib.admin.views.main import PAGE_VAR
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import reverse
from rich.console import Console

from accounts.models.users import Role
from config.db import bulk
from config.ops.scale.catalogue import CAR_MODELS, COMBUSTION_PART_KINDS, PART_KINDS
from config.ops.search_words import refresh_words
from inventory.models import Part, Vehicle
from inventory.models.parts import normalize_part_number
from tests.benchmarks.conftest import Bench
from tests.builders import NOON, make_category, make_seller, make_user, make_vehicle
from tests.word_indexes import without_word_indexes

PARTS = int(os.environ.get("BENCH_SCALE", "100")) * 10_000
FEW = 10_000
SELLERS = 400
# Over which the parts came in: almost three years.
MINUTES = 1_500_000
A_TENTH = 0.1
MANY_ROWS, FEW_ROWS = "public", "few"
AS_GOOD_AS = 1.3
# What an address asks for, ours and the stock admin's where it differs.
PAGES: dict[str, tuple[str, str]] = {
    "the first page": ("", ""),
    "a common word": ("q=alternator", "q=alternator"),
    "a rare word": ("q=tachograph", "q=tachograph"),
    "a part number": ("q=11A-1", "q=11A+1"),
    "sold ones": ("status__exact=SOLD", "status__exact=SOLD"),
    "reserved ones": ("status__exact=RESERVED", "status__exact=RESERVED"),
    "sold ones in good condition": ("status__exact=SOLD&condition__exact=GOOD",) * 2,
    "listed ones": ("is_listed__exact=1", "is_listed__exact=1"),
    "by name": ("o=2", "o=1"),
    "by name backwards": ("o=-2", "o=-1"),
    "by price": ("o=4", "o=3"),
    "by price backwards": ("o=-4", "o=-3"),
    "by condition": ("o=5", "o=4"),
    "by status": ("o=6", "o=5"),
    "by date": ("o=11", "o=6"),
    "a year": ("created_at__year=2024", "created_at__year=2024"),
    "some days": (
        "created_at_from=2024-03-01&created_at_to=2024-03-09",
        "created_at__gte=2024-03-01T00:00Z&created_at__lt=2024-03-10T00:00Z",
    ),
    "the last page": (f"{PAGE_VAR}=last", f"{PAGE_VAR}={{last}}"),
}
rng = random.Random(7)


class StockAdmin(admin.ModelAdmin[Part]):
    """The same list as Django makes it."""

    list_display = ("name", "part_number", "price", "condition", "status", "created_at")
    list_filter = ("status", "condition", "is_listed")
    search_fields = ("name", "part_number")
    date_hierarchy = "created_at"
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return True


class Clock:
    """Adds up what statements take, in milliseconds."""

    def __init__(self) -> None:
        self.spent = 0.0

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        begin = time.perf_counter()
        try:
            return execute(*args)
        finally:
            self.spent += (time.perf_counter() - begin) * 1000


def once(show: Callable[[], object]) -> tuple[float, float]:
    """Return what the database and the whole take, in milliseconds."""
    clock, begin = Clock(), time.perf_counter()
    with connection.execute_wrapper(clock):
        show()
    return clock.spent, (time.perf_counter() - begin) * 1000


def in_turns(show: Callable[[], object], schemas: tuple[str, ...], times: int) -> list[tuple[float, float]]:
    """Return the middle of so many measures in each schema, taken by turns after one that warms up."""
    taken: dict[str, list[tuple[float, float]]] = {schema: [] for schema in schemas}
    for _ in range(times + 1):
        for schema in schemas:
            look_at(schema)
            taken[schema].append(once(show))
    look_at(MANY_ROWS)
    return [tuple(map(statistics.median, zip(*each[1:], strict=True))) for each in taken.values()]


def look_at(schema: str) -> None:
    """Let the name of the table mean the one of this schema, and all others what they always mean."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path TO {schema}, {MANY_ROWS}")


def keep_few() -> None:
    """Keep the rows so far in a table of the same name and with the same indexes, in a schema of its own."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {FEW_ROWS}")
        cursor.execute(f"CREATE TABLE {FEW_ROWS}.inventory_part (LIKE inventory_part INCLUDING ALL)")
        cursor.execute(f"INSERT INTO {FEW_ROWS}.inventory_part SELECT * FROM inventory_part")
        cursor.execute(f"ANALYZE {FEW_ROWS}.inventory_part")


def add_parts(numbers: range) -> None:
    """Write parts over the years, the older of them mostly sold, and let the planner know."""
    category = make_category()
    vehicles = list(Vehicle.objects.all()) or [make_vehicle(seller=make_seller()) for _ in range(SELLERS)]
    columns = ["public_id", "vehicle_id", "seller_id", "category_id", "name", "part_number", "part_number_norm"]
    columns += ["description", "condition", "price", "currency", "yard_location", "status", "sold_at", "is_listed"]
    columns += ["hold", "created_at", "updated_at"]

    def rows() -> Iterator[list[Any]]:
        for number in numbers:
            vehicle, part_number = (
                rng.choice(vehicles),
                f"{number % 90 + 10}A {number // 90 % 900 + 100} {number % 97:02}",
            )
            at = NOON - timedelta(minutes=MINUTES * (numbers.stop - number) // len(numbers))
            status = rng.choices(("AVAILABLE", "RESERVED", "SOLD"), (55, 3, 42))[0]
            condition = rng.choice(("NEW", "EXCELLENT", "GOOD", "GOOD", "FAIR", "POOR"))
            yield [
                *(f"bench-{number}", vehicle.pk, vehicle.seller_id, category.pk, _name(number), part_number),
                *(normalize_part_number(part_number), "From a car that ran well.", condition),
                *(Decimal(rng.randrange(1_000, 500_000)) / 100, "EUR", "A-1", status),
                *(at if status == "SOLD" else None, status == "AVAILABLE" and rng.random() < 0.8, "", at, at),
            ]

    bulk.load(Part, columns, rows())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    bulk.analyze(Part)


def _name(number: int) -> str:
    # A page full of them among few rows as well, so that pages show equally much.
    if number % (100 if number < FEW else 5_000) == 7:
        return "Tachograph"
    kind, model = rng.choice([*PART_KINDS, *COMBUSTION_PART_KINDS]), rng.choice(CAR_MODELS)
    return f"{kind.name} {model.make} {model.model}"


def request_of(person: Any, query: str) -> HttpRequest:
    request = RequestFactory().get(f"/admin/inventory/part/?{query}")
    request.user = person
    return request


def page(person: Any, query: str) -> Callable[[], object]:
    """Return what shows a whole page of ours."""

    def show() -> object:
        response: Any = admin.site.get_model_admin(Part).changelist_view(request_of(person, query))
        assert response.status_code == 200, query
        return response.render()

    return show


def stock(person: Any, query: str) -> Callable[[], object]:
    """Return what reads all that a page of the stock admin shows; without making the page, which costs it no time."""
    model_admin = StockAdmin(Part, admin.site)

    def show() -> object:
        changelist: Any = model_admin.get_changelist_instance(request_of(person, query))
        dates: Any = date_hierarchy(changelist)
        return list(changelist.result_list), list(dates["choices"])

    return show


def test_the_list_of_parts_takes_a_tenth_of_the_stock_admin_and_hardly_grows(db: None, bench: Bench) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    person = make_user(Role.SUPER_ADMIN, is_superuser=True, is_staff=True)
    # Loads the admin classes.
    reverse("admin:index")
    add_parts(range(FEW))
    keep_few()
    begin = time.perf_counter()
    with without_word_indexes(Part):
        add_parts(range(FEW, PARTS))
    bulk.analyze(Part)
    refresh_words(connection)
    Console().print(f"{PARTS:,} parts in {time.perf_counter() - begin:.0f} s")
    broken = []
    for name, (ours, theirs) in PAGES.items():
        (_, small), (in_database, whole) = in_turns(page(person, ours), (FEW_ROWS, MANY_ROWS), 9)
        [(peer, _)] = in_turns(stock(person, theirs.format(last=-(-PARTS // 50))), (MANY_ROWS,), 3)
        for what, value, against, bar in (
            ("in the database, against the stock admin", in_database, peer, A_TENTH),
            (f"the whole page, against {FEW:,} parts", whole, small, AS_GOOD_AS),
        ):
            try:
                bench(name=f"list of {PARTS:,} parts: {name}, {what}", value=value, unit="ms", against=against, bar=bar)
            except pytest.fail.Exception as problem:
                broken.append(str(problem))
    assert broken == []
