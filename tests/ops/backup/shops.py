"""A database to back up, and what a test wants to know of its backups."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from config.ops.backup.clients import newest_client
from config.ops.backup.draft import Wanted
from config.ops.backup.encryption import Keys
from config.ops.backup.manifest import Manifest, manifest_path, read_manifest
from config.ops.backup.run import Request, Result, run_backup
from config.ops.backup.streams import open_backup
from tests import commands

PROJECT = Path(__file__).resolve().parents[3]
NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
# How often a test tries its luck; `FAULT_ROUNDS=50` for a long night.
FAULT_ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
# Another number is other luck, and the same one the same.
FAULT_SEED = int(os.environ.get("FAULT_SEED", "1"))
SCHEMA = (
    "CREATE TABLE django_migrations (id integer PRIMARY KEY, app text, name text, applied text)",
    "INSERT INTO django_migrations VALUES (1, 'cars', '0001_initial', ''), (2, 'cars', '0002_price', '')",
    "CREATE TABLE car (id integer PRIMARY KEY, vin text NOT NULL UNIQUE, price numeric(10, 2), note text)",
    "CREATE TABLE lead (id integer PRIMARY KEY, car_id integer NOT NULL REFERENCES car (id))",
    "CREATE INDEX car_price ON car (price)",
)


@dataclass
class Shop:
    """A database with cars and leads, and the folder of its backups."""

    url: str
    connection: BaseDatabaseWrapper
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def fill(self, rows: int) -> None:
        """Make the tables, with `rows` cars of 400 letters each that do not compress, and half as many leads."""
        chance = random.Random(rows)
        cars = [(n, f"VIN{n:014}", n % 977, chance.randbytes(200).hex()) for n in range(rows)]
        with self.connection.cursor() as cursor:
            for statement in SCHEMA:
                cursor.execute(statement)
            cursor.executemany("INSERT INTO car VALUES (%s, %s, %s, %s)", cars)
            cursor.executemany("INSERT INTO lead VALUES (%s, %s)", [(n, n) for n in range(rows // 2)])

    def execute(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def run(self, *, now: datetime = NIGHT, **request: Any) -> Result:
        """Back up in this process."""
        wanted = request.pop("wanted", None) or Wanted()
        return run_backup(self.connection, Request(self.folder, wanted, **request), now=now)

    def command(self, *arguments: str) -> list[str]:
        return [*commands.MANAGE, *self.words(*arguments)]

    def words(self, *arguments: str) -> list[str]:
        return ["backup", "-o", str(self.folder), *arguments]

    def variables(self, **environment: str) -> dict[str, str]:
        return commands.inherited() | {"DATABASE_URL": self.url} | self.environment | environment

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py backup` as a person at a terminal does."""
        return commands.manage(*self.words(*arguments), environment=self.variables(**environment))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start `manage.py backup`."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.variables(**environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=commands.hear,  # noqa: PLW1509 - this process has one thread
        )

    def manifests(self) -> list[Manifest]:
        return [read_manifest(path) for path in sorted(self.folder.rglob("*.manifest.json"))]

    def backups(self) -> list[Path]:
        """Everything under a final name."""
        return sorted(path for path in self.folder.glob("*/*/*/*") if not path.name.endswith(".manifest.json"))

    def unfinished(self) -> list[Path]:
        return sorted(self.folder.glob(".*.unfinished"))


def manifest_of(backup: Path) -> Manifest:
    return read_manifest(manifest_path(backup))


def content_of(backup: Path, keys: Keys | None = None) -> str:
    """Return a backup's content as SQL, read by the database's own means. Fails where it does not restore."""
    if backup.is_dir():
        return _listed([str(backup)])
    with tempfile.NamedTemporaryFile() as plain:
        with open_backup(backup, keys) as stream:
            for piece in stream.pieces():
                plain.write(piece)
        plain.flush()
        if stream.content == "sqlite":
            with closing(sqlite3.connect(plain.name)) as database:
                return "\n".join(database.iterdump())
        return _listed([plain.name])


def _listed(arguments: list[str]) -> str:
    program = newest_client("pg_restore").path
    return subprocess.run([program, "--file=-", *arguments], capture_output=True, text=True, check=True).stdout
