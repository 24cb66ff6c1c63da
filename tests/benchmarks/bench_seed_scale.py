"""`seed --scale` against psql's COPY of the same rows from ready files into the same tables.

Both run on one server of this benchmark's own, with all constraints and indexes in place and nothing traded for speed.
`BENCH_SCALE` (100, a million rows) is the N of `--scale N`.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import psycopg
from django.apps import apps

from config.ops import servers
from config.ops.scale import ROWS_PER_BLOCK
from tests.benchmarks.conftest import Bench
from tests.benchmarks.measuring import MANAGE, checkpoint, psql, run

SCALE = int(os.environ.get("BENCH_SCALE", "100"))
SLOWEST = 3.0
MEMORY_LIMIT_MB = 200
SEED = [*MANAGE, "seed", "--profile", "minimal", "--force", "--json", "--now", "2026-03-02T12:00"]


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
