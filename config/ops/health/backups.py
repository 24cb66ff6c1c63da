"""When the last good backup was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from config.db.errors import Refused
from config.ops.backup.catalogue import hours, read_catalogue
from config.ops.health.look import Look
from config.ops.health.report import Column, Section, State
from config.ops.physical.chains import newest_usable

if TYPE_CHECKING:
    from config.ops.backup.catalogue import Catalogue

MAKE_ONE = "run `manage.py backup`, daily"


def backups(look: Look) -> Section:
    """List the newest backups of this database, and weigh the age of the last good one."""
    section = Section("backups")
    folder = look.backup_folder
    try:
        catalogue = read_catalogue(folder, look.connection, now=look.now)
    except Refused as error:
        section.unread.append(f"BACKUP_DIR: {error}")
        return section
    source = f"manifests in {folder}"
    section.figure("backups", len(catalogue.entries), source=source)
    _table(look, section, catalogue, source)
    for sentence in catalogue.findings:
        section.find(State.WARNING, sentence)
    for entry in catalogue.entries:
        if entry.problem:
            section.find(State.WARNING, f"{entry.backup}: {entry.problem}.")
    _weigh(look, section, catalogue, source)
    _weigh_base(look, section, catalogue)
    return section


def _weigh(look: Look, section: Section, catalogue: Catalogue, source: str) -> None:
    good = catalogue.newest_good
    if good is None:
        # Nobody has data to lose on a machine for development.
        state = State.WARNING if settings.ENVIRONMENT == "development" else State.CRITICAL
        section.find(state, f"There is no good backup of this database in {look.backup_folder}: {MAKE_ONE}.")
        if others := catalogue.told_of_others():
            section.find(State.WARNING, others)
        return
    newest = good.manifest
    # What was written after the moment that the backup shows is not in it.
    age = good.age_hours(look.now)
    section.figure("age", age, "h", source=f"started_at of {newest.file}, or when it was last found unchanged")
    section.figure("size", newest.size, "bytes", source=f"size of {newest.file}")
    verified = ", ".join(dict.fromkeys(proof.how for proof in newest.verified))
    section.figure("verified", verified or None, source=source)
    if age is not None:
        look.weigh(section, "backup_age", age, f"The last good backup is {age:g} hours old: {MAKE_ONE}")
    for upload in newest.uploads:
        if upload.error:
            section.find(State.WARNING, f"The last backup is not at {upload.to}: {upload.error}")


def _weigh_base(look: Look, section: Section, catalogue: Catalogue) -> None:
    # Whoever makes none wants none.
    base = newest_usable(catalogue)
    if base is None or base.manifest.physical is None or base.from_future:
        return
    age = hours(look.now - base.manifest.physical.ends_at)
    section.figure("base_age", age, "h", source=f"ends_at of {base.manifest.file}")
    look.weigh(
        section, "backup_age", age, f"The last base backup is {age:g} hours old: run `manage.py backup --physical`"
    )


def _table(look: Look, section: Section, catalogue: Catalogue, source: str) -> None:
    section.table(
        "backups",
        "Backups of this database, newest first",
        (
            Column("file", "File"),
            Column("kind", "Kind"),
            Column("started_at", "Of (UTC)"),
            Column("size", "Size", "bytes"),
            Column("verified", "Verified"),
            Column("problem", "Problem"),
        ),
        [
            (
                entry.manifest.file,
                entry.manifest.kind,
                entry.manifest.started_at,
                entry.manifest.size,
                ", ".join(dict.fromkeys(proof.how for proof in entry.manifest.verified)) or None,
                entry.problem or None,
            )
            for entry in catalogue.entries
        ],
        source=source,
        limit=look.limit,
    )
