"""What an outside error tracker is told: where it broke, and nothing about anybody."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from config.error_tracking import impersonal
from config.ops.version import forecourt_version
from tests.commands import inherited, manage
from tests.config.variables import PROJECT

ASK = """
import logging
import django
django.setup()
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
call_command("migrate", verbosity=0)
client = RequestFactory()
client.cookies["sessionid"] = "hush-cookie"
request = client.get(
    "/broken?token=hush-query&name=Pekka",
    REMOTE_ADDR="203.0.113.77", headers={"Authorization": "Bearer hush-header", "User-Agent": "PekkaBrowser"},
)
list(get_wsgi_application()(request.environ, lambda status, headers: print(status)))
logging.getLogger("forecourt").error("Could not reach %s at +358 40 123 4567", "pekka@example.org")
import sentry_sdk
sentry_sdk.flush(10)
"""


class Tracker(BaseHTTPRequestHandler):
    """Takes what the protocol sends."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.received.append(body.decode())  # type: ignore[attr-defined]  # ours, below
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments: Any) -> None:
        """Keep the terminal free."""


@pytest.fixture
def tracker() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tracker)
    server.received = []  # type: ignore[attr-defined]  # what came
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(tmp_path: Path, dsn: str) -> None:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = inherited | {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "tests.config.broken_settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite3'}",
        "SENTRY_DSN": dsn,
    }
    subprocess.run([sys.executable, "-c", ASK], cwd=PROJECT, env=environment, check=True, capture_output=True)


def events(received: list[str]) -> list[dict[str, Any]]:
    """Return the errors in what came: each envelope is a line about itself, then pairs of a header and a content."""
    found = []
    for envelope in received:
        lines = envelope.splitlines()[1:]
        for header, content in zip(lines[::2], lines[1::2], strict=False):
            if json.loads(header).get("type") == "event":
                found.append(json.loads(content))
    return found


def test_an_error_arrives_with_its_place_and_without_people_and_secrets(
    tracker: ThreadingHTTPServer, tmp_path: Path
) -> None:
    ask(tmp_path, f"http://key@127.0.0.1:{tracker.server_address[1]}/1")
    received: list[str] = tracker.received  # type: ignore[attr-defined]  # set above
    by_kind = {
        event["exception"]["values"][0]["type"] if "exception" in event else "log": event for event in events(received)
    }
    broken = by_kind["RuntimeError"]
    assert broken["exception"]["values"][0]["value"] == "token=[hidden] of [hidden]"
    frame = broken["exception"]["values"][0]["stacktrace"]["frames"][-1]
    assert (frame["function"], frame["module"]) == ("broken", "tests.config.broken_urls")
    assert "vars" not in frame
    assert (broken["environment"], broken["release"]) == ("development", f"forecourt@{forecourt_version()}")
    assert broken["transaction"] == "tests.config.broken_urls.broken"
    assert by_kind["log"]["logentry"]["message"] == "Could not reach [hidden] at [hidden]"
    everything = "".join(received)
    for private in ("hush", "ekka", "203.0.113", "sessionid", "123 4567", "breadcrumbs"):
        assert private not in everything, private


def test_without_an_address_nothing_is_sent(tracker: ThreadingHTTPServer, tmp_path: Path) -> None:
    ask(tmp_path, "")
    assert tracker.received == []  # type: ignore[attr-defined]  # set above


def test_an_address_that_cannot_be_is_refused_without_repeating_it() -> None:
    refused = manage("check", environment=inherited() | {"SENTRY_DSN": "hush"})
    assert refused.returncode == 1
    assert "SENTRY_DSN cannot be read: write https://key@host/number" in refused.stderr
    assert "hush" not in refused.stderr


@pytest.mark.parametrize(
    "text",
    [
        'duplicate key value violates unique constraint "user_email"\nDETAIL:  Key (email)=(pekka@example.org) exists.',
        "Failing row contains (7, Pekka, 2026-11-21).",
        "no such person: 'Pekka'",
        "call +358 40 123 4567 (Pekka)".replace(" (Pekka)", ""),
        "refused from 203.0.113.77 and 2001:db8::1",
        "postgresql://forecourt:hush@db/stock",
    ],
)
def test_a_sentence_loses_what_belongs_to_people(text: str) -> None:
    clean = impersonal(text)
    for private in ("ekka", "123", "203.0.113", "2001", "hush", "2026"):
        assert private not in clean
