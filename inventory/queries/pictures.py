"""What lists and pages tell of a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture is, and what it shows."""

    url: str
    alt_text: str
