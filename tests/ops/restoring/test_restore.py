"""What `manage.py restore` promises, on both engines."""

from __future__ import annotations

import gzip
import json
import random
import re
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pyrage
import pytest
from django.core.cache import cache

from config.ops.backup.compression import zstd
from config.ops.backup.draft import Wanted
from config.ops.backup.encryption import make_lock
from config.ops.backup.manifest import Origin, manifest_path, read_manifest
from config.ops.backup.streams import open_backup
from config.ops.restoring.order import Order
from config.ops.restoring.run import prepared
from config.ops.restoring.terminal import Quiet
from tests.disks import fill_disk, small_disk
from tests.ops.backup.shops import NIGHT
from tests.ops.restoring.conftest import MakeSite
from tests.ops.restoring.sites import Done, Site, alter_manifest, session_of
from tests.servers import engine

pytestmark = pytest.mark.django_db

PASSPHRASE = "correct horse battery staple"


def refused(done: Done, reason: str) -> bool:
    """Whether a command refused with one sentence of that kind."""
    return done.code == 1 and re.search(reason, done.err) is not None and "Traceback" not in done.err


def test_a_restore_brings_back_what_was_and_keeps_what_it_replaced(site: Site) -> None:
    site.backup()
    before = site.content()
    site.change()
    changed = site.content()

    done = site.restore("latest", "--yes")

    assert done.code == 0, done.err
    assert site.content() == before
    (kept,) = site.kept()
    assert kept.name in done.out
    assert "manifest, SHA-256" in done.out
    assert "rows per table" in done.out
    site.restore(kept.name, "--yes") if engine() == "sqlite" else None
    assert engine() != "sqlite" or site.content() == changed


def test_a_backup_that_was_made_without_compression_is_restored(site: Site) -> None:
    backup = site.backup(wanted=Wanted(compress=False))
    before = site.content()
    site.change()

    assert site.restore(str(backup), "--yes").code == 0
    assert site.content() == before


def test_a_dry_run_tells_counts_now_and_after_and_changes_nothing(site: Site) -> None:
    site.backup()
    site.change()
    before, files = site.content(), sorted(site.shop.folder.parent.rglob("*"))

    done = site.restore("latest", "--dry-run")

    assert done.code == 0, done.err
    assert re.search(r"car +51 +50\n", done.out)
    assert re.search(r"lead +24 +25\n", done.out)
    assert "Tables with as many rows now as after: 1" in done.out
    assert done.out.endswith("Nothing was changed.\n")
    assert site.content() == before
    assert sorted(site.shop.folder.parent.rglob("*")) == files
    assert site.kept() == []


def test_a_dry_run_answers_programs(site: Site) -> None:
    backup = site.backup()
    site.change()

    told = json.loads(site.restore("latest", "--dry-run", "--json").out)

    cars = "car" if engine() == "sqlite" else "public.car"
    assert (told["file"], told["rows_now"][cars], told["rows_after"][cars]) == (str(backup), 51, 50)
    assert told["obstacles"] == []


def test_a_restore_answers_programs(site: Site) -> None:
    site.backup()

    told = json.loads(site.restore("latest", "--yes", "--json").out)

    cars = "car" if engine() == "sqlite" else "public.car"
    assert told["rows"][cars] == 50
    assert told["kept_as"] == site.kept()[0].name
    assert "accounts.0001_initial" in told["migrations"]["pending"]


@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
def test_a_restore_that_cannot_be_told_of_is_done_all_the_same(site: Site, output: str) -> None:
    site.backup()
    before = site.content()
    site.change()
    command = ["sh", "-c", f'exec "$@" {output}', "sh", *site.command("latest", "--yes", "--json")]

    done = subprocess.run(command, env=site.shop.variables(), capture_output=True, text=True, check=False)

    assert done.returncode == 3, done.stderr
    assert "could not be told: " in done.stderr
    assert "Traceback" not in done.stderr
    assert site.content() == before


