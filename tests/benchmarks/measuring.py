"""Running programs to their end and measuring what they took."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings

from config.ops import programs
from config.ops.scratch import child_environment

MANAGE = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
LOOK_EVERY = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class Run:
    """What one process printed and took."""

    output: str
    seconds: float
    peak_mb: float


def run(command: Sequence[str], *, url: str, codes: Sequence[int] = (0,)) -> Run:
    """Run a program to its end. Fails the benchmark if it ends with another exit code than `codes`.

    The peak is that of the process itself, without children: rusage would count what the parent held before the start.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        process = subprocess.Popen(command, env=child_environment(url), stdout=output, stderr=errors)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _peak_mb(process.pid))
            time.sleep(LOOK_EVERY)
        seconds = time.perf_counter() - begin
        for stream in (output, errors):
            stream.seek(0)
        assert process.returncode in codes, errors.read()
        return Run(output.read(), seconds, peak)


def _peak_mb(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) / 1024 if found else 0.0


def checkpoint(url: str) -> None:
    """Let the server write out what it still holds, so that nobody pays for another's work."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def client(name: str) -> str:
    """Return the path of one of PostgreSQL's own programs."""
    return str(programs.find(programs.POSTGRESQL, programs.Search()).path.with_name(name))


def psql(url: str, script: Path) -> list[str]:
    """Return the command that runs a script with psql and stops at the first error."""
    return [client("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", str(script)]
