"""What each section reads from a real database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from config.ops.health.indexes import ENOUGH_SCANS
from config.ops.health.profile import end_of_life
from config.ops.health.reads import NAMED_READS
from config.ops.health.report import State
from config.ops.health.thresholds import DEFAULTS, Threshold
from inventory.models import Car
from leads.models import Lead
from tests.builders import make_car, make_lead, make_part
from tests.ops.health.conftest import LookInto, rows
from tests.servers import engine

pytestmark = pytest.mark.django_db

on_postgresql = pytest.mark.postgres_only
on_sqlite = pytest.mark.sqlite_only


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def session() -> Iterator[psycopg.Connection[Any]]:
    """A session beside Django's, on the same database."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters) as own:
        yield own


def test_every_figure_and_table_says_where_it_comes_from(look_into: LookInto) -> None:
    from config.ops.health.run import SECTIONS

    sections = [look_into(name) for name in SECTIONS]
    sources = [figure.source for section in sections for figure in section.figures.values()]
    sources += [table.source for section in sections for table in section.tables.values()]
    assert len(sources) >= 40
    assert all(sources)
    assert [section.name for section in sections] == list(SECTIONS)


@on_postgresql
def test_sessions_are_counted_by_role_and_state(look_into: LookInto) -> None:
    with session() as other:
        other.execute("SELECT 1")
        section = look_into("connections")
    role = connection.settings_dict["USER"]
    states = {row["state"]: row["sessions"] for row in rows(section, "sessions") if row["role"] == role}
    assert states["idle in transaction"] == 1
    assert states["active"] == 1
    assert section.figures["server_limit"].value == 197


@on_postgresql
def test_a_server_that_is_nearly_full_is_a_finding(look_into: LookInto) -> None:
    few = DEFAULTS | {"connections": Threshold(0.1, 0.2, "%")}
    section = look_into("connections", thresholds=few)
    assert section.state is State.CRITICAL
    assert "of the server's 197 connections are taken (above 0.2 %)" in section.findings[0].text


def test_the_size_is_that_of_the_database(look_into: LookInto) -> None:
    found = look_into("size").figures["database"]
    with connection.cursor() as cursor:
        if engine() == "postgres":
            cursor.execute("SELECT pg_database_size(current_database())")
            assert found.value == pytest.approx(cursor.fetchone()[0], rel=0.01)
        else:
            cursor.execute("PRAGMA page_count")
            assert found.value == cursor.fetchone()[0] * 4096
    assert found.unit == "bytes"


@on_sqlite
def test_sqlite_tells_free_pages_the_log_and_on_request_whether_the_file_is_whole(look_into: LookInto) -> None:
    section = look_into("size", integrity=True)
    assert section.figures["write_ahead_log"].unit == "bytes"
    assert section.figures["integrity"].value == "ok"
    assert "integrity" not in look_into("size").figures


def test_tables_come_largest_first_with_their_indexes(look_into: LookInto) -> None:
    for _ in range(3):
        make_part()
    execute("ANALYZE")
    section = look_into("tables", limit=500)
    by_name = {row["table"]: row for row in rows(section, "tables")}
    part = by_name["inventory_part"]
    assert part["total"] == part["data"] + part["indexes"]
    assert part["indexes"] > 0
    totals = [row["total"] for row in rows(section, "tables")]
    assert totals == sorted(totals, reverse=True)
    if engine() == "sqlite":
        assert part["rows"] == 3


def test_a_limit_leaves_rows_out_and_says_how_many(look_into: LookInto) -> None:
    section = look_into("tables", limit=2)
    table = section.tables["tables"]
    assert len(table.rows) == 2
    assert table.left_out == section.figures["tables"].value - 2


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_dead_rows_are_a_finding_where_autovacuum_should_have_been(look_into: LookInto) -> None:
    execute(
        "CREATE TABLE crowded (n int) WITH (autovacuum_enabled = false)",
        "INSERT INTO crowded SELECT generate_series(1, 2000)",
        "DELETE FROM crowded",
        # What a session did reaches the statistics when it is idle, or at once when it is told to.
        "SELECT pg_stat_force_next_flush()"
        if connection.cursor().connection.info.server_version >= 150000
        else "SELECT 1",
    )
    try:
        section = look_into("tables", limit=500)
        dead = {row["table"]: row["dead_rows"] for row in rows(section, "tables")}
        assert dead["crowded"] == 2000
        assert section.state is State.CRITICAL
        # Other tests leave dead rows as well, in the tables of the models.
        (told,) = [finding.text for finding in section.findings if "public.crowded" in finding.text]
        assert "public.crowded has 2,000 dead rows" in told
        assert "run VACUUM (ANALYZE) public.crowded" in told
    finally:
        execute("DROP TABLE crowded")


