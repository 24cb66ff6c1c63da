"""What findings come to, and the marks from which on something is one."""

from __future__ import annotations

import io

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.ops.health.report import Column, Report, Section, State, as_json
from config.ops.health.terminal import shown, write
from config.ops.health.thresholds import DEFAULTS, read_thresholds


def section(name: str, *states: State, **lists: list[str]) -> Section:
    made = Section(name, **lists)  # type: ignore[arg-type]  # the lists of sentences
    for state in states:
        made.find(state, f"{state.name.lower()} of {name}.")
    return made


@pytest.mark.parametrize(
    ("sections", "state"),
    [
        ([section("size")], State.FINE),
        ([section("size", State.FINE)], State.FINE),
        ([section("size", State.WARNING), section("disk")], State.WARNING),
        ([section("size", State.WARNING), section("disk", State.CRITICAL)], State.CRITICAL),
        ([section("size", unread=["ask for the right"])], State.UNKNOWN),
        # What is wrong counts more than what is not known.
        ([section("size", unread=["ask for the right"]), section("disk", State.WARNING)], State.WARNING),
        ([section("queries", missing=["install it"])], State.FINE),
    ],
)
def test_a_report_is_as_bad_as_its_worst_section(sections: list[Section], state: State) -> None:
    assert Report("db", sections).state is state


def test_what_is_not_set_up_is_unknown_to_those_who_asked_for_it_alone() -> None:
    sections = [section("queries", missing=["install it"])]
    assert Report("db", sections).state is State.FINE
    asked = Report("db", sections, frozenset({"queries"}))
    assert (asked.state, asked.summary) == (State.UNKNOWN, "UNKNOWN: not everything could be read: queries")


def test_the_first_line_names_the_worst_finding_and_counts_the_others() -> None:
    report = Report("db", [section("size", State.WARNING, State.WARNING), section("disk", State.CRITICAL)])
    assert report.summary == "CRITICAL: disk: critical of disk. (2 more)"


def test_the_numbers_are_those_of_monitoring_plugins() -> None:
    assert [(state.name, int(state)) for state in State] == [
        ("FINE", 0),
        ("WARNING", 1),
        ("CRITICAL", 2),
        ("UNKNOWN", 3),
    ]


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("disk", 90, State.FINE),
        ("disk", 90.1, State.WARNING),
        ("disk", 95.1, State.CRITICAL),
        ("backup_age", 26, State.FINE),
        ("backup_age", 26.1, State.WARNING),
        ("backup_age", 48.1, State.CRITICAL),
        ("cache_hits", 50, State.FINE),
        ("cache_hits", 49.9, State.WARNING),
        ("cache_hits", 29.9, State.CRITICAL),
        ("errors", 5.1, State.WARNING),
        ("errors", 10.1, State.CRITICAL),
        ("mean_response", 1001, State.WARNING),
        ("pool", 80.1, State.WARNING),
        ("pool", 90.1, State.CRITICAL),
        ("slow_share", 10.1, State.WARNING),
        ("dead_rows", 101, State.WARNING),
        ("dead_rows", 1001, State.CRITICAL),
        ("answer", 1001, State.WARNING),
    ],
)
def test_a_figure_on_the_mark_is_on_the_better_side(name: str, value: float, state: State) -> None:
    assert DEFAULTS[name].state(value) is state


def test_single_thresholds_are_changed_and_the_others_stay() -> None:
    changed = read_thresholds("HEALTH_THRESHOLDS", ["disk=70:80", "cache_hits=20:10"])
    assert (changed["disk"].warning, changed["disk"].critical) == (70, 80)
    assert changed["cache_hits"].state(15) is State.WARNING
    assert {name for name in DEFAULTS if changed[name] != DEFAULTS[name]} == {"disk", "cache_hits"}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("dsk=1:2", "'dsk' is none of answer, connections"),
        ("disk=90", "write disk=warning:critical, two numbers"),
        ("disk=a:b", "write disk=warning:critical, two numbers"),
        ("disk=95:90", "the critical mark belongs above the warning"),
        ("cache_hits=30:50", "the critical mark belongs below the warning"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(entry: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        read_thresholds("HEALTH_THRESHOLDS", [entry])


def a_report() -> Report:
    made = section("tables", State.WARNING)
    made.figure("dead_rows", 1234, source="pg_stat_user_tables")
    made.table(
        "tables", "Tables", [Column("table", "Table"), Column("size", "Size", "bytes")],
        [("part", 1_500_000), ("car", 20)], source="pg_class", limit=1,
    )  # fmt: skip
    return Report("db", [made])


def test_programs_get_plain_values_with_units_and_sources() -> None:
    assert as_json(a_report()) == {
        "state": "warning",
        "exit_code": 1,
        "summary": "WARNING: tables: warning of tables.",
        "database": "db",
        "sections": {
            "tables": {
                "state": "warning",
                "figures": {"dead_rows": {"value": 1234, "unit": "", "source": "pg_stat_user_tables"}},
                "tables": {
                    "tables": {
                        "rows": [{"table": "part", "size": 1_500_000}],
                        "left_out": 1,
                        "units": {"size": "bytes"},
                        "source": "pg_class",
                    }
                },
                "findings": [{"state": "warning", "text": "warning of tables."}],
                "notes": [],
                "missing": [],
                "unread": [],
            }
        },
    }


def test_a_pipe_gets_plain_lines_that_say_the_source_of_every_figure() -> None:
    out = io.StringIO()
    write(a_report(), out)
    assert out.getvalue().splitlines() == [
        "WARNING: tables: warning of tables.",
        "",
        "TABLES  warning",
        "  warning: warning of tables.",
        "  dead rows  1,234  pg_stat_user_tables",
        "",
        "  Tables; 1 more, see --limit  (pg_class)",
        "  Table    Size",
        "  part   1.5 MB",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "", "-"),
        (True, "", "yes"),
        (0, "bytes", "0 B"),
        (999, "bytes", "999 B"),
        (1000, "bytes", "1.0 kB"),
        (1_234_567_890, "bytes", "1.2 GB"),
        (1234567, "", "1,234,567"),
        (12.5, "%", "12.5 %"),
        (3.0, "ms", "3 ms"),
    ],
)
def test_values_are_written_as_people_read_them(value: object, unit: str, text: str) -> None:
    assert shown(value, unit) == text
