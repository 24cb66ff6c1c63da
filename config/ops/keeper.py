"""Runs one server, or another command, for exactly as long as its owner lives.

The owner starts this file as a process of its own, the leader of a new session, and holds the other end of our standard
input. However the owner ends (return, Ctrl-C, SIGKILL), the kernel closes that end, so reading it is the one notice of
death that cannot be missed. Then the server is stopped, with all that it started in our process group, and its
throwaway directory removed. If we are killed, the owner ends our process group.

Standard library only, and run by path: it must work from any directory and before anything is configured.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.2
STOP_SECONDS = 20
SIGNALLED = 128


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, as whom, and what to leave behind. Without a log the output is ours."""

    serve: list[str]
    stop_signal: int
    log: str | None = None
    prepare: list[list[str]] = field(default_factory=list)
    uid: int | None = None
    gid: int | None = None
    remove: str | None = None

    def as_json(self) -> str:
        """Return the order in the form in which it travels to the keeper's command line."""
        return json.dumps(asdict(self))


def keep(order: Order) -> int | None:
    """Prepare and serve until the owner is gone, then return None; before that, the status of what ended by itself."""
    status: int | None = 0
    try:
        with _opened(order.log) as log:
            for command in (*order.prepare, order.serve):
                if status == 0:
                    status = _run(command, order, log)
        return status
    finally:
        _signal_group(order.stop_signal)


@contextlib.contextmanager
def _opened(log: str | None) -> Iterator[IO[bytes] | None]:
    if log is None:
        yield None
        return
    with Path(log).open("ab") as file:
        yield file


def _run(command: list[str], order: Order, log: IO[bytes] | None) -> int | None:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=Path(order.log).parent if order.log else None,
        user=order.uid,
        group=order.gid,
        extra_groups=None if order.uid is None else [],
    )
    try:
        while (status := process.poll()) is None:
            if _owner_is_gone():
                return None
        return status
    finally:
        if process.poll() is None:
            _stop(process, order.stop_signal)


def _owner_is_gone() -> bool:
    readable, _, _ = select.select([sys.stdin], [], [], POLL_SECONDS)
    return bool(readable) and sys.stdin.read(1) == ""


def _stop(process: subprocess.Popen[bytes], stop_signal: int) -> None:
    _signal_group(stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _signal_group(stop_signal: int) -> None:
    """Send the signal to everything that runs in our group, and from now on finish what we do undisturbed ourselves."""
    for number in {signal.SIGTERM, signal.SIGINT, stop_signal}:
        signal.signal(number, signal.SIG_IGN)
    # Who does not lead a group of its own would end its parents.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(os.getpid(), stop_signal)


def _terminate(signum: int, frame: object) -> None:
    raise SystemExit(SIGNALLED + signum)


def main() -> int:
    """Keep what the first argument orders; if a server ends by itself print the end of its log."""
    order = Order(**json.loads(sys.argv[1]))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _terminate)
    status = None
    try:
        status = keep(order)
        if order.log and status is not None:
            # The owner may be gone by now; then nobody waits for the reason.
            with contextlib.suppress(BrokenPipeError):
                print(Path(order.log).read_text(errors="replace")[-2000:], flush=True)
    finally:
        if order.remove:
            shutil.rmtree(order.remove, ignore_errors=True)
        if status is None:
            # Nobody asks for our own status; what did not heed the signal ends with us.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(os.getpid(), signal.SIGKILL)
    return status if status is not None and status >= 0 else SIGNALLED - (status or 0)


if __name__ == "__main__":
    sys.exit(main())
