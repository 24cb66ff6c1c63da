"""Who is on the other end: the client's address behind trusted proxies, and the context of the running request."""

from __future__ import annotations

import re
import uuid
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponseForbidden
from django.utils.functional import SimpleLazyObject

from config.audit import RequestContext, acting

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    Page = Callable[[HttpRequest], HttpResponseBase]

USER_AGENT_LENGTH = 500
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
# "address:port", as some proxies write it: "192.0.2.1:4711" and "[2001:db8::1]:4711".
WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+))(?::\d+)?")


def client_ip(request: HttpRequest) -> str | None:
    """Return the client's address, or None when it is unknown or unreadable.

    Each of the ``TRUSTED_PROXY_COUNT`` proxies appends the address it saw to X-Forwarded-For, so only that many
    entries from the right can be believed; whatever stands further left is the client's own claim.
    """
    claimed = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXY_COUNT
    forwarded = [entry for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
    if proxies and forwarded:
        claimed = forwarded[-min(proxies, len(forwarded))]
    return _address(claimed)


def _address(text: str) -> str | None:
    text = text.strip()
    with_port = WITH_PORT.fullmatch(text)
    if with_port:
        text = with_port["v6"] or with_port["v4"]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


def request_id(request: HttpRequest) -> str:
    """Return the id a proxy gave the request when it looks like one, else a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class RequestContextMiddleware:
    """Says for the length of a request who acts, from where, and under which id; answers with X-Request-ID.

    The actor is looked up at its first use, so that a page which announces nothing costs no query.
    """

    def __init__(self, get_response: Page) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        context = RequestContext(
            actor=SimpleLazyObject(lambda: request.user),
            ip_address=client_ip(request),
            user_agent=request.headers.get("User-Agent", "")[:USER_AGENT_LENGTH],
            request_id=request_id(request),
        )
        with acting(context):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = context.request_id
        return response


class AdminNetworkMiddleware:
    """Answers 403 under /admin/ to addresses outside ``ADMIN_ALLOWED_NETWORKS``; without networks, to nobody."""

    def __init__(self, get_response: Page) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        networks = settings.ADMIN_ALLOWED_NETWORKS
        if networks and request.path_info.startswith("/admin/"):
            address = client_ip(request)
            if address is None or not any(ip_address(address) in network for network in networks):
                return HttpResponseForbidden("The admin is closed to your network address.", content_type="text/plain")
        return self.get_response(request)
