"""Killed at any moment, the target is as it was before, or complete.

`TRANSFER_KILLS` says how often (2); 50 is what a release is held to.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import psycopg
import pytest

from config.ops.scratch import child_environment
from tests.commands import MANAGE
from tests.transfer.conftest import new_database, sqlite_url
from tests.transfer.moving import catalog, contents, query

pytestmark = [pytest.mark.postgres_only, pytest.mark.usefixtures("any_database"), pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("TRANSFER_KILLS", "2"))
SEED = int(os.environ.get("TRANSFER_SEED", "1"))


def start(source: Path, target: str) -> subprocess.Popen[str]:
    """Start the command, and return when it is about to open its transaction."""
    process = subprocess.Popen(
        [*MANAGE, "sqlite_to_postgres", str(source), "--target", target, "--yes"],
        env=child_environment(sqlite_url(source.with_name("unused.sqlite3"))),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Target:"):
            return process
    raise AssertionError("the command ended before it began to move")


def finish(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    process.stdout.read()
    process.stdout.close()
    return process.wait()


def kill_while_it_writes(source: Path, target: str) -> None:
    """Kill the command in the midst of its transaction, where it waits for a table that somebody else holds."""
    with psycopg.connect(target) as rival:
        rival.execute("LOCK TABLE leads_lead IN SHARE MODE")
        process = start(source, target)
        own = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        while query(target, f"SELECT count(*) FROM pg_locks WHERE NOT granted AND {own}") == [(0,)]:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        finish(process)


def kill_after(seconds: float, source: Path, target: str) -> None:
    process = start(source, target)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    finish(process)


def wait_for_the_server(target: str) -> None:
    """Wait until the server noticed that its client is gone."""
    for _ in range(600):
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        if query(target, others) == [(0,)]:
            return
        time.sleep(0.1)
    raise AssertionError("the server still works for a client that is gone")


def state(target: str) -> object:
    """Return everything that must be as before: rows, schema and what the sequences give out next."""
    sequences = query(target, "SELECT sequencename::text, last_value FROM pg_sequences ORDER BY 1")
    return contents(target), catalog(target), sequences


def test_a_killed_move_is_whole_or_has_not_happened(demo: Path, server_url: str, migrated_database: str) -> None:
    moments = random.Random(SEED)
    with new_database(server_url, template=migrated_database) as name:
        begin = time.monotonic()
        assert finish(start(demo, f"{server_url}/{name}")) == 0
        complete, whole = time.monotonic() - begin, state(f"{server_url}/{name}")
    kills = [kill_while_it_writes]
    kills += [partial(kill_after, moments.uniform(0, complete * 0.6)) for _ in range(KILLS - 1)]
    outcomes = []
    for kill in kills:
        with new_database(server_url, template=migrated_database) as name:
            target = f"{server_url}/{name}"
            before = state(target)
            kill(demo, target)
            wait_for_the_server(target)

            after = state(target)
            assert after in (before, whole)
            outcomes.append("untouched" if after == before else "complete")
            if after == before:
                assert finish(start(demo, target)) == 0
                assert state(target) == whole
    assert outcomes[0] == "untouched"
