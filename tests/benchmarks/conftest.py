"""Records what was measured: `bench(name=..., value=..., unit=..., against=..., bar=...)` into build/bench.json.

Benchmarks live in files named `bench_*.py`, which only `make bench` collects.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import pytest
from rich.console import Console
from rich.table import Table

from config.ops import servers

REPORT = Path(__file__).resolve().parents[2] / "build" / "bench.json"
MEASURES = pytest.StashKey[list["Measure"]]()


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure beside its peer or limit, measured in the same run. Less is better; `bar` is the highest ratio."""

    name: str
    value: float
    unit: str
    against: float
    ratio: float
    bar: float
    holds: bool


class Bench(Protocol):
    """How a benchmark reports a figure. Fails the benchmark, after recording, when the bar is broken."""

    def __call__(self, *, name: str, value: float, unit: str, against: float, bar: float) -> Measure: ...


def pytest_configure(config: pytest.Config) -> None:
    """Begin with an empty list of figures."""
    config.stash[MEASURES] = []


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A directory that the account of the server can reach as well."""
    with tempfile.TemporaryDirectory(prefix="forecourt-bench-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[servers.Server]:
    """A durable server: it flushes to disk as one that keeps real data does."""
    with servers.postgresql(data=folder / "cluster") as opened:
        yield opened


@pytest.fixture
def bench(pytestconfig: pytest.Config) -> Bench:
    """Record a figure; see the module."""

    def record(*, name: str, value: float, unit: str, against: float, bar: float) -> Measure:
        ratio = value / against
        measure = Measure(name, value, unit, against, ratio, bar, holds=ratio <= bar)
        pytestconfig.stash[MEASURES].append(measure)
        if not measure.holds:
            pytest.fail(f"{name}: {value:g} {unit} is {ratio:.2f} times {against:g} {unit}, allowed are {bar:g}.")
        return measure

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the report and show it as a table."""
    measures = config.stash[MEASURES]
    if not measures:
        return
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps([asdict(measure) for measure in measures], indent=2) + "\n")
    table = Table("measure", "value", "against", "unit", "ratio", "bar", "holds")
    for measure in measures:
        table.add_row(
            measure.name,
            f"{measure.value:,.3g}",
            f"{measure.against:,.3g}",
            measure.unit,
            f"{measure.ratio:.2f}",
            f"{measure.bar:g}",
            "yes" if measure.holds else "NO",
        )
    terminalreporter.ensure_newline()
    Console(file=terminalreporter._tw._file, width=120).print(table)
    terminalreporter.write_line(f"written to {REPORT}")