@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
def test_a_plan_that_cannot_be_shown_is_not_carried_out(site: Site, output: str) -> None:
    site.backup()
    site.change()
    before = site.content()
    command = ["sh", "-c", f'exec "$@" {output}', "sh", *site.command("latest", "--yes")]

    done = subprocess.run(command, env=site.shop.variables(), capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert site.content() == before


@pytest.mark.parametrize("answer", ["", "yes", "shopp"])
def test_another_answer_than_the_name_changes_nothing(site: Site, answer: str) -> None:
    site.backup()
    site.change()
    before = site.content()

    done = site.restore_at_terminal("latest", answer=answer)

    assert done.code == 1
    assert "Nothing was changed" in done.out
    assert site.content() == before
    assert site.kept() == []


def test_the_name_typed_in_full_restores(site: Site) -> None:
    site.backup()
    before = site.content()
    site.change()

    done = site.restore_at_terminal("latest", answer=site.name)

    assert done.code == 0, done.out
    assert site.content() == before


def test_without_a_terminal_somebody_must_have_said_yes(site: Site) -> None:
    site.backup()
    site.change()
    before = site.content()

    assert refused(site.restore("latest"), "Nobody is there to ask: write --yes")
    assert site.content() == before


def test_a_flipped_bit_is_refused_before_anything_happens(site: Site) -> None:
    backup = site.backup()
    before, whole, chance = site.content(), backup.read_bytes(), random.Random(3)
    for _ in range(3):
        changed = bytearray(whole)
        changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        backup.write_bytes(changed)

        assert refused(site.restore(str(backup), "--yes"), "is damaged|begins as none|is wrapped|outside")
    assert site.content() == before
    assert site.kept() == []


def test_a_changed_manifest_is_refused(site: Site) -> None:
    backup = site.backup()
    text = manifest_path(backup).read_text()
    manifest_path(backup).write_text(text.replace('"kind": "full"', '"kind": "data"'))

    assert refused(site.restore(str(backup), "--yes"), "was changed after it was written")


def test_a_cut_backup_without_a_manifest_is_refused(site: Site) -> None:
    backup = site.backup()
    before, whole = site.content(), backup.read_bytes()
    manifest_path(backup).unlink()
    for part in range(1, 5):
        backup.write_bytes(whole[: len(whole) * part // 5])
        assert refused(site.restore(str(backup), "--yes"), "is cut|is damaged")
    assert site.content() == before


def test_other_row_counts_than_the_manifests_are_refused(site: Site) -> None:
    backup = site.backup()
    manifest = read_manifest(manifest_path(backup))
    table = next(name for name in manifest.rows if name.endswith("car"))
    alter_manifest(backup, rows={**manifest.rows, table: 51})
    site.change()
    before = site.content()

    done = site.restore(str(backup), "--yes")

    assert refused(done, rf"restores to something else: {table}: expected 51, found 50")
    assert site.content() == before
    assert site.kept() == []


def test_other_checksums_than_the_manifests_are_refused(site: Site) -> None:
    backup = site.backup(verify=True, wanted=Wanted(checksums=True))
    manifest = read_manifest(manifest_path(backup))
    table = next(name for name in manifest.rows if name.endswith("car"))
    assert "checksum per table" in site.restore(str(backup), "--yes").out
    alter_manifest(backup, checksums={**manifest.checksums, table: "1"})
    before = site.content()

    assert refused(site.restore(str(backup), "--yes"), rf"something else: {table}: expected 1,")
    assert site.content() == before


@pytest.mark.parametrize("how", ["plain", "gzip", "zstd"])
def test_standard_input_is_restored_however_it_is_compressed(site: Site, how: str) -> None:
    backup = site.backup()
    before = site.content()
    site.change()
    with open_backup(backup) as stream:
        plain = b"".join(stream.pieces())
    packed = plain if how == "plain" else gzip.compress(plain) if how == "gzip" else zstd.compress(plain)

    done = site.restore("-", "--yes", stdin=packed)

    assert done.code == 0, done.err
    assert "it has no manifest: rows cannot be compared" in done.out
    assert site.content() == before


def test_an_encrypted_backup_needs_its_key(site: Site, tmp_path: Path) -> None:
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    backup = site.backup(wanted=Wanted(lock=make_lock([str(key.to_public())])))
    before = site.content()
    site.change()
    changed = site.content()
    (tmp_path / "key").write_text(str(key))
    (tmp_path / "other").write_text(str(other))

    assert refused(site.restore(str(backup), "--yes"), "is encrypted: give the key .* with --identity FILE")
    wrong = site.restore(str(backup), "--yes", "--identity", str(tmp_path / "other"))
    assert refused(wrong, "stays closed: None of the identities opens it")
    assert site.content() == changed
    assert site.restore(str(backup), "--yes", "--identity", str(tmp_path / "key")).code == 0
    assert site.content() == before


def test_a_passphrase_opens_a_backup_from_a_file_and_from_the_environment(site: Site, tmp_path: Path) -> None:
    backup = site.backup(wanted=Wanted(lock=make_lock([], PASSPHRASE)))
    before = site.content()
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    (tmp_path / "wrong").write_text("another horse and battery\n")

    assert refused(site.restore(str(backup), "--yes"), "locked with a passphrase")
    wrong = site.restore(str(backup), "--yes", "--passphrase-file", str(tmp_path / "wrong"))
    assert refused(wrong, "The passphrase does not open it")
    for way in ([], ["--passphrase-file", str(tmp_path / "passphrase")]):
        site.change()
        key = "" if way else PASSPHRASE
        assert site.restore(str(backup), "--yes", *way, BACKUP_ENCRYPTION_KEY=key).code == 0
        assert site.content() == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Name the backup"),
        (["latest", "--table", "car"], "--table and --where belong together"),
        (["latest", "--list"], "--list takes no backup"),
        (["latest", "--drop-old"], "--drop-old takes no backup"),
        (["--list", "--drop-old"], "are two things"),
        (["latest", "--drill", "--drop-database"], "belongs to the restore of a whole database"),
        (["--drill", "--dry-run"], "leave --dry-run out"),
        (["latest", "--no-safety-backup"], "belongs to --drop-database"),
        (["latest", "--json"], "asks nothing: write --yes"),
        (["latest", "--jobs", "0"], "write a whole number from 1 to 64"),
        (["latest", "--yes", "--target", "mysql://somewhere/shop"], "--target begins with 'mysql'"),
        (["latest", "--yes", "--target", "sqlite:///other", "--target-file", "other.url"], "not allowed with"),
        (["latest", "--nonsense"], "unrecognized arguments"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(site: Site, arguments: list[str], reason: str) -> None:
    done = site.restore(*arguments)

    assert done.code == 2
    assert reason in done.err
    assert "Traceback" not in done.err


def test_a_backup_that_is_not_there_is_refused(site: Site) -> None:
    assert refused(site.restore("latest", "--yes"), "There is no complete backup of shop")
    assert refused(site.restore("/nowhere/at/all.dump", "--yes"), "There is no file /nowhere/at/all.dump")


def test_a_database_that_moved_is_told_how_to_restore_its_backups_from_before(site: Site) -> None:
    backup = site.backup()
    before = site.content()
    site.change()
    alter_manifest(backup, origin=Origin("db.example.org:5432", "7000000000000000000"))

    done = site.restore("latest", "--yes")

    assert refused(done, "no complete backup of shop.* where it is now.* 1 backup .* elsewhere .db.example.org:5432")
    assert f"`manage.py restore {backup}`" in done.err
    assert site.restore(str(backup), "--yes").code == 0
    assert site.content() == before


def test_what_is_no_backup_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))

    assert refused(site.restore(str(tmp_path / "photo"), "--yes"), "begins as none of them does")
    assert refused(site.restore("-", "--yes", stdin=b""), "standard input is empty")


def test_the_address_of_another_database_is_read_from_a_file(make_site: MakeSite, tmp_path: Path) -> None:
    site, other = make_site(name="shop"), make_site(rows=1, name="other")
    backup, address = site.backup(), tmp_path / "other.url"
    before = site.content()

    assert refused(site.restore(str(backup), "--yes", "--target-file", str(address)), f"{address} cannot be used")
    address.write_text(f"{other.shop.url}\n")
    assert site.restore(str(backup), "--yes", "--target-file", str(address)).code == 0

    assert other.content() == site.content() == before


def test_the_backup_of_another_engine_is_refused_with_the_way_out(site: Site, tmp_path: Path) -> None:
    backup = site.backup()
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}" if engine() == "postgres" else "postgresql://u@h/other"

    done = site.restore(str(backup), "--yes", "--target", other)

    assert refused(done, "sqlite_to_postgres" if engine() == "sqlite" else "give `--target postgresql://")
    manifest_path(backup).unlink()
    assert refused(site.restore(str(backup), "--yes", "--target", other), "is a backup of")
    assert not (tmp_path / "other.sqlite3").exists()


def test_the_list_is_that_of_the_backups(site: Site) -> None:
    backup = site.backup()

    assert str(backup) in site.restore("--list").out
    assert json.loads(site.restore("--list", "--json").out)["backups"][0]["path"] == str(backup)


def test_what_was_kept_goes_when_somebody_says_so(site: Site) -> None:
    site.backup()
    for _ in range(2):
        assert site.restore("latest", "--yes").code == 0
    kept = [entry.name for entry in site.kept()]
    before = site.content()
    assert len(kept) == 2

    assert refused(site.restore("--drop-old"), "Nobody is there to ask")
    assert "Nothing was changed" in site.restore_at_terminal("--drop-old", answer="yes").out
    assert len(site.kept()) == 2
    done = site.restore("--drop-old", "--yes")

    assert done.code == 0, done.err
    assert all(name in done.out for name in kept)
    assert site.kept() == []
    assert site.content() == before
    assert "kept anything" in site.restore("--drop-old", "--yes").out


def test_a_dry_run_lists_what_was_kept_and_removes_nothing(site: Site) -> None:
    site.backup()
    assert site.restore("latest", "--yes").code == 0
    (kept,) = site.kept()

    for way in ([], ["--yes"]):
        done = site.restore("--drop-old", "--dry-run", *way)
        assert done.code == 0, done.err
        assert kept.name in done.out
        assert done.out.endswith("Would remove 1. Nothing was changed.\n")
    told = json.loads(site.restore("--drop-old", "--dry-run", "--json").out)

    assert told == {"would_remove": [kept.name]}
    assert site.kept() == [kept]


def test_databases_of_like_names_are_not_taken_for_kept_ones(make_site: MakeSite) -> None:
    first, second = make_site(name="shop"), make_site(name="shop_before_christmas")
    second.backup()
    assert second.restore("latest", "--yes").code == 0

    assert len(second.kept()) == 1
    assert first.kept() == []


def test_dropping_first_takes_a_backup_which_latest_does_not_mean(site: Site) -> None:
    wanted = site.backup()
    before = site.content()
    site.change()
    changed = site.content()

    done = site.restore("latest", "--drop-database", "--yes")

    assert done.code == 0, done.err
    assert site.content() == before
    assert site.kept() == []
    (safety,) = [path for path in site.shop.backups() if path != wanted]
    assert str(safety) in done.out
    assert (site.shop.folder / "latest").resolve() == wanted
    assert site.restore(str(safety), "--yes").code == 0
    assert site.content() == changed


def test_when_a_restore_fails_after_dropping_what_was_there_comes_back(site: Site) -> None:
    backup = site.backup()
    manifest = read_manifest(manifest_path(backup))
    table = next(name for name in manifest.rows if name.endswith("car"))
    alter_manifest(backup, rows={**manifest.rows, table: 51})
    site.change()
    before = site.content()

    done = site.restore(str(backup), "--drop-database", "--yes")

    assert refused(done, "is as it was: its backup was restored")
    assert site.content() == before


def test_nothing_is_dropped_when_it_cannot_be_backed_up_first(site: Site, tmp_path: Path) -> None:
    backup = site.backup()
    before = site.content()
    (tmp_path / "file").touch()

    done = site.restore(str(backup), "--drop-database", "--yes", "-o", str(tmp_path / "file" / "folder"))

    assert refused(done, "Backups cannot be written to")
    assert site.content() == before


class Writer(Quiet):
    """Writes a row at each phase, and knows which were acknowledged."""

    def __init__(self, site: Site) -> None:
        self.site, self.phases, self.acknowledged = site, list[str](), set[int]()

    def phase(self, name: str) -> None:
        self.phases.append(name)
        number = 8000 + len(self.phases)
        statement = f"INSERT INTO car VALUES ({number}, 'VIN {number}', 1, 'written meanwhile')"
        if engine() == "sqlite":
            # A new file would be none of the live database.
            address = f"{self.site.file.as_uri()}?mode=rw"
            with (
                suppress(sqlite3.Error),
                closing(sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)) as writer,
            ):
                writer.execute(statement)
                self.acknowledged.add(number)
        else:
            with suppress(psycopg.Error), session_of(self.site) as session:
                session.execute(statement)
                self.acknowledged.add(number)


