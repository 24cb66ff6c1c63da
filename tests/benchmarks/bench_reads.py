"""Every kind of read against SQL written by hand for the same answer, the plain ORM, and a bare look-up in the cache.

All on one durable server and the rows of `tests.benchmarks.marketplace`. Ours and the peer are asked in turn, so that
whatever else the machine does slows both; both answers are compared first.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any

import psycopg
import pytest
import redis
from django.core.cache import caches
from django.db import connection, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rich.console import Console
from rich.table import Table

from analytics.models import Event
from config.cache import counts
from config.pages import Page, Wanted
from inventory.models import Car
from inventory.queries import (
    CarFilters,
    car_by_slug,
    car_list,
    part_list,
)
from inventory.services import release_car, reserve_car
from leads.models import Lead
from tests.benchmarks import floor
from tests.benchmarks.conftest import Bench
from tests.benchmarks.marketplace import PARTS
from tests.benchmarks.questions import BY_CURSOR, DEEP, Case, cases
from tests.builders import NOON

CACHED, DEPTH = 3.0, 1.3
TIMES, SECONDS = 200, 3.0
DEEPEST, SHORT_PAGE = min(50_000, PARTS // 20), 10
REQUESTS, VISITED, LISTS, MOST_MISSES = 20_000, 1000, 0.3, 20.0

pytestmark = pytest.mark.usefixtures("marketplace")


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of many calls, ours and the peer's."""

    ours: list[float]
    theirs: list[float]

    @property
    def p50(self) -> tuple[float, float]:
        return statistics.median(self.ours), statistics.median(self.theirs)

    @property
    def p95(self) -> tuple[float, float]:
        return statistics.quantiles(self.ours, n=20)[-1], statistics.quantiles(self.theirs, n=20)[-1]


def in_turn(ours: Callable[[], Any], theirs: Callable[[], Any]) -> Times:
    """Measure two calls in turn, after some that warm up, often enough and no longer than some seconds."""
    for _ in range(6):
        ours()
        theirs()
    times: Times = Times([], [])
    until = time.perf_counter() + SECONDS
    while len(times.ours) < TIMES and (time.perf_counter() < until or len(times.ours) < 5):
        for call, taken in ((ours, times.ours), (theirs, times.theirs)):
            begin = time.perf_counter()
            call()
            taken.append((time.perf_counter() - begin) * 1000)
    return times


@pytest.fixture
def by_hand(marketplace: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as psycopg makes it."""
    with psycopg.connect(marketplace, autocommit=True) as opened:
        opened.execute("SET TIME ZONE 'UTC'")
        yield opened


class Report:
    """Records figures, prints what stands around them, and tells at the end which bars were broken."""

    def __init__(self, bench: Bench, title: str) -> None:
        self.bench = bench
        self.broken: list[str] = []
        columns = ("read", "p50 ms", "p95", "peer p50", "p95", "ratio", "bar", "queries", "rows read")
        self.table = Table(*columns, title=title)

    def add(self, name: str, times: Times, bar: float, *, queries: int = 0, rows: int = 0) -> None:
        (ours, theirs), (slow, slow_peer) = times.p50, times.p95
        figures = (ours, slow, theirs, slow_peer, ours / theirs)
        self.table.add_row(name, *(f"{each:.2f}" for each in figures), f"{bar:g}", str(queries), f"{rows:,}")
        details = {"p95": slow, "p95_against": slow_peer, "queries": queries, "rows_read": rows}
        try:
            self.bench(name=name, value=ours, unit="ms", against=theirs, bar=bar, details=details)
        except pytest.fail.Exception as problem:
            self.broken.append(str(problem))

    def close(self) -> None:
        Console(width=140).print(self.table)
        assert self.broken == []


def test_reads_cost_little_more_than_sql_written_by_hand(
    by_hand: psycopg.Connection[Any], bench: Bench, settings: Settings
) -> None:
    settings.CACHE_READS = False
    report = Report(bench, "Uncached, against SQL written by hand")
    for case in cases():

        def peer(case: Case = case) -> list[Any]:
            return case.by_hand(by_hand)

        same_answer(case, peer())
        queries, rows = effort(case.ask)
        report.add(case.name, in_turn(case.ask, peer), case.bar, queries=queries, rows=rows)
    report.close()


def same_answer(case: Case, theirs: list[Any]) -> None:
    ours = case.ask()
    if isinstance(ours, Page):
        ours = [ours.items, ours.total]
    assert list(floor.leaves(ours)) == list(floor.leaves(theirs)), case.name


def effort(ask: Callable[[], Any]) -> tuple[int, int]:
    """Return how many statements a read sends, and how many rows of tables the server reads for them."""
    with transaction.atomic():
        before = rows_read()
        with CaptureQueriesContext(connection) as queries:
            ask()
        return len(queries), rows_read() - before


def rows_read() -> int:
    """Return how many rows this session has read that the server has not added to its statistics yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
        )
        return int(cursor.fetchone()[0] or 0)