@on_postgresql
def test_dead_rows_that_autovacuum_may_leave_are_none(look_into: LookInto) -> None:
    execute("CREATE TABLE roomy (n int)", "INSERT INTO roomy SELECT generate_series(1, 100)", "DELETE FROM roomy")
    assert [finding.text for finding in look_into("tables").findings if "public.roomy" in finding.text] == []


@pytest.fixture
def wasteful() -> None:
    """A table with an index that nobody uses, one that repeats another, and one for a rule."""
    execute(
        "CREATE TABLE wasteful (n integer CONSTRAINT wasteful_n_unique UNIQUE, word varchar(50))",
        "CREATE INDEX wasteful_word ON wasteful (word)",
        "CREATE INDEX wasteful_word_again ON wasteful (word)",
        "CREATE INDEX wasteful_word_down ON wasteful (word DESC)",
        "CREATE INDEX wasteful_word_some ON wasteful (word) WHERE n > 5",
        "CREATE INDEX wasteful_n_again ON wasteful (n)",
    )


@pytest.mark.usefixtures("wasteful")
def test_indexes_are_listed_with_their_definitions(look_into: LookInto) -> None:
    found = {row["index"]: row for row in rows(look_into("indexes", limit=500), "indexes")}
    assert found["wasteful_word_down"]["definition"].startswith("CREATE INDEX wasteful_word_down ON ")
    assert found["wasteful_word_down"]["definition"].endswith("(word DESC)")
    assert found["wasteful_word_down"]["size"] > 0
    assert found["wasteful_word_down"]["unique"] is False


@pytest.mark.usefixtures("wasteful")
def test_an_index_that_repeats_another_is_found_and_those_that_differ_are_not(look_into: LookInto) -> None:
    found = {row["index"]: row["same_as"] for row in rows(look_into("indexes", limit=500), "duplicate")}
    ours = {index: same for index, same in found.items() if index.startswith("wasteful")}
    assert ours.pop("wasteful_n_again") == (
        "wasteful_n_unique" if engine() == "postgres" else "sqlite_autoindex_wasteful_1"
    )
    assert ours == {"wasteful_word_again": "wasteful_word"}


def test_our_own_schema_repeats_no_index(look_into: LookInto) -> None:
    assert rows(look_into("indexes", limit=500), "duplicate") == []


@on_postgresql
@pytest.mark.usefixtures("wasteful")
def test_unused_indexes_leave_out_those_that_hold_a_rule_and_primary_keys(look_into: LookInto) -> None:
    section = look_into("indexes", unused=True, limit=1)
    unused = {row["index"] for row in rows(section, "unused")}
    assert {"wasteful_word", "wasteful_word_down"} <= unused
    assert {"wasteful_n_unique", "inventory_part_pkey", "part_public_id_unique"}.isdisjoint(unused)
    assert len(rows(look_into("indexes", limit=1), "unused")) == 1


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_large_unused_index_of_a_busy_table_is_a_finding(look_into: LookInto) -> None:
    flush = "SELECT pg_stat_force_next_flush()"
    if connection.cursor().connection.info.server_version < 150000:
        pytest.skip("PostgreSQL 14 tells its statistics when it likes")
    execute(
        "CREATE TABLE busy (n int PRIMARY KEY, word text)",
        "INSERT INTO busy SELECT n, md5(n::text) FROM generate_series(1, 20000) n",
        "CREATE INDEX busy_word ON busy (word)",
        "SET enable_seqscan = off",
        *["SELECT 1 FROM busy WHERE n = 7"] * (ENOUGH_SCANS + 1),
        "RESET enable_seqscan",
        flush,
    )
    try:
        small = DEFAULTS | {"wasted_index": Threshold(0.01, 0.1, "MB")}
        section = look_into("indexes", thresholds=small)
        texts = [finding.text for finding in section.findings if "busy_word" in finding.text]
        assert len(texts) == 1
        assert "was not used in 1,001 scans of its table: drop it in a migration" in texts[0]
        # The default marks take so small an index for nothing.
        assert look_into("indexes").findings == []
    finally:
        execute("DROP TABLE busy")


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_index_that_is_mostly_air_is_found_and_a_packed_one_is_not(look_into: LookInto) -> None:
    execute(
        "CREATE TABLE airy (n int, word text)",
        "INSERT INTO airy SELECT n, md5(n::text) FROM generate_series(1, 20000) n",
        "CREATE INDEX airy_word ON airy (word)",
        "CREATE INDEX airy_lower ON airy (upper(word))",
        "ANALYZE airy",
    )
    try:
        assert [row for row in rows(look_into("indexes"), "bloated") if row["table"] == "airy"] == []
        execute("DELETE FROM airy WHERE n % 10 <> 0")
        # Vacuum takes rows out of the pages and leaves the pages.
        execute("VACUUM ANALYZE airy")
        found = {row["index"]: row["air_share"] for row in rows(look_into("indexes"), "bloated")}
        assert found["airy_word"] > 80
        assert found["airy_lower"] > 80
        execute("REINDEX TABLE airy", "ANALYZE airy")
        assert "airy_word" not in {row["index"] for row in rows(look_into("indexes"), "bloated")}
    finally:
        execute("DROP TABLE airy")


