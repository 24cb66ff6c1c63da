"""Statistics, vacuum and indexes; the report; the periods; and what is wrong usage."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection, connections
from django.utils import timezone

from accounts.models import OneTimeToken
from config.ops.health.report import State
from config.ops.maintenance.periods import PERIODS, log_section
from config.ops.maintenance.report import DEAD_ROWS, INDEX_SIZES, grade
from leads.models import NewsletterSubscriber
from tests.ops.maintenance.running import rows_of, run

committed = pytest.mark.django_db(transaction=True)
postgres = pytest.mark.postgres_only
sqlite = pytest.mark.sqlite_only
TABLE = "leads_newslettersubscriber"


def subscribers(count: int) -> None:
    NewsletterSubscriber.objects.bulk_create(NewsletterSubscriber(email=f"{i}@example.org") for i in range(count))


def value(sql: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


@committed
class TestAnalyze:
    def test_the_planner_knows_what_is_there(self) -> None:
        subscribers(300)
        assert rows_of("analyze", "--table", TABLE) == 1
        if connection.vendor == "postgresql":
            assert value("SELECT reltuples FROM pg_class WHERE relname = %s", TABLE) == 300
        else:
            assert value("SELECT max(stat) FROM sqlite_stat1 WHERE tbl = %s", TABLE).startswith("300 ")

    def test_all_tables(self) -> None:
        assert rows_of("analyze") > 30

    def test_a_table_that_is_not_there_is_refused_with_the_one_that_may_be_meant(self) -> None:
        done = run("--only", "analyze", "--table", "leads_newslettersubscribers")
        assert (done.code, done.output) == (
            1,
            "analyze: failed: There is no table leads_newslettersubscribers: is it leads_newslettersubscriber?\n",
        )


@committed
class TestVacuum:
    # Whether dead rows really go also depends on what others look at, such as autovacuum itself.
    @postgres
    def test_the_server_notes_the_vacuum_and_the_statistics(self) -> None:
        subscribers(500)
        NewsletterSubscriber.objects.all().delete()
        assert rows_of("vacuum", "--table", TABLE) == 1
        seen = "SELECT last_vacuum IS NOT NULL AND last_analyze IS NOT NULL FROM pg_stat_user_tables WHERE relname = %s"
        assert value(seen, TABLE)

    @postgres
    def test_full_writes_the_table_anew(self) -> None:
        subscribers(3)
        file = "SELECT relfilenode FROM pg_class WHERE relname = %s"
        before = value(file, TABLE)
        assert rows_of("vacuum", "--table", TABLE) == 1
        assert value(file, TABLE) == before
        assert rows_of("vacuum", "--table", TABLE, "--full", "--yes") == 1
        assert value(file, TABLE) != before

    @sqlite
    def test_the_file_shrinks(self) -> None:
        subscribers(5000)
        NewsletterSubscriber.objects.all().delete()
        assert value("PRAGMA freelist_count") > 0
        assert rows_of("vacuum") > 30
        assert value("PRAGMA freelist_count") == 0

    @sqlite
    def test_one_table_is_refused(self) -> None:
        assert "not one table: leave out --table" in run("--only", "vacuum", "--table", TABLE).output

    def test_full_warns_and_does_nothing_where_nobody_can_be_asked(self) -> None:
        with pytest.raises(CommandError, match=r"even for those who read it, .* say --yes"):
            run("--only", "vacuum", "--full")

    def test_a_preview_asks_nobody_and_counts(self) -> None:
        assert rows_of("vacuum", "--full", "--dry-run") > 30


@committed
class TestReindex:
    @postgres
    def test_an_index_is_built_anew_while_it_can_be_used(self) -> None:
        name = value("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass LIMIT 1", TABLE)
        before = value("SELECT relfilenode FROM pg_class WHERE relname = %s", name)
        assert rows_of("reindex", "--index", name) == 1
        assert value("SELECT relfilenode FROM pg_class WHERE relname = %s", name) != before

    @postgres
    def test_what_could_not_be_built_leaves_nothing_behind(self) -> None:
        subscribers(2)
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE twice (n int); INSERT INTO twice VALUES (1), (1); CREATE INDEX twice_n ON twice (n)"
            )
            # A unique index over rows that are not unique, as a changed collation leaves one.
            cursor.execute("UPDATE pg_index SET indisunique = true WHERE indexrelid = 'twice_n'::regclass")
        try:
            done = run("--only", "reindex", "--index", "twice_n")
            assert done.code == 1
            assert "The index twice_n could not be built anew" in done.output
            assert value("SELECT count(*) FROM pg_class WHERE relname LIKE 'twice_n\\_ccnew%%'") == 0
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE twice")

    def test_the_indexes_of_a_table(self) -> None:
        assert rows_of("reindex", "--table", TABLE) >= 2

    def test_an_index_that_is_not_there_is_refused(self) -> None:
        assert (
            "There is no index nothing_like_it; dbhealth lists them."
            in run("--only", "reindex", "--index", "nothing_like_it").output
        )


@pytest.mark.parametrize(
    ("number", "marks", "word"),
    [
        (1001, DEAD_ROWS, "high"), (1000, DEAD_ROWS, "medium"), (101, DEAD_ROWS, "medium"), (100, DEAD_ROWS, "low"),
        ((10 << 20) + 1, INDEX_SIZES, "large"), (10 << 20, INDEX_SIZES, "medium"), (1 << 20, INDEX_SIZES, "low"),
    ],
)  # fmt: skip
def test_a_figure_on_a_mark_belongs_to_the_better_class(number: int, marks: Any, word: str) -> None:
    assert grade(number, marks, "low") == word


@committed
class TestReport:
    def test_a_file_with_its_date_and_everything_in_it(self, tmp_path: Path) -> None:
        done = run("--report", str(tmp_path / "reports"))
        (path,) = (tmp_path / "reports").iterdir()
        assert done.output == f"{path}\n"
        assert path.name.startswith("maintenance_")
        assert f"_{timezone.now():%Y%m%d}_" in path.name
        text = path.read_text()
        for word in ("SIZE", "TABLES", "INDEXES", "QUERIES", "DEAD ROWS", TABLE):
            assert word in text

    @postgres
    def test_dead_rows_and_indexes_have_their_class(self) -> None:
        subscribers(1500)
        NewsletterSubscriber.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()" if _statistics_in_memory() else "SELECT 1")
        tables = run("--report", "--json").json()["sections"]["dead rows"]["tables"]
        row = next(row for row in tables["tables"]["rows"] if row["table"] == TABLE)
        assert row["class"] in {"high", "low"}
        assert {row["class"] for row in tables["indexes"]["rows"]} <= {"small", "medium", "large"}

    def test_a_folder_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(CommandError, match="Reports cannot be written to"):
            run("--report", str(tmp_path / "file" / "reports"))


def _statistics_in_memory() -> bool:
    return bool(connections["default"].pg_version >= 150_000)  # type: ignore[attr-defined]  # PostgreSQL's wrapper


@committed
class TestPeriods:
    def test_daily_does_what_is_due_and_prints_what_is_left(self) -> None:
        OneTimeToken.objects.create(
            purpose="magic_link", email="a@example.org", token_hash="1" * 64, expires_at=timezone.now()
        )
        output = run("--period", "daily").output
        assert "one-time-tokens: delete used and expired one-time tokens: 1" in output
        assert "BACKUPS" in output
        assert "Left for people:\n  [ ] Read the errors of the last day" in output

    def test_findings_are_exit_code_3(self) -> None:
        # Nobody made a backup yet.
        assert run("--period", "daily").code == 3

    @pytest.mark.parametrize("name", PERIODS)
    def test_json_is_for_programs(self, name: str) -> None:
        answer = run("--period", name, "--json").json()
        assert [step["step"] for step in answer["steps"]] == list(PERIODS[name].steps)
        assert {step["error"] for step in answer["steps"]} <= {""}
        assert answer["checklist"] == list(PERIODS[name].checklist)
        assert set(PERIODS[name].sections) <= set(answer["health"]["sections"])
        assert (answer["report"] is not None) == PERIODS[name].report

    def test_a_preview_writes_no_report(self) -> None:
        answer = run("--period", "monthly", "--dry-run", "--json").json()
        assert answer["report"] is None

    def test_errors_of_the_last_day_in_the_log_are_counted(self, settings: Any, tmp_path: Path) -> None:
        now = timezone.now()
        old, new = (timezone.localtime(now - timedelta(hours=hours)) for hours in (25, 23))
        settings.LOG_FILE = str(tmp_path / "forecourt.log")
        (tmp_path / "forecourt.log").write_text(
            f"{old:%Y-%m-%d %H:%M:%S},123 ERROR web [-] long ago\n"
            f"{new:%Y-%m-%d %H:%M:%S},123 WARNING web [-] ERROR is only a word here\n"
            f"{new:%Y-%m-%d %H:%M:%S},123 ERROR web [-] it broke\nTraceback\n"
        )
        section = log_section(now=now)
        assert section.figures["errors"].value == 1
        assert section.state is State.WARNING
        assert "it broke" in section.findings[0].text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ("--fix",),
        ("--full",),
        ("--only", "vacuum", "--only", "analyze", "--full"),
        ("--only", "audit", "--table", "x"),
        ("--only", "vacuum", "--index", "x"),
        ("--only", "reindex", "--index", "x", "--table", "y"),
        ("--only", "audit", "--integrity"),
        ("--integrity", "--dry-run"),
        ("--integrity", "--report"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refusal:
        run(*arguments)
    assert refusal.value.returncode in {1, 2}


def test_wrong_usage_is_exit_code_2_on_the_command_line(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'a.sqlite3'}",
    }
    for arguments in (["--fix"], ["--only", "dusting"], ["--integrity", "--report"]):
        done = subprocess.run(
            [sys.executable, "manage.py", "maintain", *arguments], env=environment, capture_output=True, check=False
        )
        assert done.returncode == 2, done.stderr


def test_the_help_has_an_example(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATABASE_URL": "sqlite:////tmp/none.sqlite3"}
    done = subprocess.run(
        [sys.executable, "manage.py", "maintain", "--help"], env=environment, capture_output=True, text=True, check=True
    )
    assert "Example: manage.py maintain --only audit" in " ".join(done.stdout.split())
