"""The backups that there are, as their manifests tell, and which of them are no longer wanted."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

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

# By so much the clocks of two machines may differ.
CLOCKS_DIFFER = timedelta(minutes=10)
# Whoever backs up once in so long may keep backups for as long.
MADE_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One backup and its manifest. `problem` is empty when it is complete, as far as can be told without reading it.

    One `from_future` is dated later than now, so nobody knows how old it is.
    """

    backup: Path
    manifest: Manifest
    problem: str = ""
    from_future: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it holds everything and is there in full."""
        return not self.problem and self.manifest.kind == FULL

    def age_hours(self, now: datetime) -> float | None:
        """Return how old what it shows is, in hours; None where nobody knows."""
        return None if self.from_future else hours(now - self.manifest.as_of)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return the manifest with the path, the age in hours and the problem."""
        return {
            "path": str(self.backup),
            "age_hours": self.age_hours(now),
            "problem": self.problem,
            **self.manifest.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The backups of one database, newest first and those from the future last, and sentences about what is wrong.

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


def read_catalogue(root: Path, connection: BaseDatabaseWrapper, *, now: datetime | None = None) -> Catalogue:
    """Look for the backups of one database below `root`, which need not exist. Raises Refused if it cannot be read."""
    known, findings = [], []
    future = (now or timezone.now()) + CLOCKS_DIFFER
    try:
        for path in sorted(root.rglob(f"*{SUFFIX}")):
            try:
                manifest = read_manifest(path)
            except Refused as error:
                findings.append(str(error))
                continue
            if (manifest.database, manifest.engine) == (database_name(connection), connection.vendor):
                backup = path.with_name(manifest.file)
                known.append(Entry(backup, manifest, _problem(backup, manifest), _last_date(manifest) > future))
        findings += [f"{path} has no manifest: it is not complete." for path in _without_manifest(root)]
    except OSError as error:
        raise Refused(f"The backups in {root} cannot be listed: {error.strerror}.") from error
    known.sort(key=_age_order, reverse=True)
    origin = origin_of(connection) if known else None
    own = [entry for entry in known if entry.manifest.is_from(origin)]
    findings += [
        f"{entry.backup} is dated in the future: the clock was or is wrong." for entry in own if entry.from_future
    ]
    return Catalogue(own, findings, [entry for entry in known if entry not in own])


def _last_date(manifest: Manifest) -> datetime:
    return max(manifest.as_of, manifest.physical.ends_at) if manifest.physical else manifest.as_of


def _age_order(entry: Entry) -> tuple[bool, datetime, int, str]:
    # Two of the same moment, by the number in their names.
    return not entry.from_future, entry.manifest.started_at, len(entry.backup.name), entry.backup.name


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

    The age is counted from the time in the manifest: a file's own times change when it is copied. Raises OSError, and
    Refused with nothing removed when all other good ones became too old at once, as a clock that is ahead makes them.
    """
    newest = catalogue.newest_good
    stay = {keep, *([newest.backup] if newest else [])}
    others = [entry for entry in catalogue.entries if entry.manifest.physical is None and entry.backup not in stay]
    expired = [entry for entry in others if now - entry.manifest.as_of > timedelta(days=days)]
    _refuse_sudden_age([entry for entry in others if entry.is_good], now=now, days=days)
    for entry in expired:
        remove(entry)
    return expired


def _refuse_sudden_age(good: list[Entry], *, now: datetime, days: int) -> None:
    last = max((entry.manifest.as_of for entry in good), default=now)
    if len(good) > 1 and now - last > timedelta(days=days) + MADE_EVERY:
        raise Refused(
            f"all {len(good)} good ones from before would go at once, the last of them from {last:%Y-%m-%d %H:%M} UTC. "
            f"Is the clock right, {now:%Y-%m-%d %H:%M} UTC? If so, remove what nobody needs by hand."
        )


def remove(entry: Entry) -> None:
    """Remove a backup: the manifest last, so that a killed run leaves nothing that nobody knows of. Raises OSError."""
    discard(entry.backup)
    manifest_path(entry.backup).unlink(missing_ok=True)
    flush_folder(entry.backup.parent)
