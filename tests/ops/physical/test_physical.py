"""A server's files, its log, and a moment in between: everything that was there then is there again."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from config.db.errors import Refused
from config.ops.backup.manifest import Damaged
from config.ops.physical.base import INCREMENTAL_SINCE
from tests.ops.physical.clusters import PROJECT, Cluster, cluster, installed

PROGRAMS = installed()
PID_FILE = ".killed-*/part1/postmaster.pid"
pytestmark = [pytest.mark.postgres_only, pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL comes from a container")]


def run(major: int) -> Iterator[Cluster]:
    """Run a server, back it up while cars come, and sell most of them by mistake."""
    with cluster(major, PROGRAMS[major]) as made:
        made.sell(1, 1000)
        # No more rights than it takes.
        made.execute("CREATE ROLE copier LOGIN REPLICATION")
        made.notes["first"] = made.manage("backup", "--physical", "--user", "copier")
        made.sell(1001, 3000)
        made.notes["incremental"] = made.manage("backup", "--physical", "--incremental")
        made.sell(3001, 3500)
        made.notes["before"] = made.now()
        made.execute("DELETE FROM car WHERE id <= 3200")
        made.archive_all()
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """The newest server that is installed."""
    yield from run(max(PROGRAMS))


@pytest.fixture(scope="module")
def older(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A server that has no incremental base backups."""
    majors = [major for major in PROGRAMS if major < INCREMENTAL_SINCE]
    if not majors:
        pytest.skip("no PostgreSQL that is so old is installed")
    if max(PROGRAMS) in majors:
        yield request.getfixturevalue("server")
    else:
        yield from run(max(majors))


@pytest.fixture
def into(server: Cluster) -> Path:
    """A folder that the server's account reaches, as those of tests are closed to others."""
    return server.folder / "restored" / "then"


def test_deleted_rows_are_back_as_of_the_moment_before(server: Cluster, into: Path) -> None:
    assert server.notes["first"].returncode == 0, server.notes["first"].stderr

    done = server.manage("restore", "--into", str(into), "--to-time", server.notes["before"].isoformat())

    assert done.returncode == 0, done.stderr
    assert f"{into}: 3,500 rows in 1 tables" in done.stdout
    assert done.stdout.count(".base: ") == (2 if server.major >= INCREMENTAL_SINCE else 1)
    assert (into / "PG_VERSION").read_text().strip() == str(server.major)
    assert "archive_mode = 'off'" in (into / "postgresql.auto.conf").read_text()
    # The server's own settings lay elsewhere, and it starts all the same.
    assert (into / "postgresql.conf").exists()
    assert not server.took_over.exists()
    assert not list(into.parent.glob(".*"))


def test_without_a_time_it_is_all_that_was_archived(server: Cluster, into: Path) -> None:
    result = server.recover(into.with_name("end"), base=0)

    assert result.rows == {"public.car": 300}


def test_a_base_backup_alone_is_its_own_moment(server: Cluster, into: Path) -> None:
    archive = server.log_folder.rename(server.folder / "elsewhere")
    try:
        result = server.recover(into.with_name("full"), base=0)
        with pytest.raises(Refused, match=r"There is no archived log in .*: name its folder with --wal"):
            server.recover(into.with_name("none"), server.notes["before"])
    finally:
        archive.rename(server.log_folder)

    assert result.rows == {"public.car": 1000}


def test_an_older_server_goes_back_as_well_and_has_no_incremental_ones(older: Cluster) -> None:
    refused = older.notes["incremental"]

    result = older.recover(older.folder / "then", older.notes["before"])

    assert result.rows == {"public.car": 3500}
    assert refused.returncode == 1
    assert f"The server is PostgreSQL {older.major}" in refused.stderr
    assert 'set up pgBackRest (docs/backup-and-recovery.md, under "PostgreSQL 14 to 16: pgBackRest")' in refused.stderr


def test_a_moment_that_the_log_does_not_reach_leaves_nothing(server: Cluster, into: Path) -> None:
    before, far = server.notes["before"] - timedelta(days=1), server.now() + timedelta(hours=1)

    with pytest.raises(Refused, match=r"No base backup in .* ended before .*: the oldest did at 20"):
        server.recover(into.with_name("early"), before)
    with pytest.raises(Refused, match=r"The archived log ends before .*: its last change is of 20"):
        server.recover(into.with_name("far"), far, base=0)

    assert not into.with_name("early").exists()
    assert not into.with_name("far").exists()
    assert not list(into.parent.glob(".*"))


def test_it_never_goes_over_what_is_there(server: Cluster) -> None:
    data = server.folder / "data"
    before = (data / "global" / "pg_control").stat().st_ino

    with pytest.raises(Refused, match=r"is not empty: a server is restored into a new folder, never over another"):
        server.recover(data)

    assert (data / "global" / "pg_control").stat().st_ino == before
    assert server.execute("SELECT count(*) FROM car") == (300,)


