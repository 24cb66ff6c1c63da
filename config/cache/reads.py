"""Reading through the cache: a kept answer if there is a true one, else one builds it and the others wait for that."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.conf import settings
from django.db import connections
from django.utils.translation import get_language

from config.cache import counts, shelf, writes
from config.cache.keys import identity
from config.cache.shelf import CacheAway, Claim
from config.cache.values import Kept
from config.db.replicas.reads import on_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

    from config.cache.families import Family
    from config.cache.shelf import Entry

T = TypeVar("T")

_asking_anew: ContextVar[bool] = ContextVar("asking_anew", default=False)

# Whoever waits for another's answer looks this often, and after that long builds one too.
LOOK_SECONDS = 0.01
WAIT_SECONDS = 2.0


@contextmanager
def uncached() -> Iterator[None]:
    """Let `cached` ask for everything anew in the block, and keep nothing of it."""
    token = _asking_anew.set(True)
    try:
        yield
    finally:
        _asking_anew.reset(token)


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
    _require_fitting(family, owner)
    ident = identity(filters)
    namespaces = (*family.depends, f"{family.name}:{ident}") if family.by_row else family.depends
    client = _client(namespaces)
    if client is None:
        return build()
    entry = shelf.entry_of(family, _shared_among(family, ident, owner), namespaces)
    try:
        found = _find(client, entry)
    except CacheAway:
        found = None
    if found is None:
        return build()
    if isinstance(found, Kept):
        return cast("T", found.value)
    return _build(client, entry, build, found)


def _require_fitting(family: Family, owner: int | None) -> None:
    if family.personal is (owner is None):
        rule = "belong to one user: give its key as owner" if family.personal else "are everybody's, and have no owner"
        raise TypeError(f"Answers of {family.name} {rule}.")


def _shared_among(family: Family, ident: str, owner: int | None) -> str:
    """Return the last part of the key, which keeps users and languages apart."""
    if family.personal:
        ident = f"{ident}:of-{owner}"
    return f"{ident}:in-{get_language() or ''}" if family.translated else ident


def _client(namespaces: tuple[str, ...]) -> Redis | None:
    if not settings.CACHE_READS or _asking_anew.get():
        return None
    connection = connections["default"]
    if writes.concerns(connection, namespaces):
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
        # What a replica lacks was written before the claim, so nothing would end an answer without it.
        with on_time():
            value = build()
        with suppress(CacheAway):
            shelf.keep(client, entry, value, right.stamp)
    except BaseException:
        with suppress(CacheAway):
            shelf.release(client, entry)
        raise
    return value
