"""The page on which super administrators see whether all is well: what dbhealth finds, and what waits for somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from analytics.models import AuditLog
from analytics.queries import FAILED_IMPORT_DAYS, failed_imports
from config.ops.health.report import State, worst
from config.ops.health.run import examine, look_at
from config.ops.health.terminal import shown
from config.ops.maintenance.run import maintain
from config.staff.columns import list_url

if TYPE_CHECKING:
    from datetime import datetime

    from config.ops.health.report import Report, Section
    from config.ops.maintenance.run import Outcome

SECTIONS = ("connections", "size", "cache", "migrations", "backups", "requests", "disk")
# Maintenance runs daily: what was due that long ago and is still there was forgotten.
OVERDUE = timedelta(hours=26)


def status(*, now: datetime) -> dict[str, Any]:
    """Return the page's parts."""
    report = examine(look_at(connection, now=now), SECTIONS)
    overdue = [outcome for outcome in maintain(now=now - OVERDUE, dry_run=True) if outcome.rows or outcome.error]
    imports = failed_imports(now=now)
    return {
        "state": worst([*(s.state for s in report.sections if not s.not_set_up), *_waiting_states(imports, overdue)]),
        "cards": [*_cards(report), _imports_card(imports), _overdue_card(overdue)],
        "findings": [
            {"section": section.name, "state": finding.state, "text": finding.text}
            for section in report.sections
            for finding in section.findings
        ],
        "unknown": [
            {"section": section.name, "text": sentence}
            for section in report.sections
            for sentence in (*section.unread, *section.missing)
        ],
        "overdue": overdue,
        "backups": _backups(report),
    }


def _waiting_states(imports: int, overdue: list[Outcome]) -> list[State]:
    return [State.WARNING] if imports or overdue else []


def _cards(report: Report) -> list[dict[str, Any]]:
    sections = {section.name: section for section in report.sections}

    def figure(section: str, name: str) -> str:
        found = sections[section].figures.get(name)
        return shown(found.value, found.unit) if found else "-"

    notes = {
        ("Database", "connections", "answer"): f"to answer; {figure('size', 'database')} large",
        ("Cache", "cache", "hit_rate"): f"of the look-ups hit; {figure('cache', 'memory')} used",
        ("Last backup", "backups", "age"): f"old; {figure('backups', 'size')}, {figure('backups', 'verified')}",
        ("Pending migrations", "migrations", "pending"): f"{figure('migrations', 'applied')} are applied",
        ("Requests", "requests", "p95"): f"for 95 % of them; {figure('requests', 'errors')} failed",
    }
    cards = [
        _card(title, sections[section], figure(section, name), note) for (title, section, name), note in notes.items()
    ]
    fullest = max((row[-1] for row in sections["disk"].tables["folders"].rows), default=None)
    number = shown(fullest, "%")
    return [*cards, _card("Disk", sections["disk"], number, "used where it is fullest")]


def _card(title: str, section: Section, number: str, note: str) -> dict[str, Any]:
    if section.not_set_up:
        return {"title": title, "state": None, "number": "-", "note": "not set up"}
    known = number != "-"
    return {
        "title": title,
        "state": section.state,
        "number": number if known else "none",
        "note": note if known else "",
    }


def _backups(report: Report) -> dict[str, Any] | None:
    """Return the newest backups as texts; None where the folder could not be read."""
    tables = next(section.tables for section in report.sections if section.name == "backups")
    table = tables.get("backups")
    if table is None:
        return None
    return {
        "title": table.title,
        "columns": [column.title for column in table.columns],
        "rows": [
            [shown(value, column.unit) for column, value in zip(table.columns, row, strict=True)] for row in table.rows
        ],
        "left_out": table.left_out,
        "source": table.source,
    }


def _imports_card(count: int) -> dict[str, Any]:
    return {
        "title": "Failed imports",
        "state": State.WARNING if count else State.FINE,
        "number": shown(count),
        "note": f"with rejected rows in {FAILED_IMPORT_DAYS} days",
        "link": list_url(AuditLog, "event_type:has:_IMPORTED", "success:is:no"),
    }


def _overdue_card(overdue: list[Outcome]) -> dict[str, Any]:
    return {
        "title": "Overdue maintenance",
        "state": State.WARNING if overdue else State.FINE,
        "number": shown(sum(outcome.rows for outcome in overdue)),
        "note": "rows that maintain should have seen to",
    }
