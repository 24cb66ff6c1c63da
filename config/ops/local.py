"""Runs a command beside a private PostgreSQL and Valkey whose data stays.

`python -m config.ops.local FOLDER COMMAND...`: the command finds both in DATABASE_URL and REDIS_URL. When it ends, the
servers stop; the data is there next time.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from config.ops import servers
from config.ops.programs import ProgramNotFound


def run_beside_servers(folder: Path, command: list[str]) -> int:
    """Run the command with both servers up; returns its exit status. Raises ProgramNotFound or ServerFailed."""
    with (
        servers.postgresql(data=folder / "postgresql") as database,
        servers.valkey(data=folder / "valkey") as cache,
    ):
        print(f"Using {database} and {cache}, kept in {folder}", flush=True)
        environment = {**os.environ, "DATABASE_URL": database.url, "REDIS_URL": cache.url}
        process = subprocess.Popen(command, env=environment)
        # Ctrl-C goes to the command as well; the servers stop only after it has finished.
        while process.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()
        return process.returncode


def main() -> int:
    """Run as `python -m config.ops.local FOLDER COMMAND...`; returns the command's status, or 1."""
    try:
        return run_beside_servers(Path(sys.argv[1]), sys.argv[2:])
    except (ProgramNotFound, servers.ServerFailed) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
