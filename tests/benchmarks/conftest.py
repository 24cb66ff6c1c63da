"""Records what was measured: `bench(name=..., value=..., unit=..., against=..., bar=...)` into build/bench.json.

Benchmarks live in files named `bench_*.py`, which only `make bench` collects.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from pytest_django import DjangoDbBlocker
from rich.console import Console
from rich.table import Table

from config.ops import servers
from config.ops.scratch import connected
from inventory.models import Car
from leads.models import Lead
from tests.benchmarks.marketplace import CARS, fill
from tests.benchmarks.measuring import MANAGE, run

REPORT = Path(__file__).resolve().parents[2] / "build" / "bench.json"
MEASURES = pytest.StashKey[list["Measure"]]()


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure beside its peer or limit, measured in the same run. Less is better; `bar` is the highest ratio.

    `details` are figures that stand beside it and have no bar.
    """

    name: str
    value: float
    unit: str
    against: float
    ratio: float
    bar: float
    holds: bool
    details: dict[str, float]


class Bench(Protocol):
    """How a benchmark reports a figure. Fails the benchmark, after recording, when the bar is broken."""

    def __call__(
        self, *, name: str, value: float, unit: str, against: float, bar: float, details: dict[str, float] | None = None
    ) -> Measure: ...


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


@pytest.fixture(scope="session")
def marketplace(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The URL of a durable database with the rows of `fill`, where the default connection leads meanwhile.

    `BENCH_MARKETPLACE_URL` names one that is kept: it is filled the first time and then taken as it is.
    """
    with durable_database() as url, django_db_blocker.unblock():
        run([*MANAGE, "migrate", "--verbosity", "0"], url=url)
        with connected(url) as connection, pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "alias", DEFAULT_DB_ALIAS)
            usual = connections[DEFAULT_DB_ALIAS]
            connections[DEFAULT_DB_ALIAS] = connection
            try:
                fill_once()
                yield url
            finally:
                connections[DEFAULT_DB_ALIAS] = usual


@contextlib.contextmanager
def durable_database() -> Iterator[str]:
    """Give the URL of the database that the environment names, or of a new one."""
    if "BENCH_MARKETPLACE_URL" in os.environ:
        yield os.environ["BENCH_MARKETPLACE_URL"]
        return
    with tempfile.TemporaryDirectory(prefix="forecourt-bench-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        with servers.postgresql(data=Path(name) / "cluster") as opened:
            yield opened.url


def fill_once() -> None:
    """Write the marketplace's rows, unless they are there. Fails the benchmark if others are, or not all of them."""
    if there := Car.objects.count():
        # Leads are written last.
        complete = there == CARS and Lead.objects.exists()
        assert complete, "BENCH_MARKETPLACE_URL has other rows: name an empty database, or give the same BENCH_SCALE."
        return
    begin = time.perf_counter()
    fill()
    Console().print(f"the marketplace was filled in {time.perf_counter() - begin:.0f} s")


@pytest.fixture
def bench(pytestconfig: pytest.Config) -> Bench:
    """Record a figure; see the module."""

    def record(
        *, name: str, value: float, unit: str, against: float, bar: float, details: dict[str, float] | None = None
    ) -> Measure:
        ratio = value / against
        measure = Measure(name, value, unit, against, ratio, bar, holds=ratio <= bar, details=details or {})
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
