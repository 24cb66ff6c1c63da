"""Files without a name: nothing of them stays behind, even if this process is killed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from contextlib import ExitStack

PREFIX = "forecourt-restore-"
ELSEWHERE = "Set TMPDIR to a folder on a larger disk."


def temporary_file(opened: ExitStack) -> BinaryIO:
    """Return a new file that is gone when `opened` is closed; without a name, where the system lets one reach it."""
    file = opened.enter_context(tempfile.NamedTemporaryFile(prefix=PREFIX, delete=False))  # noqa: SIM115
    if _has_descriptors_as_files():
        Path(file.name).unlink()
    else:
        opened.callback(Path(file.name).unlink, missing_ok=True)
    return cast("BinaryIO", file)


def _has_descriptors_as_files() -> bool:
    return Path(f"/proc/{os.getpid()}/fd").is_dir()


def path_of(file: BinaryIO) -> Path:
    """Return the path under which other programs can open the file while we run."""
    # Each of pg_restore's processes opens the path for itself, so it must not be one of its own descriptors.
    return Path(f"/proc/{os.getpid()}/fd/{file.fileno()}") if _has_descriptors_as_files() else Path(file.name)
