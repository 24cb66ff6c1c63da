"""A restore from beginning to end: find the backup, read it, look at the target, restore, forget what was cached."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.backup.run import WrongUsage
from config.ops.cache import CacheAway, cache_server, flush
from config.ops.restoring.content import Content, Plain, look_into, plain_content
from config.ops.restoring.engines import refuse_misfit, refuse_other_engine
from config.ops.restoring.order import Order, Outcome, Plan, Watcher
from config.ops.restoring.remembering import damage_noted
from config.ops.restoring.source import Source, found_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True)
class Prepared:
    """A backup that was read to its end, and a plan for it.

    `plain` is its content, unless it was only looked at; `is_live` tells whether the target is the database that the
    application uses.
    """

    connection: BaseDatabaseWrapper
    plan: Plan
    order: Order
    plain: Plain | None
    now: datetime
    is_live: bool

    def carry_out(self, watcher: Watcher) -> Outcome:
        """Restore. Raises Refused; then the live database is as it was."""
        began = time.monotonic()
        if self.plan.obstacles:
            raise Refused("\n".join(self.plan.obstacles))
        source = self.plan.source
        if self.connection.vendor == "sqlite":
            from config.ops.restoring.sqlite import restore_sqlite

            outcome = restore_sqlite(self.connection, source, self.order, now=self.now, watcher=watcher)
        else:
            from config.ops.restoring.postgresql import restore_postgresql

            if self.plain is None:
                raise AssertionError("a plan that was only looked at is not carried out")
            outcome = restore_postgresql(self.connection, source, self.plain, self.order, now=self.now, watcher=watcher)
        checks = [*self.plan.content.checks, *outcome.checks]
        findings = [*self.plan.warnings, *outcome.findings, *forget_cached(self.is_live)]
        return replace(outcome, checks=checks, findings=findings, seconds=time.monotonic() - began)


@contextmanager
def prepared(
    name: str,
    connection: BaseDatabaseWrapper,
    order: Order,
    *,
    backups: tuple[BaseDatabaseWrapper, Path],
    dry_run: bool,
    now: datetime,
    watcher: Watcher,
) -> Iterator[Prepared]:
    """Yield a plan to restore the backup `name` into the database of the connection.

    `backups` says whose backup "latest" means, and where it lies. Raises Refused or Damaged; nothing was changed then.
    """
    with ExitStack() as opened:
        source = opened.enter_context(fitting_source(name, connection, backups, notes=not dry_run))
        watcher.phase("checking the backup")
        # A SQLite file is unpacked beside the live one when its time has come.
        look = dry_run or connection.vendor == "sqlite"
        with _planning(connection, source, order, now) as plan_for:
            plain = None if look else opened.enter_context(plain_content(source, order.keys))
            content = plain.content if plain else look_into(source, order.keys)
            refuse_other_engine(source, content, connection)
            plan = plan_for(content)
        yield Prepared(connection, plan, order, plain, now, is_same(connection, backups[0]))


@contextmanager
def fitting_source(
    name: str, connection: BaseDatabaseWrapper, backups: tuple[BaseDatabaseWrapper, Path], *, notes: bool = True
) -> Iterator[Source]:
    """Yield the backup `name`, which fits the engine of the connection as far as its manifest tells.

    With `notes` its manifest remembers when the block finds it damaged. Raises Refused.
    """
    with found_source(name, *backups) as source:
        refuse_misfit(source, connection)
        with damage_noted(source) if notes else nullcontext():
            yield source


def is_same(connection: BaseDatabaseWrapper, other: BaseDatabaseWrapper) -> bool:
    """Whether two connections mean the same database."""
    return shown_url(connection.settings_dict) == shown_url(other.settings_dict)


@contextmanager
def _planning(
    connection: BaseDatabaseWrapper, source: Source, order: Order, now: datetime
) -> Iterator[Callable[[Content], Plan]]:
    """Yield what makes the plan once the content is known; what takes long and needs no content begins at once."""
    # Each engine's way loads only what it needs.
    if connection.vendor == "sqlite":
        from config.ops.restoring.sqlite import plan_sqlite

        if order.disconnect:
            raise WrongUsage("--disconnect: SQLite has no sessions that could be ended; stop the application.")
        yield lambda content: plan_sqlite(connection, source, content, order, now)
        return
    from config.ops.restoring.live_rows import counted_meanwhile
    from config.ops.restoring.postgresql import plan_postgresql

    with counted_meanwhile(connection) as rows:
        yield lambda content: plan_postgresql(connection, source, content, order, live_rows=rows, now=now)


def forget_cached(is_live: bool) -> list[str]:
    """Empty the cache of a live database, which knows what is no longer true; returns a sentence if that failed."""
    if not is_live:
        return []
    try:
        with cache_server() as server:
            if server is not None:
                flush(server)
    except CacheAway as error:
        return [f"The cache could not be emptied: {error} Run `manage.py cache_admin flush` when it is there."]
    return []
