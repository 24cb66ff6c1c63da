"""Lines of SQL scripts as they are made fit for an empty database."""

from __future__ import annotations

import pytest

from config.db.errors import Refused
from config.ops.restoring.scripts import prepared


def fit(script: str, server_major: int = 15) -> str:
    lines = [line.encode() for line in script.splitlines(keepends=True)]
    return b"".join(prepared(lines, name="it", server_major=server_major)).decode()


def test_what_clean_removes_first_is_left_out_in_place() -> None:
    script = "ALTER TABLE ONLY public.car DROP CONSTRAINT car_pkey;\nDROP TABLE public.car;\nCREATE TABLE x ();\n"

    assert fit(script) == "\n\nCREATE TABLE x ();\n"


def test_schemas_are_removed_if_they_are_there() -> None:
    script = "DROP SCHEMA public;\nDROP SCHEMA IF EXISTS yard;\nCREATE SCHEMA public;\n"

    assert fit(script) == script.replace("SCHEMA public;", "SCHEMA IF EXISTS public;", 1)


def test_later_statements_and_rows_stay_as_they_are() -> None:
    script = (
        "CREATE TABLE x ();\nALTER TABLE x DROP CONSTRAINT y;\nCOPY x (a) FROM stdin;\nDROP TABLE x;\n"
        "\\connect postgres\nSET transaction_timeout = 0;\n\\.\nDROP TABLE z;\n"
    )

    assert fit(script) == script


@pytest.mark.parametrize(("version", "kept"), [(16, False), (17, True)])
def test_a_setting_that_the_server_does_not_know_is_left_out(version: int, kept: bool) -> None:
    script = "SET transaction_timeout = 0;\nCREATE TABLE x ();\n"

    assert (fit(script, version) == script) is kept


def test_keys_of_the_restricted_mode_are_left_out() -> None:
    assert fit("\\restrict abc\nCREATE TABLE x ();\n\\unrestrict abc\n") == "\nCREATE TABLE x ();\n\n"


@pytest.mark.parametrize("line", ["\\connect shop", "CREATE DATABASE shop;", "DROP DATABASE shop;", "\\i other.sql"])
def test_a_line_that_leads_out_of_the_database_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(Refused, match="it, line 3:"):
        fit(f"SET a = 1;\nCREATE TABLE x ();\n{line}\n")