@on_postgresql
def test_without_the_extension_one_learns_how_to_get_it(look_into: LookInto) -> None:
    section = look_into("queries")
    assert section.not_set_up
    (way,) = section.missing
    assert "add pg_stat_statements to shared_preload_libraries in postgresql.conf and restart the server" in way
    assert "run CREATE EXTENSION pg_stat_statements in this database" in way


@on_sqlite
def test_sqlite_points_to_the_log_of_slow_statements(look_into: LookInto) -> None:
    assert "those that take longer than SLOW_QUERY_MS" in look_into("queries").missing[0]


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_who_waits_and_who_holds_the_lock_are_named(look_into: LookInto) -> None:
    lead = make_lead()
    with session() as holder, session() as waiter:
        held, waiting = holder.info.backend_pid, waiter.info.backend_pid
        holder.execute("UPDATE leads_lead SET name = 'held' WHERE id = %s", [lead.pk])
        wait = threading.Thread(
            target=lambda: waiter.execute("UPDATE leads_lead SET name = 'secret' WHERE id = %s", [lead.pk])
        )
        wait.start()
        eager = DEFAULTS | {"lock_wait": Threshold(0, 1000, "s"), "transaction": Threshold(0, 1000, "s")}
        deadline = time.monotonic() + 20
        while not rows(section := look_into("locks", thresholds=eager), "waiting"):
            assert time.monotonic() < deadline
        holder.rollback()
        wait.join()
    (row,) = rows(section, "waiting")
    assert (row["pid"], row["blocker"]) == (waiting, held)
    assert row["blocker_state"] == "idle in transaction"
    assert "secret" not in str(section.tables)
    texts = " ".join(finding.text for finding in section.findings)
    assert f"SELECT pg_terminate_backend({held})" in texts
    assert f"Session {held} (idle in transaction) has kept a transaction open" in texts
    assert Lead.objects.get().name != "held"


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_writer_at_work_is_seen_without_waiting_for_it(look_into: LookInto) -> None:
    import sqlite3

    assert look_into("locks").figures["writer_active"].value is False
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert look_into("locks").figures["writer_active"].value is True
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def test_the_cache_server_is_measured_and_our_keys_are_counted_by_family(look_into: LookInto) -> None:
    from django.core.cache import cache

    cache.set_many({"car:1": 1, "car:2": 1, "search:volvo": 1})
    cache.get("car:1")
    section = look_into("cache")
    assert {row["family"]: row["keys"] for row in rows(section, "families")} == {"car": 2, "search": 1}
    assert section.figures["keys"].value == 3
    assert section.figures["memory"].value > 0
    assert section.figures["hits"].value >= 1
    assert {"misses", "hit_rate", "evicted"} <= section.figures.keys()


