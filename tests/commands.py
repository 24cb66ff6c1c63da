"""Running manage.py as a person at a terminal does, without a start from nothing for each command."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from manage import WITHOUT_APPS
from tests.servers import engine

PROJECT = Path(__file__).resolve().parents[1]
MANAGE = [sys.executable, str(PROJECT / "manage.py")]
# What the apps look at while they are loaded. Everything else is read when it is used.
READ_BY_APPS = {"DEBUG", "ENVIRONMENT", "SENTRY_DSN"}


def hear() -> None:
    """Undo what shells hand on: in the background no Ctrl-C is heard, and with nohup no end of the terminal."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Starter:
    """A process that waits for orders; see `tests.starter`."""

    idle: dict[bool, list[Starter]] = {True: [], False: []}

    def __init__(self, *, apps: bool) -> None:
        self.orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        nowhere = "sqlite:///:memory:" if engine() == "sqlite" else "postgresql://127.0.0.1:1/nowhere"
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.starter", str(theirs.fileno()), "apps" if apps else "no apps"],
                cwd=PROJECT,
                env=inherited() | {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": nowhere},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.end)

    def end(self) -> None:
        """Let the process see that no more orders come, and wait for its end."""
        self.orders.close()
        self.process.wait()


class Running:
    """A command at work, which has these open files as its input, output and errors."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], files: Sequence[int], folder: Path | None = None
    ) -> None:
        self._idle = Starter.idle[apps := arguments[0] not in WITHOUT_APPS]
        self._starter = self._idle.pop() if self._idle else Starter(apps=apps)
        order = json.dumps(
            {"arguments": arguments, "environment": dict(environment), "folder": str(folder or Path.cwd())}
        )
        socket.send_fds(self._starter.orders, [order.encode()], files)
        self.pid = int(self._starter.orders.recv(64))

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        try:
            code = int(self._starter.orders.recv(64))
        except BaseException:
            os.kill(self.pid, signal.SIGKILL)
            raise
        self._idle.append(self._starter)
        return code


def inherited() -> dict[str, str]:
    """Return what commands know of this process's environment, and that no file adds to it."""
    names = (name for name in ("PATH", "HOME", "LANG") if name in os.environ)
    return {name: os.environ[name] for name in names} | {"ENV_FILE": os.devnull}


def manage(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run manage.py with these variables alone, and without a terminal."""
    if READ_BY_APPS & environment.keys():
        return manage_from_nothing(*arguments, environment=environment)
    return manage_with_apps_loaded(*arguments, environment=environment)


def manage_with_apps_loaded(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Do the same where variables that are read while apps are loaded are meant for the settings alone."""
    if sys.platform != "linux":
        return manage_from_nothing(*arguments, environment=environment)
    with Path(os.devnull).open() as stdin, TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        code = Running(arguments, environment, [file.fileno() for file in (stdin, stdout, stderr)]).wait()
        for printed in (stdout, stderr):
            printed.seek(0)
        return subprocess.CompletedProcess(arguments, code, stdout.read(), stderr.read())


def manage_from_nothing(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Do the same in a Python of its own, for what is about the start itself."""
    return subprocess.run(
        [*MANAGE, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
