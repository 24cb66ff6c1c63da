"""What `manage.py backup` writes, on both engines."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
from django.db import connections

from config.db.errors import Refused
from config.ops.backup.catalogue import latest
from config.ops.backup.draft import Wanted
from config.ops.backup.encryption import Keys, make_lock
from config.ops.backup.manifest import check_backup, manifest_path
from config.ops.backup.run import WrongUsage
from config.ops.version import forecourt_version
from tests.ops.backup.conftest import MakeShop
from tests.ops.backup.shops import NIGHT, Shop, content_of, manifest_of
from tests.servers import engine

pytestmark = pytest.mark.django_db
PASSPHRASE = "correct horse battery staple"
ENDING = "sqlite3" if engine() == "sqlite" else "dump"
PREFIX = "" if engine() == "sqlite" else "public."


def test_a_backup_holds_every_row_and_says_so(shop: Shop) -> None:
    result = shop.run()

    assert content_of(result.backup).count("VIN0000") == 50
    assert result.manifest.rows == {f"{PREFIX}car": 50, f"{PREFIX}django_migrations": 2, f"{PREFIX}lead": 25}
    assert result.manifest.migrations == {"cars": "0002_price"}
    assert [proof.how for proof in result.manifest.verified] == ["read back"]


def test_the_manifest_describes_the_file(shop: Shop) -> None:
    backup = shop.run(retention_days=7).backup
    manifest = manifest_of(backup)

    check_backup(manifest, backup)
    assert manifest.size == backup.stat().st_size < manifest.plain_size
    assert (manifest.engine, manifest.kind, manifest.compression) == (shop.connection.vendor, "full", "zstd")
    assert (manifest.archive, manifest.file) == ("sqlite" if engine() == "sqlite" else "custom", backup.name)
    assert (manifest.started_at, manifest.retention_days) == (NIGHT, 7)
    assert manifest.finished_at - manifest.started_at == timedelta(seconds=manifest.duration_seconds)
    assert manifest.forecourt_version == forecourt_version()
    assert re.match(r"\d+\.\d+", manifest.server_version)
    assert re.match(r"\d+\.\d+", manifest.program_version)


def test_the_name_has_database_and_time_in_utc_and_the_folder_the_day(shop: Shop) -> None:
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC).astimezone(tz=datetime.now().astimezone().tzinfo)

    backup = shop.run(now=late).backup

    database = manifest_of(backup).database
    assert backup == shop.folder / "2026" / "03" / "02" / f"{database}_20260302_233000.{ENDING}.zst"


def test_two_backups_of_one_second_do_not_overwrite_each_other(shop: Shop) -> None:
    first, second = shop.run().backup, shop.run().backup

    assert (first.name, second.name) == (first.name, first.name.replace("020000.", "020000_2."))
    check_backup(manifest_of(first), first)
    check_backup(manifest_of(second), second)


def test_only_the_owner_may_read_it(shop: Shop) -> None:
    backup = shop.run().backup

    assert [path.stat().st_mode & 0o777 for path in (backup, manifest_path(backup))] == [0o600, 0o600]
    folders = [backup.parent, *backup.parents[1:4]]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o750}


def test_latest_points_to_the_last_one_made_although_the_clock_was_set_back(shop: Shop) -> None:
    shop.run(now=NIGHT)
    after = shop.run(now=NIGHT - timedelta(days=400)).backup

    assert (shop.folder / "latest").resolve() == after
    assert latest(shop.folder, shop.connection).backup == after


def test_a_run_that_was_overtaken_does_not_become_the_latest(shop: Shop) -> None:
    overtaking: list[Path] = []

    def overtake(size: int) -> None:
        if not overtaking:
            overtaking.append(shop.run(now=NIGHT + timedelta(minutes=1)).backup)

    shop.run(now=NIGHT, wanted=Wanted(progress=overtake))

    assert (shop.folder / "latest").resolve() == overtaking[0]


def test_without_the_link_the_newest_counts_as_the_latest(shop: Shop) -> None:
    shop.run(now=NIGHT)
    newest = shop.run(now=NIGHT + timedelta(days=1)).backup
    (shop.folder / "latest").unlink()

    assert latest(shop.folder, shop.connection).backup == newest


def test_a_damaged_backup_is_not_the_latest(shop: Shop) -> None:
    good = shop.run(now=NIGHT).backup
    shop.run(now=NIGHT + timedelta(days=1)).backup.write_bytes(b"")

    assert latest(shop.folder, shop.connection).backup == good


def test_without_any_backup_the_refusal_names_the_way_out(shop: Shop) -> None:
    with pytest.raises(Refused, match=r"no complete backup of shop.* run manage\.py backup"):
        latest(shop.folder, shop.connection)


def test_uncompressed_when_asked(shop: Shop) -> None:
    result = shop.run(wanted=Wanted(compress=False))

    assert result.backup.name.endswith(f".{ENDING}")
    assert result.manifest.compression == "none"
    assert result.manifest.size == result.manifest.plain_size
    assert content_of(result.backup).count("VIN0000") == 50


@pytest.mark.parametrize("compress", [True, False])
def test_encrypted_to_several_each_of_whom_can_open_it(shop: Shop, compress: bool) -> None:
    people = [pyrage.x25519.Identity.generate() for _ in range(2)]
    lock = make_lock([str(person.to_public()) for person in people])

    result = shop.run(wanted=Wanted(lock=lock, compress=compress))

    assert result.backup.name.endswith(f".{ENDING}{'.zst' if compress else ''}.age")
    assert result.manifest.encryption == ("X25519", "X25519")
    assert b"VIN0000" not in result.backup.read_bytes()
    for person in people:
        assert content_of(result.backup, Keys((person,))).count("VIN0000") == 50
    check_backup(result.manifest, result.backup)


def test_encrypted_with_a_passphrase(shop: Shop) -> None:
    result = shop.run(wanted=Wanted(lock=make_lock([], PASSPHRASE)))

    assert result.manifest.encryption == ("passphrase",)
    assert content_of(result.backup, Keys(passphrase=PASSPHRASE)).count("VIN0000") == 50


@pytest.mark.postgres_only
def test_several_processes_write_a_folder(make_shop: MakeShop) -> None:
    shop = make_shop(2000)
    result = shop.run(wanted=Wanted(jobs=2))
    manifest = result.manifest

    assert result.backup.suffix == ".dir"
    assert (manifest.archive, manifest.compression) == ("directory", manifest.compression)
    assert {entry.path for entry in manifest.files} == {path.name for path in result.backup.iterdir()}
    assert manifest.size == sum(path.stat().st_size for path in result.backup.iterdir()) < manifest.plain_size
    check_backup(manifest, result.backup)
    assert content_of(result.backup).count("VIN0000") == 2000
    assert result.backup.stat().st_mode & 0o777 == 0o700


@pytest.mark.postgres_only
def test_the_schema_alone_and_the_data_alone(shop: Shop) -> None:
    schema, data = shop.run(wanted=Wanted(kind="schema")), shop.run(wanted=Wanted(kind="data"))

    text = content_of(schema.backup)
    assert ("CREATE TABLE public.car" in text, "VIN0000" in text) == (True, False)
    text = content_of(data.backup)
    assert ("CREATE TABLE public.car" in text, "VIN0000" in text) == (False, True)
    assert (schema.manifest.rows, data.manifest.rows["public.car"]) == ({}, 50)


@pytest.mark.postgres_only
def test_a_part_never_becomes_the_latest(shop: Shop) -> None:
    whole = shop.run().backup
    shop.run(now=NIGHT + timedelta(days=1), wanted=Wanted(kind="schema"))

    assert latest(shop.folder, shop.connection).backup == whole
    assert (shop.folder / "latest").resolve() == whole


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("wanted", "advice"), [(Wanted(kind="schema"), "leave --type"), (Wanted(jobs=2), "leave --jobs")]
)
def test_what_sqlite_has_not_is_refused_with_the_way_out(shop: Shop, wanted: Wanted, advice: str) -> None:
    with pytest.raises(Refused, match=advice):
        shop.run(wanted=wanted)
    assert shop.backups() == shop.unfinished() == []


@pytest.mark.sqlite_only
def test_a_missing_sqlite_file_is_no_empty_database(shop: Shop, tmp_path: Path) -> None:
    done = shop.manage(DATABASE_URL=f"sqlite:///{tmp_path / 'typo.sqlite3'}")

    assert (done.returncode, "There is no SQLite file" in done.stderr) == (1, True)
    assert not (tmp_path / "typo.sqlite3").exists()


@pytest.mark.postgres_only
def test_all_schemas_and_only_lasting_tables_are_counted(shop: Shop) -> None:
    shop.execute('CREATE SCHEMA "Odd ""name"')
    shop.execute('CREATE TABLE "Odd ""name"."select" ("t" integer)')
    shop.execute('INSERT INTO "Odd ""name"."select" VALUES (1), (2)')
    shop.execute("CREATE UNLOGGED TABLE quick (id integer)")
    shop.execute("CREATE TEMPORARY TABLE mine (id integer)")

    result = shop.run(wanted=Wanted(checksums=True))

    assert result.manifest.rows['Odd "name.select'] == 2
    assert result.manifest.rows["public.quick"] == 0
    assert not any("mine" in table for table in result.manifest.rows)
    assert result.manifest.checksums.keys() == result.manifest.rows.keys()


@pytest.mark.postgres_only
def test_rows_are_those_of_the_dump_although_others_write_meanwhile(make_shop: MakeShop) -> None:
    shop, stop = make_shop(3000), threading.Event()

    def write() -> None:
        number = 1_000_000
        with closing(connections.create_connection("default")) as own:
            own.settings_dict = shop.connection.settings_dict
            with own.cursor() as cursor:
                while not stop.is_set():
                    number += 1
                    cursor.execute("INSERT INTO car VALUES (%s, %s, 1, '')", [number, f"NEW{number}"])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backups = [shop.run() for _ in range(3)]
    finally:
        stop.set()
        writer.join()

    for result in backups:
        text = content_of(result.backup)
        cars = re.search(r"COPY public\.car .*?\n(.*?)\\\.\n", text, re.DOTALL)
        assert cars
        assert cars[1].count("\n") == result.manifest.rows["public.car"]
    assert backups[2].manifest.rows["public.car"] > 3000


TRANSFERS = """
import random, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
chance = random.Random(1)
print("ready", flush=True)
while True:
    one, other = chance.sample(range(1000), 2)
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE car SET price = price - 5 WHERE id = ?", [one])
    database.execute("UPDATE car SET price = price + 5 WHERE id = ?", [other])
    database.execute("COMMIT")
