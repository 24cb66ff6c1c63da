"""`seed --scale` against psql's COPY of the same rows from ready files into the same tables.

Both run on one server of this benchmark's own, with all constraints and indexes in place and nothing traded for speed.
`BENCH_SCALE` (100, a million rows) is the N of `--scale N`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.conf import settings

from config.ops import programs, servers
from config.ops.scale import ROWS_PER_BLOCK
from config.ops.scratch import child_environment
from tests.benchmarks.conftest import Bench

SCALE = int(os.environ.get("BENCH_SCALE", "100"))
SLOWEST = 3.0
MEMORY_LIMIT_MB = 200
MANAGE = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
SEED = [*MANAGE, "seed", "--profile", "minimal", "--force", "--json", "--now", "2026-03-02T12:00"]


@dataclass(frozen=True, slots=True)
class Run:
    """What one process printed and took."""

    output: str
    seconds: float
    peak_mb: float


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that the account of the server can reach as well."""
    with tempfile.TemporaryDirectory(prefix="forecourt-bench-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[servers.Server]:
    """A durable server: it flushes to disk as one that keeps real data does."""
    with servers.postgresql(data=folder / "cluster") as opened:
        yield opened


def run(command: list[str], *, url: str) -> Run:
    """Run a program to its end and measure it. Fails the benchmark if the program fails."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        process = subprocess.Popen(command, env=child_environment(url), stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (output, errors):
            stream.seek(0)
        assert process.returncode == 0, errors.read()
        return Run(output.read(), seconds, usage.ru_maxrss / 1024)


def seeded_database(server: servers.Server, name: str) -> str:
    """Make a database with the languages, the categories and one block of rows, and return its URL."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server.url.rpartition("/")[0] + f"/{name}"
    run([*MANAGE, "migrate", "--verbosity", "0"], url=url)
    run([*SEED, "--scale", "1", "--random-seed", "2"], url=url)
    return url


def highest_keys(url: str, tables: list[str]) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        rows = {table: connection.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}").fetchone() for table in tables}
    return {table: row[0] for table, row in rows.items() if row}


def checkpoint(url: str) -> None:
    """Let the server write out what it still holds, so that nobody pays for another's work."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def psql(url: str, script: Path) -> list[str]:
    program = programs.find(programs.POSTGRESQL, programs.Search()).path.with_name("psql")
    return [str(program), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", str(script)]


def test_loading_made_up_rows_takes_at_most_three_times_as_long_as_copying_them(
    server: servers.Server, folder: Path, bench: Bench
) -> None:
    ours, theirs = seeded_database(server, "ours"), seeded_database(server, "theirs")

    checkpoint(ours)
    loaded = run([*SEED, "--scale", str(SCALE)], url=ours)
    counts = json.loads(loaded.output)["scaled"]
    assert sum(counts.values()) == SCALE * ROWS_PER_BLOCK

    tables = [apps.get_model(label)._meta.db_table for label in counts]
    before = highest_keys(theirs, tables)
    out, into = folder / "out.sql", folder / "into.sql"
    out.write_text(
        "".join(
            rf"\copy (SELECT * FROM {table} WHERE id > {before[table]} ORDER BY id) TO '{folder / table}'" + "\n"
            for table in tables
        )
    )
    into.write_text("".join(f"BEGIN;\n\\copy {table} FROM '{folder / table}'\nCOMMIT;\n" for table in tables))
    run(psql(ours, out), url=ours)
    checkpoint(theirs)
    copied = run(psql(theirs, into), url=theirs)
    assert row_counts(ours, tables) == row_counts(theirs, tables)

    with contextlib.ExitStack() as both:
        # A broken bar stops the benchmark, and the other figure is wanted all the same.
        both.callback(
            bench,
            name=f"seed --scale {SCALE}, peak memory",
            value=loaded.peak_mb,
            unit="MB",
            against=MEMORY_LIMIT_MB,
            bar=1.0,
        )
        bench(
            name=f"seed --scale {SCALE}, against psql COPY",
            value=loaded.seconds,
            unit="s",
            against=copied.seconds,
            bar=SLOWEST,
        )


def row_counts(url: str, tables: list[str]) -> list[object]:
    with psycopg.connect(url) as connection:
        return [connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() for table in tables]
