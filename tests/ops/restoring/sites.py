"""A database to restore, and what a test wants to know of it before and after."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from config.ops.backup.contents import (
    postgresql_checksums,
    postgresql_rows,
    sqlite_checksums,
    sqlite_rows,
)
from config.ops.backup.manifest import Manifest, manifest_path, read_manifest, write_manifest
from config.ops.direct import direct_connection
from config.ops.restoring.kept import Kept, kept_by_restores
from config.ops.restoring.server import UNFINISHED_PREFIX
from config.ops.restoring.sqlite import open_read_only
from tests import commands
from tests.ops.backup.shops import Shop

CTRL_D = "\x04"
Content = tuple[dict[str, int], dict[str, str]]


@dataclass
class Site:
    """A shop whose backups are restored."""

    shop: Shop

    @property
    def name(self) -> str:
        """What is to be typed to have the database replaced."""
        return Path(str(self.shop.connection.settings_dict["NAME"])).name

    @property
    def file(self) -> Path:
        """The live SQLite file."""
        return Path(str(self.shop.connection.settings_dict["NAME"]))

    def backup(self, **request: Any) -> Path:
        """Back up, and let nobody of ours stay connected."""
        backup = self.shop.run(**request).backup
        self.shop.connection.close()
        return backup

    def change(self) -> None:
        """Do what a restore shall undo: a row is gone, one is new, one is another."""
        self.execute("DELETE FROM lead WHERE id = 3")
        self.execute("INSERT INTO car VALUES (9001, 'NEW', 1, 'written after the backup')")
        self.execute("UPDATE car SET price = 12345 WHERE id = 7")

    def execute(self, statement: str) -> None:
        """Run a statement on the live database, and leave it."""
        self.shop.execute(statement)
        self.shop.connection.close()

    def content(self) -> Content:
        """Return rows and checksum of each table."""
        if self.shop.connection.vendor == "sqlite":
            with closing(open_read_only(self.file)) as database:
                return sqlite_rows(database), sqlite_checksums(database)
        with direct_connection(self.shop.connection) as session, session.transaction():
            return postgresql_rows(session), postgresql_checksums(session)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Return what a query finds in the live database."""
        with self.shop.connection.cursor() as cursor:
            cursor.execute(query)
            found = cursor.fetchall()
        self.shop.connection.close()
        return [tuple(row) for row in found]

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a restore."""
        return [*commands.MANAGE, *self.words(*arguments)]

    def words(self, *arguments: str) -> list[str]:
        return ["restore", "-o", str(self.shop.folder), *arguments]

    def restore(self, *arguments: str, stdin: bytes | None = None, **environment: str) -> Done:
        """Run `manage.py restore` without a terminal."""
        variables = self.shop.variables(**environment)
        if stdin is None:
            done = commands.manage(*self.words(*arguments), environment=variables)
            return Done(done.returncode, done.stdout, done.stderr)
        fed = subprocess.run(self.command(*arguments), env=variables, input=stdin, capture_output=True, check=False)
        return Done(fed.returncode, fed.stdout.decode(), fed.stderr.decode())

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start `manage.py restore`."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.shop.variables(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def restore_at_terminal(self, *arguments: str, answer: str) -> Done:
        """Run `manage.py restore` at a terminal, and answer its question."""
        main, other = pty.openpty()
        process = subprocess.Popen(
            self.command(*arguments), env=self.shop.variables(), stdin=other, stdout=other, stderr=other
        )
        os.close(other)
        said, answered = "", False
        while process.poll() is None or select.select([main], [], [], 0)[0]:
            if not select.select([main], [], [], 0.1)[0]:
                continue
            try:
                said += os.read(main, 65536).decode(errors="replace")
            except OSError:
                # Nobody has the other end open any more.
                break
            if not answered and "Type " in said:
                os.write(main, answer.encode() if answer == CTRL_D else f"{answer}\n".encode())
                answered = True
        os.close(main)
        return Done(process.wait(), said, "")

    def kept(self) -> list[Kept]:
        """Return what restores replaced and kept."""
        return kept_by_restores(self.shop.connection)

    def unfinished(self) -> list[str]:
        """Return what unfinished restores left behind."""
        if self.shop.connection.vendor == "sqlite":
            return [path.name for path in self.file.parent.glob(".*.unfinished*")]
        with direct_connection(self.shop.connection) as session:
            found = session.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{UNFINISHED_PREFIX}%"])
            return [name for (name,) in found.fetchall()]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


def alter_manifest(backup: Path, **changed: Any) -> Manifest:
    """Write a manifest that is whole and says something else."""
    manifest: Manifest = replace(read_manifest(manifest_path(backup)), **changed)
    write_manifest(manifest, backup)
    return manifest


def session_of(site: Site) -> psycopg.Connection[tuple[object, ...]]:
    """Open a session in the live database, as an application has one."""
    parameters = site.shop.connection.get_connection_params()
    return psycopg.connect(**parameters, autocommit=True, application_name="the shop's web server")