def test_reads_are_faster_than_the_plain_orm(bench: Bench, settings: Settings) -> None:
    settings.CACHE_READS = False
    report = Report(bench, "Uncached, against the plain ORM")
    filters = CarFilters(make="skoda", price_min=Decimal(5000), price_max=Decimal(20_000))
    narrow = usual_cars().filter(make__iexact="skoda", price__range=(5000, 20_000)).order_by("price", "id")
    deep = slice((DEEP - 1) * 20, DEEP * 20)
    pairs: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
        ("cars, newest", lambda: car_list(now=NOON, wanted=BY_CURSOR), lambda: list(usual_cars()[:20])),
        (
            "cars of a make and price",
            lambda: car_list(filters, now=NOON, sort="price", wanted=BY_CURSOR),
            lambda: list(narrow.all()[:20]),
        ),
        ("cars, deep page", lambda: car_list(now=NOON, wanted=Wanted(page=DEEP)), lambda: list(usual_cars()[deep])),
        ("a car by slug", lambda: car_by_slug("car-77", now=NOON), lambda: usual_cars().get(slug="car-77")),
    ]
    for name, ours, usual in pairs:
        report.add(f"{name}, against the ORM", in_turn(ours, usual), 1.0, queries=effort(ours)[0])
    report.close()


def usual_cars() -> QuerySet[Car]:
    """Return cars with relations and counts as a Django project usually asks for them."""

    def number(rows: QuerySet[Any]) -> Coalesce:
        counted = rows.filter(car=OuterRef("pk")).order_by().values("car").annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(counted), 0)

    related = Car.objects.public(now=NOON).select_related("seller")
    related = related.prefetch_related("images", "features", "specifications")
    return related.annotate(views=number(Event.objects.all()), requests=number(Lead.objects.all()))


def test_a_page_costs_the_same_at_any_depth(bench: Bench, settings: Settings) -> None:
    settings.CACHE_READS = False
    first = Wanted(cursor="", page_size=SHORT_PAGE)
    deepest = Wanted(cursor=part_list(wanted=Wanted(page=DEEPEST - 1, page_size=SHORT_PAGE)).next, page_size=SHORT_PAGE)
    assert deepest.cursor
    report = Report(bench, "By cursor")
    times = in_turn(lambda: part_list(wanted=deepest), lambda: part_list(wanted=first))
    report.add(f"parts, page {DEEPEST:,} by cursor, against the first", times, DEPTH)
    report.close()


def test_cached_reads_cost_little_more_than_a_look_up_of_the_same_bytes(bench: Bench, settings: Settings) -> None:
    settings.CACHE_READS = True
    report = Report(bench, "Cached, against a bare GET of the same bytes")
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as server:
        for case in filter(attrgetter("is_kept"), cases()):
            caches["default"].clear()
            case.ask()
            kept = [key for key in server.scan_iter() if b":generation:" not in key and not key.endswith(b":lookups")]
            assert len(kept) == 1, (case.name, kept)
            with CaptureQueriesContext(connection) as queries:
                case.ask()
            assert len(queries) == 0, case.name
            times = in_turn(case.ask, lambda key=kept[0]: server.get(key))  # type: ignore[misc]
            report.add(f"{case.name}, cached", times, CACHED)
    report.close()


def test_most_reads_hit_and_none_is_stale(bench: Bench, settings: Settings) -> None:
    """Of ten requests seven read a car, three a list, few of them often; before one in a hundred a car changes."""
    settings.CACHE_READS = True
    caches["default"].clear()
    dice = random.Random(5)
    cars = list(Car.objects.public(now=NOON).order_by("id")[:VISITED])
    popular = dice.choices(cars, weights=[1 / rank for rank in range(1, len(cars) + 1)], k=REQUESTS)
    taken: set[str] = set()
    stale = 0
    for request, car in enumerate(popular):
        if request % 100 == 99:
            change = release_car if car.public_id in taken else reserve_car
            change(car=Car.objects.get(pk=car.pk))
            taken ^= {car.public_id}
        if dice.random() < LISTS:
            found = car_list(CarFilters(make=car.make), now=NOON, sort="oldest", wanted=BY_CURSOR)
            stale += not taken.isdisjoint(card.public_id for card in found.items)
        else:
            stale += (car_by_slug(car.slug, now=NOON) is None) != (car.public_id in taken)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as server:
        rate = counts.together(counts.lookups(server)).rate
    for car in Car.objects.filter(public_id__in=taken):
        release_car(car=car)
    assert stale == 0
    bench(name="reads that the cache did not have", value=100 - rate, unit="%", against=MOST_MISSES, bar=1.0)
