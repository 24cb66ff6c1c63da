"""What docs/backup-and-recovery.md tells people to type, typed on both engines; and what its tables promise."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from config.ops.backup.clients import newest_client
from config.ops.backup.manifest import manifest_path, read_manifest
from config.ops.health.thresholds import DEFAULTS
from config.ops.restoring.kept import kept_by_restores, remove
from config.ops.scratch import connected
from tests.config.databases import execute
from tests.docs.pages import type_commands
from tests.servers import engine

PAGE = "backup-and-recovery.md"


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
    yield variables | {
        "ENV_FILE": os.devnull,
        "DATABASE_URL": url,
        "OTHER_DATABASE_URL": other,
        "BACKUP_DIR": str(tmp_path / "backups"),
    }
    for address in (other, url):
        with connected(address) as connection:
            remove(connection, kept_by_restores(connection))
    if engine() == "postgres":
        execute(url, f'DROP DATABASE IF EXISTS "{other.rpartition("/")[2].partition("?")[0]}" WITH (FORCE)')


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    env = environment | {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
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
