"""The report: whole JSON under its name or nothing, long values cut, bytes as digits, secrets hidden."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from config.db.errors import Refused
from config.ops.transfer.findings import Findings, Report, WrongReport, refuse_unfit_report, sentence, shown
from config.ops.transfer.layout import Finding

BAD = Finding("bad", "parts", "c1", "price", "not_a_number", "it is no number", "R 12")
NOTE = Finding("note", "users", "c2", "email", "normalized", "it was trimmed", " A@x.fi", "a@x.fi")


def test_a_report_is_one_json_document_with_a_line_per_finding(tmp_path: Path) -> None:
    report = Report(tmp_path / "report.json", {"source": "dev.db"})
    report.add(BAD)
    report.add(NOTE)
    report.finish({"moved": 1})
    report.publish()

    text = (tmp_path / "report.json").read_text()
    document = json.loads(text)
    assert document["source"] == "dev.db"
    assert document["summary"] == {"moved": 1}
    assert document["findings"][0] == {
        "outcome": "bad", "table": "parts", "id": "c1", "column": "price", "reason": "not_a_number",
        "message": "it is no number", "value": "R 12",
    }  # fmt: skip
    assert document["findings"][1]["moved_as"] == "a@x.fi"
    assert sum(line.strip().startswith('{"outcome"') for line in text.splitlines()) == 2


def test_a_report_without_findings_is_whole_as_well(tmp_path: Path) -> None:
    report = Report(tmp_path / "report.json", {})
    report.finish({})
    report.publish()

    assert json.loads((tmp_path / "report.json").read_text()) == {"findings": [], "summary": {}}


def test_a_report_has_its_name_only_once_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("of yesterday")
    report = Report(tmp_path / "report.json", {})
    report.add(BAD)
    report.finish({})

    assert (tmp_path / "report.json").read_text() == "of yesterday"
    report.discard()
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_what_a_killed_run_left_goes_with_the_next_and_that_of_a_run_at_work_stays(tmp_path: Path) -> None:
    (tmp_path / ".report-x7f3.unfinished").write_text("values of rows")
    at_work = Report(tmp_path / "first.json", {})

    Report(tmp_path / "second.json", {}).discard()

    assert len(list(tmp_path.iterdir())) == 1
    at_work.finish({})
    Report(tmp_path / "third.json", {}).discard()
    at_work.publish()
    at_work.discard()
    assert [file.name for file in tmp_path.iterdir()] == ["first.json"]


def test_a_report_is_for_its_owner_only(tmp_path: Path) -> None:
    report = Report(tmp_path / "report.json", {})
    report.finish({})
    report.publish()

    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o600


def test_a_report_that_cannot_begin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written: No such file or directory"):
        Report(tmp_path / "missing" / "report.json", {})


def test_two_reports_of_one_name_are_written_into_two_files(tmp_path: Path) -> None:
    one, other = Report(tmp_path / "report.json", {}), Report(tmp_path / "report.json", {})
    for report in (one, other):
        report.add(BAD)
        report.finish({})
    other.publish()
    one.publish()

    assert len(json.loads((tmp_path / "report.json").read_text())["findings"]) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_a_link_goes_on_leading_to_the_report(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "report.json").symlink_to("kept/report.json")
    report = Report(tmp_path / "report.json", {})
    report.finish({})
    report.publish()

    assert (tmp_path / "report.json").is_symlink()
    assert json.loads((tmp_path / "kept" / "report.json").read_text())["findings"] == []


# What a report may not take the place of.


def written_report(path: Path) -> Path:
    report = Report(path, {"source": "dev.db", "layout": "Forecourt"})
    report.finish({})
    report.publish()
    return path


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_report_is_not_the_database_or_what_belongs_to_it(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(WrongReport, match="would overwrite"):
        refuse_unfit_report(tmp_path / f"dev.db{suffix}", tmp_path / "dev.db")


def test_a_report_is_not_the_database_under_another_name(tmp_path: Path) -> None:
    # Even one that looks like a report.
    database = written_report(tmp_path / "dev.db")
    (tmp_path / "soft").symlink_to(database)
    os.link(database, tmp_path / "hard")

    for name in ("soft", "hard", "../" + tmp_path.name + "/dev.db"):
        with pytest.raises(WrongReport, match="would overwrite"):
            refuse_unfit_report(tmp_path / name, database)
    for name in ("dev.db", "dev.db-wal"):
        with pytest.raises(WrongReport, match="would overwrite"):
            refuse_unfit_report(tmp_path / name, tmp_path / "soft")


def test_a_report_is_no_device_pipe_or_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path in (Path("/dev/full"), tmp_path / "pipe", tmp_path):
        with pytest.raises(WrongReport, match="no regular file"):
            refuse_unfit_report(path, tmp_path / "dev.db")


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b'{"source": "of another program"}', b"\xff\n\xff"])
def test_a_report_takes_the_place_of_no_other_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "there").write_bytes(content)

    with pytest.raises(WrongReport, match="no report of an earlier run"):
        refuse_unfit_report(tmp_path / "there", tmp_path / "dev.db")


def test_a_report_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    refuse_unfit_report(written_report(tmp_path / "report.json"), tmp_path / "dev.db")
    refuse_unfit_report(tmp_path / "new.json", tmp_path / "dev.db")
    refuse_unfit_report(tmp_path / "missing" / "new.json", tmp_path / "dev.db")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        (True, True),
        (12, 12),
        (1.5, 1.5),
        (math.inf, "inf"),
        (math.nan, "nan"),
        ("text", "text"),
        ("Ä" * 20_000, {"text": "Ä" * 80, "characters": 20_000}),
        (b"\x00\xff", {"hex": "00ff", "bytes": 2}),
        ("H\udce4m", {"hex": "48e46d", "bytes": 3}),
        ("\ud83d", {"hex": "eda0bd", "bytes": 3}),
        (b"9" * 9999, {"hex": "39" * 80, "bytes": 9999}),
    ],
)
def test_a_value_is_told_so_that_json_can_hold_it(value: Any, told: Any) -> None:
    assert shown(value) == told
    json.dumps(told).encode()


def test_a_sentence_names_the_row_and_what_it_holds() -> None:
    assert sentence(BAD) == "parts c1 price: it is no number (it holds 'R 12')"


def test_a_sentence_gives_no_orders_to_the_terminal() -> None:
    finding = Finding("bad", "parts", "c\x1b[2J", "name", "too_long", "long\x07", "\x1b]0;title\x07\u202e")

    assert sentence(finding).isprintable()


def test_secrets_are_hidden_everywhere(tmp_path: Path) -> None:
    finding = Finding("note", "users", "c1", "password", "unusable", "it is no hash", "hunter2", "hunter3", secret=True)
    report = Report(tmp_path / "report.json", {})
    report.add(finding)
    report.finish({})
    report.publish()

    assert "hunter" not in (tmp_path / "report.json").read_text() + sentence(finding)


def test_notes_that_come_before_their_row_are_remembered() -> None:
    findings = Findings()

    findings.add(NOTE)
    findings.add(BAD)

    assert findings.early == {"users": {"c2"}}
    assert (findings.notes, findings.bad) == (1, 1)
