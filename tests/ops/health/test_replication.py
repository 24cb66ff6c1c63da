"""A real replica, as the primary sees it and as it sees itself."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from pytest_django import Settings

from config.ops import programs, servers
from config.ops.health.look import Look
from config.ops.health.replication import replication
from config.ops.health.report import Section, State
from config.ops.health.thresholds import DEFAULTS, Threshold
from config.ops.programs import Search
from config.ops.scratch import connected
from tests.config.databases import settings_of
from tests.ops.health.conftest import NOW, rows

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db]


class Pair(NamedTuple):
    primary: str
    replica: str


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder which the account that runs the servers may enter; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="forecourt-replica-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary and a replica that follows it through a slot, which both end with the module."""
    search = Search(environment={})
    with shared_folder() as shared, servers.postgresql(search) as primary:
        folder = shared / "data"
        place = settings_of(primary.url)
        program = programs.find(programs.POSTGRESQL, search).path.with_name("pg_basebackup")
        subprocess.run(
            [program, "--host", str(place["HOST"]), "--username", str(place["USER"]), "--pgdata", folder,
             "--write-recovery-conf", "--create-slot", "--slot", "follower", "--checkpoint", "fast"],
            check=True, capture_output=True,
        )  # fmt: skip
        account = servers.Account.for_servers()
        if account:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, account.uid, account.gid)
        with servers.postgresql(search, data=folder) as replica:
            yield Pair(primary.url, replica.url)


def look(url: str, **thresholds: Threshold) -> Section:
    with connected(url) as connection:
        return replication(
            Look(
                connection=connection,
                thresholds=DEFAULTS | thresholds,
                now=NOW,
                backup_folder=Path(),
                metrics_folder=Path(),
            )
        )


def replicas(url: str) -> list[dict[str, Any]]:
    section = look(url)
    return rows(section, "replicas") if "replicas" in section.tables else []


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_primary_lists_its_replica_with_the_lag(pair: Pair) -> None:
    with psycopg.connect(pair.primary, autocommit=True) as primary:
        primary.execute("CREATE TABLE IF NOT EXISTS followed (n int)")
    # The primary knows how far its replica is only once that has answered.
    until(lambda: [row["behind"] is not None for row in replicas(pair.primary)] == [True])
    section = look(pair.primary)
    (row,) = rows(section, "replicas")
    assert (row["name"], row["address"], row["state"], row["sync"]) == ("walreceiver", "socket", "streaming", "async")
    assert row["behind"] >= 0
    (slot,) = rows(section, "slots")
    assert (slot["slot"], slot["active"]) == ("follower", True)
    assert section.state is State.FINE


def test_the_replica_knows_that_it_is_one_and_how_far_it_is_behind(pair: Pair) -> None:
    section = look(pair.replica)
    assert section.notes == ["This server is a replica itself."]
    until(lambda: look(pair.replica).figures["lag"].value == 0)


def test_a_replica_that_stands_still_falls_behind(pair: Pair) -> None:
    with psycopg.connect(pair.primary, autocommit=True) as primary:
        primary.execute("CREATE TABLE IF NOT EXISTS followed (n int)")
    with psycopg.connect(pair.replica, autocommit=True) as replica:
        until(lambda: replica.execute("SELECT to_regclass('followed')").fetchone() != (None,))
        replica.execute("SELECT pg_wal_replay_pause()")
        try:
            with psycopg.connect(pair.primary, autocommit=True) as primary:
                primary.execute("INSERT INTO followed SELECT generate_series(1, 1000)")
            eager = Threshold(0, 1000, "s")
            until(lambda: look(pair.replica, replication_lag=eager).state is State.WARNING)
            assert look(pair.replica).figures["behind"].value > 0
            (row,) = rows(look(pair.primary), "replicas")
            assert row["behind"] > 0
        finally:
            replica.execute("SELECT pg_wal_replay_resume()")


def test_a_slot_that_nobody_reads_is_a_finding(pair: Pair) -> None:
    with psycopg.connect(pair.primary, autocommit=True) as primary:
        primary.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
        try:
            section = look(pair.primary)
        finally:
            primary.execute("SELECT pg_drop_replication_slot('forgotten')")
    assert section.state is State.WARNING
    assert section.findings[0].text.startswith("Nobody reads the replication slot forgotten, and it keeps ")
    assert "SELECT pg_drop_replication_slot('forgotten')" in section.findings[0].text


def test_replicas_for_reads_are_listed_and_one_that_is_away_is_a_finding(pair: Pair, settings: Settings) -> None:
    away = settings_of("postgresql://forecourt:hush@127.0.0.1:1/stock")
    settings.DATABASE_REPLICAS = [settings_of(pair.replica), away, settings_of(pair.primary)]
    section = look(pair.primary)
    assert [row["state"] for row in rows(section, "read_from")] == [
        *("follows", "it does not answer", "it follows no server")
    ]
    assert section.state is State.WARNING
    assert "replica 127.0.0.1:1/stock of DATABASE_REPLICA_URLS: it does not answer" in section.findings[0].text


class Archiving(NamedTuple):
    url: str
    broken: Path


@pytest.fixture
def archiving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archiving]:
    """A server that archives its WAL with a command that fails while the file `broken` is there."""
    with shared_folder() as shared:
        broken = shared / "broken"
        broken.touch()
        own = (*servers.SHARED_SETTINGS, "archive_mode=on", f"archive_command=test ! -e {broken}")
        monkeypatch.setattr(servers, "SHARED_SETTINGS", own)
        with servers.postgresql(Search(environment={})) as server:
            yield Archiving(server.url, broken)


def test_archiving_that_fails_is_critical_until_it_works_again(archiving: Archiving) -> None:
    with psycopg.connect(archiving.url, autocommit=True) as server:
        server.execute("SELECT pg_switch_wal()")
        until(lambda: look(archiving.url).state is State.CRITICAL)
        assert look(archiving.url).findings[0].text.startswith("WAL is no longer archived: 0000000")
        archiving.broken.unlink()
        # Something new wakes the archiver, which otherwise waits a minute.
        server.execute("CREATE TABLE something_new (n int)")
        server.execute("SELECT pg_switch_wal()")
        until(lambda: look(archiving.url).state is State.FINE)
        assert look(archiving.url).figures["last_archived"].value


def test_without_archiving_it_says_so(pair: Pair) -> None:
    assert look(pair.primary).figures["archive_mode"].value == "off"
