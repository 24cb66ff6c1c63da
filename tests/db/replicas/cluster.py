"""A primary and a standby that follows it, to start, stall, stop and kill, and the site that reads from them."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psutil
import psycopg

from config.ops import keeper, servers
from tests.config.variables import PROJECT

WAIT_SECONDS = 60
STOCK = "/api/v1/cars"


def until(done: Callable[[], Any]) -> None:
    """Wait for something that comes by itself."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@dataclass
class Server:
    """One PostgreSQL server."""

    folder: Path
    programs: Path
    account: servers.Account | None
    _running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql://forecourt@{quote(str(self.folder), safe='')}/postgres"

    def start(self, prepare: list[list[str]] | None = None) -> None:
        """Start, and wait for the first answer."""
        settings = (
            *servers.THROWAWAY_SETTINGS,
            *("listen_addresses=", f"unix_socket_directories={self.folder}", "max_connections=30"),
            *("shared_buffers=16MB", "wal_retrieve_retry_interval=100ms"),
        )
        order = keeper.Order(
            prepare=prepare or [],
            serve=[str(self.programs / "postgres"), "-D", str(self.data), *(f"--{setting}" for setting in settings)],
            log=str(self.folder / "log"),
            stop_signal=signal.SIGINT,
            uid=self.account.uid if self.account else None,
            gid=self.account.gid if self.account else None,
        )
        self._running.enter_context(servers.kept(order, output=subprocess.PIPE))
        until(self.answers)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop as an administrator does: what is being answered is broken off."""
        self._running.close()

    def processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        return [postmaster, *postmaster.children()]

    def kill(self) -> None:
        """End all processes at once, as a power cut does."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._running.close()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let all processes stand still, so that nothing is answered and no connection ends."""
        stopped = self.processes()
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def ask(self, statement: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as session:
            cursor = session.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def asked_for_stock(self) -> Any:
        """Return when a connection of the site was last asked for cars here."""
        return self.ask(
            "SELECT max(query_start) FROM pg_stat_activity"
            " WHERE application_name = 'site' AND query LIKE 'SELECT%%inventory_car%%'"
        )


@contextlib.contextmanager
def server(programs: Path) -> Iterator[Server]:
    """Make a place for a server, which ends with the block."""
    account = servers.Account.for_servers()
    with servers.work_folder(account) as folder:
        made = Server(folder, servers.usable_binaries(programs / "postgres", account, folder), account)
        try:
            yield made
        finally:
            made.stop()


def initdb(primary: Server) -> list[str]:
    """Return the command that makes an empty primary."""
    program = str(primary.programs / "initdb")
    return [program, f"--pgdata={primary.data}", "--username=forecourt", "--auth=trust", "--no-sync", "-EUTF8",
            "--locale=C.UTF-8"]  # fmt: skip


def basebackup(primary: Server, standby: Server) -> list[str]:
    """Return the command that makes a standby of a running primary."""
    return [str(standby.programs / "pg_basebackup"), f"--host={primary.folder}", "--username=forecourt",
            f"--pgdata={standby.data}", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What came back, and when it was asked for."""

    asked_at: float
    status: int
    headers: dict[str, str]
    body: str
    cookies: dict[str, str]


@dataclass
class Browser:
    """Somebody who asks the site, and keeps its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, **form: str) -> Answer:
        """Send a form, with the token that came with the page."""
        return self._ask("POST", path, urlencode(form | {"csrfmiddlewaretoken": self.cookies["csrftoken"]}))

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        asked_at = time.monotonic()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)) as line:
            line.request(method, path, body, headers)
            response = line.getresponse()
            text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(asked_at, response.status, dict(response.headers), text, dict(self.cookies))


@contextlib.contextmanager
def site(folder: Path, **variables: str) -> Iterator[int]:
    """Serve with gunicorn, and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= {"ENV_FILE": os.devnull, "BIND": f"127.0.0.1:{port}", "METRICS_DIR": str(folder / "metrics"),
                    "WEB_CONCURRENCY": "1", "API_RATE_LIMIT": "0", "LOG_FILE": str(folder / "site.log")}  # fmt: skip
    gunicorn = Path(sys.executable).parent / "gunicorn"
    with subprocess.Popen(
        [gunicorn, "-c", "python:config.gunicorn", "config.wsgi"],
        cwd=PROJECT, env=environment | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as run:  # fmt: skip
        try:
            until(lambda: _is_up(port))
            yield port
            assert run.poll() is None
        finally:
            run.send_signal(signal.SIGTERM)


def _is_up(port: int) -> bool:
    try:
        return Browser(port).get("/healthz").status == 200
    except OSError:
        return False


@contextlib.contextmanager
def load(port: int, *paths: str, cookies: dict[str, str] | None = None) -> Iterator[list[Answer]]:
    """Let people ask for the paths all the time, one for each, and collect what they get."""
    answers: list[Answer] = []
    enough = threading.Event()

    def ask(path: str) -> None:
        browser = Browser(port, dict(cookies or {}))
        while not enough.is_set():
            answers.append(browser.get(path))

    crowd = [threading.Thread(target=ask, args=(path,)) for path in paths]
    for person in crowd:
        person.start()
    try:
        until(lambda: len(answers) >= len(paths))
        yield answers
    finally:
        enough.set()
        for person in crowd:
            person.join()
