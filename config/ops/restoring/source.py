"""The backup that was named: which it is, and its manifest."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.db.errors import Refused
from config.ops.backup.catalogue import latest
from config.ops.backup.manifest import Manifest, manifest_path, read_manifest
from config.ops.restoring.temporary import ELSEWHERE, path_of, temporary_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

STANDARD_INPUT, LATEST = "-", "latest"
# Of SQLite: the write-ahead log, and what undoes a transaction that was cut off.
LOGS = ("-wal", "-journal")
LOG_HEAD = 8  # bytes


@dataclass(frozen=True, slots=True)
class Source:
    """A backup that was named, as `name` in messages; `manifest` is None where there is none."""

    path: Path
    manifest: Manifest | None
    alias: str = ""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.alias or str(self.path)

    @property
    def size(self) -> int:
        """Its bytes on disk."""
        if self.manifest:
            return self.manifest.size
        parts = self.path.rglob("*") if self.path.is_dir() else [self.path]
        return sum(part.stat().st_size for part in parts if part.is_file())


@contextmanager
def found_source(name: str, connection: BaseDatabaseWrapper, folder: Path) -> Iterator[Source]:
    """Yield the backup of that name: a path, "latest" of the database in `folder`, or "-". Raises Refused."""
    if name == STANDARD_INPUT:
        if sys.stdin.isatty():
            raise Refused("Standard input is the terminal: send a backup there, such as `restore - < backup.sql.gz`.")
        with ExitStack() as opened:
            file = temporary_file(opened)
            try:
                shutil.copyfileobj(sys.stdin.buffer, file)
                file.flush()
            except OSError as error:
                place = tempfile.gettempdir()
                raise Refused(f"Standard input cannot be put into {place}: {error.strerror}. {ELSEWHERE}") from error
            yield Source(path_of(file), None, "standard input")
        return
    if name == LATEST:
        entry = latest(folder, connection)
        yield Source(entry.backup, entry.manifest)
        return
    path = Path(name).resolve()
    if not path.exists():
        raise Refused(f"There is no file {path}: `manage.py restore --list` shows the backups that there are.")
    # A manifest that cannot be read is worse than none: what it belongs to is not what was written.
    manifest = read_manifest(manifest_path(path)) if manifest_path(path).exists() else None
    if manifest is None:
        _refuse_unmerged(path)
    yield Source(path, manifest)


def _refuse_unmerged(path: Path) -> None:
    """Raise Refused when a log of SQLite lies beside the file, with changes that the file alone does not show."""
    for suffix in LOGS:
        log = path.with_name(path.name + suffix)
        if log.exists() and _begins(log):
            merge = f'sqlite3 {shlex.quote(str(path))} "PRAGMA journal_mode = DELETE; PRAGMA integrity_check"'
            raise Refused(
                f"{log} belongs to {path}, which is not complete without it: stop who uses that file, merge the two "
                f"with `{merge}`, and restore it then; or restore a backup of it (manage.py backup --database {path})."
            )


def _begins(log: Path) -> bool:
    """Whether the log has its head; SQLite blanks it, or cuts the file, when nothing in it counts any more."""
    try:
        with log.open("rb") as file:
            return bool(file.read(LOG_HEAD).strip(b"\0"))
    except OSError as error:
        raise Refused(f"{log} cannot be read: {error.strerror}.") from error
