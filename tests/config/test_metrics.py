"""Figures for Prometheus: who may read them, what they count, and that the processes of one server add up."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from accounts.models.users import Role
from config.metrics_files import Requests, recent, together, totals, write_down
from tests.builders import make_user
from tests.config.databases import Manage
from tests.config.variables import PROJECT

REQUESTS = "forecourt_http_request_seconds"


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Return a figure's values by those of its labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.fixture
def token() -> Iterator[dict[str, str]]:
    """The header of a program that may read the figures."""
    with override_settings(METRICS_TOKEN="open-sesame"):
        yield {"Authorization": "Bearer open-sesame"}


@pytest.mark.django_db
class TestWhoMayRead:
    def test_strangers_may_not(self, client: Client) -> None:
        response = client.get("/metrics")
        assert (response.status_code, response.headers["Content-Type"]) == (403, "text/plain")
        assert b"forecourt_" not in response.content

    @pytest.mark.parametrize(
        ("role", "status"),
        [(Role.SUPER_ADMIN, 200), (Role.ADMIN, 200), (Role.VIEWER, 403), (Role.SELLER, 403), (Role.BUYER, 403)],
    )
    def test_administrators_may(self, client: Client, role: Role, status: int) -> None:
        client.force_login(make_user(role))
        assert client.get("/metrics").status_code == status

    def test_the_token_opens_and_another_does_not(self, client: Client, token: dict[str, str]) -> None:
        assert client.get("/metrics", headers=token).status_code == 200
        assert client.get("/metrics", headers={"Authorization": "Bearer open"}).status_code == 403
        assert client.get("/metrics").status_code == 403

    def test_without_a_token_an_empty_one_does_not_open(self, client: Client) -> None:
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403
        assert client.get("/metrics", headers={"Authorization": ""}).status_code == 403

    def test_an_allowed_network_opens(self, client: Client) -> None:
        with override_settings(METRICS_ALLOWED_NETWORKS=[ip_network("192.0.2.0/24")]):
            assert client.get("/metrics", REMOTE_ADDR="192.0.2.9").status_code == 200
            assert client.get("/metrics", REMOTE_ADDR="198.51.100.9").status_code == 403


@pytest.mark.django_db
class TestWhatIsCounted:
    def test_requests_are_counted_by_the_name_of_their_route(self, client: Client, token: dict[str, str]) -> None:
        def counts() -> dict[tuple[str, ...], float]:
            return samples(client.get("/metrics", headers=token).content.decode(), f"{REQUESTS}_count")

        before = counts()
        client.get("/admin/login/?next=/secret")
        client.get("/nowhere/pekka@example.org")
        client.get("/nowhere/else")
        client.generic("BREW", "/admin/login/")
        text = client.get("/metrics", headers=token).content.decode()
        after = samples(text, f"{REQUESTS}_count")
        changed = {labels: value - before.get(labels, 0) for labels, value in after.items()}
        assert {labels: change for labels, change in changed.items() if change} == {
            ("GET", "admin:login", "200"): 1,
            ("GET", "none", "404"): 2,
            ("OTHER", "admin:login", "405"): 1,
        }
        assert "pekka" not in text
        assert "secret" not in text

    def test_the_parts_that_requests_need_are_told(self, client: Client, token: dict[str, str]) -> None:
        text = client.get("/metrics", headers=token).content.decode()
        assert samples(text, "forecourt_up") == {("database",): 1, ("migrations",): 1, ("cache",): 1}
        assert samples(text, "forecourt_database_answer_seconds")[()] > 0
        assert samples(text, "forecourt_cache_memory_bytes")[()] > 0
        assert samples(text, "forecourt_http_requests_in_progress") == {(): 1}

    def test_an_error_is_counted_as_one(self, client: Client, token: dict[str, str]) -> None:
        client.raise_request_exception = False
        with override_settings(ROOT_URLCONF="tests.config.broken_urls"):
            assert client.get("/broken").status_code == 500
        text = client.get("/metrics", headers=token).content.decode()
        assert samples(text, f"{REQUESTS}_count")[("GET", "broken", "500")] == 1


def test_quantiles_lie_between_the_bounds_as_prometheus_puts_them() -> None:
    requests = Requests(count=100, seconds=50, buckets={0.1: 50, 0.5: 90, 1: 98, float("inf"): 100})
    assert requests.mean == 0.5
    assert requests.quantile(0.5) == pytest.approx(0.1)
    assert requests.quantile(0.7) == pytest.approx(0.3)
    assert requests.quantile(0.95) == pytest.approx(0.8125)
    # Beyond the last bound nobody knows more than that bound.
    assert requests.quantile(0.99) == 1
    assert Requests().quantile(0.95) == 0


COUNT = """
import sys, time
from pathlib import Path
from config import metrics_files
folder, place, seconds, status, times = Path(sys.argv[1]), *map(float, sys.argv[2:6])
metrics_files.count_together(folder, int(place))
from prometheus_client import Histogram
made = Histogram(metrics_files.REQUESTS, "help", ["method", "route", "status"], buckets=(0.1, 1))
for _ in range(int(times)):
    made.labels("GET", "car", str(int(status))).observe(seconds)
