"""Bad values are found wherever they are, and nothing else is called bad.

`FORECOURT_DIRTY_FILES` may name files of another generator, each with the list of what was planted beside it
(`FILE.dirty.json`: objects with table, id and column), to be looked at as well.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.transfer.carrying import Carried, carry, load
from tests.transfer.dirt import Planted, count_rows, dirty_file

ELSEWHERE = [Path(name) for name in os.environ.get("FORECOURT_DIRTY_FILES", "").split(os.pathsep) if name]
SEEDS = range(12)
COUNT = 64


def unreported(carried: Carried, planted: list[Planted]) -> list[Planted]:
    """Return the planted values of which nothing was said."""
    said = {(finding.table, finding.id, finding.column) for finding in carried.findings}
    return [one for one in planted if (one.table, one.id, one.column) not in said]


def wrongly_bad(carried: Carried, planted: list[Planted]) -> list[str]:
    """Return the rows that are called bad although nothing bad is in them and they hang on nothing bad."""
    dirty = {(one.table, one.id) for one in planted}
    bad = {f"{f.table} {f.id}" for f in carried.findings if f.outcome == "bad"}
    return [
        f"{finding.table} {finding.id} {finding.column}: {finding.message}"
        for finding in carried.findings
        if finding.outcome == "bad"
        and (finding.table, finding.id) not in dirty
        and finding.because_of not in bad
        # The other generator calls a price of nothing clean.
        and not (finding.column == "price" and finding.value == 0.0)
    ]


def check(path: Path, planted: list[Planted]) -> Carried:
    carried = carry(path)
    assert unreported(carried, planted) == []
    assert wrongly_bad(carried, planted) == []
    assert {table: len(outcomes) for table, outcomes in carried.outcomes.items()} == count_rows(path)
    assert carried.unlike == []
    return carried


@pytest.mark.parametrize("seed", SEEDS)
def test_every_bad_value_is_found_and_no_good_row_is_called_bad(tmp_path: Path, seed: int) -> None:
    planted = dirty_file(tmp_path / "dirty.db", seed=seed, count=COUNT)
    assert len({(one.table, one.id) for one in planted}) == COUNT
    check(tmp_path / "dirty.db", planted)


@pytest.mark.django_db
@pytest.mark.postgres_only
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_postgresql_takes_what_is_left_of_a_dirty_file(tmp_path: Path, seed: int) -> None:
    dirty_file(tmp_path / "dirty.db", seed=seed, count=COUNT)
    load(carry(tmp_path / "dirty.db"))


def test_a_clean_file_has_no_bad_rows(tmp_path: Path) -> None:
    carried = check(tmp_path / "clean.db", dirty_file(tmp_path / "clean.db", seed=1, count=0))
    assert {finding.reason for finding in carried.findings} == {"rounded", "not_listed", "differs"}


@pytest.mark.django_db
@pytest.mark.postgres_only
@pytest.mark.skipif(not ELSEWHERE, reason="FORECOURT_DIRTY_FILES names no files of another generator")
@pytest.mark.parametrize("path", ELSEWHERE, ids=str)
def test_every_bad_value_of_another_generator_is_found(path: Path) -> None:
    planted = json.loads(Path(f"{path}.dirty.json").read_text(encoding="utf-8"))
    load(check(path, [Planted(one["table"], one["id"], one["column"]) for one in planted]))
