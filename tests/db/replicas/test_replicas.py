"""A real primary and a real standby, stalled, killed and restarted under load: who asks the site is answered."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from django.db import router, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import RequestFactory
from pytest_django import DjangoDbBlocker, Settings

from accounts.models import User
from config.cache import cached, families
from config.database_url import url_of
from config.db.replicas import nodes
from config.db.replicas.reads import ReadYourWritesMiddleware
from config.ops import programs, servers
from config.ops.programs import Search
from config.ops.scratch import connected
from inventory.models import Car
from tests.builders import PASSWORD
from tests.config.databases import settings_of
from tests.db.replicas.cluster import STOCK, Browser, Server, basebackup, initdb, load, server, site, until
from tests.docs.pages import type_commands
from tests.own_database import copy_database

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db]

EMAIL = "staff@example.org"
LANGUAGES = "/admin/accounts/language/"
# A cookie that leads to the primary for as long as the tests run.
WROTE = {"forecourt_wrote": str(int(time.time()) + 3600)}


class Site(NamedTuple):
    primary: Server
    standby: Server
    port: int

    @property
    def variables(self) -> dict[str, str]:
        return variables(self.primary, self.standby)


def variables(primary: Server, standby: Server) -> dict[str, str]:
    """Return what makes the site read from the standby."""
    return {
        "DATABASE_URL": f"{primary.url}?application_name=site&connection_limit=6&pool_timeout=10",
        "DATABASE_REPLICA_URLS": f"{standby.url}?application_name=site,postgresql://nobody@127.0.0.1:1/nothing",
        "REPLICA_MAX_LAG": "2",
    }


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, pattern: str, database_url: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    """The site with a car and somebody who may change things, reading from a standby."""
    binaries = programs.find(programs.POSTGRESQL, Search(environment={})).path.parent
    with server(binaries) as primary, server(binaries) as standby:
        primary.start([initdb(primary)])
        fill(primary, pattern, database_url)
        with django_db_blocker.unblock(), connected(primary.url) as connection:
            User.objects.db_manager(connection.alias).create_superuser(EMAIL, PASSWORD)
            car = Car(
                make="Skoda", model="Octavia", slug="octavia", year=2018, price=9000, segment="FAMILY", mileage_km=9
            )
            car.save(using=connection.alias)
        standby.start([basebackup(primary, standby)])
        folder = tmp_path_factory.mktemp("site")
        with site(folder, METRICS_ALLOWED_NETWORKS="127.0.0.1", **variables(primary, standby)) as port:
            yield Site(primary, standby, port)


def fill(primary: Server, pattern: str, database_url: str) -> None:
    """Give the primary the tables of a migrated database."""
    source = url_of(settings_of(database_url), name=f"primary_{os.getpid()}")
    # The pattern itself must be free for others to copy.
    copy_database(str(settings_of(pattern)["NAME"]), str(settings_of(source)["NAME"]), database_url)
    dump = subprocess.run([primary.programs / "pg_dump", source], check=True, capture_output=True)
    subprocess.run([primary.programs / "psql", "-q", primary.url], input=dump.stdout, check=True, capture_output=True)
    with psycopg.connect(database_url, autocommit=True) as session:
        session.execute(f"DROP DATABASE primary_{os.getpid()}")


@pytest.fixture
def both(running: Site) -> Site:
    """The site once it reads from the standby."""
    reads_move(running, running.standby)
    return running


def reads_move(running: Site, to: Server) -> None:
    """Ask for cars until a server is asked."""
    before = to.asked_for_stock()

    def is_asked() -> bool:
        assert Browser(running.port).get(STOCK).status == 200
        return bool(to.asked_for_stock() != before)

    until(is_asked)


@pytest.fixture
def staff(both: Site) -> Browser:
    """Somebody who has just signed in."""
    browser = Browser(both.port)
    browser.get("/admin/login/")
    answer = browser.post("/admin/login/", username=EMAIL, password=PASSWORD, next="/admin/")
    assert answer.status == 302
    return browser


def test_readers_ask_the_standby_alone(both: Site) -> None:
    def ask_the_standby_alone() -> bool:
        before = both.primary.asked_for_stock(), both.standby.asked_for_stock()
        assert {Browser(both.port).get(STOCK).status for _ in range(10)} == {200}
        assert both.standby.asked_for_stock() != before[1]
        return bool(both.primary.asked_for_stock() == before[0])

    # Where the processors are busy, a look may come late, and then the primary is asked.
    until(ask_the_standby_alone)
    figure = f'forecourt_replica_up{{replica="{both.standby.folder}:5432/postgres"}}'
    assert f"{figure} 1.0\n" in Browser(both.port).get("/metrics").body


def test_who_wrote_sees_it_at_once_though_the_standby_stands_still(both: Site, staff: Browser) -> None:
    both.standby.ask("SELECT pg_wal_replay_pause()")
    try:
        staff.get(f"{LANGUAGES}add/")
        saved = staff.post(f"{LANGUAGES}add/", code="xx", name="Written a moment ago", direction="ltr", is_active="on")
        assert (saved.status, saved.headers["Location"]) == (302, LANGUAGES)
        assert re.fullmatch(r"\d+", saved.cookies["forecourt_wrote"])
        # The first page also brings the message that it was saved.
        assert staff.get(LANGUAGES).status == 200
        assert "Written a moment ago" in staff.get(LANGUAGES).body
        assert both.standby.ask("SELECT count(*) FROM accounts_language WHERE code = 'xx'") == 0
    finally:
        both.standby.ask("SELECT pg_wal_replay_resume()")


@pytest.fixture
def node(running: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[nodes.Node]:
    """The standby as this process sees it, which is the only replica here."""
    settings.DATABASE_REPLICAS = [settings_of(running.standby.url)]
    settings.DATABASE_ROUTERS = ["config.db.replicas.router.ReplicaRouter"]
    settings.CACHE_READS = True
    found = nodes.Node(1, settings.DATABASE_REPLICAS[0], settings_of(running.primary.url))
    monkeypatch.setattr(nodes, "_replicas", [found])
    until(found.is_fit)
    yield found
    found.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("node")
def test_a_request_that_writes_locks_or_is_in_a_transaction_reads_the_primary() -> None:
    def page(request: HttpRequest) -> HttpResponse:
        read = [router.db_for_read(Car), router.db_for_read(User), cached(families.CARS_LIST, 1, of_cars)]
        with transaction.atomic():
            read.append(router.db_for_read(Car))
        read += [Car.objects.all().db, Car.objects.select_for_update().db, router.db_for_read(Car)]
        return JsonResponse(read, safe=False)

    def of_cars() -> str:
        return router.db_for_read(Car)

    ask = ReadYourWritesMiddleware(page)
    replica, primary = "replica", "default"
    read = json.loads(ask(RequestFactory().get("/")).content)  # type: ignore[attr-defined]
    assert read == [replica, primary, primary, primary, replica, primary, primary]
    assert set(json.loads(ask(RequestFactory().post("/")).content)) == {primary}  # type: ignore[attr-defined]
    assert router.db_for_read(Car) == primary


def test_a_standby_that_falls_behind_is_left_out_until_it_has_caught_up(both: Site) -> None:
    both.standby.ask("SELECT pg_wal_replay_pause()")
    try:
        both.primary.ask("UPDATE inventory_car SET mileage_km = mileage_km + 1")
        reads_move(both, to=both.primary)
    finally:
        both.standby.ask("SELECT pg_wal_replay_resume()")
    reads_move(both, to=both.standby)


def test_a_standby_killed_under_load_costs_no_request(both: Site) -> None:
    with load(both.port, STOCK, STOCK, "/api/v1/parts") as answers:
        both.standby.kill()
        asked = len(answers)
        until(lambda: len(answers) > asked + 30)
    assert {answer.status for answer in answers} == {200}
    both.standby.start()
    reads_move(both, to=both.standby)


def test_a_standby_that_freezes_under_load_costs_no_request(both: Site) -> None:
    with load(both.port, STOCK, STOCK, "/api/v1/parts") as answers, both.standby.frozen():
        asked = len(answers)
        until(lambda: len(answers) > asked + 30)
    assert {answer.status for answer in answers} == {200}
    reads_move(both, to=both.standby)


def test_a_primary_restarted_under_load_is_missed_only_while_it_is_down(both: Site) -> None:
    with (
        load(both.port, STOCK, STOCK, "/api/v1/parts", cookies=WROTE) as answers,
        load(both.port, STOCK) as answers_of_the_standby,
    ):
        both.primary.stop()
        asked = len(answers)
        both.primary.start()
        back_at = time.monotonic()
        until(lambda: len(answers) > asked + 30)
    failed = [answer for answer in answers if answer.status != 200]
    assert {answer.status for answer in failed} <= {503}
    assert all(answer.headers["Retry-After"] == "5" for answer in failed)
    assert all(answer.asked_at < back_at for answer in failed)
    assert {answer.status for answer in answers_of_the_standby} == {200}
    reads_move(both, to=both.standby)


def test_a_cache_killed_under_load_costs_no_request(
    both: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)
    with servers.valkey() as cache:
        cached = {"DATABASE_URL": both.primary.url, "REDIS_URL": cache.url, "CACHE_READS": "true"}
        with site(tmp_path, **cached) as port, load(port, STOCK, STOCK, "/api/v1/parts") as answers:
            assert cache.keeper is not None
            cache.keeper.kill()
            cache.keeper.wait()
            asked = len(answers)
            until(lambda: len(answers) > asked + 30)
        assert {answer.status for answer in answers} == {200}


def test_a_query_that_its_standby_breaks_off_is_answered_by_the_primary(both: Site) -> None:
    with psycopg.connect(both.standby.url, autocommit=True) as session, load(both.port, STOCK) as answers:
        asked = len(answers)
        while len(answers) < asked + 30:
            session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'site'")
    assert {answer.status for answer in answers} == {200}


def test_every_command_of_the_guide_does_what_it_should(both: Site, tmp_path: Path) -> None:
    environment = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    environment |= {"ENV_FILE": os.devnull} | both.variables
    (told,) = type_commands("replicas.md", folder=tmp_path, environment=environment)
    assert re.search(rf"{both.standby.folder}:5432/postgres +follows", told)