"""


def count(folder: Path, place: int, *, seconds: float, status: int = 200, times: int = 1) -> None:
    """Let a process of its own count requests in the folder."""
    arguments = [str(folder), str(place), str(seconds), str(status), str(times)]
    subprocess.run([sys.executable, "-c", COUNT, *arguments], cwd=PROJECT, check=True)


NOON = 1_800_000_000.0


def test_what_processes_counted_adds_up(tmp_path: Path) -> None:
    count(tmp_path, 0, seconds=0.05, times=3)
    count(tmp_path, 1, seconds=0.5, status=503)
    # The next process in a place goes on with what stands there.
    count(tmp_path, 0, seconds=0.05)
    found = together(totals(tmp_path).values())
    assert (found.count, found.errors) == (5, 1)
    assert found.seconds == pytest.approx(0.7)
    assert found.buckets == {0.1: 4, 1.0: 5, float("inf"): 5}


def test_the_last_minutes_are_told_from_the_rest(tmp_path: Path) -> None:
    write_down(tmp_path, NOON)
    count(tmp_path, 0, seconds=0.05, times=10)
    write_down(tmp_path, NOON + 400)
    count(tmp_path, 0, seconds=2, status=500, times=2)
    write_down(tmp_path, NOON + 460)
    count(tmp_path, 1, seconds=0.5)

    def at(seconds: float) -> Requests:
        found = recent(tmp_path, NOON + seconds)
        assert found is not None
        return together(found.values())

    now = at(500)
    assert (now.count, now.errors) == (3, 2)
    assert (at(750).count, at(750).errors) == (1, 0)
    assert at(2000).count == 0


def test_where_nobody_counts_nothing_is_known(tmp_path: Path) -> None:
    assert recent(tmp_path, NOON) is None
    assert recent(tmp_path / "nowhere", NOON) is None


def test_totals_are_written_once_a_minute_and_old_ones_go(tmp_path: Path) -> None:
    count(tmp_path, 0, seconds=0.05)
    for seconds in (0, 20, 59, 60, 120):
        write_down(tmp_path, NOON + seconds)
    assert len(list(tmp_path.glob("totals-*.json"))) == 3
    write_down(tmp_path, NOON + 2000)
    assert len(list(tmp_path.glob("totals-*.json"))) == 1


def test_a_folder_that_is_gone_keeps_no_request_from_its_answer(tmp_path: Path) -> None:
    write_down(tmp_path / "gone", NOON)
    assert not (tmp_path / "gone").exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("migrated")
@pytest.mark.any_engine
class TestUnderGunicorn:
    @pytest.fixture
    def port(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return int(server.getsockname()[1])

    @pytest.fixture
    def served(self, url: str, tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
        """Two processes that serve the test's own database."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "REDIS_URL") if name in os.environ}
        environment = inherited | {
            "ENV_FILE": os.devnull,
            "DATABASE_URL": url,
            "BIND": f"127.0.0.1:{port}",
            "WEB_CONCURRENCY": "2",
            "METRICS_DIR": str(tmp_path / "metrics"),
            "METRICS_TOKEN": "open-sesame",
        }
        gunicorn = Path(sys.executable).parent / "gunicorn"
        with subprocess.Popen(
            [gunicorn, "-c", "python:config.gunicorn", "config.wsgi"],
            cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as run:  # fmt: skip
            until(lambda: get(port, "/healthz") == "alive\n")
            yield run
            run.send_signal(signal.SIGTERM)

    def test_the_processes_add_up_and_a_killed_one_takes_nothing_along(
        self, served: subprocess.Popen[bytes], port: int, tmp_path: Path, manage: Manage
    ) -> None:
        for _ in range(20):
            get(port, "/admin/login/")
        assert logins(port) == 20
        workers = children(served.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: len(set(children(served.pid)) - {workers[0]}) == 2)
        until(lambda: get(port, "/healthz") == "alive\n")
        for _ in range(20):
            get(port, "/admin/login/")
        assert logins(port) == 40
        assert sorted(path.name for path in (tmp_path / "metrics").glob("histogram_*")) == [
            "histogram_0.db",
            "histogram_1.db",
        ]
        in_progress = samples(get(port, "/metrics"), "forecourt_http_requests_in_progress")
        assert in_progress == {(): 1}

        answer = manage("dbhealth", "--section", "requests", "--json", METRICS_DIR=str(tmp_path / "metrics"))
        section = json.loads(answer.stdout)["sections"]["requests"]
        assert section["figures"]["requests"]["value"] == 40
        assert section["figures"]["errors"]["value"] == 0
        (route,) = section["tables"]["routes"]["rows"]
        assert (route["route"], route["requests"]) == ("admin:login", 40)
        assert 0 < route["p95"] <= route["p99"]


def get(port: int, path: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": "Bearer open-sesame"})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - our own
            text: str = response.read().decode()
            return text
    except OSError:
        return ""


def logins(port: int) -> float:
    return samples(get(port, "/metrics"), f"{REQUESTS}_count")[("GET", "admin:login", "200")]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)
