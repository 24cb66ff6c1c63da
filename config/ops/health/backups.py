"""When the last good backup was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from config.db.errors import Refused
from config.ops.backup.manifest import SUFFIX, read_manifest
from config.ops.health.look import Look
from config.ops.health.report import Column, Section, State

if TYPE_CHECKING:
    from pathlib import Path

    from config.ops.backup.manifest import Manifest

HOUR = 3600  # seconds
MAKE_ONE = "run `manage.py backup`, daily"


def backups(look: Look) -> Section:
    """List the newest backups of this database, and weigh the age of the last good one."""
    section = Section("backups")
    folder = look.backup_folder
    if folder.exists() and not folder.is_dir():
        section.unread.append(f"BACKUP_DIR: {folder} is no folder.")
        return section
    try:
        ours = _complete(look, section, folder)
    except OSError as error:
        section.unread.append(f"BACKUP_DIR: {error.filename} cannot be read: {error.strerror}.")
        return section
    source = f"manifests in {folder}"
    section.figure("backups", len(ours), source=source)
    _table(look, section, ours, source)
    whole = [manifest for manifest, _ in ours if manifest.kind == "full"]
    if not whole:
        # Nobody has data to lose on a machine for development.
        state = State.WARNING if settings.ENVIRONMENT == "development" else State.CRITICAL
        section.find(state, f"There is no good backup of this database in {folder}: {MAKE_ONE}.")
        return section
    newest = whole[0]
    # What was written after the dump's moment is not in it.
    age = round((look.now - newest.started_at).total_seconds() / HOUR, 1)
    section.figure("age", age, "h", source=f"started_at of {newest.file}")
    section.figure("size", newest.size, "bytes", source=f"size of {newest.file}")
    section.figure("verified", ", ".join(entry.how for entry in newest.verified) or None, source=source)
    look.weigh(section, "backup_age", age, f"The last good backup is {age:g} hours old: {MAKE_ONE}")
    for upload in newest.uploads:
        if upload.error:
            section.find(State.WARNING, f"The last backup is not at {upload.to}: {upload.error}.")
    return section


def _complete(look: Look, section: Section, folder: Path) -> list[tuple[Manifest, Path]]:
    """Return this database's backups whose files are there in full, newest first; what is wrong becomes a finding."""
    found = []
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        try:
            manifest = read_manifest(path)
        except Refused as error:
            section.find(State.WARNING, str(error))
            continue
        if not _is_ours(look, manifest):
            continue
        backup = path.with_name(manifest.file)
        if not backup.exists() or (backup.is_file() and backup.stat().st_size != manifest.size):
            section.find(State.WARNING, f"{backup} is gone or not as long as its manifest says: it counts for nothing.")
            continue
        found.append((manifest, backup))
    return sorted(found, key=lambda pair: pair[0].started_at, reverse=True)


def _is_ours(look: Look, manifest: Manifest) -> bool:
    name = str(look.connection.settings_dict["NAME"])
    return manifest.engine == look.connection.vendor and manifest.database in {
        name,
        name.rpartition("/")[2],
        _stem(name),
    }


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def _table(look: Look, section: Section, ours: list[tuple[Manifest, Path]], source: str) -> None:
    section.table(
        "backups",
        "Backups of this database, newest first",
        (
            Column("file", "File"),
            Column("kind", "Kind"),
            Column("started_at", "Of (UTC)"),
            Column("size", "Size", "bytes"),
            Column("verified", "Verified"),
        ),
        [
            (
                manifest.file,
                manifest.kind,
                manifest.started_at,
                manifest.size,
                ", ".join(dict.fromkeys(entry.how for entry in manifest.verified)) or "no",
            )
            for manifest, _ in ours
        ],
        source=source,
        limit=look.limit,
    )
