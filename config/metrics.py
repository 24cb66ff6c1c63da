"""Figures for monitoring: how long requests take and what becomes of them, and the state of what they need.

Under gunicorn each process counts in files of its own (see `config.gunicorn`), and `/metrics` adds them up.
"""

from __future__ import annotations

import secrets
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import request_finished
from django.db import connection
from django.http import HttpResponse, HttpResponseForbidden
from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from accounts.models.users import Role
from config.cache.counts import lookups
from config.client import client_ip
from config.db.replicas.nodes import replicas
from config.health import examine
from config.metrics_files import REQUESTS, counted_together, write_down
from config.ops.cache import CacheAway, cache_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponseBase
    from prometheus_client.core import Metric

    Page = Callable[[HttpRequest], HttpResponseBase]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10, 30)
# Those who watch are not what is watched; a failed probe is no failed request.
UNCOUNTED = frozenset({"alive", "ready", "metrics"})
# Addresses that lead nowhere are one route, or anybody could make up new ones.
NO_ROUTE = "none"

DURATION = Histogram(REQUESTS, "Seconds until the answer to a request begins.", ["method", "route", "status"],
                     buckets=BUCKETS)  # fmt: skip
IN_PROGRESS = Gauge("forecourt_http_requests_in_progress", "Requests being answered.", multiprocess_mode="livesum")
POOL = Gauge(
    "forecourt_database_pool_connections", "Connections of the pools, and requests that wait for one.", ["state"],
    multiprocess_mode="livesum",
)  # fmt: skip


class MetricsMiddleware:
    """Measures every request, by the name of its route."""

    def __init__(self, get_response: Page) -> None:
        self.get_response = get_response
        self.minute = 0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self._write_down_once_a_minute()
        start = time.perf_counter()
        with IN_PROGRESS.track_inprogress():
            response = self.get_response(request)
        route = _route(request)
        if route not in UNCOUNTED:
            method = request.method if request.method in METHODS else "OTHER"
            DURATION.labels(method, route, str(response.status_code)).observe(time.perf_counter() - start)
        measure_pool()
        return response

    def _write_down_once_a_minute(self) -> None:
        now = time.time()
        minute = int(now // 60)
        if minute != self.minute:
            self.minute = minute
            folder = counted_together()
            if folder:
                write_down(folder, now)


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return (match.view_name or match.route) if match else NO_ROUTE


def measure_pool(**kwargs: Any) -> None:
    """Note how many connections of this process's pool are in use now."""
    pool = getattr(connection, "pool", None)
    if pool is None:
        return
    statistics = pool.get_stats()
    POOL.labels("open").set(statistics.get("pool_size", 0))
    POOL.labels("in_use").set(statistics.get("pool_size", 0) - statistics.get("pool_available", 0))
    POOL.labels("limit").set(statistics.get("pool_max", 0))
    POOL.labels("waiting").set(statistics.get("requests_waiting", 0))


# Once more after the request's own connection went back, which happens when the answer was sent.
request_finished.connect(measure_pool)


class StateCollector:
    """Looks after the database, the cache and the migrations at the moment of asking."""

    def collect(self) -> Iterator[Metric]:
        """Yield 1 for each part that is well and 0 for the others, and how long the database took to answer."""
        condition = examine()
        parts = GaugeMetricFamily("forecourt_up", "Whether a part of Forecourt is well.", labels=["part"])
        for part in condition.parts:
            parts.add_metric([part.name], 1.0 if part.well else 0.0)
        yield parts
        if condition.answer is not None:
            yield GaugeMetricFamily(
                "forecourt_database_answer_seconds", "Seconds the database took to answer.", condition.answer
            )
        yield from _replica_figures()
        yield from _cache_figures()


def _replica_figures() -> Iterator[Metric]:
    """Tell how this process sees the replicas; each process looks at them for itself."""
    if not settings.DATABASE_REPLICAS:
        return
    used = GaugeMetricFamily("forecourt_replica_up", "Whether reads go to a replica.", labels=["replica"])
    lag = GaugeMetricFamily("forecourt_replica_lag_seconds", "How far a replica is behind.", labels=["replica"])
    for node in replicas():
        seen = node.seen()
        used.add_metric([node.place], 1.0 if node.is_fit() else 0.0)
        if seen is not None:
            lag.add_metric([node.place], seen.lag)
    yield used
    yield lag


# Of what the cache server says about itself: the name here, and what it is.
_CACHE_FIGURES = {
    "keyspace_hits": ("forecourt_cache_hits", "Look-ups of the cache server that found something, since its start."),
    "keyspace_misses": ("forecourt_cache_misses", "Look-ups of the cache server that found nothing, since its start."),
    "evicted_keys": ("forecourt_cache_evictions", "Keys that the cache server dropped for want of memory."),
    "used_memory": ("forecourt_cache_memory_bytes", "Memory that the cache server uses."),
}


def _cache_figures() -> Iterator[Metric]:
    try:
        with cache_server() as server:
            if server is None:
                return
            about, counted = server.info(), lookups(server)
    except CacheAway:
        # forecourt_up says so.
        return
    for key, (name, help_text) in _CACHE_FIGURES.items():
        family = GaugeMetricFamily if key == "used_memory" else CounterMetricFamily
        yield family(name, help_text, about[key])
    reads = CounterMetricFamily(
        "forecourt_cache_reads",
        "Cached reads since the cache was emptied, of all servers.",
        labels=["family", "outcome"],
    )
    for one in counted:
        reads.add_metric([one.family, "hit"], one.hits)
        reads.add_metric([one.family, "miss"], one.misses)
    yield reads


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all figures in Prometheus' text format, to those who may see them."""
    if not may_see(request):
        return HttpResponseForbidden(
            "Figures are for administrators, METRICS_TOKEN and METRICS_ALLOWED_NETWORKS.\n", content_type="text/plain"
        )
    registry = CollectorRegistry()
    registry.register(StateCollector())
    folder = counted_together()
    if folder:
        MultiProcessCollector(registry, path=str(folder))
        text = generate_latest(registry)
    else:
        text = generate_latest(REGISTRY) + generate_latest(registry)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def may_see(request: HttpRequest) -> bool:
    """Say whether the figures may go to whoever asks: by token, by network, or as an administrator who is signed in."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and secrets.compare_digest(given.encode(), token.encode()):
        return True
    address = client_ip(request)
    if address and any(ip_address(address) in network for network in settings.METRICS_ALLOWED_NETWORKS):
        return True
    user = request.user
    return user.is_active and user.is_staff and getattr(user, "role", "") in {Role.SUPER_ADMIN, Role.ADMIN}
