"""Where backups lie: one folder per day, work in progress out of sight, and one name for the latest.

A run works in a folder of its own and holds a lock on it. The lock ends with the process, however it ends, so the next
run knows what was left behind by a killed one. Names are given out under a short lock on the whole folder.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.db.errors import Refused
from config.ops.backup.manifest import flush_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

LATEST, LATEST_PHYSICAL = "latest", "latest-physical"
LOCK_FILE = ".lock"
UNFINISHED = ".unfinished"
FOLDER_MODE = 0o750


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """A private folder that is removed when the run ends; child processes that write into it inherit `lock`."""

    path: Path
    lock: int


def prepare(root: Path) -> None:
    """Make the folder of backups, if need be. Raises Refused when it cannot be made or written."""
    try:
        _make_folders(root)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise Refused(f"Backups cannot be written to {root}: {error.strerror}.") from error


def _make_folders(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
    folder.mkdir(exist_ok=True)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep other runs away from names, manifests and links in `root` for the block, which should be short."""
    # The file stays: if it were removed, a third run could lock a new one while the second holds the old.
    with (root / LOCK_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def work_folder(root: Path) -> Iterator[WorkFolder]:
    """Yield a new private folder in `root`, after removing those of runs that were killed."""
    path = root / f".backup-{secrets.token_hex(8)}{UNFINISHED}"
    with ExitStack() as opened:
        # Before it is made: whoever ends us may do so at any moment.
        opened.callback(shutil.rmtree, path, ignore_errors=True)
        with locked(root):
            _remove_abandoned(root)
            path.mkdir(mode=0o700)
            lock = os.open(path, os.O_RDONLY)
            opened.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield WorkFolder(path, lock)


def _remove_abandoned(root: Path) -> None:
    for path in root.glob(f"*/*/*/.*{UNFINISHED}"):
        path.unlink(missing_ok=True)
    for path in root.glob(f".backup-*{UNFINISHED}"):
        with suppress(OSError):
            lock = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


def publish(work: Path, root: Path, *, database: str, at: datetime, suffix: str) -> Path:
    """Move what was finished in a work folder to its final name and return that; no other backup is overwritten.

    `at` must be in UTC. Call it under `locked`. Raises OSError.
    """
    folder = root / f"{at:%Y}" / f"{at:%m}" / f"{at:%d}"
    _make_folders(folder)
    stem = f"{file_name(database)}_{at:%Y%m%d_%H%M%S}"
    number = 1
    while (path := folder / f"{stem}{f'_{number}' if number > 1 else ''}{suffix}").exists():
        number += 1
    work.rename(path)
    flush_folder(folder)
    return path


def discard(path: Path) -> None:
    """Remove a file, or a folder with everything in it, if it is there. Raises OSError."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def file_name(database: str) -> str:
    """Return a database's name with everything replaced that a file's name should not hold."""
    return re.sub(r"[^\w.-]", "_", database).lstrip(".-") or "database"


def latest_target(root: Path, name: str = LATEST) -> Path | None:
    """Return the backup that the link points to, or None."""
    link = root / name
    return link.parent / link.readlink() if link.is_symlink() else None


def point_latest(root: Path, backup: Path, name: str = LATEST) -> None:
    """Let the link point to the backup, in one step. Call it under `locked`. Raises OSError."""
    new = root / f".{name}{UNFINISHED}"
    new.unlink(missing_ok=True)
    new.symlink_to(backup.relative_to(root))
    new.replace(root / name)
    flush_folder(root)