"""


@pytest.mark.sqlite_only
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_sqlite_copy_is_of_one_moment_although_others_write(
    make_shop: MakeShop, tmp_path: Path, journal: str
) -> None:
    shop = make_shop(5000)
    file = shop.connection.settings_dict["NAME"]
    shop.execute(f"PRAGMA journal_mode = {journal}")
    total = sum(n % 977 for n in range(5000))
    writer = subprocess.Popen([sys.executable, "-c", TRANSFERS, str(file)], stdout=subprocess.PIPE)
    try:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
        backups = [shop.run(wanted=Wanted(compress=False)).backup for _ in range(3)]
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.communicate()

    for backup in backups:
        with closing(sqlite3.connect(backup)) as copy:
            assert copy.execute("SELECT sum(price) FROM car").fetchone() == (total,)
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.sqlite_only
def test_a_damaged_sqlite_database_is_no_good_backup(make_shop: MakeShop) -> None:
    shop = make_shop(2000)
    file = Path(shop.connection.settings_dict["NAME"])
    shop.connection.close()
    with file.open("r+b") as damaged:
        damaged.seek(20 * 4096)
        damaged.write(b"\xff" * 4096)

    with pytest.raises(Refused, match="The database itself is damaged"):
        shop.run()
    assert shop.backups() == shop.unfinished() == []


def test_the_command_says_what_it_made(shop: Shop) -> None:
    done = shop.manage()

    assert done.returncode == 0, done.stderr
    (backup,) = shop.backups()
    assert re.fullmatch(
        rf"{re.escape(str(backup))}: \S+ kB, 77 rows in 3 tables, \d+\.\d s, read back\n",
        done.stdout,
    )


def test_the_command_prints_json(shop: Shop) -> None:
    done = shop.manage("--json", "--no-compress")

    result = json.loads(done.stdout)
    (backup,) = shop.backups()
    assert (result["path"], result["removed"], result["findings"]) == (str(backup), [], [])
    assert result["manifest"]["rows"][f"{PREFIX}car"] == 50
    assert done.stderr == ""


def test_the_command_starts_without_the_apps(shop: Shop) -> None:
    command = [sys.executable, "-X", "importtime", *shop.command("--verify")[1:]]

    done = subprocess.run(command, env=shop.variables(), capture_output=True, text=True, check=False)

    assert (done.returncode, "read back and restored" in done.stdout) == (0, True), done.stderr[-2000:]
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "config.ops.backup.run" in loaded
    assert not loaded & {"accounts.models", "config.apps", "config.admin", "django.contrib.auth.models", "redis"}


@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_backup_that_cannot_be_told_of_is_good_all_the_same(shop: Shop, output: str, arguments: list[str]) -> None:
    command = ["sh", "-c", f'exec "$@" {output}', "sh", *shop.command(*arguments)]

    done = subprocess.run(command, env=shop.variables(), capture_output=True, text=True, check=False)

    assert done.returncode == 3, done.stderr
    assert "could not be told: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    (backup,) = shop.backups()
    check_backup(manifest_of(backup), backup)


def test_a_quiet_command_says_nothing(shop: Shop) -> None:
    done = shop.manage("--verbosity", "0")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [["--retention", "0"], ["--jobs", "zero"], ["--type", "half"], ["--unknown"], ["--upload", "ftp://host/folder"]],
)
def test_wrong_usage_exits_with_2_and_makes_nothing(shop: Shop, arguments: list[str]) -> None:
    done = shop.manage(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert not shop.folder.exists()


def test_options_that_do_not_go_together_are_wrong_usage(shop: Shop) -> None:
    lock = make_lock([str(pyrage.x25519.Identity.generate().to_public())])
    with pytest.raises(WrongUsage, match="--jobs writes a folder"):
        shop.run(wanted=Wanted(jobs=2, lock=lock))
    with pytest.raises(WrongUsage, match="--verify restores the backup"):
        shop.run(wanted=Wanted(kind="data"), verify=True)
    with pytest.raises(WrongUsage, match="--identity FILE"):
        shop.run(wanted=Wanted(lock=lock), verify=True)


def test_the_help_has_an_example(shop: Shop) -> None:
    done = shop.manage("--help")

    assert done.returncode == 0
    assert "Example: manage.py backup" in " ".join(done.stdout.split())


def test_the_passphrase_of_the_environment_locks_every_backup(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE)

    for variables in ({"BACKUP_ENCRYPTION_KEY": PASSPHRASE}, {"BACKUP_ENCRYPTION_KEY_FILE": str(file)}):
        done = shop.manage(**variables)
        assert done.returncode == 0, done.stderr
    done = shop.manage("--passphrase-file", str(file))
    assert done.returncode == 0, done.stderr

    assert [manifest.encryption for manifest in shop.manifests()] == [("passphrase",)] * 3
    assert [content_of(b, Keys(passphrase=PASSPHRASE)).count("VIN0000") for b in shop.backups()] == [50, 50, 50]


def test_another_database_is_backed_up_by_its_name(shop: Shop, make_shop: MakeShop) -> None:
    other = make_shop(7, name="other")
    name = str(other.connection.settings_dict["NAME"])

    done = shop.manage("--database", name)

    assert done.returncode == 0, done.stderr
    (manifest,) = shop.manifests()
    assert manifest.rows[f"{PREFIX}car"] == 7
    assert manifest.file.startswith("other")


@pytest.mark.postgres_only
def test_another_user_connects(shop: Shop) -> None:
    shop.execute("CREATE ROLE reader LOGIN")
    try:
        refused = shop.manage("--user", "reader")
        assert refused.returncode == 1
        assert re.search("permission denied for table (car|lead|django_migrations)", refused.stderr)
        assert shop.backups() == shop.unfinished() == []

        shop.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        done = shop.manage("-u", "reader")
        assert done.returncode == 0, done.stderr
    finally:
        shop.execute("DROP OWNED BY reader")
        shop.execute("DROP ROLE reader")


@pytest.mark.postgres_only
def test_rows_hidden_by_a_policy_make_no_backup(shop: Shop) -> None:
    shop.execute("CREATE ROLE bound LOGIN")
    try:
        for statement in (
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO bound",
            "ALTER TABLE car ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY few ON car USING (id < 3)",
        ):
            shop.execute(statement)

        refused = shop.manage("--user", "bound")

        assert (refused.returncode, "row-level security" in refused.stderr) == (1, True)
        assert shop.backups() == []
    finally:
        shop.execute("DROP POLICY IF EXISTS few ON car")
        shop.execute("DROP OWNED BY bound")
        shop.execute("DROP ROLE bound")


@pytest.mark.sqlite_only
def test_sqlite_has_no_users(shop: Shop) -> None:
    done = shop.manage("--user", "somebody")

    assert (done.returncode, "SQLite has no users" in done.stderr) == (2, True)


def test_the_list_tells_what_there_is(shop: Shop) -> None:
    old, new = shop.run(now=NIGHT), shop.run(now=NIGHT + timedelta(days=1))
    old.backup.write_bytes(b"cut")
    new.backup.with_name(new.backup.name.replace("020000", "030000")).write_bytes(b"left by a killed run")

    done = shop.manage("--list")

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert re.match(rf"2026-03-03 02:00:00  full  .* kB  read back +{re.escape(str(new.backup))}", lines[0])
    assert re.match(r"2026-03-02 02:00:00  full  .* it is not as long as its manifest says", lines[1])
    assert re.match(r"The last good backup is \d+(\.\d)? hours old\.", lines[2])
    assert "030000" in done.stderr
    assert "has no manifest" in done.stderr


def test_the_list_as_json(shop: Shop) -> None:
    result = shop.run()

    listed = json.loads(shop.manage("--list", "--json").stdout)

    (backup,) = listed["backups"]
    assert (backup["path"], backup["problem"]) == (str(result.backup), "")
    assert backup["size"] == result.manifest.size
    assert backup["verified"][0]["how"] == "read back"
    assert listed["last_good_age_hours"] == backup["age_hours"] > 0


def test_an_empty_list_says_that_there_is_no_backup(shop: Shop) -> None:
    done = shop.manage("--list")

    assert (done.returncode, done.stdout) == (0, "No good backup.\n")
    assert not shop.folder.exists()


@pytest.mark.postgres_only
def test_the_web_limit_on_statements_does_not_end_a_backup(make_shop: MakeShop) -> None:
    shop = make_shop(20_000)

    done = shop.manage(STATEMENT_TIMEOUT="1", IDLE_TIMEOUT="1")

    assert done.returncode == 0, done.stderr


@pytest.mark.postgres_only
def test_behind_pgbouncer_the_direct_address_is_dumped(shop: Shop) -> None:
    refused = shop.manage(PGBOUNCER="true")
    assert (refused.returncode, "DIRECT_DATABASE_URL" in refused.stderr) == (1, True)

    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    done = shop.manage(PGBOUNCER="true", DATABASE_URL=nowhere, DIRECT_DATABASE_URL=shop.url)
    assert done.returncode == 0, done.stderr


@pytest.mark.postgres_only
def test_an_unreachable_server_is_one_sentence(shop: Shop) -> None:
    done = shop.manage(DATABASE_URL="postgresql://nobody:hunter2@127.0.0.1:1/nothing", DATABASE_RETRIES="0")

    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.postgres_only
def test_the_password_is_seen_nowhere(make_shop: MakeShop) -> None:
    shop = make_shop(20_000)
    user = shop.connection.settings_dict["USER"]
    secret = "hunter2-and-more"
    url = shop.url.replace(f"{user}:@", f"{user}:{secret}@")
    assert secret in url
    seen, handed_over = [], False
    process = shop.start(DATABASE_URL=url)
    while process.poll() is None:
        for program in Path("/proc").glob("[0-9]*"):
            try:
                seen.append((program / "cmdline").read_bytes())
                if b"pg_dump" in seen[-1]:
                    handed_over |= f"PGPASSWORD={secret}".encode() in (program / "environ").read_bytes()
            except OSError:
                continue
    _, errors = process.communicate()

    assert process.returncode == 0, errors
    assert handed_over
    assert not any(secret.encode() in line for line in seen)
    assert secret not in errors
    for path in shop.folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()


def test_the_checksums_of_equal_content_are_equal_whatever_the_order(make_shop: MakeShop) -> None:
    one, other = make_shop(20, name="one"), make_shop(20, name="two")
    other.execute("DELETE FROM car WHERE id = 15")
    assert (
        one.run(wanted=Wanted(checksums=True)).manifest.checksums
        != other.run(wanted=Wanted(checksums=True)).manifest.checksums
    )

    with one.connection.cursor() as cursor:
        cursor.execute("SELECT * FROM car WHERE id = 15")
        row = cursor.fetchone()
    with other.connection.cursor() as cursor:
        cursor.execute("INSERT INTO car VALUES (%s, %s, %s, %s)", row)

    sums = [shop.run(wanted=Wanted(checksums=True)).manifest.checksums for shop in (one, other)]
    assert sums[0] == sums[1]
    assert sums[0].keys() == {f"{PREFIX}car", f"{PREFIX}django_migrations", f"{PREFIX}lead"}


def test_a_copy_in_between_is_kept_only_if_something_changed(make_shop: MakeShop) -> None:
    shop = make_shop(3)
    if shop.connection.vendor != "sqlite":
        refused = shop.manage("--if-changed")
        assert (refused.returncode, "--if-changed is for SQLite" in refused.stderr) == (2, True)
        return
    wanted = Wanted(checksums=True)
    first = shop.run(wanted=wanted, if_changed=True)
    later = NIGHT + timedelta(days=40)

    same = shop.run(now=later, wanted=wanted, if_changed=True, retention_days=30)
    assert (same.backup, same.is_new, shop.backups()) == (first.backup, False, [first.backup])
    assert shop.manifests()[0].as_of == later

    shop.execute("UPDATE car SET price = price + 1 WHERE id = 1")
    changed = shop.run(now=later + timedelta(hours=6), wanted=wanted, if_changed=True)
    assert changed.is_new
    assert len(shop.backups()) == 2


@pytest.mark.sqlite_only
def test_an_unchanged_database_is_copied_again_where_the_last_copy_is_damaged(make_shop: MakeShop) -> None:
    shop = make_shop(3)
    wanted = Wanted(checksums=True)
    first = shop.run(wanted=wanted).backup
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    assert shop.run(now=NIGHT + timedelta(hours=6), wanted=wanted, if_changed=True).is_new