def test_a_cache_server_that_is_away_is_a_warning_and_no_error(look_into: LookInto) -> None:

    nowhere = settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    with override_settings(CACHES={"default": nowhere}, REDIS_URL="redis://127.0.0.1:1/0"):
        section = look_into("cache")
    assert section.state is State.WARNING
    assert "The cache server of REDIS_URL does not answer" in section.findings[0].text


def test_without_a_cache_server_one_learns_how_to_get_one(look_into: LookInto) -> None:
    with override_settings(REDIS_URL=""):
        section = look_into("cache")
    assert section.missing == ["Each process caches in its own memory, which nobody else sees: set REDIS_URL."]


@on_postgresql
def test_the_share_of_blocks_found_in_memory_is_the_databases_own(look_into: LookInto) -> None:
    rate = look_into("cache").figures["buffer_hits"]
    assert 0 < rate.value <= 100
    assert rate.source == "pg_stat_database: blks_hit / (blks_hit + blks_read)"


def test_without_replicas_there_is_no_replica(look_into: LookInto) -> None:
    section = look_into("replication")
    assert section.notes[0].startswith("No replica")
    assert section.state is State.FINE


@on_postgresql
def test_the_rule_of_thumb_for_pools_is_twice_the_cores_and_the_disks(look_into: LookInto) -> None:
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    assert look_into("pool").figures["rule"].value == 2 * cores + 1


def test_applied_migrations_are_counted(look_into: LookInto) -> None:
    section = look_into("migrations")
    assert section.figures["pending"].value == 0
    assert section.figures["applied"].value > 15


def test_a_pending_migration_is_critical_unless_the_server_may_start_with_one(look_into: LookInto) -> None:
    execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    section = look_into("migrations")
    assert (section.state, section.findings[0].text) == (
        State.CRITICAL,
        "1 migrations are pending, the first is sessions.0001_initial: run `manage.py migrate`.",
    )
    with override_settings(START_WITH_PENDING_MIGRATIONS=True):
        assert look_into("migrations").state is State.WARNING


def test_each_folder_that_fills_is_measured(look_into: LookInto, tmp_path: Path) -> None:
    section = look_into("disk")
    holds = {row["purpose"]: row for row in rows(section, "folders")}
    assert {"data", "backups", "pictures and files"} == holds.keys()
    assert holds["backups"]["folder"] == str(tmp_path / "backups")
    assert 0 < holds["backups"]["free"] < holds["backups"]["size"]


def test_a_disk_that_fills_is_found_once_however_many_folders_are_on_it(look_into: LookInto) -> None:
    small = DEFAULTS | {"disk": Threshold(0, 100, "%")}
    section = look_into("disk", thresholds=small)
    assert section.state is State.WARNING
    devices = {Path(settings.BASE_DIR).stat().st_dev, Path("/tmp").stat().st_dev}  # noqa: S108
    assert len(section.findings) <= len(devices) + 1
    assert "% full (above 0 %)" in section.findings[0].text


def test_the_machine_tells_load_and_memory(look_into: LookInto) -> None:
    figures = look_into("machine").figures
    assert figures["processors"].value >= 1
    assert 0 < figures["memory_available"].value < figures["memory"].value


@pytest.mark.parametrize(
    ("major", "last_day"),
    [(13, date(2025, 11, 13)), (14, date(2026, 11, 12)), (15, date(2027, 11, 11)), (18, date(2030, 11, 14))],
)
def test_a_version_is_supported_until_the_second_thursday_of_november_five_years_on(major: int, last_day: date) -> None:
    assert end_of_life(major) == last_day


@on_postgresql
def test_a_server_without_security_updates_is_found(look_into: LookInto) -> None:
    end = end_of_life(connection.get_database_version()[0])
    last_day, too_late = (datetime(*(end + timedelta(days)).timetuple()[:3], tzinfo=UTC) for days in (0, 1))
    warning = f"PostgreSQL {connection.get_database_version()[0]} gets no security updates since {end}"
    for now, found in ((last_day, False), (too_late, True)):
        assert any(warning in finding.text for finding in look_into("settings", now=now).findings) is found


