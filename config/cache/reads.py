"""Reading through the cache: a kept answer if there is a true one, else one builds it and the others wait for that."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.conf import settings
from django.db import connections
from django.utils.translation import get_language

from config.cache import counts, shelf, writes
from config.cache.keys import identity
from config.cache.shelf import CacheAway, Claim, Entry
from config.cache.values import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from config.cache.families import Family

T = TypeVar("T")

# Whoever waits for another's answer looks this often, and after that long builds one too.
LOOK_SECONDS = 0.01
WAIT_SECONDS = 2.0


def cached(family: Family, filters: Any, build: Callable[[], T], *, owner: int | None = None) -> T:
    """Return what `build` returns, from the cache if it is there.

    `filters` is all that the answer depends on (see `config.cache.keys`), `owner` the key of the user to whom an answer
    of a personal family belongs. `build` asks the database and returns plain values; None means that there is no such
    thing. An answer is never older than the last committed write to what its family depends on; one that has only
    grown old is still handed out while one process builds the next.

    Without a cache server, or with one that is away, and in a transaction that wrote to what the answer depends on,
    `build` is asked every time. Raises TypeError for filters and values that cannot be kept, and where `owner` and
    family do not go together.
    """
    entry = _entry(family, filters, owner)
    client = _client(entry)
    if client is None:
        return build()
    try:
        found = _find(client, entry)
    except CacheAway:
        found = None
    if found is None:
        return build()
    if isinstance(found, Kept):
        return cast("T", found.value)
    return _build(client, entry, build, found)


def _entry(family: Family, filters: Any, owner: int | None) -> Entry:
    if family.personal is (owner is None):
        rule = "belong to one user: give its key as owner" if family.personal else "are everybody's, and have no owner"
        raise TypeError(f"Answers of {family.name} {rule}.")
    ident = identity(filters)
    parts = [shelf.prefix(), f"{shelf.LAYOUT}.{family.version}", family.name, ident]
    if family.personal:
        parts.append(f"of-{owner}")
    if family.translated:
        parts.append(f"in-{get_language() or ''}")
    namespaces = (*family.depends, f"{family.name}:{ident}") if family.by_row else family.depends
    return Entry(family, ":".join(parts), namespaces)


def _client(entry: Entry) -> Redis | None:
    if not settings.CACHE_READS:
        return None
    connection = connections["default"]
    if writes.concerns(connection, entry.namespaces):
        return None
    # A transaction on SQLite goes on seeing what was there when it began.
    if connection.in_atomic_block and connection.vendor == "sqlite":
        return None
    return shelf.server()


def _find(client: Redis, entry: Entry) -> Kept | Claim | None:
    """Return the answer, or the right to build it, or None after waiting in vain for whoever has that."""
    kept = shelf.look(client, entry)
    if kept is not None and not kept.is_due:
        counts.note(client, entry.family, "hit")
        return kept
    found = shelf.claim(client, entry)
    if found is None and kept is not None:
        counts.note(client, entry.family, "hit")
        return kept
    counts.note(client, entry.family, "miss")
    return found or _wait(client, entry)


def _wait(client: Redis, entry: Entry) -> Kept | Claim | None:
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        found = shelf.claim(client, entry)
        if found is not None:
            return found
    return None


def _build(client: Redis, entry: Entry, build: Callable[[], T], right: Claim) -> T:
    try:
        value = build()
        with suppress(CacheAway):
            shelf.keep(client, entry, value, right.stamp)
    except BaseException:
        with suppress(CacheAway):
            shelf.release(client, entry)
        raise
    return value
