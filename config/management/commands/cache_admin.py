from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.db.errors import Refused
from config.ops.cache import flush, own_keys, ping, required_cache_server


class Command(BaseCommand):
    help = (
        "Asks the cache server whether it is there (ping) and how it is (info), or removes what Forecourt keeps in "
        "it (flush); what others keep there stays. Exit code 1 when it does not answer. "
        "Example: manage.py cache_admin ping"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("action", choices=("ping", "info", "flush"))
        parser.add_argument("--yes", action="store_true", help="Flush without asking.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")

    def handle(self, *, action: str, yes: bool, as_json: bool, **options: Any) -> None:
        """Do it, and print what came of it."""
        try:
            with required_cache_server() as server:
                result = (
                    {"ping": _ping, "info": _info}[action](server) if action != "flush" else self._flush(server, yes)
                )
        except Refused as error:
            raise CommandError(str(error)) from error
        if as_json:
            self.stdout.write(json.dumps(result, indent=2))
        else:
            width = max(len(name) for name in result)
            for name, value in result.items():
                self.stdout.write(f"{name:<{width}}  {value}")

    def _flush(self, server: Any, yes: bool) -> dict[str, Any]:
        count = sum(1 for _ in own_keys(server))
        if not yes:
            if not sys.stdin.isatty():
                raise Refused("Nobody is there to ask: add --yes.")
            self.stderr.write(
                f"This removes {count:,} keys of Forecourt. Pages fill them anew; failed sign-ins are forgotten."
            )
            if input("Type flush to go on: ").strip() != "flush":
                raise Refused("Nothing was removed.")
        return {"removed": flush(server)}


def _ping(server: Any) -> dict[str, Any]:
    return {"answer_ms": round(ping(server), 2)}


def _info(server: Any) -> dict[str, Any]:
    about = server.info()
    wanted = (
        *("redis_version", "valkey_version", "uptime_in_seconds", "connected_clients", "used_memory", "maxmemory"),
        *("maxmemory_policy", "keyspace_hits", "keyspace_misses", "evicted_keys", "expired_keys"),
    )
    result = {name: about[name] for name in wanted if name in about}
    return {**result, "all_keys": server.dbsize(), "own_keys": sum(1 for _ in own_keys(server))}
