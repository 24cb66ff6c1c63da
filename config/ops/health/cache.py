"""What is answered from memory: PostgreSQL's own buffers, and the cache server."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from config.cache.counts import lookups, together
from config.ops.cache import CacheAway, cache_server, own_keys
from config.ops.health.look import Look, percent
from config.ops.health.report import Column, Section, State

if TYPE_CHECKING:
    from redis import Redis

# Below these, shares say nothing.
ENOUGH_LOOKUPS = 100
ENOUGH_BLOCKS = 10_000
# So many of our keys are looked at to tell which families there are.
KEYS_LOOKED_AT = 10_000


def cache(look: Look) -> Section:
    """Measure the hit rates of the database's buffers and of the cache server."""
    section = Section("cache")
    if look.on_sqlite:
        pages = int(look.value("PRAGMA cache_size"))
        page_size = int(look.value("PRAGMA page_size"))
        # A negative number is SQLite's way of writing kibibytes.
        section.figure("buffer", -1024 * pages if pages < 0 else pages * page_size, "bytes", source="PRAGMA cache_size")
        section.notes.append(
            "SQLite does not count how often its page cache hits; the system's file cache is behind it."
        )
    else:
        _buffers(look, section)
    _server(look, section)
    return section


def _buffers(look: Look, section: Section) -> None:
    hits, reads = look.row("SELECT blks_hit, blks_read FROM pg_stat_database WHERE datname = current_database()")
    rate = percent(hits, hits + reads)
    section.figure("buffer_hits", rate, "%", source="pg_stat_database: blks_hit / (blks_hit + blks_read)")
    if hits + reads >= ENOUGH_BLOCKS:
        look.weigh(
            section, "buffer_hits", rate,
            f"Only {rate:g} % of the blocks were found in PostgreSQL's memory: raise shared_buffers",
        )  # fmt: skip


def _server(look: Look, section: Section) -> None:
    try:
        with cache_server() as server:
            if server is None:
                section.missing.append("Each process caches in its own memory, which nobody else sees: set REDIS_URL.")
                return
            about: dict[str, Any] = server.info()
            section.figure("keys", server.dbsize(), source="DBSIZE")
            _statistics(look, section, about)
            _reads(look, section, server)
            _families(look, section, server)
    except CacheAway as error:
        section.find(State.WARNING, f"{error} Pages work, only slower; look after that server.")


def _statistics(look: Look, section: Section, about: dict[str, Any]) -> None:
    hits, misses = about["keyspace_hits"], about["keyspace_misses"]
    rate = percent(hits, hits + misses)
    everybody = "INFO of the whole cache server, since its start"
    section.figure("version", about.get("valkey_version") or about["redis_version"], source=everybody)
    section.figure("hits", hits, source=everybody)
    section.figure("misses", misses, source=everybody)
    section.figure("hit_rate", rate, "%", source=f"hits / (hits + misses), {everybody}")
    if hits + misses >= ENOUGH_LOOKUPS:
        look.weigh(section, "cache_hits", rate, f"Only {rate:g} % of the {hits + misses:,} look-ups hit the cache")
    section.figure("memory", about["used_memory"], "bytes", source=everybody)
    limit = about.get("maxmemory", 0)
    section.figure("memory_limit", limit or None, "bytes", source=everybody)
    section.figure("policy", about.get("maxmemory_policy"), source=everybody)
    section.figure("evicted", about["evicted_keys"], source=everybody)
    section.figure("expired", about["expired_keys"], source=everybody)
    section.figure("clients", about["connected_clients"], source=everybody)
    if limit and about.get("maxmemory_policy") == "noeviction" and about["used_memory"] > 0.9 * limit:
        section.find(
            State.WARNING, "The cache server is full and may evict nothing: set maxmemory-policy to allkeys-lru."
        )


def _reads(look: Look, section: Section, server: Redis) -> None:
    found = lookups(server)
    total = together(found)
    source = "counted by our processes since the cache was emptied"
    section.figure("read_hit_rate", total.rate if total.number else None, "%", source=source)
    if total.number >= ENOUGH_LOOKUPS:
        look.weigh(
            section, "read_hits", total.rate,
            f"Only {total.rate:g} % of the {total.number:,} cached reads were answered from the cache",
        )  # fmt: skip
    section.table(
        "reads", "Reads by family",
        (Column("family", "Family"), Column("hits", "Hits"), Column("misses", "Misses"), Column("rate", "Rate", "%")),
        [(one.family, one.hits, one.misses, one.rate) for one in found], source=source, limit=look.limit,
    )  # fmt: skip


def _families(look: Look, section: Section, server: Redis) -> None:
    families: dict[str, int] = {}
    keys = list(islice(own_keys(server), KEYS_LOOKED_AT + 1))
    for key in keys[:KEYS_LOOKED_AT]:
        # prefix:version:family:rest
        name = key.split(":", 2)[-1]
        family = name.partition(":")[0] if ":" in name else name.partition(".")[0]
        families[family] = families.get(family, 0) + 1
    rows: list[tuple[Any, ...]] = sorted(families.items(), key=lambda pair: (-pair[1], pair[0]))
    more = f", of the first {KEYS_LOOKED_AT:,}" if len(keys) > KEYS_LOOKED_AT else ""
    section.table(
        "families", f"Our keys by family{more}", (Column("family", "Family"), Column("keys", "Keys")), rows,
        source="SCAN for our prefix", limit=look.limit,
    )  # fmt: skip
