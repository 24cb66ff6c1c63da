"""Whose reads may go to a replica: requests that change nothing, by people who have not just changed something."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed

from config.db.replicas.nodes import TRUSTED_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponseBase

    Page = Callable[[HttpRequest], HttpResponseBase]

COOKIE = "forecourt_wrote"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class Reads:
    """What is known of the request that is being answered."""

    may_be_late: bool
    wrote: bool = False


_reads: ContextVar[Reads | None] = ContextVar("reads", default=None)


def may_be_late() -> bool:
    """Say whether what is read here and now may lack the last writes; never so outside of requests."""
    reads = _reads.get()
    return reads is not None and reads.may_be_late and not reads.wrote


def note_write() -> None:
    """Let the rest of the request, and the person's next ones, see what is written now."""
    reads = _reads.get()
    if reads is not None:
        reads.wrote = True


@contextmanager
def on_time() -> Iterator[None]:
    """Read in the block what is true now, such as what is kept for others to read later."""
    token = _reads.set(None)
    try:
        yield
    finally:
        _reads.reset(token)


def sticky_seconds() -> int:
    """Return for how long a replica that is still read from may lack something."""
    return int(settings.REPLICA_MAX_LAG + TRUSTED_SECONDS)


class ReadYourWritesMiddleware:
    """Lets reading requests read from replicas, but for people who wrote within the last seconds.

    A cookie says so, because the next request may reach another process. A forged one only leads to the primary.
    """

    def __init__(self, get_response: Page) -> None:
        if not settings.DATABASE_REPLICAS:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_safe = request.method in SAFE_METHODS
        reads = Reads(may_be_late=is_safe and not _wrote_lately(request, now=time.time()))
        token = _reads.set(reads)
        try:
            response = self.get_response(request)
        finally:
            _reads.reset(token)
        if reads.wrote or not is_safe:
            seconds = sticky_seconds()
            response.set_cookie(
                COOKIE, str(int(time.time()) + seconds + 1), max_age=seconds + 1, httponly=True, samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )  # fmt: skip
        return response


def _wrote_lately(request: HttpRequest, *, now: float) -> bool:
    until = request.COOKIES.get(COOKIE, "")
    # Not every client forgets a cookie in time.
    return until.isdecimal() and len(until) < 20 and int(until) > now
