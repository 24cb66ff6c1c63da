"""Restoring a server's files as of a moment, into a new folder: nothing that exists is touched.

Everything happens in a folder of its own beside the new one, which gets its name only when PostgreSQL has replayed its
log there and shut down in order.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.db.errors import Refused
from config.ops.backup.catalogue import Catalogue, Entry, read_catalogue
from config.ops.backup.clients import same_major
from config.ops.backup.folders import UNFINISHED
from config.ops.backup.manifest import check_backup, flush_folder
from config.ops.backup.origin import database_name
from config.ops.backup.running import running
from config.ops.backup.streams import open_backup
from config.ops.physical.base import verify_files
from config.ops.physical.chains import chain_of, newest_usable, usable
from config.ops.physical.packing import unpack
from config.ops.physical.replaying import Replayed, account_for, replayed, rows_of_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.encryption import Keys
    from config.ops.restoring.order import Watcher

SPARE = 64 << 20  # bytes that stay free beside the new folder
OWN_CONFIGURATION = {
    "postgresql.conf": "# The settings of the server from which this was restored lay elsewhere.\n",
    "pg_hba.conf": "local all all peer\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n",
    "pg_ident.conf": "",
}
# Two servers that write to one archive under the same names would spoil it for both.
NO_ARCHIVE = "\n# Until this server takes the place of the one from which it was restored.\narchive_mode = 'off'\n"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to restore: `into` a new folder, `to_time` or as late as the archive in `log_folder` reaches."""

    into: Path
    log_folder: Path
    to_time: datetime | None
    keys: Keys


@dataclass(frozen=True, slots=True)
class Plan:
    """The base backups that are needed, the full one first, and the bytes that they take while they are unpacked."""

    chain: list[Entry]
    wish: Wish
    has_log: bool
    needed: int

    @property
    def server_major(self) -> int:
        """The major version of the server."""
        return int(self.chain[-1].manifest.server_version.split(".")[0])

    def as_json(self) -> dict[str, Any]:
        """Return the plan with plain types."""
        return {
            "into": str(self.wish.into),
            "base_backups": [str(entry.backup) for entry in self.chain],
            "log": str(self.wish.log_folder) if self.has_log else None,
            "to_time": self.wish.to_time.isoformat() if self.wish.to_time else None,
            "bytes_needed": self.needed,
        }


