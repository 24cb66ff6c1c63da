"""Base backups that stand on each other: which are whole, which reaches a moment, and which nobody needs any more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from config.ops.backup.catalogue import Catalogue, Entry, remove
from config.ops.backup.manifest import SUFFIX as MANIFEST_SUFFIX
from config.ops.backup.manifest import read_manifest

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from config.ops.backup.manifest import Physical

# A segment's name is its timeline and its position, eight and sixteen digits; ours ends with how it is packed.
SEGMENT = re.compile(r"[0-9A-F]{8}([0-9A-F]{16})(\.partial|\.[0-9A-F]{8}\.backup)?\.gz")


def chain_of(entry: Entry, catalogue: Catalogue) -> list[Entry]:
    """Return what a base backup consists of, the full one first; nothing when a part is missing or incomplete."""
    by_name = {other.backup.name: other for other in catalogue.entries if other.manifest.physical}
    chain: list[Entry] = []
    link: Entry | None = entry
    while link and not link.problem and link not in chain:
        chain.insert(0, link)
        if not (based_on := _physical(link).based_on):
            return chain
        link = by_name.get(based_on)
    return []


def usable(catalogue: Catalogue) -> list[Entry]:
    """Return the base backups that are there in full with all they are based on, newest first.

    Those from the future are the last.
    """
    found = [entry for entry in catalogue.entries if entry.manifest.physical and chain_of(entry, catalogue)]
    return sorted(found, key=lambda entry: (not entry.from_future, _end(entry)), reverse=True)


def newest_usable(catalogue: Catalogue, *, system_identifier: str = "", before: datetime | None = None) -> Entry | None:
    """Return the newest usable base backup, of one server alone and ended before a moment where that is asked for."""
    for entry in usable(catalogue):
        if system_identifier not in {"", _physical(entry).system_identifier}:
            continue
        if before is None or _end(entry) <= before:
            return entry
    return None


def remove_unneeded(catalogue: Catalogue, *, now: datetime, days: int, keep: Path) -> list[Entry]:
    """Remove the base backups from which no moment of the last `days` days is reached, and return them.

    A moment is reached from the newest one that ended before it. So the newest of those that are too old stays, and
    so does everything on which one that stays is based. Raises OSError.
    """
    begin = now - timedelta(days=days)
    needed = _needed(catalogue, begin) | {keep.name}
    unneeded = [
        entry
        for entry in catalogue.entries
        if entry.manifest.physical and entry.backup.name not in needed and _end(entry) < begin
    ]
    # Newest first: a run that is killed here must not leave one without what it is based on.
    for entry in unneeded:
        remove(entry)
    return unneeded


def _needed(catalogue: Catalogue, begin: datetime) -> set[str]:
    whole = usable(catalogue)
    within = [entry for entry in whole if _end(entry) >= begin]
    before = [entry for entry in whole if _end(entry) < begin]
    return {link.backup.name for entry in within + before[:1] for link in chain_of(entry, catalogue)}


def remove_log(folder: Path, root: Path) -> int:
    """Remove the segments of the archived log that are older than every base backup below `root`.

    Those of all databases count, because they share their server's log. Returns how many went. Raises OSError, and
    Refused without having removed any when a manifest cannot be read.
    """
    manifests = [read_manifest(path) for path in root.rglob(f"*{MANIFEST_SUFFIX}")]
    firsts = [manifest.physical.first_wal[8:] for manifest in manifests if manifest.physical]
    if not firsts or not folder.is_dir():
        return 0
    removed = 0
    for path in folder.iterdir():
        name = SEGMENT.fullmatch(path.name)
        if name and name[1] < min(firsts):
            path.unlink()
            removed += 1
    return removed


def _physical(entry: Entry) -> Physical:
    if entry.manifest.physical is None:
        raise AssertionError(f"{entry.backup} is no base backup")
    return entry.manifest.physical


def _end(entry: Entry) -> datetime:
    return _physical(entry).ends_at
