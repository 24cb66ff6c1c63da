"""Archive, then delete or anonymize: nothing goes from the database before a checked file on disk has it.

A run that is killed leaves either nothing but hidden files, or a whole archive whose rows are still there, in part or
all; the next run goes on with that archive before it makes a new one, so that no row is archived twice.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connections, transaction
from django.db.models import BigIntegerField, F, Max, Min
from django.db.models.functions import Cast
from django.utils import timezone

from config.db.errors import Refused
from config.ops.backup.manifest import Damaged
from config.ops.maintenance import archives
from config.ops.maintenance.alone import locked_file
from config.ops.maintenance.archives import OF, Archive, TableFile, TableWriter, row_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from django.db.models import Model, QuerySet

ACT_ROWS = 500
FETCH_ROWS = 1000
LOCK_FILE = ".lock"


@dataclass(frozen=True, slots=True)
class Along:
    """Rows of another table that go into the archive with those that are due.

    `rows` returns those that belong to rows given as a queryset or list of keys, `of` leads from them to the key.
    """

    model: type[Model]
    rows: Callable[[Any], QuerySet[Any]]
    of: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What is archived when, and what happens to it then.

    `due` returns the rows as of a moment and `dated` is the column that tells their age. `act` gets keys of locked
    rows, in a transaction, and returns how many it deleted or anonymized; `returned` gets those that came back.
    """

    due: Callable[[datetime], QuerySet[Any]]
    dated: str
    act: Callable[[list[int], datetime], int]
    action: str = "delete"
    along: tuple[Along, ...] = ()
    left_out: frozenset[str] = frozenset()
    returned: Callable[[list[int]], None] = field(default=lambda keys: None)


def archive_and_act(
    policy: Policy, *, step: str, root: Path, now: datetime, progress: Callable[[int], None] = lambda rows: None
) -> int:
    """Archive the rows that are due and do with them what the policy says; return with how many it was done.

    Raises Refused or OSError, having deleted nothing that is not in a checked archive.
    """
    if not root.exists() and not policy.due(now).exists():
        return 0
    archives.prepare(root)
    with locked_file(root / LOCK_FILE, Refused(f"Another maintenance run is at work in {root}.")):
        archives.remove_unfinished(root)
        done = 0
        for archive in archives.unfinished_archives(root, step):
            done += _act(policy, archive, now, progress)
        if policy.due(now).exists():
            done += _act(policy, _write(policy, step, root, now, progress), now, progress)
        return done


def _write(policy: Policy, step: str, root: Path, now: datetime, progress: Callable[[int], None]) -> Archive:
    due = policy.due(now)
    connection = connections[due.db]
    begun, (oldest, newest) = timezone.now(), due.aggregate(a=Min(policy.dated), b=Max(policy.dated)).values()
    with archives.new_archive(root, step) as work:
        tables = [_write_table(work, policy, due.model, _main_lines(policy, due), progress)]
        for along in policy.along:
            lines = _along_lines(along, due.order_by().values("pk"), policy.left_out)
            tables.append(_write_table(work, policy, along.model, lines, progress))
        manifest = archives.describe(
            connection, step=step, action=policy.action, tables=tables, oldest=oldest, newest=newest,
            started_at=begun, finished_at=timezone.now(),
        )  # fmt: skip
        return archives.publish(work, manifest, at=now)


def _write_table(
    work: Path, policy: Policy, model: type[Model], lines: Iterable[tuple[int, bytes]],
    progress: Callable[[int], None],
) -> TableFile:  # fmt: skip
    writer = TableWriter(work, model, _columns(model, policy.left_out))
    try:
        for _, line in lines:
            writer.write(line)
            if writer.rows % FETCH_ROWS == 0:
                progress(writer.rows)
        return writer.finish()
    finally:
        writer.close()


def _columns(model: type[Model], left_out: frozenset[str]) -> tuple[str, ...]:
    return tuple(column.attname for column in model._meta.concrete_fields if column.attname not in left_out)


def _main_lines(policy: Policy, rows: QuerySet[Any]) -> Iterator[tuple[int, bytes]]:
    columns = _columns(rows.model, policy.left_out)
    for key, *values in rows.order_by("pk").values_list("pk", *columns).iterator(FETCH_ROWS):
        yield key, row_line(columns, values)


def _along_lines(along: Along, keys: Any, left_out: frozenset[str]) -> Iterator[tuple[int, bytes]]:
    columns = _columns(along.model, left_out)
    rows = along.rows(keys).annotate(**{OF: Cast(F(along.of), BigIntegerField())}).order_by(OF, "pk")
    for values in rows.values_list(OF, *columns).iterator(FETCH_ROWS):
        yield values[0], row_line((OF, *columns), values)


def _act(policy: Policy, archive: Archive, now: datetime, progress: Callable[[int], None]) -> int:
    """Act on the rows of an archive that are still as it has them, a batch per transaction, in its order."""
    # The last look before rows go: an archive that lay about may have suffered.
    try:
        archives.check_files(archive)
    except Damaged as error:
        raise Damaged(
            f"{error} Its rows were left where they are: move {archive.folder} away and run again."
        ) from error
    main, *others = archive.manifest.tables
    done = seen = 0
    with ExitStack() as opened:
        streams = [_Stream(archives.checked_lines(archive.path(table), table)) for table in others]
        for stream in streams:
            opened.callback(stream.close)
        for batch in _batches(archives.checked_lines(archive.path(main), main)):
            archived = {key: [line] for key, line in batch}
            for stream in streams:
                for key, line in stream.up_to(batch[-1][0]):
                    # One that was added between reading the two tables has no row in the first.
                    if key in archived:
                        archived[key].append(line)
            done += _act_on_batch(policy, archived, now)
            seen += len(batch)
            progress(seen)
    archives.mark_done(archive, acted_on=done)
    return done


def _act_on_batch(policy: Policy, archived: dict[int, list[bytes]], now: datetime) -> int:
    due = policy.due(now)
    keys = list(archived)
    with transaction.atomic(using=due.db):
        manager = due.model._base_manager.using(due.db)
        # First the locks, then the look: the condition also depends on other tables.
        list(manager.filter(pk__in=keys).order_by("pk").select_for_update().values_list("pk"))
        still_due = due.filter(pk__in=keys)
        present = {key: [line] for key, line in _main_lines(policy, still_due)}
        for along in policy.along:
            for key, line in _along_lines(along, list(present), policy.left_out):
                present[key].append(line)
        # What was changed since it was archived stays, for another run to archive as it is now.
        unchanged = [key for key, lines in present.items() if lines == archived[key]]
        return policy.act(unchanged, now) if unchanged else 0


def _batches(lines: Iterator[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    for line in lines:
        batch.append((json.loads(line)["id"], line))
        if len(batch) == ACT_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


class _Stream:
    """The lines of a table that hangs on another, handed out up to a key at a time."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines = lines
        self.next = self._read()

    def _read(self) -> tuple[int, bytes] | None:
        line = next(self.lines, None)
        return None if line is None else (json.loads(line)[OF], line)

    def up_to(self, key: int) -> Iterator[tuple[int, bytes]]:
        while self.next is not None and self.next[0] <= key:
            yield self.next
            self.next = self._read()

    def close(self) -> None:
        self.lines.close()  # type: ignore[attr-defined]  # a generator
