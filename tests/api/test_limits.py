"""How often one caller may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client, override_settings
from pytest_django import Settings

from config.rate_limits import Rule, count_request

RULE = Rule("test", 2, 60)


@pytest.fixture
def cache_away() -> Iterator[None]:
    """Point the cache to where no server is."""
    nowhere: dict[str, Any] = configured.CACHES["default"] | {"LOCATION": "redis://:hush@127.0.0.1:1/0"}
    with override_settings(CACHES={"default": nowhere}):
        yield


def test_a_caller_who_asks_too_often_waits_for_the_next_window() -> None:
    told = [count_request(RULE, "192.0.2.1", now=second) for second in (120, 130, 140, 180)]
    assert [(each.remaining, each.reset, each.exceeded) for each in told] == [
        (1, 60, False),
        (0, 50, False),
        (0, 40, True),
        (1, 60, False),
    ]


def test_rules_and_callers_count_by_themselves_and_a_network_of_ipv6_is_one_caller() -> None:
    def left(rule: Rule, address: str | None) -> int:
        return count_request(rule, address, now=0).remaining

    assert left(RULE, "192.0.2.2") == 1
    assert left(RULE, "192.0.2.3") == 1
    assert left(Rule("other", 2, 60), "192.0.2.2") == 1
    assert [left(RULE, "2001:db8::1"), left(RULE, "2001:db8::ffff:1"), left(RULE, "2001:db8:1::1")] == [1, 0, 1]
    assert left(RULE, None) == 1


def test_without_the_cache_server_the_process_counts_for_itself(cache_away: None) -> None:
    assert [count_request(RULE, "192.0.2.9", now=0).exceeded for _ in range(3)] == [False, False, True]


@pytest.mark.django_db
def test_every_answer_tells_what_is_left_and_a_refusal_when_to_come_again(client: Client, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 1
    first, second = client.get("/api/v1/cars"), client.get("/api/v1/parts")
    assert (first.status_code, first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == (
        200,
        "1",
        "0",
    )
    assert (second.status_code, second.json()["error"]["code"]) == (429, "too_many_requests")
    assert second.headers["Retry-After"] == second.headers["RateLimit-Reset"]
    assert 0 < int(second.headers["Retry-After"]) <= 900
    # The staff site has limits of its own.
    assert client.get("/admin/login/").status_code == 200
