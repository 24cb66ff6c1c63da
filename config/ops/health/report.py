"""What a look at the database's health finds: sections with figures, tables and findings, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class State(IntEnum):
    """How something is; the numbers are the exit codes of monitoring plugins."""

    FINE = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


# What is known to be wrong counts more than what is not known.
_SEVERITY = (State.FINE, State.UNKNOWN, State.WARNING, State.CRITICAL)


def worst(states: Iterable[State]) -> State:
    """Return the worst of the states; fine when there is none."""
    return max(states, key=_SEVERITY.index, default=State.FINE)


@dataclass(frozen=True, slots=True)
class Figure:
    """One value: a number in `unit`, a text, a switch, or None for none; `source` says where it was read."""

    value: Any
    source: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `key` is its name for programs."""

    key: str
    title: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values in the order of `columns`; `left_out` counts those beyond the limit."""

    title: str
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    source: str
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, as a sentence with the way out."""

    state: State
    text: str


@dataclass(slots=True)
class Section:
    """What was seen of one subject.

    `notes` say what one should know; `missing` says what is not set up, and how to set it up; `unread` says what could
    not be read, and how to get the right to it.
    """

    name: str
    figures: dict[str, Figure] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def figure(self, name: str, value: Any, unit: str = "", *, source: str) -> None:
        """Add a figure."""
        self.figures[name] = Figure(value, source, unit)

    def find(self, state: State, text: str) -> None:
        """Add a finding, unless all is fine."""
        if state is not State.FINE:
            self.findings.append(Finding(state, text))

    def table(
        self, key: str, title: str, columns: Iterable[Column], rows: list[tuple[Any, ...]], *, source: str,
        limit: int | None = None, left_out: int = 0,
    ) -> None:  # fmt: skip
        """Add a table of at most `limit` rows; `left_out` counts rows that were not even read."""
        shown = rows if limit is None else rows[:limit]
        self.tables[key] = Table(title, tuple(columns), shown, source, len(rows) - len(shown) + left_out)

    @property
    def not_set_up(self) -> bool:
        """Whether there was nothing to look at."""
        return bool(self.missing) and not (self.figures or self.tables or self.findings or self.unread)

    @property
    def state(self) -> State:
        """The worst of the findings; what could not be read makes it unknown."""
        states = [finding.state for finding in self.findings]
        return worst([*states, State.UNKNOWN] if self.unread or self.not_set_up else states)


@dataclass(frozen=True, slots=True)
class Report:
    """Several sections, and what they come to. `asked` are the sections that were named one by one."""

    database: str
    sections: list[Section]
    asked: frozenset[str] = frozenset()

    @property
    def counted(self) -> list[Section]:
        """The sections that make the state: what is not set up counts only for those who asked for it by name."""
        return [section for section in self.sections if section.name in self.asked or not section.not_set_up]

    @property
    def state(self) -> State:
        """The worst of the sections that count."""
        return worst(section.state for section in self.counted)

    @property
    def summary(self) -> str:
        """One line, which monitoring shows."""
        bad = sorted(
            ((finding, section) for section in self.sections for finding in section.findings),
            key=lambda pair: -_SEVERITY.index(pair[0].state),
        )
        if bad:
            finding, section = bad[0]
            more = f" ({len(bad) - 1} more)" if len(bad) > 1 else ""
            return f"{self.state.name}: {section.name}: {finding.text}{more}"
        silent = [section.name for section in self.counted if section.state is State.UNKNOWN]
        if silent:
            return f"{self.state.name}: not everything could be read: {', '.join(silent)}"
        return f"{self.state.name}: {self.database}: looked at {', '.join(section.name for section in self.sections)}"


def as_json(report: Report) -> dict[str, Any]:
    """Return the report with plain types; tables become lists of objects."""
    return {
        "state": report.state.name.lower(),
        "exit_code": int(report.state),
        "summary": report.summary,
        "database": report.database,
        "sections": {section.name: _section_json(section) for section in report.sections},
    }


def _section_json(section: Section) -> dict[str, Any]:
    return {
        "state": section.state.name.lower(),
        "figures": {
            name: {"value": _plain(figure.value), "unit": figure.unit, "source": figure.source}
            for name, figure in section.figures.items()
        },
        "tables": {
            key: {
                "rows": [
                    {column.key: _plain(value) for column, value in zip(table.columns, row, strict=True)}
                    for row in table.rows
                ],
                "left_out": table.left_out,
                "units": {column.key: column.unit for column in table.columns if column.unit},
                "source": table.source,
            }
            for key, table in section.tables.items()
        },
        "findings": [{"state": f.state.name.lower(), "text": f.text} for f in section.findings],
        "notes": section.notes,
        "missing": section.missing,
        "unread": section.unread,
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