@pytest.mark.parametrize("part", ["base.tar.zst", "backup_manifest"])
def test_one_flipped_bit_is_refused(server: Cluster, into: Path, part: str) -> None:
    file = server.base(0) / part
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :])
    try:
        with pytest.raises(Damaged, match="is damaged"):
            server.recover(into.with_name("damaged"), base=0)
    finally:
        file.write_bytes(whole)

    assert not into.with_name("damaged").exists()


def test_a_damaged_log_is_not_taken_for_its_end(server: Cluster, into: Path) -> None:
    segment = server.segments()[-1]
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole) // 2])
    try:
        with pytest.raises(Refused, match=r"could not replay its log: (.|\n)*is damaged"):
            server.recover(into.with_name("damaged"), base=0)
    finally:
        segment.write_bytes(whole)

    assert not into.with_name("damaged").exists()


def test_a_gap_in_the_log_is_told(server: Cluster, into: Path) -> None:
    for _ in range(2):
        server.execute("SELECT txid_current()")
        server.archive_all()
    segments = server.segments()
    missing = segments[-2].rename(segments[-2].with_suffix(".away"))
    try:
        result = server.recover(into.with_name("gap"), base=0)
    finally:
        missing.rename(segments[-2])

    assert result.findings == [
        f"The archived log has a gap after {segments[-3].stem}: what changed since then is not there."
    ]


def test_a_dump_is_not_restored_from_a_base_backup(server: Cluster) -> None:
    backup = server.base(0)

    done = server.manage("restore", str(backup), "--yes")

    assert done.returncode == 1
    assert "holds the files of a whole server: restore it into a new folder, with --into DIR" in done.stderr


def test_killed_half_way_or_on_a_full_disk_it_leaves_nothing_under_a_final_name(server: Cluster) -> None:
    before, latest = server.names(), (server.backups / "latest-physical").readlink()
    command = [sys.executable, str(PROJECT / "manage.py"), "backup", "--physical"]

    quota = subprocess.run(
        command, env=server.variables(), capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
    )  # fmt: skip
    after_quota = server.names(), server.unfinished()
    killed = subprocess.Popen(command, env=server.variables(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(server.backups.glob(".*.unfinished/files/global")):
        assert killed.poll() is None
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    after_kill = server.names(), len(server.unfinished())
    # pg_basebackup may outlive it for a moment; the run after that tidies up.
    while not is_free(server.unfinished()[0]):
        time.sleep(0.05)
    last = server.manage("backup", "--physical", "--retention", "1")

    assert quota.returncode == 1
    assert after_quota == (before, [])
    assert after_kill == (before, 1)
    assert (last.returncode, server.unfinished()) == (0, []), last.stderr
    assert (server.backups / "latest-physical").readlink() != latest
    assert server.manage("backup", "--list", "--json").returncode == 0


def test_a_killed_restore_ends_its_server_and_its_remains_go_with_the_next(server: Cluster, into: Path) -> None:
    into = into.with_name("killed")
    command = [sys.executable, str(PROJECT / "manage.py"), "restore", "--into", str(into), str(server.base(0))]
    killed = subprocess.Popen(command, env=server.variables(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (lines := [line for file in into.parent.glob(PID_FILE) for line in file.read_text().splitlines()]):
        assert killed.poll() is None
        time.sleep(0.005)

    killed.kill()
    killed.wait()
    left = list(into.parent.glob(".killed-*"))
    deadline = time.monotonic() + 20
    while is_running(int(lines[0])):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    exists_before = into.exists()
    server.recover(into, base=0)

    assert (len(left), exists_before) == (1, False)
    assert not list(into.parent.glob(".killed-*"))


def is_free(folder: Path) -> bool:
    """Whether no process holds a run's folder any more."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_encrypted_one_opens_with_its_key_alone(server: Cluster, into: Path) -> None:
    secret = {"BACKUP_ENCRYPTION_KEY": "an old garage full of spare parts"}
    copies = server.folder / "copies"

    made = server.manage("backup", "--physical", "--upload", str(copies), **secret)
    closed = server.manage("restore", "--into", str(into.with_name("closed")))
    opened = server.manage("restore", "--into", str(into.with_name("opened")), **secret)

    assert made.returncode == 0, made.stderr
    assert [path.name for path in copies.rglob("base.tar*")] == ["base.tar.zst.age"]
    assert closed.returncode == 1
    assert "is locked with a passphrase" in closed.stderr
    assert not into.with_name("closed").exists()
    assert (opened.returncode, into.with_name("opened").exists()) == (0, True), opened.stderr