@dataclass(frozen=True, slots=True)
class Recovered:
    """A server's files as of a moment: `reached` is the time of the last transaction, `rows` those of our database."""

    plan: Plan
    reached: str
    rows: dict[str, int]
    findings: list[str]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the outcome with plain types."""
        outcome = {"reached": self.reached, "rows": self.rows, "findings": self.findings, "seconds": self.seconds}
        return self.plan.as_json() | outcome


def plan_recovery(connection: BaseDatabaseWrapper, root: Path, name: str | None, wish: Wish) -> Plan:
    """Find the base backups below `root` from which the moment is reached: the newest, or from the one named.

    The server need not be there. Raises Refused.
    """
    _refuse_used(wish.into)
    catalogue = read_catalogue(root, connection)
    if name and (other := _elsewhere(name, catalogue)):
        catalogue = catalogue.of_same_origin(other)
    entry = _named(name, catalogue, wish) if name else newest_usable(catalogue, before=wish.to_time)
    if entry is None:
        raise Refused(_nothing(connection, catalogue, root, wish))
    has_log = wish.log_folder.is_dir()
    if wish.to_time and not has_log:
        raise Refused(f"There is no archived log in {wish.log_folder}: name its folder with --wal.")
    chain = chain_of(entry, catalogue)
    sizes = [link.manifest.plain_size for link in chain]
    # Where several are put together, the result lies beside them for a moment.
    needed = sum(sizes) + (max(sizes) if len(sizes) > 1 else 0)
    return Plan(chain, wish, has_log, needed)


def recover(connection: BaseDatabaseWrapper, plan: Plan, watcher: Watcher) -> Recovered:
    """Carry a plan out. Raises Refused or Damaged; then there is no new folder."""
    began = time.monotonic()
    into = plan.wish.into
    postgres = same_major("postgres", plan.server_major).path
    findings: list[str] = []
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        _refuse_without_room(plan)
        with _folder_beside(into) as work:
            files = _files(plan, work, watcher)
            _complete(files)
            watcher.phase("replaying the log")
            log_folder = plan.wish.log_folder if plan.has_log else None
            with replayed(postgres, files, log_folder=log_folder, to_time=plan.wish.to_time) as server:
                findings += [server.gap] if server.gap else []
                watcher.phase("counting rows")
                rows = _counted(connection, server, findings)
            with (files / "postgresql.auto.conf").open("a") as settings:
                settings.write(NO_ARCHIVE)
            _refuse_used(into)
            files.rename(into)
            flush_folder(into.parent)
    except OSError as error:
        raise Refused(f"{into} could not be written: {error.strerror or error}. Nothing is left of it.") from error
    return Recovered(plan, server.reached, rows, findings, round(time.monotonic() - began, 3))


def _refuse_used(into: Path) -> None:
    try:
        used = into.exists() and (not into.is_dir() or any(into.iterdir()))
    except OSError as error:
        raise Refused(f"{into} cannot be read: {error.strerror}.") from error
    if used:
        raise Refused(f"{into} is not empty: a server is restored into a new folder, never over another.")


def _elsewhere(name: str, catalogue: Catalogue) -> Entry | None:
    path = Path(name).resolve()
    return next((entry for entry in catalogue.elsewhere if entry.backup.resolve() == path), None)


def _named(name: str, catalogue: Catalogue, wish: Wish) -> Entry:
    path = Path(name).resolve()
    entry = next((entry for entry in catalogue.entries if entry.backup.resolve() == path), None)
    if entry is None or entry.manifest.physical is None:
        raise Refused(f"{name} is no base backup of this database: `manage.py backup --list` shows those there are.")
    if not chain_of(entry, catalogue):
        raise Refused(f"{name} is not complete, or what it is based on is not: {entry.problem or 'a part is missing'}.")
    if wish.to_time and entry.manifest.physical.ends_at > wish.to_time:
        raise Refused(f"{name} ended after {wish.to_time:%Y-%m-%d %H:%M:%S} UTC: name an older one, or none.")
    return entry


def _nothing(connection: BaseDatabaseWrapper, catalogue: Catalogue, root: Path, wish: Wish) -> str:
    found = usable(catalogue)
    if not found or wish.to_time is None:
        missing = f"There is no complete base backup of {database_name(connection)} in {root}"
        if catalogue.elsewhere:
            other = catalogue.elsewhere[0].backup
            return f"{missing} that was made from where it is now: name one of those from elsewhere, {other}."
        return f"{missing}: manage.py backup --physical"
    physical = found[-1].manifest.physical
    oldest = f"{physical.ends_at:%Y-%m-%d %H:%M:%S}" if physical else ""
    return f"No base backup in {root} ended before {wish.to_time:%Y-%m-%d %H:%M:%S} UTC: the oldest did at {oldest}."


def _refuse_without_room(plan: Plan) -> None:
    parent = plan.wish.into.parent
    free = shutil.disk_usage(parent).free
    if free < plan.needed + SPARE:
        raise Refused(f"The files need {plan.needed:,} bytes and {parent} has {free:,}: name another disk with --into.")


@contextmanager
def _folder_beside(into: Path) -> Iterator[Path]:
    """Yield a private folder on the same disk, after removing those of runs that were killed."""
    for path in into.parent.glob(f".{into.name}-*{UNFINISHED}"):
        with suppress(OSError), _held(path):
            shutil.rmtree(path, ignore_errors=True)
    path = Path(tempfile.mkdtemp(prefix=f".{into.name}-", suffix=UNFINISHED, dir=into.parent))
    try:
        with _held(path):
            if account := account_for(into.parent):
                os.chown(path, account.uid, account.gid)
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder for the block; the hold ends with the process. Raises OSError when somebody else has it."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def _files(plan: Plan, work: Path, watcher: Watcher) -> Path:
    major = plan.server_major
    verifier = same_major("pg_verifybackup", major)
    parts = []
    for number, entry in enumerate(plan.chain, 1):
        watcher.phase(f"unpacking base backup {number} of {len(plan.chain)}")
        check_backup(entry.manifest, entry.backup)
        part = work / f"part{number}"
        with open_backup(_archive(entry), plan.wish.keys) as stream:
            unpack(stream, part)
        verify_files(verifier, part, server_major=major)
        parts.append(part)
    if len(parts) == 1:
        return parts[0]
    watcher.phase("putting the base backups together")
    files = work / "files"
    command = [str(same_major("pg_combinebackup", major).path), "--no-sync", f"--output={files}", *map(str, parts)]
    with running(command, dict(os.environ), stdout=subprocess.DEVNULL) as combining:
        combining.check()
    for part in parts:
        shutil.rmtree(part)
    return files


def _archive(entry: Entry) -> Path:
    return next(entry.backup / file.path for file in entry.manifest.files if file.path.startswith("base.tar"))


def _complete(files: Path) -> None:
    """Make what a server cannot start without, and take away what would make it somebody's standby."""
    for name, content in OWN_CONFIGURATION.items():
        if not (files / name).exists():
            (files / name).write_text(content)
    (files / "standby.signal").unlink(missing_ok=True)


def _counted(connection: BaseDatabaseWrapper, server: Replayed, findings: list[str]) -> dict[str, int]:
    parameters = connection.settings_dict
    try:
        return rows_of_database(server, database=str(parameters["NAME"]), user=str(parameters["USER"]))
    except Refused as refusal:
        findings.append(str(refusal))
        return {}