def test_every_row_that_was_written_before_the_live_database_is_dropped_is_in_its_safety_backup(site: Site) -> None:
    wanted = site.backup()
    writer, connection, folder = Writer(site), site.shop.connection, site.shop.folder
    order = Order(drop=True, safety_folder=folder)
    backups = (connection, folder)

    with prepared("latest", connection, order, backups=backups, dry_run=False, now=NIGHT, watcher=writer) as restore:
        restore.carry_out(writer)

    assert {"dropping", "removing"} & set(writer.phases)
    (safety,) = [path for path in site.shop.backups() if path != wanted]
    assert writer.acknowledged
    assert site.ask("SELECT count(*) FROM car WHERE id > 8000") == [(0,)]
    assert read_manifest(manifest_path(safety)).database == read_manifest(manifest_path(wanted)).database
    assert site.restore(str(safety), "--yes").code == 0
    assert {number for (number,) in site.ask("SELECT id FROM car WHERE id > 8000")} == writer.acknowledged


def test_a_safety_backup_that_finds_no_room_leaves_the_live_database_under_its_name(make_site: MakeSite) -> None:
    site = make_site(4000)
    with small_disk(site.shop.folder, "8m"):
        backup = site.backup()
        fill_disk(site.shop.folder, leaving=400_000)
        site.change()
        before = site.content()

        done = site.restore("latest", "--drop-database", "--yes")

        assert refused(done, "No space left on device|database or disk is full|disk I/O error")
        assert site.content() == before
        assert site.kept() == []
        assert site.shop.backups() == [backup]


