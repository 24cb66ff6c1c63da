"""`restore` against bare `pg_restore -j2` of the same archive, on a database of made-up rows.

`restore` reads the backup, checks it, restores it, analyses and counts every table and swaps; pg_restore begins with
the unpacked archive, and does none of that. `BENCH_SCALE` and `BENCH_ROUNDS` are those of the benchmark of `backup`.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.ops.backup.clients import client_program
from config.ops.backup.streams import open_backup
from config.ops.scale import ROWS_PER_BLOCK
from tests.benchmarks.bench_backup import MEMORY_LIMIT_MB, ROUNDS, SCALE, folder, url
from tests.benchmarks.conftest import Bench
from tests.benchmarks.measuring import MANAGE, Run, run

__all__ = ["folder", "url"]

BAR = 1.3
PEER = "peer_of_restore"


@pytest.fixture(scope="module")
def backup(url: str, folder: Path) -> Path:
    """A backup of the rows."""
    run([*MANAGE, "backup", "--verbosity", "0", "--output", str(folder / "backups")], url=url)
    return (folder / "backups" / "latest").resolve()


@pytest.fixture(scope="module")
def archive(backup: Path, folder: Path) -> Path:
    """The same, unpacked."""
    path = folder / "archive.dump"
    with open_backup(backup) as stream, path.open("wb") as file:
        for piece in stream.pieces():
            file.write(piece)
    return path


@contextlib.contextmanager
def empty_database(server: str, name: str) -> Iterator[str]:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        session.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        session.execute("CHECKPOINT")
    yield f"{server}/{name}"


def settle(url: str) -> None:
    """Leave autovacuum nothing to do in what was restored, which would slow whoever is measured next."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("SET statement_timeout = 0")
        session.execute("VACUUM ANALYZE")


def test_a_restore_costs_little_more_than_pg_restore(url: str, backup: Path, archive: Path, bench: Bench) -> None:
    server, name = url.rsplit("/", 1)
    with psycopg.connect(url) as session:
        pg_restore = client_program("pg_restore", session.info.server_version // 10_000).path
    restore = [*MANAGE, "restore", str(backup), "--yes", "--verbosity", "0", "--jobs", "2"]
    clean_up = [*MANAGE, "restore", "--drop-old", "--yes", "--verbosity", "0"]
    ours: list[Run] = []
    bare: list[Run] = []
    # The first round warms up.
    for _ in range(ROUNDS + 1):
        with empty_database(server, PEER) as database:
            peer = [str(pg_restore), "--jobs=2", "--exit-on-error", "--no-owner", f"--dbname={database}", str(archive)]
            bare.append(run(peer, url=url))
        with empty_database(server, PEER):
            ours.append(run(restore, url=url))
        run(clean_up, url=url)
        settle(url)
    with psycopg.connect(url) as session:
        row = session.execute("SELECT sum(n_live_tup) FROM pg_stat_user_tables").fetchone()
        assert row is not None
        assert row[0] > SCALE * ROWS_PER_BLOCK * 0.9, f"{name} does not have the rows"

    rows = f"{SCALE * ROWS_PER_BLOCK:,} rows"
    with contextlib.ExitStack() as every:
        # A broken bar stops the benchmark, and the other figures are wanted all the same.
        every.callback(
            bench,
            name=f"restore of {rows} with comparison, against pg_restore -j2",
            value=statistics.median(each.seconds for each in ours[1:]),
            unit="s",
            against=statistics.median(each.seconds for each in bare[1:]),
            bar=BAR,
        )
        bench(
            name=f"restore of {rows}, peak memory",
            value=max(each.peak_mb for each in ours),
            unit="MB",
            against=MEMORY_LIMIT_MB,
            bar=1.0,
        )
