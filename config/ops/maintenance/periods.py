"""What is done daily, weekly, monthly and quarterly: what a program can do is done, the rest is a list for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import checks
from django.utils import timezone

from config.ops.health.report import Finding, Section, State
from config.ops.maintenance.steps import STEPS

if TYPE_CHECKING:
    from datetime import datetime

DAILY = tuple(step.name for step in STEPS if not step.only_by_name)
# How much of the log's end is read.
LOG_TAIL = 16 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Period:
    """What belongs to a period: steps that run, sections of dbhealth that are looked at, and what people do.

    `report` asks for the maintenance report, `deploy_checks` for Django's own checks of the settings.
    """

    steps: tuple[str, ...]
    sections: tuple[str, ...]
    checklist: tuple[str, ...]
    report: bool = False
    deploy_checks: bool = False


PERIODS = {
    "daily": Period(
        steps=DAILY,
        sections=("connections", "backups", "queries", "locks"),
        checklist=(
            "Read the errors of the last day in the log, and in the error tracker if there is one.",
            "See that last night's backup was copied off this machine: manage.py backup --list.",
        ),
    ),
    "weekly": Period(
        steps=("analyze",),
        sections=("queries", "requests", "cache", "disk", "size"),
        checklist=(
            "Look at the slowest statements: manage.py dbhealth --section queries.",
            "Compare the hit rate of the cache and the free disk with last week's.",
            "Look at failed imports and failed sign-ins in the audit log.",
        ),
    ),
    "monthly": Period(
        steps=("vacuum",),
        sections=("tables", "indexes", "disk"),
        report=True,
        checklist=(
            "Decide on unused and duplicate indexes: manage.py dbhealth --unused.",
            "Build bloated indexes anew: manage.py maintain --only reindex --index NAME.",
            "See that the log is turned over and old archives are where they belong.",
            "Restore a backup into another database and look at it.",
        ),
    ),
    "quarterly": Period(
        steps=(),
        sections=("settings", "size", "tables", "queries"),
        report=True,
        deploy_checks=True,
        checklist=(
            "Performance: compare this report with the last one; measure the pages that people complain of.",
            "Security: who has a back office role, which keys and passwords are due, who may reach the server.",
            "Capacity: will disk, memory and connections last for the next two quarters?",
            "Dependencies: update the packages and PostgreSQL's minor version, and read what changed.",
            "Practise the recovery of a lost server from the backups.",
        ),
    ),
}


def log_section(*, now: datetime) -> Section:
    """Count the errors of the last day in the log file, if there is one."""
    section = Section("log")
    if not settings.LOG_FILE:
        section.missing.append("LOG_FILE is not set, so there is no log to read here: the console has it.")
        return section
    path = Path(settings.BASE_DIR) / settings.LOG_FILE
    # The log tells the time of TIME_ZONE.
    since = f"{timezone.localtime(now - timedelta(days=1)):%Y-%m-%d %H:%M:%S}"
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError as error:
        section.unread.append(f"{path} cannot be read: {error.strerror}.")
        return section
    # Each line begins with the time, which has a comma before the milliseconds, and the level.
    found = [line for line in lines if line[:19] >= since and line[24:].startswith(("ERROR ", "CRITICAL "))]
    section.figure("errors", len(found), source=f"lines of the last day in {path}")
    if found:
        section.find(State.WARNING, f"{len(found)} errors in the last day; the last one: {found[-1][:300]}")
    return section


def deploy_section() -> Section:
    """Look at the settings as `check --deploy` does."""
    section = Section("deploy checks")
    messages = checks.run_checks(include_deployment_checks=True)
    section.figure("messages", len(messages), source="manage.py check --deploy")
    for message in messages:
        state = State.CRITICAL if message.level >= checks.ERROR else State.WARNING
        section.findings.append(Finding(state, f"{message.id}: {message.msg}"))
    return section
