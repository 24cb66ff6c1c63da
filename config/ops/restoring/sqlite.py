"""Restoring SQLite: into a new file beside the live one, which it replaces once it was checked."""

from __future__ import annotations

import fcntl
import glob
import os
import secrets
import shutil
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import psutil
from django.db import DatabaseError

from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.backup.contents import differences, sqlite_checksums, sqlite_rows
from config.ops.backup.folders import discard
from config.ops.backup.manifest import Damaged, flush_folder
from config.ops.restoring.checks import Checked, migrations_state, refuse_differences
from config.ops.restoring.content import Content
from config.ops.restoring.order import Order, Outcome, Plan, Watcher
from config.ops.restoring.reading import Reading, pieces_of
from config.ops.restoring.remembering import damage_noted
from config.ops.restoring.safety import SafetyCopy, taken
from config.ops.restoring.source import Source
from config.ops.restoring.swap import STAMP, StillConnected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.manifest import Manifest

UNFINISHED = ".unfinished"
COMPANIONS = ("-wal", "-shm", "-journal")
LOCK_SECONDS = 5.0
SHOWN_PROCESSES = 10


def plan_sqlite(connection: BaseDatabaseWrapper, source: Source, content: Content, order: Order, now: datetime) -> Plan:
    """Look at the live file and say what would happen. Changes nothing."""
    live = live_path(connection)
    manifest = source.manifest
    rows, reason = _rows_now(live)
    unknown = [f"the rows that it has now: {reason}"] if reason else []
    if manifest is None or not manifest.rows:
        unknown.append("the rows that it will have, because the backup has no manifest that counts them")
    folder = next(path for path in live.parents if path.exists())
    obstacles = [_in_use(live, users)] if (users := _users(live)) else []
    if not os.access(folder, os.W_OK):
        obstacles.append(f"{folder} cannot be written to")
    kept = kept_path(live, now) if live.exists() else None
    return Plan(
        source=source,
        content=content,
        target=shown_url(connection.settings_dict),
        name=live.name,
        now=rows,
        after=manifest.rows or None if manifest else None,
        unknown=unknown,
        steps=_steps(live, kept, order),
        obstacles=obstacles,
    )


def _steps(live: Path, kept: Path | None, order: Order) -> list[str]:
    unpack = ["unpack the backup into a new file", "check it"]
    if kept is None:
        return [*unpack, f"name it {live.name}"]
    if not order.drop:
        return [*unpack, f"name {live.name} {kept.name} and the new file {live.name}, in one step"]
    backup = (
        f"back up {live.name} to {order.safety_folder}" if order.safety_folder else f"take no backup of {live.name}"
    )
    return [backup, f"remove {live.name}", *unpack, f"name it {live.name}"]


def live_path(connection: BaseDatabaseWrapper) -> Path:
    """Return the live file. Raises Refused for a database in memory."""
    name = str(connection.settings_dict["NAME"])
    if name == ":memory:" or name.startswith("file:"):
        raise Refused("The target is a SQLite database in memory, which has no file to restore to.")
    # What a link points to is replaced, not the link.
    return Path(name).resolve()


def kept_path(live: Path, at: datetime) -> Path:
    """Return a free name under which the replaced file is kept; `at` is in UTC."""
    number = 1
    while True:
        stamp = f"_before_{at:%Y%m%d_%H%M%S}{f'_{number}' if number > 1 else ''}"
        path = live.with_name(f"{live.stem}{stamp}{live.suffix}")
        if not path.exists():
            return path
        number += 1


def kept_files(live: Path) -> list[Path]:
    """Return the files that restores replaced and kept, the oldest first."""
    candidates = live.parent.glob(f"{glob.escape(live.stem)}_before_*")
    return sorted(
        path
        for path in candidates
        if path.suffix == live.suffix and STAMP.fullmatch(path.name[len(live.stem) : -len(live.suffix) or None])
    )


def remove_kept(path: Path) -> None:
    """Remove a kept file with what belongs to it. Raises OSError."""
    for suffix in ("", *COMPANIONS):
        discard(path.with_name(path.name + suffix))


def _rows_now(live: Path) -> tuple[dict[str, int] | None, str]:
    if not live.exists():
        return {}, ""
    try:
        with closing(open_read_only(live)) as database:
            return sqlite_rows(database), ""
    except sqlite3.Error as error:
        return None, str(error)


def open_read_only(file: Path) -> sqlite3.Connection:
    """Open a SQLite file for reading, also where nothing may be written. Raises sqlite3.Error."""
    address = file.as_uri()
    try:
        database = sqlite3.connect(f"{address}?mode=ro", uri=True, isolation_level=None)
        database.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.OperationalError:
        # With a write-ahead log, even a reader writes beside the file; without the right to, only the file counts.
        database = sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True, isolation_level=None)
    return database


def _users(live: Path) -> list[str]:
    """Return the other processes that have the file open, as far as we may look into them."""
    users = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(Path(file.path) == live for file in process.open_files()):
                users.append(f"process {process.pid}: {' '.join(' '.join(process.cmdline()).split())[:80]}")
    return users


