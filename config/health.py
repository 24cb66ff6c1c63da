"""Whether the process is alive, and whether it is ready for requests; probes and load balancers ask."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.utils import ConnectionHandler
from django.http import HttpResponse, JsonResponse

from config.ops.cache import CacheAway, cache_server
from config.ops.migrating import pending_migrations

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.http import HttpRequest

# A crowd of probes is one question.
KEPT_SECONDS = 5.0
CONNECT_SECONDS = 3
STATEMENT_TIMEOUT = 3000  # ms


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that requests need, or `needed` false: without which they are only slower."""

    name: str
    well: bool
    reason: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """How the parts are; `answer` is how many seconds the database took, None when it did not answer."""

    at: datetime
    parts: list[Part]
    answer: float | None

    @property
    def ready(self) -> bool:
        return all(part.well for part in self.parts if part.needed)

    @property
    def word(self) -> str:
        if not self.ready:
            return "unhealthy"
        return "healthy" if all(part.well for part in self.parts) else "degraded"


def live(request: HttpRequest) -> HttpResponse:
    """Answer without touching the database: a probe must not restart the server because the database is away."""
    return HttpResponse("alive\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when requests can be served, else 503 with the reason.

    Without the cache pages work, only slower: that alone takes no server out of service.
    """
    condition = _examined.get()
    content: dict[str, Any] = {"status": condition.word, "at": condition.at.isoformat(timespec="seconds")}
    content |= {part.name: "ok" if part.well else part.reason for part in condition.parts}
    status = HTTPStatus.OK if condition.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse(content, status=status, headers={"Cache-Control": "no-store"})


def examine() -> Condition:
    """Look at database, migrations and cache, now."""
    start = time.perf_counter()
    answer: float | None = None
    connection = _own_connection()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        answer = time.perf_counter() - start
        pending = len(pending_migrations(connection))
        parts = [Part("database", well=True), _migrations(pending)]
    except DatabaseError:
        # What the driver says may name hosts, databases and people; it goes to the log of whoever looks there.
        parts = [
            Part("database", well=answer is not None, reason="no answer"),
            Part("migrations", well=False, reason="not known without the database"),
        ]
    finally:
        connection.close()
    return Condition(datetime.now(UTC), [*parts, *_cache()], answer)


def _migrations(pending: int) -> Part:
    # A release whose migrations run beside the old code starts, so it also gets its requests.
    return Part("migrations", not pending, f"{pending} pending", needed=not settings.START_WITH_PENDING_MIGRATIONS)


def _own_connection() -> BaseDatabaseWrapper:
    """Return a connection beside the pool, whose queue must not make a probe wait, and with short patience."""
    current = connections.settings[DEFAULT_DB_ALIAS]
    options = {key: value for key, value in current["OPTIONS"].items() if key != "pool"}
    if "connect_timeout" in options:
        options["connect_timeout"] = min(options["connect_timeout"], CONNECT_SECONDS)
    if "options" in options:
        options["options"] += f" -c statement_timeout={STATEMENT_TIMEOUT}"
    if "timeout" in options:
        options["timeout"] = CONNECT_SECONDS
    return ConnectionHandler({DEFAULT_DB_ALIAS: {**current, "OPTIONS": options}})[DEFAULT_DB_ALIAS]


def _cache() -> list[Part]:
    try:
        with cache_server() as server:
            if server is None:
                return []
            server.ping()
    except CacheAway:
        return [Part("cache", well=False, reason="no answer; pages are slower without it", needed=False)]
    return [Part("cache", well=True, needed=False)]


class _Examined:
    """The last look, which serves all who ask within the next seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._condition: Condition | None = None
        self._until = 0.0

    def get(self) -> Condition:
        with self._lock:
            if self._condition is None or time.monotonic() >= self._until:
                self._condition = examine()
                self._until = time.monotonic() + KEPT_SECONDS
            return self._condition

    def forget(self) -> None:
        self._until = 0.0


_examined = _Examined()
