"""The backup that is taken of a database before it is dropped to make room."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.db.errors import Refused
from config.ops.backup.draft import Wanted
from config.ops.backup.manifest import Damaged
from config.ops.backup.run import Request, run_backup
from config.ops.restoring.content import Plain, plain_content
from config.ops.restoring.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.encryption import Keys
    from config.ops.backup.manifest import Manifest
    from config.ops.restoring.order import Order


@dataclass(frozen=True, slots=True)
class SafetyCopy:
    """A backup of the database as it was."""

    path: Path
    manifest: Manifest

    @contextmanager
    def plain(self, keys: Keys) -> Iterator[tuple[Source, Plain]]:
        """Yield it as what can be restored. Raises Refused."""
        source = Source(self.path, self.manifest)
        with plain_content(source, keys) as plain:
            yield source, plain


def taken(connection: BaseDatabaseWrapper, order: Order, *, now: datetime, database: str = "") -> SafetyCopy:
    """Back the database up, under the name `database` if it has another one for the moment.

    Raises Refused when that fails or no folder is given; then nothing was dropped.
    """
    if order.safety_folder is None:
        raise AssertionError("a safety copy needs a folder")
    # Who wants the database back as it was on Sunday must not get Monday's when he asks again.
    request = Request(order.safety_folder, Wanted(lock=order.lock), moves_latest=False, database=database)
    try:
        result = run_backup(connection, request, now=now)
    except Damaged as error:
        # Of what is backed up here, not of the backup that is to be restored.
        raise Refused(
            f"Nothing was dropped, because no good backup can be taken before: {error}\n"
            "Without --drop-database the live database is kept as it is, with --no-safety-backup it goes without one."
        ) from error
    return SafetyCopy(result.backup, result.manifest)
