"""What goes wrong around a backup: never a file under a final name that does not restore."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyrage
import pytest

from config.db.errors import Refused
from config.ops.backup.draft import Wanted
from config.ops.backup.encryption import Keys, WrongKey, make_lock
from config.ops.backup.manifest import Damaged, check_backup, manifest_path
from config.ops.backup.streams import open_backup
from tests.disks import fill_disk, small_disk
from tests.ops.backup.conftest import MakeShop
from tests.ops.backup.programs import broken_program
from tests.ops.backup.shops import FAULT_ROUNDS, FAULT_SEED, PROJECT, Shop, content_of, manifest_of
from tests.servers import engine

pytestmark = pytest.mark.django_db


def nothing_made(shop: Shop) -> bool:
    return not (shop.backups() or shop.manifests() or shop.unfinished())


def check_everything(shop: Shop) -> None:
    """Fail unless every file under a final name restores, and every manifest is that of its backup."""
    for backup in shop.backups():
        assert "VIN0000" in content_of(backup)
        if manifest_path(backup).exists():
            check_backup(manifest_of(backup), backup)
    assert len(shop.manifests()) <= len(shop.backups())


DEATHS = {
    "before its first byte": "kill -9 $$",
    "half-way": '"$REAL" "$@" | head -c 200000; kill -9 $$',
    "half-way with an error": '"$REAL" "$@" | head -c 200000; echo "connection lost" >&2; exit 1',
    "after its last byte": '"$REAL" "$@"; exit 1',
}


@pytest.mark.postgres_only
@pytest.mark.parametrize("script", DEATHS.values(), ids=list(DEATHS))
def test_a_dump_program_that_dies_makes_no_backup(make_shop: MakeShop, tmp_path: Path, script: str) -> None:
    shop = make_shop(2000)

    done = shop.manage(PATH=broken_program(tmp_path, script))

    assert done.returncode == 1
    assert re.search(r"pg_dump (was ended by SIGKILL|failed)", done.stderr)
    assert "Traceback" not in done.stderr
    assert nothing_made(shop)


@pytest.mark.postgres_only
def test_a_dump_program_that_dies_while_it_writes_a_folder_makes_no_backup(shop: Shop, tmp_path: Path) -> None:
    done = shop.manage("--jobs", "2", PATH=broken_program(tmp_path, '"$REAL" "$@"; kill -9 $$'))

    assert (done.returncode, "was ended by SIGKILL" in done.stderr) == (1, True)
    assert nothing_made(shop)


@pytest.mark.postgres_only
def test_a_dump_program_that_lies_about_its_success_makes_no_backup(shop: Shop, tmp_path: Path) -> None:
    """It ends well although what it wrote is no archive."""
    done = shop.manage(PATH=broken_program(tmp_path, 'echo "PGDMP and then nothing"; exit 0'))

    assert done.returncode == 1
    assert "pg_restore cannot list the archive" in done.stderr
    assert nothing_made(shop)


@pytest.mark.postgres_only
def test_a_server_that_ends_our_session_makes_no_backup(make_shop: MakeShop) -> None:
    shop = make_shop(50)
    with psycopg.connect(shop.url) as rival:
        # The dump waits for this lock, so that it is surely at work when its session ends.
        rival.execute("LOCK TABLE car IN ACCESS EXCLUSIVE MODE")
        process = shop.start()
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pg_dump'"
        while not rival.execute(f"{ended} AND datname = current_database()").fetchall():
            assert process.poll() is None
            rival.execute("SELECT pg_stat_clear_snapshot()")
            time.sleep(0.05)
        rival.rollback()
    _, errors = process.communicate()

    assert (process.returncode, "pg_dump failed" in errors) == (1, True)
    assert nothing_made(shop)


def test_killed_at_random_moments_it_leaves_nothing_wrong_behind(make_shop: MakeShop) -> None:
    shop, chance = make_shop(8000), random.Random(FAULT_SEED)
    begun = time.monotonic()
    undisturbed = shop.start()
    undisturbed.communicate()
    assert undisturbed.returncode == 0
    usual = time.monotonic() - begun
    for _ in range(FAULT_ROUNDS):
        process = shop.start(*chance.choice([[], ["--no-compress"], ["--verify"]]))
        time.sleep(chance.uniform(0.3, 1.05) * usual)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        check_everything(shop)

    done = shop.manage("--verify")

    assert done.returncode == 0, done.stderr
    assert "restored" in done.stdout
    check_everything(shop)
    assert shop.unfinished() == []


@pytest.mark.postgres_only
def test_killed_while_it_verifies_its_scratch_database_goes_with_the_next_run(
    make_shop: MakeShop, database_url: str
) -> None:
    shop = make_shop(5000)
    with psycopg.connect(database_url, autocommit=True) as server:
        scratch = (
            "SELECT s.datname FROM pg_database s JOIN pg_database d"
            " ON starts_with(s.datname, 'forecourt_scratch_' || d.oid || '_') WHERE d.datname = %s"
        )
        name = [shop.connection.settings_dict["NAME"]]
        process = shop.start("--verify")
        while not server.execute(scratch, name).fetchall():
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
        process.communicate()
        assert len(server.execute(scratch, name).fetchall()) == 1

        # Not sooner than a person would: the server has to see that the killed one is no more.
        again = shop.start("--verify")
        _, errors = again.communicate()

        assert again.returncode == 0, errors
        assert server.execute(scratch, name).fetchall() == []


def test_what_a_killed_run_left_of_a_manifest_goes_with_the_next(shop: Shop) -> None:
    backup = shop.run().backup
    half = backup.with_name(f".{backup.name}.manifest.json.x7f3.unfinished")
    half.write_text("{")

    shop.run()

    assert not half.exists()


@pytest.mark.parametrize(
    ("ending", "code"),
    [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 128 + signal.SIGHUP), (signal.SIGINT, 1)],
)
def test_whoever_ends_it_is_told_that_there_is_no_new_backup(
    make_shop: MakeShop, ending: signal.Signals, code: int
) -> None:
    shop = make_shop(8000)
    process = shop.start("--verify")
    while not shop.unfinished():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(ending)
    _, errors = process.communicate()

    assert process.returncode == code
    assert errors.endswith("Stopped. There is no new backup, and the old ones are as they were.\n")
    assert "Traceback" not in errors
    assert (shop.backups(), shop.manifests(), shop.unfinished()) == ([], [], [])


def test_a_rival_at_work_keeps_its_files(make_shop: MakeShop) -> None:
    shop = make_shop(8000)
    processes = [shop.start() for _ in range(3)]
    results = [(process.communicate()[1], process.returncode) for process in processes]

    assert [code for _, code in results] == [0, 0, 0], results
    assert len(shop.backups()) == len(shop.manifests()) == 3
    check_everything(shop)
    assert shop.unfinished() == []


def limit_files(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("arguments", [[], ["--no-compress"], ["--jobs", "2"]], ids=["zstd", "plain", "folder"])
def test_a_quota_that_is_used_up_makes_no_backup(make_shop: MakeShop, arguments: list[str]) -> None:
    if "--jobs" in arguments and engine() == "sqlite":
        pytest.skip("SQLite has no jobs.")
    shop = make_shop(8000)

    done = subprocess.run(
        shop.command(*arguments),
        env=shop.variables(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_files(300_000),
    )

    assert done.returncode == 1
    assert re.search("File too large|disk I/O error|database or disk is full|worker process died", done.stderr), (
        done.stderr
    )
    assert "Traceback" not in done.stderr
    assert nothing_made(shop)


def test_a_full_disk_makes_no_backup_and_the_old_one_stays(make_shop: MakeShop) -> None:
    shop = make_shop(4000)
    with small_disk(shop.folder, "8m"):
        good = shop.manage()
        assert good.returncode == 0, good.stderr
        fill_disk(shop.folder, leaving=400_000)

        full = shop.manage("--retention", "1")

        assert full.returncode == 1
        assert re.search("No space left on device|database or disk is full|disk I/O error", full.stderr), full.stderr
        assert str(shop.folder) in full.stderr
        assert len(shop.backups()) == len(shop.manifests()) == 1
        assert shop.unfinished() == []
        check_everything(shop)


@pytest.mark.parametrize("place", ["/proc/backups", "{folder}/file/backups"])
def test_a_folder_that_cannot_be_made_is_refused(shop: Shop, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    place = place.format(folder=tmp_path)

    done = shop.manage("-o", place)

    assert done.returncode == 1
    assert f"Backups cannot be written to {place}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.postgres_only
def test_a_target_folder_that_goes_away_meanwhile_makes_no_backup(shop: Shop, tmp_path: Path) -> None:
    script = f'"$REAL" "$@" | head -c 2000; rm -rf "{shop.folder}"; exec "$REAL" "$@"'

    done = shop.manage(PATH=broken_program(tmp_path, script))

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert shop.backups() == []


def test_a_folder_that_may_not_be_written_is_refused(shop: Shop) -> None:
    if os.geteuid() == 0:
        with small_disk(shop.folder, "1m"):
            subprocess.run(["mount", "-o", "remount,ro", str(shop.folder)], check=True)  # noqa: S607 - as above
            done = shop.manage()
    else:
        shop.folder.mkdir(mode=0o500)
        done = shop.manage()

    assert (done.returncode, "Backups cannot be written to" in done.stderr) == (1, True)


def test_a_wrong_key_opens_nothing(shop: Shop) -> None:
    person, stranger = (pyrage.x25519.Identity.generate() for _ in range(2))
    backup = shop.run(wanted=Wanted(lock=make_lock([str(person.to_public())]))).backup

    with pytest.raises(WrongKey, match="stays closed"), open_backup(backup, Keys((stranger,))):
        pass
    with pytest.raises(Refused, match="--identity FILE"), open_backup(backup):
        pass


@pytest.mark.parametrize("arguments", [{}, {"compress": False}, {"jobs": 1}], ids=["zstd", "plain", "folder"])
def test_one_flipped_bit_at_100_random_places_is_always_refused(make_shop: MakeShop, arguments: dict[str, int]) -> None:
    if "jobs" in arguments and engine() == "sqlite":
        pytest.skip("SQLite has no jobs.")
    backup = make_shop(500).run(wanted=Wanted(**arguments)).backup  # type: ignore[arg-type]
    files = sorted(backup.iterdir()) if backup.is_dir() else [backup]
    chance = random.Random(FAULT_SEED)
    for _ in range(100):
        file = chance.choice(files)
        whole = file.read_bytes()
        changed = bytearray(whole)
        offset = chance.randrange(len(whole))
        changed[offset] ^= 1 << chance.randrange(8)
        file.write_bytes(changed)
        with pytest.raises(Damaged, match="SHA-256"):
            check_backup(manifest_of(backup), backup)
        file.write_bytes(whole)
    check_backup(manifest_of(backup), backup)


def test_a_backup_cut_at_20_lengths_is_always_refused(make_shop: MakeShop) -> None:
    backup = make_shop(500).run().backup
    whole = backup.read_bytes()
    for part in range(20):
        backup.write_bytes(whole[: len(whole) * part // 20])
        with pytest.raises(Damaged, match="its manifest says"):
            check_backup(manifest_of(backup), backup)
        # Without a manifest the compression still shows it.
        with pytest.raises(Refused), open_backup(backup) as stream:
            list(stream.pieces())


CORRUPT_WHILE_WRITING = """
import os, sys, threading, time
from pathlib import Path
folder = Path(sys.argv[1])
while True:
    for file in folder.glob(".backup-*/backup"):
        try:
            with file.open("r+b") as opened:
                size = os.fstat(opened.fileno()).st_size
                if size > 200_000:
                    opened.seek(100_000)
                    opened.write(b"another's bytes")
                    sys.exit()
        except FileNotFoundError:
            continue
