"""Cells of COPY lines, held against a real PostgreSQL: what was sent comes back as the same bytes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.ops.transfer import values

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]

several = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def there_and_back(column_type: str, cells: list[str]) -> list[str]:
    """Return the cells as PostgreSQL's COPY gives them back."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE cells (place integer, cell {column_type})")
        with cursor.copy("COPY cells FROM STDIN") as copy:
            copy.write("".join(f"{place}\t{cell}\n" for place, cell in enumerate(cells)))
        with cursor.copy("COPY (SELECT cell FROM cells ORDER BY place) TO STDOUT") as copy:
            lines = b"".join(bytes(block) for block in copy).decode().split("\n")
        cursor.execute("DROP TABLE cells")
    return lines[:-1]


def stored(column_type: str, cell: str) -> Any:
    """Return what PostgreSQL holds after a COPY of the cell, as its driver reads it."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE cells (cell {column_type})")
        with cursor.copy("COPY cells FROM STDIN") as copy:
            copy.write(f"{cell}\n")
        cursor.execute("SELECT cell FROM cells")
        (value,) = cursor.fetchone()
        cursor.execute("DROP TABLE cells")
    return value


storable_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
strange_text = st.text(st.sampled_from("\\N.\b\t\n\v\f\r\x01\x7f\x85\u2028 nrtä🚗"))


@several
@given(st.lists(storable_text | strange_text, min_size=1))
def test_a_text_comes_back_as_it_was_sent(texts: list[str]) -> None:
    cells = [values.text_cell(text) for text in texts]
    assert there_and_back("text", cells) == cells


@several
@given(storable_text | strange_text)
@example("\\N")
@example("\\.")
@example("")
def test_a_text_is_stored_as_it_is(text: str) -> None:
    assert stored("text", values.text_cell(text)) == text


@given(st.text(st.characters()) | st.text(st.sampled_from("a\0\ud800\udcff\t🚗")))
def test_a_text_is_storable_unless_it_holds_a_nul_or_half_a_character(text: str) -> None:
    assert values.is_storable(text) == ("\0" not in text and text.encode("utf-8", "ignore").decode() == text)


@several
@given(st.lists(st.floats(), min_size=1))
@example([1e23, 9007199254740993.0, 1e15, 123456789012345680.0, 999999999999999.9, 1e-5, -0.0, 5e-324, 2.0**-44])
@example([float(10**power) for power in range(40)])
@example([float(2**power) for power in range(100)])
def test_a_float_comes_back_as_it_was_sent(numbers: list[float]) -> None:
    cells = [values.float_cell(number) for number in numbers]
    assert there_and_back("double precision", cells) == cells


@several
@given(st.lists(st.integers(2**53, 2**70).map(float), min_size=1))
def test_a_large_float_comes_back_as_it_was_sent(numbers: list[float]) -> None:
    cells = [values.float_cell(number) for number in numbers]
    assert there_and_back("double precision", cells) == cells
    assert [float(cell) for cell in cells] == numbers


@several
@given(st.lists(st.decimals(-9_999_999_999, 9_999_999_999, allow_nan=False), min_size=1), st.integers(0, 6))
@example([Decimal("-0.001"), Decimal("0.005"), Decimal("-0.005"), Decimal("1E+3")], 2)
def test_a_number_comes_back_with_its_places(numbers: list[Decimal], places: int) -> None:
    cells = [values.numeric_cell(number, places) for number in numbers]
    assert there_and_back(f"numeric(20, {places})", cells) == cells


def test_a_number_is_rounded_half_up() -> None:
    rounded = [values.numeric_cell(Decimal(text), 2) for text in ("0.125", "-0.125", "2.675", "0.124")]
    assert rounded == ["0.13", "-0.13", "2.68", "0.12"]


moments = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001 - the zone comes from `timezones`
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@several
@given(st.lists(moments, min_size=1))
def test_a_time_comes_back_as_it_was_sent(times: list[datetime]) -> None:
    cells = [values.moment_cell(time) for time in times]
    assert there_and_back("timestamp with time zone", cells) == cells


milliseconds = st.integers(values.FIRST_MILLISECOND, values.LAST_MILLISECOND)


@several
@given(st.lists(milliseconds, min_size=1))
@example([values.FIRST_MILLISECOND, values.LAST_MILLISECOND, 0, -1, 1_700_000_000_120])
def test_milliseconds_come_back_as_they_were_sent(numbers: list[int]) -> None:
    cells = [values.milliseconds_cell(number) for number in numbers]
    assert there_and_back("timestamp with time zone", cells) == cells


@given(milliseconds)
def test_milliseconds_mean_the_time_they_count_to(number: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number)
    assert values.milliseconds_cell(number) == values.moment_cell(moment)


@pytest.mark.parametrize("number", [values.FIRST_MILLISECOND - 1, values.LAST_MILLISECOND + 1, 2**63 - 1, -(2**63)])
def test_milliseconds_outside_the_calendar_are_no_time(number: int) -> None:
    with pytest.raises(OverflowError):
        values.milliseconds_cell(number)


@several
@given(st.lists(st.dates(), min_size=1))
def test_a_date_comes_back_as_it_was_sent(days: list[date]) -> None:
    cells = [values.date_cell(day) for day in days]
    assert there_and_back("date", cells) == cells


def test_truth_and_nothing_come_back_as_they_were_sent() -> None:
    cells = [values.boolean_cell(True), values.boolean_cell(False), values.NULL]
    assert there_and_back("boolean", cells) == cells


keys = st.text(st.sampled_from('abäÄ🚗é\\"\n'), max_size=4) | storable_text
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**400), 10**400)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | storable_text | strange_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=12,
)


@several
@given(st.lists(json_values, min_size=1))
def test_a_json_value_comes_back_as_it_was_sent(found: list[Any]) -> None:
    cells = [values.json_cell(value) for value in found]
    assert there_and_back("jsonb", cells) == cells


@several
@given(json_values, st.booleans())
def test_a_json_text_is_stored_as_postgresql_reads_it_itself(value: Any, ensure_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [text])
        assert values.json_text_cell(text) == values.text_cell(cursor.fetchone()[0])


number_texts = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,8})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


@several
@given(st.lists(number_texts, min_size=1))
@example(
    ["-0", "-0.00", "0e5", "0E-3", "1.50", "1.5e3", "1.50e1", "1e-5", "-1E+2", "100e-2", "12.50e-1", "0.0e3", "0.00e1"]
)
def test_a_number_in_json_keeps_its_digits_as_postgresql_does(texts: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT one::jsonb::text FROM unnest(%s::text[]) AS one", [texts])
        assert [values.json_text_cell(text) for text in texts] == [cell for (cell,) in cursor.fetchall()]


def test_of_keys_that_come_twice_the_last_stays() -> None:
    assert values.json_text_cell('{"a": 1, "b": 2, "a": 3}') == '{"a": 3, "b": 2}'


@pytest.mark.parametrize("text", ["1e131071", "9" * 131_072, "1e-16383", "0." + "1" * 16_383, "0e999999999999", "0e-3"])
def test_the_longest_numbers_that_json_may_hold_come_back(text: str) -> None:
    cell = values.json_text_cell(text)
    assert there_and_back("jsonb", [cell]) == [cell]


@pytest.mark.parametrize(
    "text", ["1e131072", "1" * 131_073, "1e-16384", "0." + "1" * 16_384, "1e999999999999", "-1e-99999999"]
)
def test_longer_numbers_are_refused(text: str) -> None:
    with pytest.raises(values.JSONProblem, match="too many digits"):
        values.json_text_cell(text)


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": 1,', "NaN", "-Infinity", "[object Object]", "{'a': 1}", "01", "[1] 2", '"\t"', "\ufeff1"]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(values.JSONProblem):
        values.json_text_cell(text)


@pytest.mark.parametrize(
    "text", ['"\\u0000"', '{"a\\u0000": 1}', '"\\ud83d"', '["\\udc00\\ud83d"]', '"\\\\\\u0000"', '"\udcff"']
)
def test_texts_in_json_that_postgresql_does_not_take_are_refused(text: str) -> None:
    with pytest.raises(values.UnstorableJSON):
        values.json_text_cell(text)


def test_a_backslash_before_u0000_is_only_text() -> None:
    cell = values.json_text_cell('"\\\\u0000"')
    assert there_and_back("jsonb", [cell]) == [cell]


def test_endless_levels_are_refused() -> None:
    with pytest.raises(values.JSONProblem, match="levels"):
        values.json_text_cell("[" * 100_000 + "]" * 100_000)
