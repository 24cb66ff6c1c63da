"""Runs a command beside a private PostgreSQL and Valkey whose data stays.

`python -m config.ops.local FOLDER COMMAND...`: the command finds both in DATABASE_URL and REDIS_URL. When it ends, the
servers stop; the data is there next time. The command and the servers end together, whichever process of them is
ended, and with the process that started this one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.ops import servers
from config.ops.programs import ProgramNotFound

POLL_SECONDS = 0.2
SIGNALLED = 128


def run_beside_servers(folder: Path, command: list[str]) -> int:
    """Run the command with both servers up; returns its exit status. Raises ProgramNotFound or ServerFailed.

    ServerFailed also comes when a server ends before the command does.
    """
    parent = os.getppid()
    with (
        servers.postgresql(data=folder / "postgresql") as database,
        servers.valkey(data=folder / "valkey") as cache,
    ):
        print(f"Using {database} and {cache}, kept in {folder}", flush=True)
        environment = {**os.environ, "DATABASE_URL": database.url, "REDIS_URL": cache.url}
        with servers.command(command, environment) as process:
            while process.poll() is None:
                for server in (database, cache):
                    if server.has_ended():
                        raise servers.ServerFailed(f"{server.name} has ended, and with it what it was started for.")
                # Nobody tells us that make was killed, but somebody else is our parent then.
                if os.getppid() != parent:
                    return 1
                time.sleep(POLL_SECONDS)
        return _exit_status(process)


def _exit_status(process: subprocess.Popen[str]) -> int:
    status = process.returncode
    return status if status >= 0 else SIGNALLED - status


def _end(signum: int, frame: object) -> None:
    # What is open is closed on the way out; a second Ctrl-C must not cut that short.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(SIGNALLED + signum)


def main() -> int:
    """Run as `python -m config.ops.local FOLDER COMMAND...`; returns the command's status, or 1."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        return run_beside_servers(Path(sys.argv[1]), sys.argv[2:])
    except (ProgramNotFound, servers.ServerFailed) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
