"""Runs one server for exactly as long as its owner lives.

The owner starts this file as a process of its own and holds the other end of our standard input. However the owner
ends (return, Ctrl-C, SIGKILL), the kernel closes that end, so reading it is the one notice of death that cannot be
missed. Then the server is stopped and its throwaway directory removed.

Standard library only, and run by path: it must work from any directory and before anything is configured.
"""

from __future__ import annotations

import contextlib
import json
import select
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

POLL_SECONDS = 0.2
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, as whom, and what to leave behind."""

    serve: list[str]
    log: str
    stop_signal: int
    prepare: list[list[str]] = field(default_factory=list)
    uid: int | None = None
    gid: int | None = None
    remove: str | None = None

    def as_json(self) -> str:
        """Return the order in the form in which it travels to the keeper's command line."""
        return json.dumps(asdict(self))


def keep(order: Order) -> int:
    """Prepare and serve until the owner is gone. Returns 0, or 1 if a program failed first."""
    with Path(order.log).open("ab") as log:
        for command in order.prepare:
            if _start(command, order, log.fileno()).wait() != 0:
                return 1
        server = _start(order.serve, order, log.fileno())
        try:
            while server.poll() is None:
                if _owner_is_gone():
                    return 0
            return 1
        finally:
            _stop(server, order.stop_signal)


def _start(command: list[str], order: Order, log: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=Path(order.log).parent,
        user=order.uid,
        group=order.gid,
        extra_groups=None if order.uid is None else [],
    )


def _owner_is_gone() -> bool:
    readable, _, _ = select.select([sys.stdin], [], [], POLL_SECONDS)
    return bool(readable) and sys.stdin.read(1) == ""


def _stop(server: subprocess.Popen[bytes], stop_signal: int) -> None:
    if server.poll() is None:
        server.send_signal(stop_signal)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _terminate(signum: int, frame: object) -> None:
    raise SystemExit(1)


def main() -> int:
    """Keep the server that the first argument orders; on failure print the end of its log."""
    order = Order(**json.loads(sys.argv[1]))
    signal.signal(signal.SIGTERM, _terminate)
    try:
        status = keep(order)
        if status:
            # The owner may be gone by now; then nobody waits for the reason.
            with contextlib.suppress(BrokenPipeError):
                print(Path(order.log).read_text(errors="replace")[-2000:], flush=True)
        return status
    finally:
        if order.remove:
            shutil.rmtree(order.remove, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
