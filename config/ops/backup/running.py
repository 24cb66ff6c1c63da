"""Running PostgreSQL's programs so that their failure is never taken for the end of their output."""

from __future__ import annotations

import fcntl
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import IO, TYPE_CHECKING

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Room between two processes, so that neither waits for the other at every 64 KiB.
PIPE_SIZE = 1 << 20  # bytes
LAST_WORDS = 2000  # characters of an error output that are shown


class ProgramFailed(Refused):
    """A program ended with an error; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Running:
    """A program at work; `check` tells whether it ended well."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    def check(self) -> None:
        """Wait for the end. Raises ProgramFailed with the end of what it said unless it ended well."""
        code = self.process.wait()
        if code == 0:
            return
        name = Path(str(self.process.args[0])).name  # type: ignore[index]
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip()[-LAST_WORDS:]
        ended = f"was ended by {Signals(-code).name}" if code < 0 else "failed"
        raise ProgramFailed(f"{name} {ended}{f': {said}' if said else '.'}")


@contextmanager
def running(
    command: Sequence[str],
    environment: dict[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    inherited: Sequence[int] = (),
) -> Iterator[Running]:
    """Start a program and yield it; when the block ends it is ended as well. `inherited` are open files it keeps."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, env=environment, stdin=stdin, stdout=stdout, stderr=errors, bufsize=0, pass_fds=inherited
        )
        try:
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    _widen(pipe)
            yield Running(process, errors)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()


def _widen(pipe: IO[bytes]) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        # Refused where the system's share of pipes is used up; then it is as narrow as usual.
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
