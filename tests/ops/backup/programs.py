"""A pg_dump that does not do what it should."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from config.ops.backup.clients import newest_client


def broken_program(folder: Path, script: str) -> str:
    """Put a pg_dump of our own before the real one, which the script finds as $REAL, and return the search path."""
    real = newest_client("pg_dump").path
    version = subprocess.run([real, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    program = folder / "pg_dump"
    program.write_text(f'#!/bin/sh\nREAL={real}\ncase "$*" in --version) echo "{version}"; exit;; esac\n{script}\n')
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
