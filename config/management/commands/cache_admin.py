from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from config.cache.counts import lookups, together
from config.commands import DataCommand
from config.db.errors import Refused
from config.management.arguments import answer
from config.ops.cache import flush, own_keys, ping, required_cache_server, warmed

if TYPE_CHECKING:
    from redis import Redis


class Command(DataCommand):
    help = (
        "Asks the cache server whether it is there (ping), how it is (info) and how many reads it answered, by family "
        "(stats), fills it with what visitors ask first (warm), or removes what Forecourt keeps in it (flush); what "
        "others keep there stays. Exit code 1 when it does not answer. "
        "Example: manage.py cache_admin ping"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("action", choices=("ping", "info", "stats", "warm", "flush"))
        parser.add_argument("--yes", action="store_true", help="Flush without asking.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")

    def handle(self, *, action: str, yes: bool, as_json: bool, **options: Any) -> None:
        """Do it, and print what came of it."""
        ask = {"ping": _ping, "info": _info, "stats": _stats, "warm": _warm}
        try:
            with required_cache_server() as server:
                result = ask[action](server) if action != "flush" else self._flush(server, yes)
        except Refused as error:
            raise CommandError(str(error)) from error
        if as_json:
            self.stdout.write(json.dumps(result, indent=2))
        else:
            self._print(result)

    def _print(self, result: dict[str, Any]) -> None:
        families = result.pop("families", [])
        width = max(len(name) for name in [*result, *(one["family"] for one in families)])
        for name, value in result.items():
            self.stdout.write(f"{name:<{width}}  {value}")
        if families:
            self.stdout.write(f"\n{'family':<{width}}  {'hits':>12}  {'misses':>12}  {'hit rate':>8}")
        for one in families:
            rate = f"{one['hit_rate']:.1f} %"
            self.stdout.write(f"{one['family']:<{width}}  {one['hits']:>12,}  {one['misses']:>12,}  {rate:>8}")

    def _flush(self, server: Redis, yes: bool) -> dict[str, Any]:
        count = sum(1 for _ in own_keys(server))
        if not yes:
            if not sys.stdin.isatty():
                raise Refused("Nobody is there to ask: add --yes.")
            self.stderr.write(
                f"This removes {count:,} keys of Forecourt. Pages fill them anew; failed sign-ins are forgotten."
            )
            if answer("Type flush to go on: ").strip() != "flush":
                raise Refused("Nothing was removed.")
        return {"removed": flush(server)}


def _ping(server: Redis) -> dict[str, Any]:
    return {"answer_ms": round(ping(server), 2)}


def _info(server: Any) -> dict[str, Any]:
    about = server.info()
    wanted = (
        *("redis_version", "valkey_version", "uptime_in_seconds", "connected_clients", "used_memory", "maxmemory"),
        *("maxmemory_policy", "keyspace_hits", "keyspace_misses", "evicted_keys", "expired_keys"),
    )
    result = {name: about[name] for name in wanted if name in about}
    return {**result, "all_keys": server.dbsize(), "own_keys": sum(1 for _ in own_keys(server))}


def _stats(server: Redis) -> dict[str, Any]:
    found = lookups(server)
    total = together(found)
    families = [asdict(one) | {"hit_rate": one.rate} for one in found]
    return {"hits": total.hits, "misses": total.misses, "hit_rate": total.rate, "families": families}


def _warm(server: Redis) -> dict[str, Any]:
    return {f"{one.name}_ms": round(one.milliseconds, 1) for one in warmed(now=timezone.now())}
