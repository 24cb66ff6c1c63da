"""A PostgreSQL server of our own that archives its log, and a shop in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from config.ops import keeper
from config.ops.backup.encryption import Keys
from config.ops.physical import wal
from config.ops.physical.recovery import Recovered, Wish, plan_recovery, recover
from config.ops.physical.replaying import python_for
from config.ops.programs import POSTGRESQL, Search, candidates, major_version, wheel_program
from config.ops.restoring.terminal import Quiet
from config.ops.scratch import connected
from config.ops.servers import Account, kept, usable_binaries, work_folder
from tests import commands

PROJECT = Path(__file__).resolve().parents[3]

CONFIGURATION = {"config_file": "postgresql.conf", "hba_file": "pg_hba.conf", "ident_file": "pg_ident.conf"}


def installed() -> dict[int, Path]:
    """Return the folders of PostgreSQL's programs that are here, by major version."""
    wheel = wheel_program(POSTGRESQL)
    paths = [*candidates(POSTGRESQL, Search()), *([wheel] if wheel else [])]
    found = {major_version(path): path.parent for path in reversed(paths)}
    return {major: folder for major, folder in found.items() if major >= POSTGRESQL.minimum}


@dataclass
class Cluster:
    """A server with a database `shop`, its backups and its archived log."""

    folder: Path
    major: int
    binaries: Path
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"postgresql://forecourt@{quote(str(self.folder), safe='')}/shop"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    @property
    def log_folder(self) -> Path:
        return self.backups / "wal"

    @property
    def took_over(self) -> Path:
        """A file that appears when a restored server acts in place of this one."""
        return self.folder / "took_over"

    def execute(self, statement: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as session:
            cursor = session.execute(statement)
            return cursor.fetchone() if cursor.description else None

    def sell(self, first: int, last: int) -> None:
        self.execute(f"INSERT INTO car SELECT n, 'VIN' || n FROM generate_series({first}, {last}) n")

    def now(self) -> datetime:
        (moment,) = self.execute("SELECT clock_timestamp()")
        return moment.astimezone(UTC)  # type: ignore[no-any-return]

    def archive_all(self) -> None:
        """Close the current segment of the log, and wait until it is in the archive."""
        (segment,) = self.execute("SELECT pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + 30
        while not (self.log_folder / f"{segment}.gz").exists():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run manage.py as a person at a terminal does."""
        return commands.manage(*arguments, environment=self.variables(**environment))

    def variables(self, **environment: str) -> dict[str, str]:
        own = {"DATABASE_URL": self.url, "BACKUP_DIR": str(self.backups), "PATH": self.path}
        return commands.inherited() | own | environment

    @property
    def path(self) -> str:
        """The search path on which this server's programs come first."""
        return f"{self.binaries}{os.pathsep}{os.environ['PATH']}"

    def segments(self) -> list[Path]:
        """Return the archived segments of the log, oldest first."""
        return sorted(self.log_folder.glob(f"{'[0-9A-F]' * 24}.gz"))

    def base(self, number: int) -> Path:
        """Return one of the base backups, counted from the oldest."""
        return next(self.backups.rglob(self.names()[number]))

    def names(self) -> list[str]:
        """Return the base backups under a final name, oldest first."""
        return sorted(path.name for path in self.backups.glob("*/*/*/*.base"))

    def unfinished(self) -> list[Path]:
        return sorted(self.backups.glob(".*.unfinished"))

    def recover(self, into: Path, to_time: datetime | None = None, *, base: int | None = None) -> Recovered:
        """Restore in this process, from one of the base backups or from whichever fits."""
        name = None if base is None else str(self.base(base))
        wish = Wish(into, self.log_folder, to_time, Keys(passphrase=self.notes.get("passphrase", "")))
        with connected(self.url) as connection, pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", self.path)
            return recover(connection, plan_recovery(connection, self.backups, name, wish), Quiet())


@contextmanager
def cluster(major: int, binaries: Path) -> Iterator[Cluster]:
    """Run a server whose configuration lies outside of its files, as Debian has it."""
    account = Account.for_servers()
    with work_folder(account) as folder:
        made = Cluster(folder, major, binaries)
        programs = usable_binaries(binaries / "postgres", account, folder)
        made.log_folder.mkdir(parents=True)
        shutil.copy(wal.__file__, folder / "wal.py")
        archiving = f"{python_for(account)} {folder}/wal.py archive {made.log_folder} %p"
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(folder), "max_connections": "20",
            "wal_level": "replica", "archive_mode": "on", "archive_command": archiving,
            **{name: str(folder / "etc" / file) for name, file in CONFIGURATION.items()},
        }  # fmt: skip
        if major >= 17:
            settings["summarize_wal"] = "on"
        data = folder / "data"
        _give(folder, account)
        initdb = [str(programs / "initdb"), f"--pgdata={data}", "--username=forecourt", "--auth=trust", "--no-sync"]
        files = [str(data / file) for file in CONFIGURATION.values()]
        order = keeper.Order(
            prepare=[initdb, ["mkdir", str(folder / "etc")], ["mv", *files, str(folder / "etc")]],
            serve=[str(programs / "postgres"), "-D", str(data), *(f"--{name}={settings[name]}" for name in settings)],
            log=str(folder / "log"), stop_signal=signal.SIGQUIT, remove=str(folder),
            uid=account.uid if account else None, gid=account.gid if account else None,
        )  # fmt: skip
        with kept(order, output=subprocess.PIPE) as process:
            _wait(made, process)
            with psycopg.connect(made.url.replace("/shop", "/postgres"), autocommit=True) as session:
                session.execute("CREATE DATABASE shop")
                # It goes with the files, so that what is restored need not wait for the disk either.
                session.execute("ALTER SYSTEM SET fsync = off")
                # So does what a server that takes over is to do in the world.
                session.execute(f"ALTER SYSTEM SET recovery_end_command = 'touch {made.took_over}'")
                session.execute("SELECT pg_reload_conf()")
            # Each is three hundred files to copy, pack, unpack, check and put together.
            made.execute("UPDATE pg_database SET datistemplate = false WHERE datname = 'template1'")
            made.execute("DROP DATABASE template1")
            made.execute("DROP DATABASE postgres")
            made.execute("CREATE TABLE car (id integer PRIMARY KEY, vin text NOT NULL)")
            yield made


def _give(folder: Path, account: Account | None) -> None:
    for path in (folder, *folder.rglob("*")) if account else ():
        os.chown(path, account.uid, account.gid)  # type: ignore[union-attr]


def _wait(made: Cluster, process: subprocess.Popen[str]) -> None:
    while True:
        try:
            psycopg.connect(made.url.replace("/shop", "/postgres")).close()
        except psycopg.OperationalError:
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            time.sleep(0.05)
        else:
            return
