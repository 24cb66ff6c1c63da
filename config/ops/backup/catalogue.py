"""The backups that there are, as their manifests tell, and which of them are no longer wanted."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.db.errors import Refused
from config.ops.backup.draft import FULL
from config.ops.backup.folders import discard, latest_target
from config.ops.backup.manifest import SUFFIX, Manifest, flush_folder, manifest_path, read_manifest
from config.ops.backup.origin import database_name, origin_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper

BACKUP_NAME = re.compile(r".+_\d{8}_\d{6}(_\d+)?\.(dir|base|(dump|sqlite3)(\.zst)?(\.age)?)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One backup and its manifest. `problem` is empty when it is complete, as far as can be told without reading it."""

    backup: Path
    manifest: Manifest
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it holds everything and is there in full."""
        return not self.problem and self.manifest.kind == FULL

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return the manifest with the path, the age in hours and the problem."""
        return {
            "path": str(self.backup),
            "age_hours": hours(now - self.manifest.as_of),
            "problem": self.problem,
            **self.manifest.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The backups of one database, newest first, and sentences about files that are none.

    In `elsewhere` are those of other databases of the same name, or of nobody knows which one.
    """

    entries: list[Entry]
    findings: list[str]
    elsewhere: list[Entry] = field(default_factory=list)

    @property
    def newest_good(self) -> Entry | None:
        """The newest one that holds everything and is there in full."""
        return next((entry for entry in self.entries if entry.is_good), None)

    def of_same_origin(self, one: Entry) -> Catalogue:
        """Return the backups that are from where this one is from."""
        known, origin = [*self.entries, *self.elsewhere], one.manifest.origin
        own = [entry for entry in known if entry.manifest.origin == origin or entry.manifest.is_from(origin)]
        return Catalogue(own, self.findings)

    def told_of_others(self) -> str:
        """Return a sentence about the backups of the same name from elsewhere, "" where there are none."""
        if not self.elsewhere:
            return ""
        newest = next((entry for entry in self.elsewhere if entry.is_good), self.elsewhere[0])
        command = f"manage.py restore {shlex.quote(str(newest.backup))}"
        places = ", ".join(dict.fromkeys(str(entry.manifest.origin or "an unknown place") for entry in self.elsewhere))
        count = "is 1 backup" if len(self.elsewhere) == 1 else f"are {len(self.elsewhere)} backups"
        return (
            f"There {count} of a database of the same name elsewhere ({places}); if "
            f"that is this one before it moved, `{command}` restores the newest."
        )


def hours(age: timedelta) -> float:
    """Return an age in hours, to a tenth."""
    return round(age / timedelta(hours=1), 1)


def read_catalogue(root: Path, connection: BaseDatabaseWrapper) -> Catalogue:
    """Look for the backups of one database below `root`, which need not exist. Raises Refused if it cannot be read."""
    known, findings = [], []
    try:
        for path in sorted(root.rglob(f"*{SUFFIX}")):
            try:
                manifest = read_manifest(path)
            except Refused as error:
                findings.append(str(error))
                continue
            if (manifest.database, manifest.engine) == (database_name(connection), connection.vendor):
                backup = path.with_name(manifest.file)
                known.append(Entry(backup, manifest, _problem(backup, manifest)))
        findings += [f"{path} has no manifest: it is not complete." for path in _without_manifest(root)]
    except OSError as error:
        raise Refused(f"The backups in {root} cannot be listed: {error.strerror}.") from error
    # Two of the same moment, by the number in their names.
    known.sort(key=lambda entry: (entry.manifest.started_at, len(entry.backup.name), entry.backup.name), reverse=True)
    origin = origin_of(connection) if known else None
    own = [entry for entry in known if entry.manifest.is_from(origin)]
    return Catalogue(own, findings, [entry for entry in known if entry not in own])


def _without_manifest(root: Path) -> list[Path]:
    candidates = root.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*")
    named = (path for path in candidates if BACKUP_NAME.fullmatch(path.name))
    return sorted(path for path in named if not manifest_path(path).exists())


def _problem(backup: Path, manifest: Manifest) -> str:
    if not backup.exists():
        return "the backup is gone, its manifest is left"
    parts = [(backup / entry.path, entry.size) for entry in manifest.files] or [(backup, manifest.size)]
    if any(not path.is_file() or path.stat().st_size != size for path, size in parts):
        return "it is not as long as its manifest says"
    if failure := manifest.failure:
        return f"it failed a trial on {failure.at:%Y-%m-%d %H:%M:%S} UTC: {failure.reason.rstrip('.')}"
    return ""


def latest(root: Path, connection: BaseDatabaseWrapper) -> Entry:
    """Return the last good backup of a database: what `latest` points to, else the newest that might have been.

    Raises Refused.
    """
    catalogue = read_catalogue(root, connection)
    target = latest_target(root)
    for entry in catalogue.entries:
        if entry.is_good and target and entry.backup == target:
            return entry
    meant = next((entry for entry in catalogue.entries if entry.is_good and entry.manifest.moves_latest), None)
    if (found := meant or catalogue.newest_good) is None:
        missing = f"There is no complete backup of {database_name(connection)} in {root}"
        if others := catalogue.told_of_others():
            raise Refused(f"{missing} that was made from where it is now. {others}")
        raise Refused(f"{missing}: run manage.py backup.")
    return found


def remove_expired(catalogue: Catalogue, *, now: datetime, days: int, keep: Path) -> list[Entry]:
    """Remove the backups that are older than `days` days and return them; `keep` and the newest good one stay.

    Those of a server's files are left to `config.ops.physical.chains`: they stand on each other.

    The age is counted from the time in the manifest: a file's own times change when it is copied. Raises OSError.
    """
    newest = catalogue.newest_good
    stay = {keep, *([newest.backup] if newest else [])}
    expired = [
        entry
        for entry in catalogue.entries
        if entry.manifest.physical is None
        and entry.backup not in stay
        and now - entry.manifest.as_of > timedelta(days=days)
    ]
    for entry in expired:
        remove(entry)
    return expired


def remove(entry: Entry) -> None:
    """Remove a backup: the manifest last, so that a killed run leaves nothing that nobody knows of. Raises OSError."""
    discard(entry.backup)
    manifest_path(entry.backup).unlink(missing_ok=True)
    flush_folder(entry.backup.parent)