def test_without_a_safety_backup_none_is_taken(site: Site) -> None:
    backup = site.backup()
    site.change()

    assert site.restore("latest", "--drop-database", "--no-safety-backup", "--yes").code == 0
    assert site.shop.backups() == [backup]


def test_a_drill_proves_the_newest_backup_and_its_manifest_remembers(site: Site) -> None:
    site.backup()
    newest = site.backup(now=NIGHT + timedelta(hours=1))
    site.change()
    before = site.content()

    done = site.restore("--drill")

    assert done.code == 0, done.err
    assert str(newest) in done.out
    assert [proof.how for proof in read_manifest(manifest_path(newest)).verified] == ["read back", "restored"]
    assert "restored" in site.restore("--list").out
    assert site.content() == before
    assert site.kept() == []


def test_a_drill_that_fails_is_no_proof(site: Site) -> None:
    backup = site.backup()
    manifest = read_manifest(manifest_path(backup))
    table = next(name for name in manifest.rows if name.endswith("car"))
    alter_manifest(backup, rows={**manifest.rows, table: 51})

    assert refused(site.restore("--drill"), f"restores to something else: {table}")
    assert [proof.how for proof in read_manifest(manifest_path(backup)).verified] == ["read back"]


def altered_rows(backup: Path) -> dict[str, int]:
    """Return other numbers of rows than a backup has."""
    rows = read_manifest(manifest_path(backup)).rows
    return {table: count + 1 for table, count in rows.items()}


