"""`sqlite_to_postgres` against psql's COPY of the finished tables from ready files, with the same indexes and rules.

`BENCH_SCALE` (100, 1,145,036 rows) is the size of the PartPal file in hundredths; `BENCH_PARTPAL_FILE` names a file to
take instead. Both sides load into empty databases of one durable server and end with the same schema.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from config.ops import servers
from config.ops.scratch import child_environment
from tests.benchmarks.conftest import Bench
from tests.benchmarks.measuring import MANAGE, Run, checkpoint, client, psql, run
from tests.benchmarks.partpal import write_partpal_file
from tests.transfer.partpal_file import TABLES

SCALE = int(os.environ.get("BENCH_SCALE", "100"))
SLOWEST = 2.0
MEMORY_LIMIT_MB = 120
GROWTH = 1.05
SMALL = 1
MOVE = [*MANAGE, "sqlite_to_postgres"]


def test_moving_a_file_costs_at_most_twice_a_bare_load_of_the_finished_tables(
    server: servers.Server, folder: Path, bench: Bench
) -> None:
    source, rows = source_file(folder)
    small = folder / "small.db"
    write_partpal_file(small, scale=SMALL)

    url = migrated_database(server, "ours")
    checkpoint(url)
    moved = move(source, url, folder)
    tables = json.loads(moved.output)["proofs"]
    little = move(small, migrated_database(server, "small"), folder)

    script, bare = floor(server, url, [entry["table"] for entry in tables], folder)
    checkpoint(bare)
    loaded = run(psql(bare, script), url=bare)
    for entry in tables:
        assert count(bare, entry["table"]) == count(url, entry["table"])

    with contextlib.ExitStack() as every:
        # A broken bar stops the benchmark, and the other figures are wanted all the same.
        every.callback(
            bench,
            name="sqlite_to_postgres, peak memory",
            value=moved.peak_mb,
            unit="MB",
            against=MEMORY_LIMIT_MB,
            bar=1.0,
        )
        every.callback(
            bench,
            name=f"sqlite_to_postgres, peak memory against a file of scale {SMALL}",
            value=moved.peak_mb,
            unit="MB",
            against=little.peak_mb,
            bar=GROWTH if SCALE >= 100 else 1.5,
        )
        bench(
            name=f"sqlite_to_postgres of {rows:,} rows, against psql COPY and the same indexes",
            value=moved.seconds,
            unit="s",
            against=loaded.seconds,
            bar=SLOWEST,
        )


def source_file(folder: Path) -> tuple[Path, int]:
    """Return the file to move and how many rows it has."""
    if given := os.environ.get("BENCH_PARTPAL_FILE"):
        with contextlib.closing(sqlite3.connect(f"file:{given}?mode=ro", uri=True)) as database:
            counts = [database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in TABLES]
        return Path(given), sum(counts)
    path = folder / "dev.db"
    return path, write_partpal_file(path, scale=SCALE)


def move(source: Path, url: str, folder: Path) -> Run:
    """Move the file; a file from elsewhere may hold rows that stay behind."""
    report = folder / f"{source.name}.report.json"
    return run(
        [*MOVE, str(source), "--yes", "--json", "--on-error", "quarantine", "--report", str(report)],
        url=url,
        codes=(0, 3),
    )


def migrated_database(server: servers.Server, name: str) -> str:
    url = new_database(server, name)
    run([*MANAGE, "migrate", "--verbosity", "0"], url=url)
    return url


def new_database(server: servers.Server, name: str) -> str:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.url.rpartition("/")[0] + f"/{name}"


def floor(server: servers.Server, url: str, tables: list[str], folder: Path) -> tuple[Path, str]:
    """Make ready what the bare load needs: files of the finished tables, an empty database, and one script."""
    bare = new_database(server, "bare")
    out, into = folder / "out.sql", folder / "into.sql"
    out.write_text("".join(f"\\copy {table} TO '{folder / table}' WITH (FORMAT csv)\n" for table in tables))
    run(psql(url, out), url=url)
    before, after = (schema(url, section) for section in ("pre-data", "post-data"))
    with psycopg.connect(bare, autocommit=True) as connection:
        connection.execute(before.encode())
    copies = "".join(f"\\copy {table} FROM '{folder / table}' WITH (FORMAT csv)\n" for table in tables)
    into.write_text(f"BEGIN;\n{copies}{after}\nCOMMIT;\n")
    return into, bare


def schema(url: str, section: str) -> str:
    """Return what makes the tables (pre-data) or their indexes, keys and triggers (post-data)."""
    command = [client("pg_dump"), f"--section={section}", "--no-owner", "--no-privileges", url]
    done = subprocess.run(command, env=child_environment(url), capture_output=True, text=True, check=True)
    # psql's own marks are no SQL.
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith("\\"))


def count(url: str, table: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
