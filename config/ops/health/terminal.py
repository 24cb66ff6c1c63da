"""A health report for people: tables with colours on a terminal, plain lines in a pipe."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from config.ops.health.report import State

if TYPE_CHECKING:
    from typing import IO

    from config.ops.health.report import Report, Section, Table

STYLES = {
    State.FINE: "green",
    State.WARNING: "yellow",
    State.CRITICAL: "bold red",
    State.UNKNOWN: "magenta",
}
# Wide enough that no line of a pipe is broken.
PIPE_WIDTH = 1000
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def write(report: Report, out: IO[str], *, brief: bool = False) -> None:
    """Write the report: the line that monitoring shows, and unless `brief` the sections."""
    if out.isatty():
        _print(Console(file=out, highlight=False), report, brief=brief)
        return
    # What comes out of a pipe has no colours, no broken lines and no blanks at their ends.
    text = io.StringIO()
    _print(Console(file=text, width=PIPE_WIDTH, highlight=False, color_system=None), report, brief=brief)
    for line in text.getvalue().splitlines():
        out.write(line.rstrip() + "\n")


def _print(console: Console, report: Report, *, brief: bool) -> None:
    console.print(Text(report.summary, style=STYLES[report.state]))
    if not brief:
        for section in report.sections:
            _section(console, section)


def _section(console: Console, section: Section) -> None:
    word = "not set up" if section.not_set_up else section.state.name.lower()
    console.print()
    console.print(Text.assemble((section.name.upper(), "bold"), "  ", (word, STYLES[section.state])))
    for finding in section.findings:
        _indented(console, Text(f"{finding.state.name.lower()}: {finding.text}", STYLES[finding.state]))
    for sentence in (*section.unread, *section.missing):
        _indented(console, Text(sentence, STYLES[State.UNKNOWN]))
    for note in section.notes:
        _indented(console, Text(note))
    if section.figures:
        _figures(console, section)
    for table in section.tables.values():
        _table(console, table)


def _indented(console: Console, what: Text | RichTable) -> None:
    console.print(Padding(what, (0, 0, 0, 2), expand=False))


def _figures(console: Console, section: Section) -> None:
    grid = RichTable(box=None, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right")
    grid.add_column(style="dim")
    for name, figure in section.figures.items():
        grid.add_row(name.replace("_", " "), escape(shown(figure.value, figure.unit)), escape(figure.source))
    _indented(console, grid)


def _table(console: Console, table: Table) -> None:
    source = (f"  ({table.source})", "dim")
    if not table.rows:
        _indented(console, Text.assemble(f"{table.title}: none", source))
        return
    more = f"; {table.left_out:,} more, see --limit" if table.left_out else ""
    console.print()
    _indented(console, Text.assemble((f"{table.title}{more}", "italic"), source))
    rich = RichTable(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for place, column in enumerate(table.columns):
        numbers = any(isinstance(row[place], int | float) and not isinstance(row[place], bool) for row in table.rows)
        rich.add_column(column.title, justify="right" if numbers else "left", overflow="fold", no_wrap=numbers)
    for row in table.rows:
        cells = zip(table.columns, row, strict=True)
        rich.add_row(*(escape(shown(value, column.unit)) for column, value in cells))
    _indented(console, rich)


def shown(value: Any, unit: str = "") -> str:
    """Return a value as people read it: bytes in the unit that fits, numbers in groups of three, none as a dash."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if not isinstance(value, int | float):
        return str(value)
    if unit == "bytes":
        return _bytes(value)
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {unit}".strip()


def _bytes(value: float) -> str:
    number = float(value)
    for unit in UNITS:
        if abs(number) < 1000 or unit == UNITS[-1]:
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