@pytest.mark.parametrize("way", [("--drill",), ("latest", "--yes"), ("latest", "--yes", "--drop-database")])
def test_a_backup_that_failed_a_trial_is_remembered_and_no_longer_latest(site: Site, way: tuple[str, ...]) -> None:
    good = site.backup()
    bad = site.backup(now=NIGHT + timedelta(hours=1))
    rows = read_manifest(manifest_path(bad)).rows
    alter_manifest(bad, rows=altered_rows(bad))

    assert site.restore("latest", "--dry-run").code == 0
    assert read_manifest(manifest_path(bad)).failures == ()
    failed = site.restore(*way)

    assert failed.code == 1
    assert len(read_manifest(manifest_path(bad)).failures) == 1
    listed = site.restore("--list").out
    assert re.search(rf"it failed a trial on .* restores to something else: .*{bad.name}", listed)
    assert str(good) in site.restore("latest", "--dry-run").out
    alter_manifest(bad, rows=rows)
    assert site.restore(str(bad), "--drill").code == 0
    assert str(bad) in site.restore("latest", "--dry-run").out


def test_the_state_of_the_migrations_is_told(site: Site) -> None:
    site.backup()
    assert "migrations are to be applied: run `manage.py migrate`" in site.restore("latest", "--yes").out
    site.execute("INSERT INTO django_migrations VALUES (9, 'accounts', '9999_of_the_future', '')")
    site.backup(now=NIGHT + timedelta(hours=1))
    assert "does not know, such as accounts.9999_of_the_future" in site.restore("latest", "--yes").out
    site.execute("DROP TABLE django_migrations")
    site.backup(now=NIGHT + timedelta(hours=2))
    assert "This is no database of Forecourt" in site.restore("latest", "--yes").out


def test_what_was_cached_before_is_forgotten(site: Site, redis_url: str) -> None:
    site.backup()
    cache.set("a page", "as it was")

    done = site.restore("latest", "--yes", REDIS_URL=redis_url)

    assert done.code == 0, done.err
    assert cache.get("a page") is None


def test_a_cache_that_is_away_is_a_finding(site: Site, tmp_path: Path) -> None:
    site.backup()
    before = site.content()
    site.change()

    done = site.restore("latest", "--yes", REDIS_URL=f"unix://{tmp_path}/nobody?db=0")

    assert done.code == 3
    assert "The cache could not be emptied" in done.err
    assert site.content() == before
