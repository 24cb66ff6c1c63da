"""What goes wrong around a restore: the live database is never harmed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.ops import servers
from config.ops.backup.clients import client_program
from config.ops.backup.folders import locked
from config.ops.backup.manifest import manifest_path, read_manifest
from config.ops.programs import Search
from config.ops.restoring.server import maintenance_session
from config.ops.scratch import connected
from tests.ops.backup.programs import broken_program
from tests.ops.backup.shops import FAULT_ROUNDS, Shop
from tests.ops.restoring.conftest import MakeSite
from tests.ops.restoring.sites import Site, alter_manifest
from tests.ops.restoring.test_restore import refused
from tests.servers import engine

pytestmark = pytest.mark.django_db


def test_killed_at_any_moment_the_live_database_is_the_old_or_the_new_one(make_site: MakeSite) -> None:
    site = make_site(3000)
    site.backup()
    wanted = site.content()
    began = time.monotonic()
    undisturbed = site.start("latest", "--yes")
    undisturbed.communicate()
    assert undisturbed.returncode == 0
    longest, chance = time.monotonic() - began, random.Random(5)
    for _ in range(FAULT_ROUNDS):
        site.change()
        changed = site.content()
        process = site.start("latest", "--yes")
        time.sleep(chance.uniform(0.3, 1) * longest)
        process.kill()
        process.communicate()

        assert site.content() in (changed, wanted)
        again = ["latest", "--yes", *([] if engine() == "sqlite" else ["--disconnect"])]
        while "Another restore" in (done := site.restore(*again)).err:
            # The server takes its time to see that the killed one is no more.
            time.sleep(0.1)
        assert done.code == 0, done.err
        assert site.content() == wanted
    if engine() == "sqlite":
        assert site.unfinished() == []


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the account which runs servers may enter."""
    with tempfile.TemporaryDirectory(prefix="forecourt-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def lone_site(make_site: MakeSite, tmp_path: Path, open_folder: Path) -> Iterator[Site]:
    """A site where nobody else restores: what is unfinished on its server is its own."""
    if engine() == "sqlite":
        yield make_site(3000)
        return
    with servers.postgresql(Search(), data=open_folder / "cluster") as server, connected(server.url) as connection:
        site = Site(Shop(server.url, connection, tmp_path / "backups"))
        site.shop.fill(3000)
        yield site


def test_told_to_end_it_tidies_up(lone_site: Site) -> None:
    lone_site.backup()
    lone_site.change()
    before = lone_site.content()
    process = lone_site.start("latest", "--yes")
    assert process.stderr is not None
    while "Restoring" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate()

    if process.returncode:
        assert process.returncode == 128 + signal.SIGTERM
        assert "Stopped. What was not swapped yet is as it was." in errors
        assert lone_site.content() == before
    assert lone_site.unfinished() == []


def test_what_is_refused_once_it_is_restored_leaves_nothing_behind(lone_site: Site) -> None:
    backup = lone_site.backup()
    before, rows = lone_site.content(), read_manifest(manifest_path(backup)).rows
    alter_manifest(backup, rows={table: count + 1 for table, count in rows.items()})

    assert refused(lone_site.restore(str(backup), "--yes"), "restores to something else")
    assert lone_site.content() == before
    assert lone_site.unfinished() == []


def test_two_restores_at_once_are_one_too_many(make_site: MakeSite) -> None:
    site = make_site(3000)
    site.backup()
    before = site.content()
    site.change()

    processes = [site.start("latest", "--yes") for _ in range(3)]
    ends = [(process.communicate(), process.returncode) for process in processes]

    assert 0 in [code for _, code in ends]
    refusals = [err for (_, err), code in ends if code]
    # The one that goes on may first meet another in the file.
    assert all("Another restore" in err or "is in use" in err for err in refusals), refusals
    assert site.content() == before


@pytest.mark.postgres_only
def test_a_restore_program_that_dies_changes_nothing(site: Site, tmp_path: Path) -> None:
    site.backup()
    site.change()
    before = site.content()
    real = client_program("pg_restore", 14).path
    program = tmp_path / "pg_restore"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *--version*|*--list*) exec {real} "$@";; esac\n'
        f'{real} --schema-only "$@"\nkill -9 $$\n'
    )
    program.chmod(0o755)

    done = site.restore("latest", "--yes", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    assert refused(done, "pg_restore was ended by SIGKILL")
    assert site.content() == before


@pytest.mark.postgres_only
def test_killed_while_it_backs_up_what_it_will_drop_the_next_one_says_where_the_live_database_is(
    site: Site, tmp_path: Path
) -> None:
    site.backup()
    site.change()
    before, live, begun = site.content(), site.name, tmp_path / "begun"
    # The rights of the live database are read before it is moved away.
    script = f'case "$*" in *--schema-only*) exec "$REAL" "$@";; esac; touch "{begun}"; exec sleep 600'
    path = broken_program(tmp_path, script)
    process = site.start("latest", "--drop-database", "--yes", PATH=path)
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate()

    (kept,) = site.kept()
    way_back = f'ALTER DATABASE "{kept.name}" RENAME TO "{live}"'
    planned = site.restore("latest", "--dry-run")
    removing = site.restore("--drop-old", "--yes")

    assert f"There was no database {live}, and {kept.name} may be it" in planned.out
    assert refused(removing, "Nothing was removed")
    assert way_back in planned.out
    assert way_back in removing.err
    with maintenance_session(site.shop.connection) as server:
        server.execute(way_back.encode())
    assert site.content() == before
    assert site.restore("latest", "--yes").code == 0


@pytest.mark.postgres_only
def test_a_server_that_stops_in_the_middle_has_the_live_database_when_it_is_back(
    tmp_path: Path, open_folder: Path
) -> None:
    data = open_folder / "cluster"
    with servers.postgresql(Search(), data=data) as server, connected(server.url) as connection:
        site = Site(Shop(server.url, connection, tmp_path / "backups"))
        site.shop.fill(3000)
        site.backup()
        site.change()
        before = site.content()
        connection.close()
        process = site.start("latest", "--yes")
        assert process.stderr is not None
        while "Restoring" not in process.stderr.readline():
            assert process.poll() is None
        # The way of a machine that loses its power.
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in said
    with servers.postgresql(Search(), data=data) as server, connected(server.url) as connection:
        site = Site(Shop(server.url, connection, tmp_path / "backups"))
        assert site.content() == before
        assert len(site.unfinished()) == 1
        connection.close()
        done = site.restore("latest", "--yes")
        assert done.code == 0, done.err
        assert site.unfinished() == []
        connection.close()


def test_without_room_nothing_is_begun(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site(3000)
    site.backup()
    site.change()
    before = site.content()
    limited = ["sh", "-c", 'ulimit -f 500 && exec "$@"', "sh", *site.command("latest", "--yes")]

    done = subprocess.run(limited, env=site.shop.variables(), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert site.content() == before


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="who waits for a lock is told by Linux alone")
def test_a_drill_is_noted_while_no_backup_gives_out_names(site: Site) -> None:
    backup = site.backup()
    with locked(site.shop.folder):
        drill = site.start("--drill")
        while not re.search(rf"-> FLOCK .* {drill.pid} ", Path("/proc/locks").read_text()):
            assert drill.poll() is None
            time.sleep(0.02)
        noted_too_early = read_manifest(manifest_path(backup)).verified[1:]
    _, told = drill.communicate()

    assert noted_too_early == ()
    assert drill.returncode == 0, told
    assert read_manifest(manifest_path(backup)).verified[-1].how == "restored"
