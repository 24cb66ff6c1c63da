"""The HTTP API under gunicorn against a bare Django view that runs SQL written by hand for the same answer.

Each has one process of gunicorn, and one connection that is kept open. Nothing is cached, and nobody is refused.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from config.ops.scratch import child_environment
from tests.benchmarks import floor
from tests.benchmarks.bench_reads import Report, in_turn
from tests.benchmarks.conftest import Bench
from tests.benchmarks.questions import holds

SLOWEST = 1.5
START_SECONDS = 60
NOW = {"now": "2026-03-02T12:00:00Z"}
STATEMENTS = {
    "cars": floor.cars(),
    "car": floor.car("c.slug = %(slug)s"),
}
# Name, our address, the bare view's.
QUESTIONS = (
    ("list of cars", "/api/v1/cars?cursor=", f"/cars?{urlencode(NOW)}"),
    ("one car by slug", "/api/v1/cars/car-77", f"/car?{urlencode(NOW | {'slug': 'car-77'})}"),
    ("search for parts", "/api/v1/parts?q=corolla+alternator&cursor=", "/parts"),
)


@contextmanager
def serving(application: str, *options: str, **environment: str) -> Iterator[HTTPConnection]:
    """Serve an application with one process of gunicorn and four threads, and give a connection to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    address = f"127.0.0.1:{port}"
    gunicorn = [str(Path(sys.executable).with_name("gunicorn")), *options, "--bind", address, "--workers", "1"]
    common = ["--worker-class", "gthread", "--threads", "4", "--access-logfile", "-", application]
    with subprocess.Popen(
        [*gunicorn, *common],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield connected_to(port)
        finally:
            process.terminate()


def connected_to(port: int) -> HTTPConnection:
    until = time.monotonic() + START_SECONDS
    while True:
        opened = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            opened.request("GET", "/nowhere")
            opened.getresponse().read()
        except (OSError, HTTPException):
            assert time.monotonic() < until, "gunicorn did not start"
            time.sleep(0.2)
        else:
            return opened


def ask(connection: HTTPConnection, address: str) -> Callable[[], Any]:
    def run() -> Any:
        connection.request("GET", address, headers={"Accept": "application/json"})
        response = connection.getresponse()
        body = response.read()
        assert response.status == HTTPStatus.OK, (address, response.status, body[:500])
        return json.loads(body)

    return run


def test_an_answer_costs_little_more_than_that_of_a_bare_view(marketplace: str, tmp_path: Path, bench: Bench) -> None:
    statements = tmp_path / "statements.json"
    words = floor.parts(holds("corolla alternator"))
    statements.write_text(json.dumps(STATEMENTS | {"parts": words}), encoding="utf-8")
    environment = child_environment(marketplace) | {"STATEMENTS": str(statements)}
    ours = environment | {"DATABASE_POOL_SIZE": "4", "API_RATE_LIMIT": "0", "CACHE_READS": "false", "DEBUG": "false"}
    ours |= {"METRICS_DIR": str(tmp_path / "metrics")}
    report = Report(bench, "The API under gunicorn, against a bare view")
    with (
        serving("config.wsgi", "-c", "python:config.gunicorn", **ours) as api,
        serving("tests.benchmarks.bare", **environment) as bare,
    ):
        for name, address, bare_address in QUESTIONS:
            mine, theirs = ask(api, address), ask(bare, bare_address)
            assert names(mine()) == names(theirs())
            report.add(f"API: {name}", in_turn(mine, theirs), SLOWEST)
    report.close()


def names(answer: dict[str, Any]) -> list[str]:
    return [row["public_id"] for row in answer.get("items", [answer])]
