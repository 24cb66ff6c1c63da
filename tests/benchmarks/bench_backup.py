"""`backup` against bare pg_dump and zstd, and against pg_dump's own compressed format, on a database of made-up rows.

`BENCH_SCALE` (100, a million rows) is the N of `seed --scale N`; from 1000 on, ten million rows, the bar is the lower
one. The second peer stands for django-dbbackup, which starts Django and runs `pg_dump --format=custom` with its zlib
compression: it is measured as just that, a bare `django.setup()` and pg_dump, without what the package adds.
`BENCH_DATABASE_URL` names a database that has the rows already; filling one with ten million takes a while.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from config.ops import servers
from config.ops.backup.clients import client_program
from config.ops.backup.manifest import check_backup, read_manifest
from config.ops.scale import ROWS_PER_BLOCK
from config.ops.scratch import child_environment
from tests.benchmarks.conftest import Bench

SCALE = int(os.environ.get("BENCH_SCALE", "100"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
TEN_MILLION = 1000
BAR, BAR_AT_TEN_MILLION = 1.6, 1.2
MEMORY_LIMIT_MB = 100
MANAGE = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
# The system's own figure for a child counts what the process was before it became that program.
PEAK = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
PEER_START = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup()"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A directory that the account of the server can reach as well."""
    with tempfile.TemporaryDirectory(prefix="forecourt-bench-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """A durable server with the rows in it."""
    if "BENCH_DATABASE_URL" in os.environ:
        yield os.environ["BENCH_DATABASE_URL"]
        return
    with servers.postgresql(data=folder / "cluster") as server:
        for arguments in (
            ["migrate", "--verbosity", "0"],
            ["seed", "--profile", "minimal", "--force", "--verbosity", "0"],
            ["seed", "--profile", "minimal", "--force", "--verbosity", "0", "--scale", str(SCALE)],
        ):
            subprocess.run([*MANAGE, *arguments], env=child_environment(server.url), check=True)
        with psycopg.connect(server.url, autocommit=True) as session:
            # Everybody reads settled tables.
            session.execute("VACUUM ANALYZE")
            session.execute("CHECKPOINT")
        yield server.url


def run(command: list[str], *, url: str) -> tuple[float, str]:
    """Run a program to its end and return the seconds and its output. Fails the benchmark if the program fails."""
    environment = child_environment(url) | {"PYTHONPATH": str(settings.BASE_DIR)}
    begin = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    assert done.returncode == 0, done.stderr
    return seconds, done.stdout


def in_turns(commands: dict[str, list[str]], *, url: str) -> dict[str, list[float]]:
    """Run all commands in turns, so that a busy moment of the machine meets each of them."""
    for command in commands.values():
        run(command, url=url)
    runs: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            runs[name].append(run(command, url=url)[0])
    return runs


def shell(script: str) -> list[str]:
    """A pipe that fails as soon as one of its programs does."""
    return ["/bin/bash", "-o", "pipefail", "-c", script]


def test_a_backup_costs_little_more_than_dumping_and_compressing(url: str, folder: Path, bench: Bench) -> None:
    with psycopg.connect(url) as session:
        pg_dump = client_program("pg_dump", session.info.server_version // 10_000).path
    ours, bare, compressed = folder / "ours", folder / "bare.zst", folder / "compressed.dump"
    backup = [*MANAGE, "backup", "--verbosity", "0", "--output", str(ours)]
    peer = f"{sys.executable} -c \"{PEER_START}\" && {pg_dump} -Fc --file={compressed} '{url}'"
    runs = in_turns(
        {
            "ours": backup,
            "bare": shell(f"{pg_dump} -Fc -Z0 '{url}' | zstd -q -f -3 -T2 -o {bare}"),
            "compressed": shell(peer),
        },
        url=url,
    )
    for path in ours.rglob("*.manifest.json"):
        manifest = read_manifest(path)
        check_backup(manifest, path.with_name(manifest.file))
        assert sum(manifest.rows.values()) > SCALE * ROWS_PER_BLOCK

    _, peak = run([sys.executable, "-c", PEAK, *backup[1:]], url=url)
    peak_mb = int(peak.split()[-1]) / 1024
    seconds = {name: statistics.median(each) for name, each in runs.items()}
    rows = f"{SCALE * ROWS_PER_BLOCK:,} rows"
    with contextlib.ExitStack() as every:
        # A broken bar stops the benchmark, and the other figures are wanted all the same.
        every.callback(
            bench,
            name=f"backup of {rows}, against pg_dump | zstd",
            value=seconds["ours"],
            unit="s",
            against=seconds["bare"],
            bar=BAR_AT_TEN_MILLION if SCALE >= TEN_MILLION else BAR,
        )
        every.callback(
            bench,
            name=f"backup of {rows}, against Django and pg_dump -Fc",
            value=seconds["ours"],
            unit="s",
            against=seconds["compressed"],
            bar=0.5,
        )
        bench(
            name=f"backup of {rows}, peak memory",
            value=peak_mb,
            unit="MB",
            against=MEMORY_LIMIT_MB,
            bar=1.0,
        )
