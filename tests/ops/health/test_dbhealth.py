"""`manage.py dbhealth` as monitoring runs it: what it prints, and its exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psycopg
import pytest

from config.database_url import url_of
from config.ops import servers
from config.ops.health.run import ONLY_BY_NAME, SECTIONS
from config.ops.programs import Search
from tests import commands
from tests.config.databases import Manage, execute, settings_of
from tests.config.variables import PROJECT
from tests.servers import engine

pytestmark = pytest.mark.django_db


def sections(answer: str) -> dict[str, dict]:
    found: dict[str, dict] = json.loads(answer)["sections"]
    return found


@pytest.mark.usefixtures("migrated")
def test_a_look_at_everything_has_every_section_but_those_to_be_named(manage: Manage, tmp_path: Path) -> None:
    result = manage("dbhealth", "--json", BACKUP_DIR=str(tmp_path))
    answer = json.loads(result.stdout)
    assert list(answer["sections"]) == [name for name in SECTIONS if name not in ONLY_BY_NAME]
    assert result.returncode == answer["exit_code"]
    assert answer["sections"]["backups"]["state"] == "warning"
    assert answer["sections"]["migrations"]["state"] == "fine"


@pytest.mark.usefixtures("migrated")
def test_sections_are_chosen_and_one_that_is_fine_exits_0(manage: Manage) -> None:
    result = manage("dbhealth", "--section", "size", "--section", "migrations")
    assert result.returncode == 0, result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].startswith("FINE: ")
    assert lines[0].endswith("looked at size, migrations")
    assert [line for line in lines if line.isupper() or line.endswith("  fine")] == ["SIZE  fine", "MIGRATIONS  fine"]


@pytest.mark.usefixtures("migrated")
def test_without_words_it_is_silent_when_all_is_well_and_one_line_when_not(manage: Manage, tmp_path: Path) -> None:
    assert manage("dbhealth", "--section", "migrations", "--verbosity", "0").stdout == ""
    bad = manage("dbhealth", "--section", "backups", "--verbosity", "0", BACKUP_DIR=str(tmp_path / "none"))
    assert bad.returncode == 1
    assert bad.stdout == (
        f"WARNING: backups: There is no good backup of this database in {tmp_path / 'none'}: "
        "run `manage.py backup`, daily.\n"
    )


def test_pending_migrations_are_critical(manage: Manage) -> None:
    result = manage("dbhealth", "--section", "migrations")
    assert result.returncode == 2
    assert result.stdout.startswith("CRITICAL: migrations: ")


def test_a_database_that_cannot_be_reached_is_critical_and_the_rest_is_still_looked_at(
    manage: Manage, tmp_path: Path
) -> None:
    away = {
        "postgres": "postgresql://forecourt:hush@127.0.0.1:1/stock",
        "sqlite": f"sqlite:///{tmp_path / 'nowhere' / 'stock.sqlite3'}",
    }[engine()]
    result = manage("dbhealth", DATABASE_URL=away)
    assert result.returncode == 2
    assert result.stdout.startswith("CRITICAL: connections: ")
    assert "cannot be reached" in result.stdout.splitlines()[0]
    assert "MACHINE" in result.stdout
    assert "hush" not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [["--section", "dust"], ["--limit", "0"], ["--limit", "many"], ["--nonsense"]])
def test_wrong_usage_is_unknown_and_not_critical(manage: Manage, arguments: list[str]) -> None:
    result = manage("dbhealth", *arguments)
    assert result.returncode == 3
    assert "UNKNOWN: " in result.stderr


@pytest.mark.usefixtures("migrated")
def test_thresholds_come_from_the_environment(manage: Manage) -> None:
    result = manage("dbhealth", "--section", "disk", HEALTH_THRESHOLDS="disk=0:0.1")
    assert (result.returncode, result.stdout.partition(":")[0]) == (2, "CRITICAL")
    refused = manage("dbhealth", HEALTH_THRESHOLDS="disk=many")
    assert refused.stderr == ("UNKNOWN: HEALTH_THRESHOLDS: 'disk=many': write disk=warning:critical, two numbers.\n")


@pytest.mark.usefixtures("migrated")
def test_unused_indexes_can_be_asked_for_alone(manage: Manage) -> None:
    answer = sections(manage("dbhealth", "--unused", "--limit", "1", "--json").stdout)
    assert list(answer) == ["indexes"]
    if engine() == "postgres":
        unused = answer["indexes"]["tables"]["unused"]
        assert len(unused["rows"]) > 50
        assert unused["left_out"] == 0


@pytest.mark.usefixtures("migrated")
def test_a_terminal_gets_colours_and_no_line_that_is_wider(url: str) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"ENV_FILE": os.devnull, "DATABASE_URL": url, "COLUMNS": "100", "TERM": "xterm"}
    ours, theirs = pty.openpty()
    command = [sys.executable, str(PROJECT / "manage.py"), "dbhealth", "--section", "indexes"]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        assert process.wait() == 0
    os.close(ours)
    text = shown.decode()
    assert "\x1b[1mINDEXES" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(len(line.rstrip("\r")) for line in plain.split("\n")) <= 100


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux says so at the end of a terminal.
        return b""


@pytest.mark.postgres_only
@pytest.mark.usefixtures("migrated")
def test_the_pools_of_all_processes_must_fit_the_server(manage: Manage) -> None:
    fits = manage("dbhealth", "--section", "pool", DATABASE_POOL_SIZE="50", WEB_CONCURRENCY="3")
    assert fits.returncode == 0, fits.stdout
    tight = manage("dbhealth", "--section", "pool", DATABASE_POOL_SIZE="50", WEB_CONCURRENCY="4")
    assert tight.returncode == 1
    assert "may open 200 connections (50 * 4), but the server bears 197" in tight.stdout


@pytest.mark.postgres_only
@pytest.mark.usefixtures("migrated")
def test_without_the_right_to_see_others_it_says_how_to_get_it_and_is_unknown(manage: Manage, plain_role: str) -> None:
    result = manage("dbhealth", "--section", "connections", "--section", "locks", DATABASE_URL=plain_role)
    assert result.returncode == 3
    assert result.stdout.startswith("UNKNOWN: not everything could be read: connections, locks")
    role = str(settings_of(plain_role)["USER"])
    assert f'run, as an administrator: GRANT pg_monitor TO "{role}".' in result.stdout
    execute(os.environ["DATABASE_URL"], f'GRANT pg_monitor TO "{role}"')
    granted = manage("dbhealth", "--section", "connections", "--section", "locks", DATABASE_URL=plain_role)
    assert granted.returncode == 0, granted.stdout


@pytest.mark.postgres_only
@pytest.mark.usefixtures("migrated")
def test_where_nobody_else_is_connected_nothing_is_hidden(manage: Manage, url: str, database_url: str) -> None:
    name = f"alone_{os.getpid()}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'alone'")
        try:
            own = url_of(settings_of(url) | {"USER": name, "PASSWORD": "alone"})
            result = manage("dbhealth", "--section", "connections", "--section", "locks", DATABASE_URL=own)
        finally:
            server.execute(f"DROP ROLE {name}")
    assert result.returncode == 0, result.stdout
    assert "hidden" not in result.stdout


@pytest.mark.postgres_only
@pytest.mark.usefixtures("migrated")
def test_a_role_without_any_right_reads_every_section_without_an_error(manage: Manage, plain_role: str) -> None:
    result = manage("dbhealth", "--json", DATABASE_URL=plain_role)
    assert "Traceback" not in result.stderr
    unread = [sentence for section in sections(result.stdout).values() for sentence in section["unread"]]
    assert unread
    assert [sentence for sentence in unread if "GRANT pg_monitor" not in sentence] == []


@pytest.fixture(scope="module")
def counting_server() -> Iterator[str]:
    """A server of our own that counts statements from its start on, and can be asked for more."""
    settings = servers.SHARED_SETTINGS
    servers.SHARED_SETTINGS = (*settings, "shared_preload_libraries=pg_stat_statements")  # type: ignore[assignment]
    try:
        with servers.postgresql(Search(environment={})) as server:
            yield server.url
    finally:
        servers.SHARED_SETTINGS = settings


@pytest.fixture
def counted(counting_server: str, tmp_path: Path) -> str:
    """A database of the test's own on that server."""
    with psycopg.connect(counting_server, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{tmp_path.name[:60]}"')
    return url_of(settings_of(counting_server), name=tmp_path.name[:60])


@pytest.mark.postgres_only
def test_slow_statements_are_read_with_the_columns_of_this_version_and_without_secrets(
    manage: Manage, counted: str
) -> None:
    before = manage("dbhealth", "--section", "queries", DATABASE_URL=counted)
    assert before.returncode == 3
    assert "As an administrator: run CREATE EXTENSION pg_stat_statements in this database." in before.stdout

    with psycopg.connect(counted, autocommit=True) as own:
        own.execute("CREATE SCHEMA tools")
        own.execute("CREATE EXTENSION pg_stat_statements SCHEMA tools")
        own.execute("SELECT pg_sleep(0.3), 'Pekka'")
        own.execute("CREATE ROLE somebody PASSWORD 'hush'")
    after = manage("dbhealth", "--section", "queries", "--json", "--limit", "1000", DATABASE_URL=counted)
    assert after.returncode == 0, after.stdout
    section = sections(after.stdout)["queries"]
    found = section["tables"]["statements"]["rows"]
    slowest = next(row for row in found if "pg_sleep" in row["text"])
    assert slowest["text"] == "SELECT pg_sleep($1), $2"
    assert (slowest["calls"], slowest["rows"]) == (1, 1)
    assert slowest["mean"] == slowest["max"] == slowest["total"] >= 300
    assert "CREATE ROLE somebody PASSWORD ?" in {row["text"] for row in found}
    assert "hush" not in after.stdout
    means = [row["mean"] for row in found]
    assert means == sorted(means, reverse=True)
    assert section["figures"]["calls"]["value"] >= len(found)


@pytest.mark.postgres_only
def test_a_large_share_of_slow_calls_is_a_finding(manage: Manage, counted: str) -> None:
    with psycopg.connect(counted, autocommit=True) as own:
        own.execute("CREATE EXTENSION pg_stat_statements")
        for _ in range(60):
            own.execute("SELECT pg_sleep(0.01)")
        for _ in range(60):
            own.execute("SELECT 1")
    result = manage("dbhealth", "--section", "queries", DATABASE_URL=counted, SLOW_QUERY_MS="5")
    assert result.returncode == 2
    assert "% of the calls are of slow statements; the list has them (above 20 %)." in result.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ([], {"HEALTH_THRESHOLDS": "disk=abc"}),
        ([], {"DATABASE_URL": "postgresx://x"}),
        (["--database", "other"], {}),
    ],
    ids=["threshold", "address", "alias"],
)
def test_what_keeps_it_from_looking_is_an_unknown_state(
    manage: Manage, options: list[str], variables: dict[str, str]
) -> None:
    result = manage("dbhealth", *options, **variables)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") == 1


