"""The cache server as the cache of reads uses it: every question to it is one round trip.

A namespace has a generation, a random token. A value carries the tokens that held before it was built, and counts only
while they still hold; ending a namespace is forgetting its token, so that the next reader makes a new one. A token
never comes back: a value that was built before a write and arrives after it is of no use to anybody.
"""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import caches

from config.cache.families import NOTHING_SECONDS, WEEK, Family
from config.cache.values import Kept, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from redis import Redis

# Part of every key: a change of what stands under keys starts anew.
LAYOUT = 1
TOKEN_BYTES = 8
# In the last part of its time a value is handed out while one process builds the next.
DUE_SHARE = 0.9
# A process that dies while it builds holds up the others no longer than this.
CLAIM_SECONDS = 3


class CacheAway(Exception):
    """The cache server does not answer, or refuses."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One question: where its answer is kept, and where the generations of the namespaces that end it are."""

    family: Family
    key: str
    generation_keys: list[str]

    @property
    def claim_key(self) -> str:
        return f"{self.key}:claim"

    @property
    def all_keys(self) -> list[str]:
        return [*self.generation_keys, self.key]


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to build an answer; without `stamp` a write came between, and it cannot be kept."""

    stamp: bytes | None


def prefix() -> str:
    """Return what all our keys begin with."""
    return str(caches["default"].key_prefix)


def entry_of(family: Family, ident: str, namespaces: tuple[str, ...]) -> Entry:
    """Return where an answer is kept; `ident` says which one of the family it is."""
    start = prefix()
    key = f"{start}:{LAYOUT}.{family.version}:{family.name}:{ident}"
    return Entry(family, key, [_generation_key(start, name) for name in namespaces])


def _generation_key(start: str, namespace: str) -> str:
    return f"{start}:{LAYOUT}:generation:{namespace}"


def server() -> Redis | None:
    """Return a client of the cache server, None without ``REDIS_URL``."""
    if not settings.REDIS_URL:
        return None
    # The client's library takes long to load, and most commands need none.
    from django_redis import get_redis_connection

    client: Redis = get_redis_connection("default")
    return client


@contextmanager
def answering() -> Iterator[None]:
    """Turn whatever is wrong with the server into CacheAway."""
    from redis.exceptions import RedisError

    try:
        yield
    except RedisError as error:
        raise CacheAway(str(error)) from error


def look(client: Redis, entry: Entry) -> Kept | None:
    """Return the answer if it is there and true. Raises CacheAway."""
    with answering():
        found: Any = client.mget(entry.all_keys)
    return _read(entry, found)


def claim(client: Redis, entry: Entry) -> Kept | Claim | None:
    """Return the answer if somebody has built it meanwhile, else the right to build it, None if another has that.

    The generations are read here, before anything is asked of the database. Raises CacheAway.
    """
    with answering():
        pipeline = client.pipeline(transaction=False)
        for key in entry.generation_keys:
            pipeline.set(key, secrets.token_bytes(TOKEN_BYTES), nx=True, ex=WEEK)
        pipeline.set(entry.claim_key, b"", nx=True, ex=CLAIM_SECONDS)
        pipeline.mget(entry.all_keys)
        *_, is_ours, found = pipeline.execute()
        kept = _read(entry, found)
        if kept is not None and not kept.is_due:
            if is_ours:
                client.unlink(entry.claim_key)
            return kept
    if not is_ours:
        return None
    return Claim(_stamp(found[:-1]))


def keep(client: Redis, entry: Entry, value: Any, stamp: bytes | None) -> None:
    """Keep a built answer, and let go of the claim. Raises CacheAway, and TypeError as `pack`."""
    if stamp is None:
        release(client, entry)
        return
    seconds = NOTHING_SECONDS if value is None else entry.family.seconds
    data = pack(value, stamp=stamp, due=time.time() + DUE_SHARE * seconds)
    with answering():
        pipeline = client.pipeline(transaction=False)
        pipeline.set(entry.key, data, ex=seconds)
        if value is None and entry.family.by_row:
            # Strangers make up names: they leave nothing behind that stays for a week.
            pipeline.expire(entry.generation_keys[-1], 2 * NOTHING_SECONDS)
        # Whoever took longer than the claim lasts may remove another's: one more builds, no harm done.
        pipeline.unlink(entry.claim_key)
        pipeline.execute()


def release(client: Redis, entry: Entry) -> None:
    """Let somebody else build the answer. Raises CacheAway."""
    with answering():
        client.unlink(entry.claim_key)


def end(client: Redis, namespaces: Iterable[str]) -> None:
    """End everything that depends on these namespaces. Raises CacheAway."""
    start = prefix()
    keys = [_generation_key(start, name) for name in namespaces]
    if keys:
        with answering():
            client.unlink(*keys)


def _read(entry: Entry, found: list[bytes | None]) -> Kept | None:
    *tokens, data = found
    stamp = _stamp(tokens)
    return None if stamp is None else unpack(data, stamp=stamp, now=time.time(), frozen=entry.family.frozen)


def _stamp(tokens: list[bytes | None]) -> bytes | None:
    known = [token for token in tokens if token is not None]
    return b"".join(known) if len(known) == len(tokens) else None
