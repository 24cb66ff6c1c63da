"""What docs/backup-and-recovery.md tells people to type, typed on both engines; and what its tables promise."""

from __future__ import annotations

import configparser
import gzip
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from config.ops import servers
from config.ops.backup.clients import newest_client
from config.ops.backup.manifest import manifest_path, read_manifest
from config.ops.health.thresholds import DEFAULTS
from config.ops.restoring.kept import kept_by_restores, remove
from config.ops.scratch import connected
from tests import commands
from tests.config.databases import execute
from tests.docs.pages import type_commands
from tests.servers import engine

PAGE = "backup-and-recovery.md"
PGBACKREST = shutil.which("pgbackrest")


@pytest.fixture(scope="module")
def text() -> str:
    return (Path(settings.BASE_DIR) / "docs" / PAGE).read_text(encoding="utf-8")


@pytest.fixture
def environment(url: str, migrated: None, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables that a machine with a shop has."""
    variables = {name: os.environ[name] for name in ("HOME", "LANG", "REDIS_URL") if name in os.environ}
    other = (
        f"sqlite:///{tmp_path / 'other.sqlite3'}" if engine() == "sqlite" else re.sub(r"/(own_\w+)", r"/\1_other", url)
    )
    (tmp_path / "other.url").write_text(f"{other}\n")
    yield variables | {
        "ENV_FILE": os.devnull,
        "DATABASE_URL": url,
        "BACKUP_DIR": str(tmp_path / "backups"),
    }
    for address in (other, url):
        with connected(address) as connection:
            remove(connection, kept_by_restores(connection))
    if engine() == "postgres":
        execute(url, f'DROP DATABASE IF EXISTS "{other.rpartition("/")[2].partition("?")[0]}" WITH (FORCE)')


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    done = commands.manage(*arguments, environment=environment | {"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    return done


def write_as_old_scripts_did(url: str, backup: Path) -> None:
    if engine() == "sqlite":
        content = Path(url.removeprefix("sqlite:///")).read_bytes()
    else:
        command = [str(newest_client("pg_dump").path), "--clean", "--if-exists", url]
        content = subprocess.run(command, capture_output=True, check=True).stdout
    backup.write_bytes(gzip.compress(content, 1))


@pytest.mark.django_db
@pytest.mark.any_engine
def test_every_command_does_what_it_should(environment: dict[str, str], url: str, tmp_path: Path) -> None:
    manage(environment, "seed", "--profile", "partpal", "--verbosity", "0")
    write_as_old_scripts_did(url, tmp_path / "old-backup.gz")

    outputs = type_commands(PAGE, folder=tmp_path, environment=environment)

    told = "\n".join(outputs)
    assert "is kept as" in told
    assert "Removed 1." in told
    assert "it has no manifest: rows cannot be compared" in told
    assert re.search(r"Brought back 0 rows\.", told)
    assert re.search(r"^found +nothing$", outputs[-1], re.MULTILINE)
    latest = (tmp_path / "backups" / "latest").resolve()
    assert [proof.how for proof in read_manifest(manifest_path(latest)).verified].count("restored") == 2
    assert len(list((tmp_path / "elsewhere").rglob("*.manifest.json"))) == 1
    lost_rows_come_back(environment, url)


def lost_rows_come_back(environment: dict[str, str], url: str) -> None:
    execute(url, "DELETE FROM inventory_partimage", "DELETE FROM inventory_part")
    for table, rows in (("inventory_part", 12), ("inventory_partimage", 16)):
        done = manage(environment, "restore", "latest", "--table", table, "--where", "id > 0", "--yes")
        assert f"Brought back {rows} rows." in done.stdout


def test_backups_are_missed_after_the_hours_that_it_names(text: str) -> None:
    mark = DEFAULTS["backup_age"]
    assert f"older than {mark.warning:g} hours and\nis critical after {mark.critical:g}" in text


class Rest:
    """pgBackRest with the page's configuration, on a cluster in a folder of ours."""

    def __init__(self, text: str, folder: Path) -> None:
        self.file, self.account = folder / "pgbackrest.conf", servers.Account.for_servers()
        first, second = re.findall(r"^```ini\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        self.configuration = configparser.ConfigParser()
        self.configuration.read_string(first)
        places = {"repo1-path": folder / "repository", "lock-path": folder / "lock", "spool-path": folder / "spool"}
        self.configuration["global"].update({name: str(path) for name, path in places.items()})
        self.configuration["global"]["log-level-file"] = "off"
        self.configuration["forecourt"]["pg1-path"] = str(folder / "main")
        self.settings = dict(re.findall(r"^(\w+) = '?(.*?)'?$", second, re.MULTILINE))
        self.settings["archive_command"] = self.settings["archive_command"].replace(
            "pgbackrest", f"{PGBACKREST} --config={self.file}"
        )

    def reaches(self, url: str) -> None:
        """Write its file, for the server of that address."""
        parts = conninfo_to_dict(url)
        self.configuration["forecourt"].update({"pg1-socket-path": str(parts["host"]), "pg1-user": str(parts["user"])})
        with self.file.open("w") as file:
            self.configuration.write(file)
        self.file.chmod(0o644)

    def __call__(self, *arguments: str) -> None:
        done = subprocess.run(
            [str(PGBACKREST), f"--config={self.file}", "--stanza=forecourt", *arguments],
            user=self.account.uid if self.account else None,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder of the account that runs servers; those of tests are closed to it."""
    account = servers.Account.for_servers()
    with tempfile.TemporaryDirectory(prefix="forecourt-") as name:
        for path in (Path(name), Path(name) / "recovered"):
            path.mkdir(mode=0o700, exist_ok=True)
            os.chown(path, account.uid if account else -1, account.gid if account else -1)
        yield Path(name)


@pytest.mark.skipif(PGBACKREST is None, reason="pgBackRest is not installed: apt-get install pgbackrest")
@pytest.mark.postgres_only
@pytest.mark.django_db
def test_a_moment_comes_back_with_the_configuration_for_pgbackrest(text: str, open_folder: Path) -> None:
    rest = Rest(text, open_folder)
    with servers.postgresql(data=open_folder / "main") as server:
        for name, value in rest.settings.items():
            execute(server.url, f"ALTER SYSTEM SET {name} = '{value}'")
    with servers.postgresql(data=open_folder / "main") as server:
        rest.reaches(server.url)
        rest("stanza-create")
        execute(server.url, "CREATE TABLE car (id integer)", "INSERT INTO car VALUES (1)")
        rest("--type=full", "backup")
        execute(server.url, "INSERT INTO car VALUES (2)")
        rest("--type=incr", "backup")
        execute(server.url, "INSERT INTO car VALUES (3)")
        moment = ask(server.url, "SELECT clock_timestamp()::text")
        execute(server.url, "DELETE FROM car")
        rest("check")

    recovered = open_folder / "recovered"
    rest(f"--pg1-path={recovered}", "--type=time", f"--target={moment}", "--target-action=promote", "restore")

    with servers.postgresql(data=recovered) as server:
        assert ask(server.url, "SELECT count(*) FROM car") == 3


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as session:
        row = session.execute(query).fetchone()
        return row and row[0]
