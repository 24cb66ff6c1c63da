"""What a restore promises on SQLite alone: one file takes another's place."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from config.ops.backup.manifest import manifest_path, read_manifest
from tests.ops.restoring.conftest import MakeSite
from tests.ops.restoring.sites import Site
from tests.ops.restoring.test_restore import refused

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]

HEADER = 100  # bytes at the beginning of a SQLite file, of which some say how it is opened
HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute(f"PRAGMA journal_mode = {sys.argv[2]}")
database.execute("SELECT count(*) FROM car").fetchone()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_who_has_the_file_open_is_told_and_stops_the_restore(site: Site, journal: str) -> None:
    site.backup()
    site.change()
    command = [sys.executable, "-c", HOLD, str(site.file), journal]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        before = site.content()

        looked, done = site.restore("latest", "--dry-run"), site.restore("latest", "--yes")

        assert site.content() == before
        holder.communicate("")
    assert looked.code == 3
    for told in (looked.out, done.err):
        assert f"{site.file} is in use" in told
        assert f"process {holder.pid}: " in told
    assert done.code == 1
    assert site.kept() == []
    assert site.restore("latest", "--yes").code == 0


def test_what_was_only_in_the_log_is_kept_with_the_replaced_file(site: Site) -> None:
    site.backup()
    # A process that was killed leaves its log behind.
    killed = "import os, sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('PRAGMA journal_mode = WAL');"
    killed += "d.execute('DELETE FROM lead'); d.commit(); os._exit(1)"
    subprocess.run([sys.executable, "-c", killed, str(site.file)], check=False)
    assert site.file.with_name(f"{site.file.name}-wal").stat().st_size

    assert site.restore("latest", "--yes").code == 0

    with closing(sqlite3.connect(site.kept()[0].name)) as kept:
        assert kept.execute("SELECT count(*) FROM lead").fetchone() == (0,)
    assert site.ask("SELECT count(*) FROM lead") == [(25,)]


@pytest.mark.parametrize(("journal", "log"), [("WAL", "-wal"), ("DELETE", "-journal")])
def test_a_copy_with_a_log_beside_it_is_refused_until_the_two_are_merged(
    site: Site, tmp_path: Path, journal: str, log: str
) -> None:
    # Killed in a transaction that did not fit into memory, it leaves pages in the file which the journal takes back.
    killed = "import os, sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None);"
    killed += "d.execute(f'PRAGMA journal_mode = {sys.argv[2]}'); d.execute('PRAGMA cache_size = 1');"
    killed += "d.execute('BEGIN'); d.execute('DELETE FROM lead'); d.execute(\"UPDATE car SET note = 'x' || note\");"
    killed += "d.execute('COMMIT') if sys.argv[2] == 'WAL' else None; os._exit(1)"
    copy = tmp_path / "copy.sqlite3"
    copy.write_bytes(site.file.read_bytes())
    subprocess.run([sys.executable, "-c", killed, str(copy), journal], check=False)
    assert copy.with_name(copy.name + log).stat().st_size
    before = site.content()

    assert refused(site.restore(str(copy), "--yes"), f"copy.sqlite3{log} belongs to .*PRAGMA journal_mode = DELETE")
    assert site.content() == before

    with closing(sqlite3.connect(copy, isolation_level=None)) as merging:
        merging.executescript("PRAGMA journal_mode = DELETE; PRAGMA integrity_check")
    assert site.restore(str(copy), "--yes").code == 0
    assert site.ask("SELECT count(*) FROM lead") == [(0 if journal == "WAL" else 25,)]


def test_a_log_that_is_blank_or_empty_is_none(site: Site, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(copy)) as target, closing(sqlite3.connect(site.file)) as source:
        source.backup(target)
    copy.with_name(f"{copy.name}-wal").touch()
    copy.with_name(f"{copy.name}-journal").write_bytes(bytes(512))

    assert site.restore(str(copy), "--yes").code == 0


def test_a_live_file_that_is_damaged_is_replaced_and_kept_with_all_that_belongs_to_it(site: Site) -> None:
    site.backup()
    before = site.content()
    site.file.write_bytes(b"\x00" * 5000)
    log = site.file.with_name(f"{site.file.name}-wal")
    log.write_bytes(b"what may be left of the last minute")

    done = site.restore("latest", "--yes")

    assert done.code == 3
    assert "could not be locked: file is not a database" in done.err
    assert site.content() == before
    assert Path(site.kept()[0].name).read_bytes() == b"\x00" * 5000
    assert Path(f"{site.kept()[0].name}-wal").read_bytes() == b"what may be left of the last minute"
    assert not log.exists()


def test_a_damaged_live_file_is_not_dropped_and_not_taken_for_a_damaged_backup(make_site: MakeSite) -> None:
    site = make_site(2000)
    backup = site.backup()
    with site.file.open("r+b") as file:
        file.seek(site.file.stat().st_size // 2)
        file.write(bytes(4096))
    damaged = site.file.read_bytes()[HEADER:]

    done = site.restore("latest", "--drop-database", "--yes")

    assert refused(done, "Nothing was dropped, .*: The database itself is damaged")
    assert site.file.read_bytes()[HEADER:] == damaged
    assert read_manifest(manifest_path(backup)).failures == ()
    assert site.restore("latest", "--drop-database", "--no-safety-backup", "--yes").code == 0


def test_the_restored_file_belongs_to_whom_the_live_one_did(site: Site) -> None:
    site.backup()
    for way in ([], ["--drop-database"]):
        site.file.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(site.file, 12345, 12346)

        assert site.restore("latest", "--yes", *way).code == 0

        status = site.file.stat()
        assert status.st_mode & 0o777 == 0o640
        assert os.geteuid() != 0 or (status.st_uid, status.st_gid) == (12345, 12346)


def test_a_file_that_is_not_there_is_made(site: Site, tmp_path: Path) -> None:
    backup = site.backup()
    before = site.content()
    site.file.unlink()

    assert site.restore(str(backup), "--yes").code == 0
    assert site.content() == before
    assert site.file.stat().st_mode & 0o777 == 0o600
    assert site.restore(str(backup), "--yes", "--target", f"sqlite:///{tmp_path}/new/folder/other.sqlite3").code == 0


def test_a_damaged_copy_is_refused(site: Site, tmp_path: Path) -> None:
    site.backup()
    damaged = tmp_path / "copied.sqlite3"
    whole = bytearray(site.file.read_bytes())
    # The second page on: the header stays.
    whole[4096 : 4096 * 3] = os.urandom(4096 * 2)
    damaged.write_bytes(whole)
    before = site.content()

    assert refused(site.restore(str(damaged), "--yes"), "The backup is damaged")
    assert site.content() == before
    assert site.unfinished() == []


def test_rows_that_point_nowhere_are_a_finding(site: Site) -> None:
    with closing(sqlite3.connect(site.file)) as database, database:
        database.execute("DELETE FROM car WHERE id = 3")
    site.backup()

    done = site.restore("latest", "--yes")

    assert done.code == 3
    assert "lead has rows that point to missing rows of car" in done.err


def test_sessions_cannot_be_ended(site: Site) -> None:
    site.backup()

    done = site.restore("latest", "--yes", "--disconnect")

    assert done.code == 2
    assert "stop the application" in done.err


def test_what_killed_restores_left_behind_goes_with_the_next_one(site: Site) -> None:
    backup = site.backup()
    site.file.with_name(f".{site.file.name}.0123456789ab.unfinished").write_bytes(b"half")
    # One that was killed between the two steps of the swap gave the live file a second name.
    os.link(site.file, site.file.with_name("shop_before_20260101_000000.sqlite3"))

    assert site.restore(str(backup), "--yes").code == 0
    assert site.unfinished() == []
    assert len(site.kept()) == 1
    assert "20260101" not in site.kept()[0].name


def test_a_script_of_sqlite_is_refused_with_the_way_out(site: Site, tmp_path: Path) -> None:
    with closing(sqlite3.connect(site.file)) as database:
        (tmp_path / "dump.sql").write_text("PRAGMA foreign_keys=OFF;\n" + "\n".join(database.iterdump()))

    assert refused(site.restore(str(tmp_path / "dump.sql"), "--yes"), "sqlite3 new.sqlite3 < script")
