"""The cache server away: every answer is right, nobody waits for it, and what it missed it is told when it is back."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from pytest_django import Settings

from config.cache import cached, families, invalidate, shelf
from config.cache.debt import debt
from config.ops import servers

pytestmark = pytest.mark.django_db(transaction=True)


def use(settings: Settings, url: str) -> None:
    """Cache at another server, with the time limits of a deployment."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": url}}
    settings.REDIS_URL = url
    settings.CACHE_READS = True


def ask(answer: str) -> str:
    """Return what is cached, or else `answer`."""
    return cached(families.CARS_LIST, None, lambda: answer)


@pytest.fixture(autouse=True)
def no_debt() -> Iterator[None]:
    """Leave no debt to the tests that follow."""
    yield
    debt.is_open = False


def test_without_a_server_every_read_asks_the_database(settings: Settings) -> None:
    settings.REDIS_URL = ""
    settings.CACHE_READS = True
    assert [ask("first"), ask("second")] == ["first", "second"]
    invalidate("cars")
    assert not debt.is_open


def test_a_hanging_server_is_waited_for_once(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        use(settings, f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        assert [ask(str(number)) for number in range(20)] == [str(number) for number in range(20)]
        server.setblocking(False)
        server.accept()[0].close()
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_server_that_stops_answering_costs_one_wait_and_misses_no_write(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.redis_pool.PAUSE", 0.2)
    monkeypatch.setattr("config.cache.debt.RETRY_SECONDS", 0.05)
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)
    with servers.valkey() as own:
        use(settings, own.url)
        assert own.keeper is not None
        ask("before")
        client = shelf.server()
        assert client is not None
        process: Any = client.info()["process_id"]
        os.kill(process, signal.SIGSTOP)
        try:
            invalidate("cars")
            assert debt.is_open
            assert ask("after") == "after"
        finally:
            os.kill(process, signal.SIGCONT)
        for _ in range(200):
            if not debt.is_open:
                break
            threading.Event().wait(0.05)
        assert not debt.is_open
        assert ask("back again") == "back again"
        assert ask("never asked") == "back again"
    assert ask("gone for good") == "gone for good"
    caches["default"].close()
