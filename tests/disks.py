"""Disks that are full: real ones, small enough to fill."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Put a disk of that size under a new folder, for the block; the test is skipped where nothing can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("Nothing can be mounted here.")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - wherever this system has it


def fill_disk(folder: Path, *, leaving: int) -> None:
    """Leave so many bytes free on the disk of a folder."""
    (folder / "others").write_bytes(bytes(shutil.disk_usage(folder).free - leaving))