def full_disk() -> IO[str]:
    return Path("/dev/full").open("w")


def unread_pipe() -> IO[str]:
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(("open_output", "code"), [(full_disk, 3), (unread_pipe, 141)])
def test_an_output_that_takes_no_more_leaves_no_traceback(
    url: str, open_output: Callable[[], IO[str]], code: int
) -> None:
    with open_output() as output:
        result = subprocess.run(
            [sys.executable, "manage.py", "dbhealth", "--section", "size"],
            cwd=PROJECT, env=commands.inherited() | {"DATABASE_URL": url}, stdout=output, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert (result.returncode, "Traceback" in result.stderr) == (code, False)


@pytest.mark.sqlite_only
@pytest.mark.usefixtures("migrated")
def test_a_damaged_sqlite_file_is_found_on_request(manage: Manage, url: str) -> None:
    assert manage("dbhealth", "--section", "size", "--integrity").returncode == 0
    file = Path(str(settings_of(url)["NAME"]))
    execute(url, "PRAGMA wal_checkpoint(TRUNCATE)")
    page = 4096
    with file.open("r+b") as damaged:
        size = damaged.seek(0, os.SEEK_END)
        for start in range(page * 3, size, page * 2):
            damaged.seek(start)
            damaged.write(b"\xff" * 64)
    result = manage("dbhealth", "--section", "size", "--integrity")
    assert result.returncode == 2
    assert "damaged" in result.stdout or "malformed" in result.stdout
