"""What a restore is asked to do, what it found before it begins, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from config.ops.backup.encryption import Keys, Lock

if TYPE_CHECKING:
    from pathlib import Path

    from config.ops.restoring.checks import Migrations
    from config.ops.restoring.content import Content
    from config.ops.restoring.source import Source


@dataclass(frozen=True, slots=True)
class Order:
    """How to restore.

    `drop` makes room by dropping the live database before; then `safety_folder` is where it is backed up first, with
    `lock`, unless that is None. `disconnect` ends the sessions of others.
    """

    keys: Keys = field(default_factory=Keys)
    jobs: int = 1
    disconnect: bool = False
    drop: bool = False
    safety_folder: Path | None = None
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was found, and what would happen.

    `now` and `after` count rows per table; they are None where that is not known, and `unknown` says why. `steps` are
    what happens in order, `obstacles` what would stop it, `warnings` what somebody should look at before.
    """

    source: Source
    content: Content
    target: str
    name: str
    now: dict[str, int] | None
    after: dict[str, int] | None
    unknown: list[str]
    steps: list[str]
    obstacles: list[str]
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the plan with plain types."""
        return {
            "file": self.source.name,
            "size": self.source.size,
            "archive": self.content.kind,
            "plain_size": self.content.plain_size,
            "manifest": self.source.manifest.as_json() if self.source.manifest else None,
            "checked": list(self.content.checks),
            "target": self.target,
            "rows_now": self.now,
            "rows_after": self.after,
            "unknown": self.unknown,
            "steps": self.steps,
            "obstacles": self.obstacles,
            "warnings": self.warnings,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a restore did.

    `kept` is where the replaced database is now, `safety_backup` the one that was taken before. `findings` are
    sentences about what did not work although the restore did.
    """

    rows: dict[str, int]
    checks: list[str]
    migrations: Migrations
    kept: str | None
    safety_backup: Path | None
    findings: list[str]
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the outcome with plain types."""
        return {
            "rows": self.rows,
            "checked": self.checks,
            "migrations": {
                "known": self.migrations.known,
                "pending": self.migrations.pending,
                "unknown": self.migrations.unknown,
            },
            "kept_as": self.kept,
            "safety_backup": str(self.safety_backup) if self.safety_backup else None,
            "findings": self.findings,
            "seconds": round(self.seconds, 3),
        }


class Watcher(Protocol):
    """Who is told how far a restore is."""

    def phase(self, name: str) -> None:
        """Say what begins now."""

    def size(self, done: int) -> None:
        """Say how many bytes the new database has."""