def test_settings_stand_beside_the_recommended_ones(look_into: LookInto) -> None:
    found = {row["setting"]: row for row in rows(look_into("settings"), "profile")}
    if engine() == "sqlite":
        assert found["journal_mode"]["verdict"] == "as recommended"
        assert found["foreign_keys"]["verdict"] == "as recommended"
        return
    recommended = {name: row["recommended"] for name, row in found.items()}
    assert recommended == {
        "max_connections": "100",
        "shared_buffers": "256 MB",
        "effective_cache_size": "1024 MB",
        "work_mem": "16 MB",
        "maintenance_work_mem": "64 MB",
    }
    assert (found["shared_buffers"]["actual"], found["shared_buffers"]["verdict"]) == ("128 MB", "less")
    assert (found["max_connections"]["actual"], found["max_connections"]["verdict"]) == ("200", "more")


@on_postgresql
def test_settings_that_lose_data_are_findings(look_into: LookInto) -> None:
    # The servers of tests trade safety for speed.
    texts = [finding.text for finding in look_into("settings").findings]
    assert texts[0] == "fsync is off: a power cut destroys the database. Set fsync = on."


@on_postgresql
def test_columns_tell_what_the_planner_knows_and_no_value_of_a_row(look_into: LookInto) -> None:
    for _ in range(5):
        make_lead(name="Pekka Example", email="pekka@example.org")
    execute("ANALYZE leads_lead")
    section = look_into("columns", limit=1000)
    email = next(row for row in rows(section, "columns") if (row["table"], row["column"]) == ("leads_lead", "email"))
    # One of five rows, as a share.
    assert email["distinct_values"] == pytest.approx(-0.2)
    assert email["null_share"] == 0
    assert "pekka" not in str(section).lower()


@on_sqlite
@pytest.mark.parametrize("before", [[], ["ANALYZE leads_lead"]], ids=["never", "of an empty table"])
def test_sqlite_asks_for_analyze_before_it_tells_of_columns(look_into: LookInto, before: list[str]) -> None:
    execute(*before)
    assert look_into("columns").missing == ["There are no statistics yet: run ANALYZE."]


def test_the_plan_of_every_list_is_told_and_one_in_full(look_into: LookInto) -> None:
    section = look_into("plans")
    found = {row["list"]: row for row in rows(section, "plans")}
    assert {"inventory.part", "leads.lead", "accounts.user"} <= found.keys()
    assert "lines" not in section.tables
    one = look_into("plans", explain="inventory.part")
    assert [row["list"] for row in rows(one, "plans")] == ["inventory.part"]
    plan = "\n".join(row["line"] for row in rows(one, "lines"))
    assert "inventory_part" in plan
    assert "Limit" in plan if engine() == "postgres" else "SEARCH" in plan


def test_every_read_of_the_marketplace_is_told_with_what_it_took(look_into: LookInto) -> None:
    car = make_car(slug="octavia")
    found = {row["read"]: row for row in rows(look_into("plans"), "reads")}
    assert found.keys() == NAMED_READS.keys()
    assert all(row["time"] > 0 for row in found.values())
    # The page and its number; SQLite is asked for the keys of the page first.
    assert found["cars.numbered-page"]["statements"] == (2 if engine() == "postgres" else 3)
    one = look_into("plans", explain="car.by-slug")
    assert [row["read"] for row in rows(one, "reads")] == ["car.by-slug"]
    plan = "\n".join(row["line"] for row in rows(one, "lines"))
    assert f"'{car.slug}'" in plan if engine() == "postgres" else "SEARCH inventory_car" in plan
    assert "plans" not in one.tables


@on_postgresql
def test_a_read_that_writes_is_given_up_and_told(look_into: LookInto, monkeypatch: pytest.MonkeyPatch) -> None:
    car = make_car()
    monkeypatch.setitem(NAMED_READS, "car.by-id", lambda usual: Car.objects.filter(pk=car.pk).update(color="red"))
    section = look_into("plans", explain="car.by-id")
    assert rows(section, "reads")[0]["time"] is None
    assert any("read-only transaction" in note for note in section.notes)


@on_postgresql
def test_a_list_that_reads_its_table_as_a_whole_is_told(look_into: LookInto) -> None:
    execute("SET LOCAL enable_indexscan = off", "SET LOCAL enable_bitmapscan = off")
    found = {row["list"]: row for row in rows(look_into("plans"), "plans")}
    assert "auth_group" in found["auth.group"]["whole"]
    assert found["auth.group"]["cost"] > 0
