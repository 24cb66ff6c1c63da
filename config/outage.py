"""What people see while the database is away: a page that says so, and when to come again."""

from __future__ import annotations

import logging
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError
from django.shortcuts import render
from django.views import defaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase

    Page = Callable[[HttpRequest], HttpResponseBase]

RETRY_SECONDS = "5"

logger = logging.getLogger("forecourt.outage")


def names_a_missing_table(error: BaseException) -> bool:
    """Say whether the database answered, and lacks a table that a migration makes."""
    cause: Any = error.__cause__
    # PostgreSQL's code for an undefined table; SQLite has but words.
    return getattr(cause, "sqlstate", None) == "42P01" or str(error).startswith("no such table")


def is_outage(error: BaseException | None) -> bool:
    """Say whether an error means that the database cannot be asked at the moment."""
    return isinstance(error, OperationalError | InterfaceError) and not names_a_missing_table(error)


class OutageMiddleware:
    """Answers 503 for a page that the database kept from its answer."""

    def __init__(self, get_response: Page) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer in place of the view, where that is what happened to it."""
        return _later(request, error) if is_outage(error) else None


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for an error that no view raised, such as one of a session that could not be stored."""
    error = sys.exc_info()[1]
    return _later(request, error) if is_outage(error) else defaults.server_error(request)


def _later(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    logger.error("The database did not answer", exc_info=error)
    response = render(request, "503.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = RETRY_SECONDS
    response.headers["Cache-Control"] = "no-store"
    return response
