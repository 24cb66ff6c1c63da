"""Reads `fixtures/`: TOML files that people can read and edit."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read_fixture(name: str) -> dict[str, Any]:
    """Return the content of `fixtures/<name>.toml`."""
    with (FIXTURES / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def opening_hours(days: list[str]) -> dict[str, Any]:
    """Return the week from seven texts, Monday first: "08:00-17:00" or "closed"."""
    return {weekday: _opening(day) for weekday, day in zip(WEEKDAYS, days, strict=True)}


def _opening(day: str) -> dict[str, Any]:
    if day == "closed":
        return {"isOpen": False}
    opens, closes = day.split("-")
    return {"isOpen": True, "openTime": opens, "closeTime": closes}
