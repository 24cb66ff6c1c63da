"""What `make run ENGINE=postgres` starts ends as a whole, whichever of its processes is ended and how."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
# The processes of the project's own Makefile, without its demo data.
MAKEFILE = """
run:
	@{python} -m config.ops.local {folder} $(MAKE) --no-print-directory -f {folder}/Makefile serve
serve:
	@{python} manage.py runserver --skip-checks {port}
"""
SERVERS = {"postgres": "PostgreSQL", "redis-server": "Valkey", "valkey-server": "Valkey", "make": "inner make"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the servers keep their data; their account must be able to enter it."""
    made = Path(tempfile.mkdtemp(prefix="forecourt-kept-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@dataclass(frozen=True)
class Run:
    """A `make run`: what it started, by name, and the throwaway folders of its servers."""

    make: subprocess.Popen[bytes]
    processes: dict[str, psutil.Process]
    folders: list[Path]

    def wait_until_nothing_is_left(self) -> None:
        """Wait for it; what never ends is found by the test's own timeout."""
        self.make.wait()
        while any(map(is_running, self.processes.values())) or any(folder.exists() for folder in self.folders):
            time.sleep(0.05)


@pytest.fixture
def running(folder: Path) -> Iterator[Run]:
    """A `make run` whose development server answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "Makefile").write_text(MAKEFILE.format(python=sys.executable, folder=folder, port=port))
    make = subprocess.Popen(
        ["make", "-f", str(folder / "Makefile"), "run"],  # noqa: S607 - as a person starts it
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "DATABASE_", "REDIS_"))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    while not answers(port):
        assert make.poll() is None
        time.sleep(0.1)
    run = Run(make, *started_by(make))
    try:
        yield run
    finally:
        # A run that the test did not end would be in the way of the next.
        for process in filter(is_running, run.processes.values()):
            process.kill()
        make.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def started_by(make: subprocess.Popen[bytes]) -> tuple[dict[str, psutil.Process], list[Path]]:
    """Return what runs, by name, and the throwaway folders of the servers."""
    top = psutil.Process(make.pid)
    (local,) = top.children()
    named, folders = {"make": top, "local": local}, []
    for keeper in local.children():
        order = json.loads(keeper.cmdline()[-1])
        (kept,) = keeper.children()
        name = SERVERS[Path(order["serve"][0]).name]
        named |= {name: kept, f"keeper of {name}": keeper}
        folders += [Path(order["remove"])] if order["remove"] else []
    reloader, worker = named["inner make"].children(recursive=True)
    sessions = {f"PostgreSQL {process.pid}": process for process in named["PostgreSQL"].children()}
    return named | {"reloader": reloader, "development server": worker} | sessions, folders


def is_running(process: psutil.Process) -> bool:
    # Whoever adopts orphans may take a while to bury them.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("victim", "how"),
    [
        ("make", signal.SIGTERM),
        ("make", signal.SIGKILL),
        ("local", signal.SIGINT),
        ("local", signal.SIGKILL),
        ("keeper of inner make", signal.SIGKILL),
        ("keeper of PostgreSQL", signal.SIGINT),
        ("keeper of PostgreSQL", signal.SIGKILL),
        ("inner make", signal.SIGKILL),
        ("PostgreSQL", signal.SIGINT),
        ("PostgreSQL", signal.SIGKILL),
        ("Valkey", signal.SIGKILL),
        ("reloader", signal.SIGKILL),
        ("development server", signal.SIGKILL),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else value.replace(" ", "-"),
)
def test_when_one_process_ends_all_do(running: Run, victim: str, how: signal.Signals) -> None:
    running.processes[victim].send_signal(how)

    running.wait_until_nothing_is_left()


def test_control_c_at_the_terminal_ends_everything(running: Run) -> None:
    os.killpg(running.make.pid, signal.SIGINT)

    running.wait_until_nothing_is_left()


def test_nothing_is_left_when_the_command_ends_but_leaves_something_behind(folder: Path) -> None:
    command = [sys.executable, "-m", "config.ops.local", str(folder), "sh", "-c", "sleep 600 & echo $!; exit 4"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert not psutil.pid_exists(int(done.stdout.splitlines()[-1]))
