"""Which version of Forecourt this is."""

from __future__ import annotations

import tomllib

from config.ops.programs import PROJECT


def forecourt_version() -> str:
    """Return the version that `pyproject.toml` states."""
    return str(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"])
