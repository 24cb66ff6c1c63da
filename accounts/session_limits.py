"""Ending sessions of browsers: after a time without activity, and some time after the sign-in whatever was done."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import get_user
from django.utils.functional import SimpleLazyObject

from config.options import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpRequest, HttpResponseBase

    Page = Callable[[HttpRequest], HttpResponseBase]

IDLE_MINUTES = "security.session_timeout_minutes"
LIFETIME_HOURS = "security.session_lifetime_hours"
# Activity is noted no more often than this, so that not every page writes; a session may end that much early.
NOTED_EVERY = 60  # seconds
# What a session says of itself, in seconds since 1970.
SIGNED_IN_AT = "signed_in_at"
ACTIVE_AT = "active_at"


class SessionLimitsMiddleware:
    """Knows people for as long as their sessions are within the limits.

    The session is looked at when something asks for the person, so that other pages read none.
    """

    def __init__(self, get_response: Page) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]  # as Django's own
        return self.get_response(request)


def _person(request: HttpRequest) -> Any:
    keep_within_limits(request.session, now=time.time())
    return get_user(request)


def start_session(*, request: HttpRequest, **kwargs: Any) -> None:
    """Let the session of somebody who has just signed in begin."""
    now = time.time()
    request.session[SIGNED_IN_AT] = now
    _note_activity(request.session, now)


def keep_within_limits(session: SessionBase, *, now: float) -> None:
    """Empty a person's session if it is over, and else note that it is in use; `now` is in seconds since 1970."""
    if SESSION_KEY not in session:
        return
    if _ends_at(session) <= now:
        session.flush()
    elif session[ACTIVE_AT] <= now - NOTED_EVERY:
        _note_activity(session, now)


def _ends_at(session: SessionBase) -> float:
    limits = options([IDLE_MINUTES, LIFETIME_HOURS])
    # A session that does not say when it began is over.
    idle_end = session.get(ACTIVE_AT, 0) + limits[IDLE_MINUTES] * 60
    return float(min(idle_end, session.get(SIGNED_IN_AT, 0) + limits[LIFETIME_HOURS] * 3600))


def _note_activity(session: SessionBase, now: float) -> None:
    session[ACTIVE_AT] = now
    # The cookie, the row and the copy in the cache end along with it.
    session.set_expiry(math.ceil(_ends_at(session) - now))
