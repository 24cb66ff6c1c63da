"""The machine's Chromium against our own server, and what every page must keep to."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, Request, WebError
from pytest_django.live_server_helper import LiveServer

from config.ops import programs

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Playwright runs its event loop in the test's own thread, and Django takes any loop for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests on PostgreSQL alone: the pages are the same, and SQLite would make threads wait for locks.

    Coverage is not measured: it takes most of the time, and other tests run the same lines.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.postgres_only)
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session")
def playwright(playwright: Playwright, django_db_setup: None) -> Generator[Playwright]:
    """Close what was opened under Playwright's loop: Django keeps connections apart by loop, and forgets these."""
    yield playwright
    connections.close_all()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the Chromium of this machine."""
    chromium = programs.find(programs.CHROMIUM)
    return {**browser_type_launch_args, "executable_path": str(chromium.path), "args": list(CHROMIUM_FLAGS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """One window size and language everywhere, so that screenshots can be compared."""
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}


class Complaints:
    """What the pages of a test did wrong: errors in the console and requests beyond our own server."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.heard: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        """Listen to every page of the context, those it opens later too."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def expect(self, part: str) -> None:
        """Take one complaint that contains `part` off the list; fails if there is none."""
        for complaint in self.heard:
            if part in complaint:
                self.heard.remove(complaint)
                return
        pytest.fail(f"No page complained of {part!r}, only of {self.heard}.")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.heard.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self.heard.append(f"script: {error.error}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != urlsplit(self.server).netloc:
            self.heard.append(f"request: {request.url}")


@pytest.fixture
def context(new_context: Callable[..., BrowserContext], live_server: LiveServer) -> BrowserContext:
    """A browser of its own for each test; it completes addresses such as `/admin/` with our server."""
    return new_context(base_url=live_server.url)


@pytest.fixture
def complaints(context: BrowserContext, live_server: LiveServer) -> Generator[Complaints]:
    """Fail the test afterwards if one of its pages complained of something the test did not expect."""
    complaints = Complaints(live_server.url)
    complaints.watch(context)
    yield complaints
    assert complaints.heard == []


@pytest.fixture
def page(page: Page, complaints: Complaints) -> Page:
    """A page on our own server: `page.goto("/admin/")`; it is under the watch of `complaints`."""
    return page


@pytest.fixture
def screenshot(page: Page) -> Callable[[str], Path]:
    """Write what the page shows into build/screenshots/NAME.png and return the file."""

    def take(name: str) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take
