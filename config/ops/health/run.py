"""Looking at a database's health, section by section."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError

from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.direct import refuse_unreachable
from config.ops.health.backups import backups
from config.ops.health.cache import cache
from config.ops.health.columns import columns
from config.ops.health.connections import connections
from config.ops.health.disk import disk
from config.ops.health.indexes import indexes
from config.ops.health.locks import locks
from config.ops.health.look import Look
from config.ops.health.machine import machine
from config.ops.health.migrations import migrations
from config.ops.health.plans import plans
from config.ops.health.pool import pool
from config.ops.health.profile import profile
from config.ops.health.queries import queries
from config.ops.health.replication import replication
from config.ops.health.report import Report, Section, State
from config.ops.health.requests import requests
from config.ops.health.size import size
from config.ops.health.tables import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

SECTIONS: dict[str, Callable[[Look], Section]] = {
    "connections": connections,
    "pool": pool,
    "size": size,
    "tables": tables,
    "indexes": indexes,
    "queries": queries,
    "locks": locks,
    "cache": cache,
    "replication": replication,
    "migrations": migrations,
    "backups": backups,
    "requests": requests,
    "disk": disk,
    "machine": machine,
    "settings": profile,
    "columns": columns,
    "plans": plans,
}
# What the planner knows and does is for those who tune, and says nothing of health.
ONLY_BY_NAME = frozenset({"columns", "plans"})
# These need no database.
WITHOUT_DATABASE = frozenset({"machine", "requests"})


def look_at(
    connection: BaseDatabaseWrapper,
    *,
    now: datetime | None = None,
    limit: int = 10,
    unused: bool = False,
    integrity: bool = False,
    explain: str = "",
) -> Look:
    """Return a look with what the settings say."""
    return Look(
        connection=connection,
        thresholds=settings.HEALTH_THRESHOLDS,
        now=now or datetime.now(UTC),
        backup_folder=Path(settings.BACKUP_DIR),
        metrics_folder=Path(settings.METRICS_DIR),
        limit=limit,
        unused=unused,
        integrity=integrity,
        explain=explain,
    )


def examine(look: Look, names: Iterable[str] = ()) -> Report:
    """Look at the sections named, or at all that a look at everything has."""
    asked = frozenset(names)
    wanted = [name for name in SECTIONS if (name in asked if asked else name not in ONLY_BY_NAME)]
    return Report(shown_url(look.connection.settings_dict), list(_sections(look, wanted)), asked)


def _sections(look: Look, names: list[str]) -> Iterator[Section]:
    unreachable = _unreachable(look.connection)
    if unreachable:
        section = Section("connections")
        section.find(State.CRITICAL, unreachable)
        yield section
        names = [name for name in names if name in WITHOUT_DATABASE]
    for name in names:
        yield _section(look, name)


def _unreachable(connection: BaseDatabaseWrapper) -> str:
    try:
        refuse_unreachable(connection)
    except (Refused, DatabaseError) as error:
        return " ".join(str(error).split())
    return ""


def _section(look: Look, name: str) -> Section:
    """Look at one section; one that fails says so, and the others have their turn."""
    try:
        return SECTIONS[name](look)
    except DatabaseError as error:
        section = Section(name)
        section.unread.append(f"The database refused: {' '.join(str(error).split())}")
        # The failed statement may have left a transaction behind.
        look.connection.close_if_unusable_or_obsolete()
        return section