"""


def test_a_disk_that_returns_other_bytes_makes_no_backup(make_shop: MakeShop) -> None:
    """Somebody overwrites a part of the file before it is read back."""
    shop = make_shop(20_000)
    shop.folder.mkdir()
    vandal = subprocess.Popen([sys.executable, "-c", CORRUPT_WHILE_WRITING, str(shop.folder)])
    try:
        done = shop.manage()
        vandal.wait(timeout=10)
    finally:
        vandal.kill()
        vandal.wait()

    assert done.returncode == 1
    assert re.search("damaged|read back", done.stderr)
    assert nothing_made(shop)


MEMORY = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print("peak", next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("arguments", [[], ["--no-compress"]], ids=["zstd", "plain"])
def test_memory_stays_below_100_mb_at_any_size(make_shop: MakeShop, arguments: list[str]) -> None:
    shop = make_shop(50)
    letters = "repeat(md5(i::text), 600)" if engine() == "postgres" else "hex(randomblob(9600))"
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
    shop.execute(f"INSERT INTO car {numbers} SELECT i, 'BIG' || i, 1, {letters} FROM n")

    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *shop.command(*arguments)[1:]],
        env=shop.variables(PYTHONPATH=str(PROJECT)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert shop.manifests()[0].plain_size > 150_000_000
    peak = re.search(r"peak (\d+)", done.stdout)
    assert peak
    assert int(peak[1]) < 100_000  # KiB


def test_while_it_encrypts_nothing_readable_has_a_name(make_shop: MakeShop) -> None:
    """So nothing readable is left behind, however it ends."""
    shop = make_shop(2000)
    looks = []

    def look(size: int) -> None:
        files = [path for path in shop.folder.rglob("*") if path.is_file()]
        looks.append([path.name for path in files if b"VIN0000" in path.read_bytes()])

    lock = make_lock([str(pyrage.x25519.Identity.generate().to_public())])
    shop.run(wanted=Wanted(lock=lock, compress=False, progress=look))

    assert len(looks) > 5
    assert [names for names in looks if names] == []
