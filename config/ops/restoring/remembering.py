"""What trials show about a backup, noted in its manifest."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from django.utils import timezone

from config.db.errors import Refused
from config.ops.backup.folders import LOCK_FILE, locked
from config.ops.backup.manifest import Damaged, manifest_path, read_manifest, with_failure, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from config.ops.backup.manifest import Manifest
    from config.ops.restoring.source import Source


@contextmanager
def damage_noted(source: Source) -> Iterator[None]:
    """Let the manifest remember when the block finds the backup damaged. Raises Damaged then."""
    try:
        yield
    except Damaged as damage:
        if source.manifest is None:
            raise
        reason = str(damage)
        try:
            note(source, lambda manifest: with_failure(manifest, reason, timezone.now()))
        except (OSError, Refused) as error:
            raise Damaged(f"{reason} The manifest does not know of it: {error}") from damage
        raise


def note(source: Source, change: Callable[[Manifest], Manifest]) -> None:
    """Change what the manifest of a backup says. Raises OSError, or Refused when it cannot be read."""
    with _alone_with(source.path):
        # Read again: an upload may have been noted since.
        write_manifest(change(read_manifest(manifest_path(source.path))), source.path)


def _alone_with(backup: Path) -> AbstractContextManager[None]:
    # A backup lies in root/year/month/day; no run knows of one that was put elsewhere.
    roots = backup.resolve().parents[3:4]
    return locked(roots[0]) if roots and (roots[0] / LOCK_FILE).exists() else nullcontext()
