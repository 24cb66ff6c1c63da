"""The client's address, the context of a request, and who may open the admin."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings

from config.audit import RequestContext, current_context
from config.client import RequestContextMiddleware, client_ip


def request_from(remote: str, forwarded: str = "", **headers: str) -> HttpRequest:
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded} | headers)
    request.user = AnonymousUser()
    return request


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 198.51.100.2", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::7]:4711", "2001:db8::7"),
        (1, "2001:DB8:0::7", "2001:db8::7"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "unknown", None),
        (1, "203.0.113.9, <script>", None),
    ],
)
def test_only_as_many_forwarded_entries_are_believed_as_there_are_proxies(
    proxies: int, forwarded: str, address: str | None
) -> None:
    with override_settings(TRUSTED_PROXY_COUNT=proxies):
        assert client_ip(request_from("192.0.2.1", forwarded)) == address


def test_a_unix_socket_has_no_address() -> None:
    assert client_ip(request_from("")) is None


def answered(request: HttpRequest) -> tuple[RequestContext, HttpResponse]:
    seen: list[RequestContext] = []

    def page(_: HttpRequest) -> HttpResponse:
        seen.append(current_context())
        return HttpResponse()

    response = RequestContextMiddleware(page)(request)
    assert isinstance(response, HttpResponse)
    return seen[0], response


def test_a_request_says_who_acts_from_where_and_the_answer_carries_its_id() -> None:
    request = request_from("192.0.2.1", **{"User-Agent": "x" * 600})
    context, response = answered(request)
    assert context.actor == request.user
    assert context.ip_address == "192.0.2.1"
    assert context.user_agent == "x" * 500
    assert len(context.request_id) == 32
    assert response["X-Request-ID"] == context.request_id
    assert current_context() == RequestContext()


@pytest.mark.parametrize(("given", "kept"), [("trace-0123456789", True), ("short", False), ("a b\tc" * 4, False)])
def test_an_id_from_a_proxy_is_kept_when_it_looks_like_one(given: str, kept: bool) -> None:
    context, _ = answered(request_from("192.0.2.1", **{"X-Request-ID": given}))
    assert (context.request_id == given) is kept


@pytest.mark.parametrize(
    ("networks", "status"),
    [([], 200), (["127.0.0.0/8"], 200), (["192.0.2.0/24", "2001:db8::/32"], 403), (["::/0"], 403)],
)
@pytest.mark.django_db
def test_the_admin_opens_only_for_the_allowed_networks(client: Client, networks: list[str], status: int) -> None:
    with override_settings(ADMIN_ALLOWED_NETWORKS=[ip_network(network) for network in networks]):
        assert client.get("/admin/login/").status_code == status
        assert client.get("/healthz").status_code == 200
