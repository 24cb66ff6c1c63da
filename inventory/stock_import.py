"""Bringing in vehicles, parts and sellers from a CSV or JSON file; a plan is the same run, undone at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from django.db import transaction

from inventory.bulk import LOADERS, load_rows
from inventory.stock_files import open_stock_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from accounts.models import User
    from inventory.bulk import BulkReport

KINDS = tuple(LOADERS)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or with `dry_run` would have done."""

    kind: str
    dry_run: bool
    format: str
    encoding: str
    unused_columns: list[str]
    rows: BulkReport

    def as_dict(self) -> dict[str, Any]:
        facts: dict[str, Any] = {name: getattr(self, name) for name in ("kind", "dry_run", "format", "encoding")}
        return facts | {"unused_columns": self.unused_columns} | self.rows.as_dict()


def required_columns(kind: str) -> tuple[str, ...]:
    """Return the columns without which no row of `kind` can be created."""
    return LOADERS[kind].required


def optional_columns(kind: str) -> tuple[str, ...]:
    """Return the columns that rows of `kind` may have besides."""
    return (*LOADERS[kind].optional, "public_id")


def plan_import(
    kind: str,
    stream: IO[bytes],
    *,
    visible_to: User | None,
    now: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Return what `run_import` would report, and leave the database as it is. Raises Refused as that does."""
    with transaction.atomic():
        report = _run(kind, stream, dry_run=True, visible_to=visible_to, now=now, progress=progress)
        transaction.set_rollback(True)
    return report


@transaction.atomic
def run_import(
    kind: str,
    stream: IO[bytes],
    *,
    visible_to: User | None,
    actor: User | None = None,
    now: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Create a row for each row of a seekable file (`KINDS` says of what), in one transaction, and report on each.

    Rows that cannot be stored are reported and the others created. With `visible_to` rows may name only that person's
    sellers and vehicles; None lets them name any. Raises Refused, with nothing created, if the person may not add such
    rows or the file as a whole cannot be read.
    """
    return _run(kind, stream, dry_run=False, visible_to=visible_to, actor=actor, now=now, progress=progress)


def _run(kind: str, stream: IO[bytes], *, dry_run: bool, **options: Any) -> ImportReport:
    loader = LOADERS[kind]
    with open_stock_file(stream, known=loader.columns(), required=loader.required) as file:
        rows = load_rows(kind, file.rows, **options)
        return ImportReport(kind, dry_run, file.format, file.encoding, file.unused_columns, rows)