def _in_use(live: Path, users: list[str]) -> str:
    lines = [f"  {user}" for user in users[:SHOWN_PROCESSES]]
    if len(users) > SHOWN_PROCESSES:
        lines.append(f"  and {len(users) - SHOWN_PROCESSES} more")
    who = "\n" + "\n".join(lines) if lines else ""
    return f"{live} is in use, and what is written from now on would be lost. Stop the application.{who}"


@dataclass(frozen=True, slots=True)
class _Work:
    """One restore: the live file, how it was owned, and what was asked for."""

    live: Path
    like: os.stat_result | None
    order: Order
    watcher: Watcher
    now: datetime


@dataclass(frozen=True, slots=True)
class _Filled:
    """A file that was filled and checked, and has no final name yet."""

    path: Path
    checked: Checked


def restore_sqlite(
    connection: BaseDatabaseWrapper, source: Source, order: Order, *, now: datetime, watcher: Watcher
) -> Outcome:
    """Restore and put the result in the place of the live file. Raises Refused; then that one is as it was."""
    live = live_path(connection)
    connection.close()
    try:
        live.parent.mkdir(parents=True, exist_ok=True)
        with _alone(live):
            work = _Work(live, live.stat() if live.exists() else None, order, watcher, now)
            if work.like is None or not order.drop:
                return _beside(work, source)
            return _instead(connection, work, source)
    except OSError as error:
        raise Refused(
            f"{live} is as it was, because a file could not be written: {error.strerror or error}."
        ) from error


@contextmanager
def _alone(live: Path) -> Iterator[None]:
    """Keep other restores of the file away, and remove what killed ones left behind."""
    with live.with_name(f".{live.name}.restore.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"Another restore of {live} is running: wait for it.") from error
        for path in live.parent.glob(f".{glob.escape(live.name)}.*{UNFINISHED}*"):
            path.unlink()
        for path in kept_files(live):
            # One killed between the two steps of the swap: a second name of the live file itself.
            if live.exists() and path.samefile(live):
                path.unlink()
        yield


def _beside(work: _Work, source: Source) -> Outcome:
    live = work.live
    with _filled(work, source) as filled:
        work.watcher.phase("swapping")
        kept = kept_path(live, work.now) if work.like else None
        with _exclusive(live, filled.checked.findings):
            if kept:
                _keep(live, kept)
            filled.path.replace(live)
            flush_folder(live.parent)
    return _outcome(filled, kept=str(kept) if kept else None)


def _outcome(filled: _Filled, *, kept: str | None = None, safety: SafetyCopy | None = None) -> Outcome:
    return Outcome(
        rows=filled.checked.rows,
        checks=filled.checked.checks,
        migrations=filled.checked.migrations,
        kept=kept,
        safety_backup=safety.path if safety else None,
        findings=filled.checked.findings,
    )


def _keep(live: Path, kept: Path) -> None:
    """Give the live file a second name, so that it never lacks one; a log that could not be merged goes along."""
    try:
        os.link(live, kept)
    except OSError as error:
        raise Refused(
            f"{live} cannot be kept under a second name ({error.strerror}), which its disk must allow: --drop-database "
            "backs it up and removes it instead."
        ) from error
    for suffix in COMPANIONS:
        with suppress(FileNotFoundError):
            live.with_name(live.name + suffix).rename(kept.with_name(kept.name + suffix))


@contextmanager
def _exclusive(live: Path, findings: list[str]) -> Iterator[None]:
    """Keep everybody away from the live file for the block. Raises StillConnected when somebody uses it."""
    if not live.exists():
        yield
        return
    _refuse_users(live)
    with closing(sqlite3.connect(live, timeout=LOCK_SECONDS, isolation_level=None)) as database:
        try:
            _lock(database)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                findings.append(f"The replaced file could not be locked: {error}.")
            else:
                raise StillConnected(_in_use(live, _users(live))) from error
        except sqlite3.DatabaseError as error:
            # It is damaged, which may be why it is to be replaced.
            findings.append(f"The replaced file could not be locked: {error}.")
        yield


def _instead(connection: BaseDatabaseWrapper, work: _Work, source: Source) -> Outcome:
    """Remove the live file first; when the restore fails, what it held is restored from its backup."""
    live = work.live
    safety = _removed(connection, work)
    try:
        with damage_noted(source), _filled(work, source) as filled:
            filled.path.replace(live)
    except BaseException as error:
        if safety is None:
            raise Refused(
                f"The restore failed: {error}\n{live} was removed before, and no backup of it was wanted."
            ) from error
        _bring_back(work, safety, error)
    return _outcome(filled, safety=safety)


def _removed(connection: BaseDatabaseWrapper, work: _Work) -> SafetyCopy | None:
    """Remove the live file and return its backup, if one is wanted; nobody writes into it meanwhile."""
    live = work.live
    if work.order.safety_folder is None:
        with _exclusive(live, []):
            remove_kept(live)
        return None
    work.watcher.phase("backing up")
    _refuse_users(live)
    try:
        # Its backup is read by the session that keeps all others away, because no other could.
        connection.ensure_connection()
        _lock(connection.connection)
        safety = taken(connection, work.order, now=work.now)
        work.watcher.phase("removing")
        # Whoever opened the file since waits for the lock, and would write into what has no name any more.
        _refuse_users(live)
        remove_kept(live)
    except (sqlite3.Error, DatabaseError) as error:
        if "locked" in str(error):
            raise StillConnected(_in_use(live, _users(live))) from error
        raise Refused(f"{live} is as it was, because it could not be locked to back it up: {error}.") from error
    finally:
        connection.close()
    return safety


def _refuse_users(live: Path) -> None:
    if users := _users(live):
        raise StillConnected(_in_use(live, users))


def _lock(database: sqlite3.Connection) -> None:
    """Keep everybody else away from a file for as long as the session lasts. Raises sqlite3.Error."""
    database.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000:.0f}")
    # Merges the write-ahead log into the file and removes it; possible for nobody but the only user.
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("BEGIN EXCLUSIVE")
    # The lock outlasts the transaction, in which nothing could be copied.
    database.execute("COMMIT")


