"""How often one caller may ask within a while.

Counted in the cache server, which all processes share, in windows that begin at fixed times. While it is away each
process counts for itself, so that nobody is refused for it and nobody gets through without any limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache

# Of an IPv6 address: what one household or company has to choose from freely.
_NETWORK_BITS = 64
_own = LocMemCache("rate-limits", {"MAX_ENTRIES": 10_000})


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` requests in `seconds`; each rule counts by itself."""

    name: str
    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a rule a caller has left, and in how many seconds it begins anew."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool

    @property
    def headers(self) -> dict[str, str]:
        """The headers that tell a caller."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }
        return told | ({"Retry-After": str(self.reset)} if self.exceeded else {})


def count_request(rule: Rule, address: str | None, *, now: float) -> Allowance:
    """Count one request of a client's address at `now` (seconds since 1970) and say what is left."""
    window, passed = divmod(int(now), rule.seconds)
    number = _count(f"rate:{rule.name}:{caller_of(address)}:{window}", rule.seconds)
    reset = rule.seconds - passed
    return Allowance(rule.limit, max(0, rule.limit - number), reset, exceeded=number > rule.limit)


def caller_of(address: str | None) -> str:
    """Return who counts as one caller: a client's IPv4 address, or the network of its IPv6 address."""
    if address is None:
        return "unknown"
    known = ip_address(address)
    if isinstance(known, IPv6Address):
        return str(ip_network((known, _NETWORK_BITS), strict=False))
    return str(known)


def _count(key: str, seconds: int) -> int:
    if not settings.REDIS_URL:
        return _count_here(key, seconds)
    # The client's library takes long to load.
    from django_redis import get_redis_connection
    from redis.exceptions import RedisError

    shared = cache.make_key(key)
    try:
        with get_redis_connection("default").pipeline(transaction=False) as steps:
            steps.incr(shared)
            steps.expire(shared, seconds)
            number, _ = steps.execute()
    except RedisError:
        return _count_here(key, seconds)
    return int(number)


def _count_here(key: str, seconds: int) -> int:
    _own.add(key, 0, seconds)
    try:
        return int(_own.incr(key))
    except ValueError:
        # It ran out between the two calls.
        return 1
