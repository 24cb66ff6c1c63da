"""PartPal's file through the whole command, into a PostgreSQL of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.transfer.dirt import Planted, count_rows, dirty_file
from tests.transfer.moving import editing, execute, move, query

pytestmark = [pytest.mark.postgres_only, pytest.mark.usefixtures("any_database")]


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    dirty_file(tmp_path / "dev.db", seed=1, count=0)
    return tmp_path / "dev.db"


def findings(report: Path) -> set[tuple[str, str, str]]:
    return {(one["table"], one["id"], one["column"]) for one in json.loads(report.read_text())["findings"]}


def accounts(result: dict[str, Any]) -> dict[str, int]:
    """Return of each source table how many rows an outcome was told of."""
    outcomes = ("moved", "noted", "left_out", "bad", "hanging")
    return {entry["table"]: sum(entry[outcome] for outcome in outcomes) for entry in result["tables"]}


def test_a_clean_file_is_moved_whole_and_proved(clean: Path, target: str) -> None:
    done = move(clean, "--yes", "--json", target=target)

    assert done.code == 0, done.err
    assert done.json["layout"] == "PartPal (Prisma)"
    assert accounts(done.json) == count_rows(clean)
    assert all(proof["holds"] for proof in done.json["proofs"])
    assert query(target, "SELECT count(*), count(DISTINCT public_id) FROM inventory_part") == [(140, 140)]


def test_what_was_estimated_is_on_record(clean: Path, target: str) -> None:
    move(clean, "--yes", target=target)

    record = "SELECT metadata->'estimated' FROM analytics_auditlog WHERE event_type = 'SQLITE_IMPORT'"
    ((estimated,),) = query(target, record)
    assert estimated["inventory_part.sold_at"] == "parts.updatedAt of sold parts"


def test_merging_again_creates_and_changes_nothing(clean: Path, target: str) -> None:
    move(clean, "--yes", target=target)
    done = move(clean, "--yes", "--merge", "--json", target=target)

    assert done.code == 0, done.err
    assert [(one["table"], one["created"], one["changed"]) for one in done.json["merged"] if one["created"]] == []
    assert sum(one["changed"] for one in done.json["merged"]) == 0
    assert sum(one["unchanged"] for one in done.json["merged"]) > 400


def test_rows_that_hang_on_one_the_target_has_differently_are_told_in_the_words_of_the_file(
    clean: Path, target: str, tmp_path: Path
) -> None:
    with editing(clean) as source:
        (parent,) = source.execute("SELECT id FROM categories ORDER BY rowid LIMIT 1").fetchone()
        source.execute('UPDATE categories SET "parentId" = ? WHERE rowid IN (2, 3)', [parent])
        children = {child for (child,) in source.execute("SELECT id FROM categories WHERE rowid IN (2, 3)")}
    assert move(clean, "--yes", target=target).code == 0
    execute(target, f"UPDATE inventory_category SET public_id = 'another' WHERE public_id = '{parent}'")
    report = tmp_path / "report.json"

    move(clean, "--yes", "--merge", "--report", str(report), target=target)

    hanging = [one for one in json.loads(report.read_text())["findings"] if one["table"] == "categories"]
    hanging = [one for one in hanging if one.get("because_of")]
    assert {one["id"] for one in hanging} >= children
    for one in hanging:
        if one["id"] in children:
            assert (one["column"], one["value"]) == ("parentId", parent)
            assert one["because_of"] == f"categories {parent}"
            assert one["message"] == f"categories {parent} is not moved"


def test_stop_lists_every_bad_row_and_moves_nothing(tmp_path: Path, target: str) -> None:
    planted = dirty_file(tmp_path / "dev.db", seed=5, count=40)
    done = move(tmp_path / "dev.db", "--yes", "--report", str(tmp_path / "report.json"), target=target)

    assert done.code == 1
    assert set(planted) <= {Planted(*found) for found in findings(tmp_path / "report.json")}
    assert query(target, "SELECT count(*) FROM accounts_user") == [(0,)]


def test_quarantine_moves_the_rest_and_accounts_for_every_row(tmp_path: Path, target: str) -> None:
    planted = dirty_file(tmp_path / "dev.db", seed=6, count=40)
    options = ("--on-error", "quarantine", "--json", "--report", str(tmp_path / "report.json"))
    done = move(tmp_path / "dev.db", "--yes", *options, target=target)

    assert done.code == 3, done.err
    assert set(planted) <= {Planted(*found) for found in findings(tmp_path / "report.json")}
    assert accounts(done.json) == count_rows(tmp_path / "dev.db")
    stayed = {entry["table"]: entry["bad"] + entry["hanging"] for entry in done.json["tables"]}
    rows = count_rows(tmp_path / "dev.db")["parts"] - stayed["parts"]
    assert query(target, "SELECT count(*) FROM inventory_part") == [(rows,)]