def _bring_back(work: _Work, safety: SafetyCopy, reason: BaseException) -> NoReturn:
    live = work.live
    try:
        with _filled(work, Source(safety.path, safety.manifest)) as filled:
            filled.path.replace(live)
    except (Refused, OSError) as failure:
        raise Refused(
            f"The restore failed: {reason}\n{live} was removed before, and could not be brought back either: "
            f"{failure}\nIts backup is {safety.path}: `manage.py restore {safety.path}` brings it back."
        ) from failure
    raise Refused(f"The restore failed: {reason}\n{live} is as it was: its backup was restored.") from reason


@contextmanager
def _filled(work: _Work, source: Source) -> Iterator[_Filled]:
    """Yield a new file with the content of the backup, checked; it is gone after the block, if it has no other name."""
    live = work.live
    work.watcher.phase("restoring")
    path = live.with_name(f".{live.name}.{secrets.token_hex(6)}{UNFINISHED}")
    try:
        with path.open("xb") as file:
            _own_as(file, work.like)
            _refuse_without_room(source, live.parent)
            for piece in pieces_of(source, work.order.keys, Reading()):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        work.watcher.phase("comparing")
        yield _checked(path, source)
    finally:
        remove_kept(path)


def _own_as(file: BinaryIO, like: os.stat_result | None) -> None:
    """Let those who could read and write the live file do so with the new one; without one, only us."""
    os.fchmod(file.fileno(), like.st_mode & 0o777 if like else 0o600)
    # Only root can give files away, and others need not.
    with suppress(PermissionError):
        os.fchown(file.fileno(), like.st_uid if like else -1, like.st_gid if like else -1)


def _refuse_without_room(source: Source, folder: Path) -> None:
    needed = source.manifest.plain_size if source.manifest else source.size
    if (free := shutil.disk_usage(folder).free) < needed:
        raise Refused(
            f"The restored file needs {needed:,} bytes and {folder} has {free:,}: make room, or write --drop-database, "
            "which backs the live file up and removes it before."
        )


def _checked(path: Path, source: Source) -> _Filled:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            # With a write-ahead log there would be files beside it that do not move along.
            database.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise Damaged(f"The backup is damaged: {error}.") from error
    with closing(open_read_only(path)) as database:
        return _Filled(path, check_database(database, source.manifest))


def check_database(database: sqlite3.Connection, manifest: Manifest | None) -> Checked:
    """Check a SQLite database that was unpacked, and compare it with its manifest. Raises Damaged."""
    try:
        if (verdict := database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise Damaged(f"The backup is damaged: {verdict}.")
        orphans = database.execute("PRAGMA foreign_key_check").fetchmany(1)
        rows = sqlite_rows(database)
        applied = _applied(database) if "django_migrations" in rows else []
        checks = ["integrity", *_compared(database, rows, manifest)]
    except sqlite3.Error as error:
        raise Damaged(f"The backup is damaged: {error}.") from error
    findings = [f"{table} has rows that point to missing rows of {other}." for table, _, other, _ in orphans]
    return Checked(rows, checks, migrations_state(applied), findings)


def _compared(database: sqlite3.Connection, rows: dict[str, int], manifest: Manifest | None) -> list[str]:
    if not rows:
        raise Damaged("The backup restores to no table at all: that is not what is wanted.")
    if manifest is None or not manifest.rows:
        return []
    refuse_differences(differences(manifest.rows, rows))
    if not manifest.checksums:
        return ["rows per table"]
    refuse_differences(differences(manifest.checksums, sqlite_checksums(database)))
    return ["rows per table", "checksum per table"]


def _applied(database: sqlite3.Connection) -> list[tuple[str, str]]:
    return database.execute("SELECT app, name FROM django_migrations").fetchall()
