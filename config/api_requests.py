"""What every request to the HTTP API goes through: nobody in particular asks, not too often, and gets JSON."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.middleware.gzip import GZipMiddleware
from django.views import defaults

from config.answers import problem
from config.client import client_ip
from config.rate_limits import Rule, count_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    Page = Callable[[HttpRequest], HttpResponseBase]

ADDRESS = "/api/"
WINDOW_SECONDS = 15 * 60


class ApiMiddleware:
    """Counts requests under /api/, gives every error there one shape, and compresses what it answers.

    Whoever is signed in on the staff site is a stranger here: answers are kept for everybody, so nobody's own rights
    may change them.
    """

    def __init__(self, get_response: Page) -> None:
        self.page = get_response
        self.compress = GZipMiddleware(get_response).process_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(ADDRESS):
            return self.page(request)
        request.user = AnonymousUser()
        if request.method == "HEAD":
            # Routes know GET alone; the web server leaves the content out.
            request.method = "GET"
        rule = Rule("api", settings.API_RATE_LIMIT, WINDOW_SECONDS)
        if not rule.limit:
            return self._answer(request)
        allowance = count_request(rule, client_ip(request), now=time.time())
        if allowance.exceeded:
            minutes = rule.seconds // 60
            message = f"More than {rule.limit} requests in {minutes} minutes: wait {allowance.reset} seconds."
            return problem(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", message, headers=allowance.headers)
        response = self._answer(request)
        for name, value in allowance.headers.items():
            response.headers[name] = value
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self.page(request)
        is_json = response.headers.get("Content-Type") == "application/json"
        if response.status_code >= HTTPStatus.BAD_REQUEST and not is_json:
            return _in_our_shape(response)
        compressed: HttpResponseBase = self.compress(request, response)
        return compressed


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request that was refused before it came here, such as one for the name of another host."""
    page = defaults.bad_request(request, exception)
    return _in_our_shape(page) if request.path_info.startswith(ADDRESS) else page


def _in_our_shape(response: HttpResponseBase) -> HttpResponseBase:
    """Return the error that Django told in a page of its own, such as an address that is not there."""
    status = HTTPStatus(response.status_code)
    code = status.phrase.lower().replace(" ", "_")
    kept = {name: value for name, value in response.headers.items() if name == "Allow"}
    return problem(status, code, f"{status.description or status.phrase}.".replace("..", "."), headers=kept)
