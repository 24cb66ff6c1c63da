"""What is found in rows of our own layout: each kind of bad value, once, with table, id, column and reason."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import models
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Seller, User
from analytics.models import Event
from config.ops.transfer.cells import BadValue, Changed, address_cell, cell_of
from config.ops.transfer.findings import Findings
from config.ops.transfer.forecourt import ForecourtLayout
from config.ops.transfer.keys import RowKeys
from config.ops.transfer.layout import Context, Finding
from config.ops.transfer.loading import Loader
from config.ops.transfer.source import open_source
from inventory.models import Part, Vehicle
from leads.models import Lead
from tests.transfer.moving import editing

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Checked:
    """A file that was read and checked."""

    findings: list[Finding] = field(default_factory=list)
    loader: Any = None

    def bad(self) -> list[tuple[str, str, str]]:
        return [(f.table, f.column, f.reason) for f in self.findings if f.outcome == "bad" and not f.because_of]

    def hanging(self) -> list[tuple[str, str, str]]:
        return [(f.table, f.column, f.because_of) for f in self.findings if f.outcome == "bad" and f.because_of]

    def notes(self) -> list[tuple[str, str, str, Any]]:
        return [(f.table, f.column, f.reason, f.moved_as) for f in self.findings if f.outcome == "note"]


def check(path: Path) -> Checked:
    """Read the file to its end, as a rehearsal does."""
    checked = Checked()
    with open_source(path) as source:
        keys, findings = RowKeys(), Findings(watch=checked.findings.append)
        checked.loader = Loader(source, keys, findings, lambda table, rows: None)
        for move in ForecourtLayout().moves(Context(source, keys, findings.add, NOW)):
            checked.loader.carry(move)
    for tally in checked.loader.tallies.values():
        assert tally.accounted == tally.rows, tally
    return checked


def changed(path: Path, *statements: str, parameters: tuple[Any, ...] = ()) -> Checked:
    with editing(path) as source:
        for statement in statements:
            source.execute(statement, parameters)
    return check(path)


def test_the_demo_data_is_sound(demo: Path) -> None:
    checked = check(demo)

    assert checked.findings == []
    assert {tally.bad + tally.noted for tally in checked.loader.tallies.values()} == {0}


BAD = [
    ("UPDATE inventory_part SET price = 'R 12' WHERE id = 2", "inventory_part", "price", "not_a_number"),
    ("UPDATE inventory_part SET price = 9e300 * 9e300 WHERE id = 2", "inventory_part", "price", "out_of_range"),
    ("UPDATE inventory_part SET price = 12345678901.5 WHERE id = 2", "inventory_part", "price", "out_of_range"),
    ("UPDATE inventory_part SET price = 0 WHERE id = 2", "inventory_part", "price", "rule_broken"),
    ("UPDATE inventory_part SET price = -3 WHERE id = 2", "inventory_part", "price", "rule_broken"),
    ("UPDATE inventory_part SET status = 'LOST' WHERE id = 2", "inventory_part", "status", "rule_broken"),
    ("UPDATE inventory_part SET currency = 'XYZ' WHERE id = 2", "inventory_part", "currency", "rule_broken"),
    ("UPDATE leads_lead SET score = 101 WHERE id = 2", "leads_lead", "score", "rule_broken"),
    ("UPDATE leads_lead SET score = 40000 WHERE id = 2", "leads_lead", "score", "out_of_range"),
    ("UPDATE leads_lead SET score = 'high' WHERE id = 2", "leads_lead", "score", "not_an_integer"),
    ("UPDATE leads_lead SET score = 1.5 WHERE id = 2", "leads_lead", "score", "not_an_integer"),
    ("UPDATE leads_lead SET name = printf('%201c', 'x') WHERE id = 2", "leads_lead", "name", "too_long"),
    ("UPDATE leads_lead SET message = 'a' || char(0) || 'b' WHERE id = 2", "leads_lead", "message", "nul_byte"),
    ("UPDATE leads_lead SET message = CAST(x'48e46d' AS TEXT) WHERE id = 2", "leads_lead", "message", "invalid_utf8"),
    ("UPDATE leads_lead SET message = CAST(x'eda0bd' AS TEXT) WHERE id = 2", "leads_lead", "message", "invalid_utf8"),
    ("UPDATE leads_lead SET message = x'0102' WHERE id = 2", "leads_lead", "message", "wrong_type"),
    ("UPDATE leads_lead SET created_at = 'soon' WHERE id = 2", "leads_lead", "created_at", "not_a_time"),
    ("UPDATE leads_lead SET created_at = '0000-00-00 00:00:00' WHERE id = 2", "leads_lead", "created_at", "not_a_time"),
    ("UPDATE leads_lead SET created_at = '9999-12-31 23:59:59' WHERE id = 2", "leads_lead", "created_at",
     "out_of_range"),
    ("UPDATE leads_lead SET created_at = '0001-01-01 00:00:00' WHERE id = 2", "leads_lead", "created_at",
     "out_of_range"),
    ("UPDATE leads_lead SET created_at = 1685329532406 WHERE id = 2", "leads_lead", "created_at", "wrong_type"),
    ("UPDATE leads_lead SET ip_address = '1.2.3' WHERE id = 2", "leads_lead", "ip_address", "not_an_address"),
    ("UPDATE leads_lead SET score_factors = '{\"a\": ' WHERE id = 2", "leads_lead", "score_factors", "invalid_json"),
    ("UPDATE leads_lead SET score_factors = 'NaN' WHERE id = 2", "leads_lead", "score_factors", "invalid_json"),
    ("UPDATE leads_lead SET score_factors = '[\"\\u0000\"]' WHERE id = 2", "leads_lead", "score_factors",
     "unstorable_json"),
    ("UPDATE leads_lead SET score_factors = '[\"\\ud83d\"]' WHERE id = 2", "leads_lead", "score_factors",
     "unstorable_json"),
    ("UPDATE accounts_user SET is_verified = 'yes' WHERE id = 2", "accounts_user", "is_verified", "not_a_boolean"),
    ("UPDATE accounts_user SET date_of_birth = '1.2.1990' WHERE id = 2", "accounts_user", "date_of_birth",
     "not_a_date"),
    ("UPDATE accounts_seller SET latitude = 91, longitude = 20 WHERE id = 2", "accounts_seller", "latitude",
     "rule_broken"),
    ("UPDATE accounts_seller SET latitude = 'north' WHERE id = 2", "accounts_seller", "latitude", "not_a_number"),
    ("UPDATE accounts_seller SET rating = 5.5 WHERE id = 2", "accounts_seller", "rating", "rule_broken"),
    ("UPDATE inventory_partimage SET part_id = 999999 WHERE id = 2", "inventory_partimage", "part_id", "orphan"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "table", "column", "reason"), BAD)
def test_a_value_that_does_not_fit_makes_its_row_bad(
    demo: Path, statement: str, table: str, column: str, reason: str
) -> None:
    checked = changed(demo, statement)

    assert checked.bad() == [(table, column, reason)]
    assert checked.loader.tallies[table].bad == 1


def test_a_rule_over_several_columns_names_them_all(demo: Path) -> None:
    checked = changed(demo, "UPDATE inventory_part SET status = 'SOLD', sold_at = NULL WHERE id = 2")

    finding = next(finding for finding in checked.findings if finding.outcome == "bad")
    assert (finding.column, finding.reason) == ("sold_at, status", "rule_broken")
    assert finding.value == {"status": "SOLD", "sold_at": None}


def test_a_row_with_several_bad_columns_is_told_column_by_column_and_counted_once(demo: Path) -> None:
    checked = changed(demo, "UPDATE leads_lead SET score = 'high', created_at = 'soon', status = 'X' WHERE id = 2")

    assert {column for _, column, _ in checked.bad()} >= {"score", "created_at", "status"}
    assert checked.loader.tallies["leads_lead"].bad == 1


def test_secrets_are_not_told(demo: Path) -> None:
    checked = changed(demo, "UPDATE accounts_user SET password = 'hunter2' || char(0) WHERE id = 2")

    (finding,) = [finding for finding in checked.findings if finding.column == "password"]
    assert finding.secret


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        (
            "UPDATE accounts_user SET email = ' Admin2@Example.ORG ' WHERE id = 2",
            ("accounts_user", "email", "normalized", "admin2@example.org"),
        ),
        ("UPDATE inventory_part SET price = 12.345 WHERE id = 2", ("inventory_part", "price", "rounded", "12.35")),
        ("UPDATE inventory_part SET price = 1.005 WHERE id = 2", ("inventory_part", "price", "rounded", "1.01")),
        (
            "UPDATE accounts_user SET date_of_birth = '' WHERE id = 2",
            ("accounts_user", "date_of_birth", "empty_text", None),
        ),
        (
            "UPDATE leads_lead SET assigned_to_id = 999999 WHERE id = 2",
            ("leads_lead", "assigned_to_id", "orphan", None),
        ),
    ],
)
def test_what_was_normalised_or_left_empty_is_noted(demo: Path, statement: str, note: tuple[Any, ...]) -> None:
    checked = changed(demo, statement)

    assert checked.notes() == [note]
    assert checked.bad() == []
    assert checked.loader.tallies[note[0]].noted == 1


def test_what_hangs_on_a_bad_row_is_told_apart(demo: Path) -> None:
    checked = changed(demo, "UPDATE inventory_vehicle SET year = 'unknown' WHERE id = 1")

    assert checked.bad() == [("inventory_vehicle", "year", "not_an_integer")]
    assert ("inventory_part", "vehicle_id", "inventory_vehicle 1") in checked.hanging()
    assert ("inventory_partimage", "part_id", "inventory_part 1") in checked.hanging()
    tallies = checked.loader.tallies
    assert (tallies["inventory_vehicle"].hanging, tallies["inventory_part"].bad) == (0, 0)
    assert tallies["inventory_part"].hanging == len(
        {f.id for f in checked.findings if f.table == "inventory_part" and f.outcome == "bad"}
    )


def test_of_addresses_that_are_the_same_the_one_in_normal_form_stays(demo: Path) -> None:
    checked = changed(
        demo,
        "DROP INDEX user_email_any_case_unique",
        "UPDATE accounts_user SET email = 'SOMEBODY@example.org' WHERE id = 2",
        "UPDATE accounts_user SET email = 'somebody@example.org' WHERE id = 5",
        "UPDATE accounts_user SET email = 'Somebody@example.org ' WHERE id = 7",
    )

    with open_source(demo) as source:
        known = dict(source.execute("SELECT id, public_id FROM accounts_user").fetchall())
    found = [(f.id, f.reason, f.value) for f in checked.findings if f.outcome == "bad" and not f.because_of]
    assert found == [
        (known[7], "duplicate", "Somebody@example.org "),
        (known[2], "duplicate", "SOMEBODY@example.org"),
    ]
    assert f"accounts_user {known[5]} has the same email and keeps it" in checked.findings[0].message


def test_names_that_differ_in_the_case_of_letters_beyond_ascii_are_the_same(demo: Path) -> None:
    checked = changed(
        demo,
        "UPDATE inventory_category SET name = 'Sähköosat' WHERE id = 3",
        "UPDATE inventory_category SET name = 'SÄHKÖOSAT' WHERE id = 4",
    )

    assert ("inventory_category", "name", "duplicate") in checked.bad()


def test_hidden_rows_do_not_count_for_rules_about_the_others(demo: Path) -> None:
    checked = changed(
        demo,
        "UPDATE inventory_category SET name = 'Sähköosat', deleted_at = '2026-01-01 00:00:00' WHERE id = 3",
        "UPDATE inventory_category SET name = 'SÄHKÖOSAT' WHERE id = 4",
    )

    assert checked.bad() == []


def test_a_category_below_a_bad_one_hangs_on_it_wherever_it_stands(demo: Path) -> None:
    with editing(demo) as source:
        source.execute("DELETE FROM inventory_part")
        parent, child, grandchild = (row[0] for row in source.execute("SELECT id FROM inventory_category LIMIT 3"))
        source.execute("UPDATE inventory_category SET parent_id = ? WHERE id = ?", [grandchild, child])
        source.execute("UPDATE inventory_category SET parent_id = ? WHERE id = ?", [child, parent])
        source.execute("UPDATE inventory_category SET parent_id = NULL, sort_order = 'x' WHERE id = ?", [grandchild])

    checked = check(demo)

    assert ("inventory_category", "sort_order", "not_an_integer") in checked.bad()
    assert ("inventory_category", "parent_id", f"inventory_category {grandchild}") in checked.hanging()
    assert ("inventory_category", "parent_id", f"inventory_category {child}") in checked.hanging()


@pytest.mark.parametrize("number", [-7, 0, 2**63 - 1])
def test_a_row_whose_number_cannot_be_a_key_is_bad(demo: Path, number: int) -> None:
    checked = changed(
        demo,
        "PRAGMA foreign_keys = OFF",
        f"UPDATE leads_newslettersubscriber SET id = {number} WHERE id = 2",
    )

    assert checked.bad() == [("leads_newslettersubscriber", "rowid", "key_out_of_range")]


def test_undecodable_text_does_not_hide_the_rows_around_it(demo: Path) -> None:
    checked = changed(
        demo,
        "UPDATE analytics_pageview SET path = CAST(x'2fe4' AS TEXT) WHERE id % 400 = 0",
        "UPDATE analytics_pageview SET load_time_ms = 'slow' WHERE id % 400 = 1",
    )

    with open_source(demo) as source:
        ((undecodable, slow, rows),) = source.execute(
            "SELECT sum(id % 400 = 0), sum(id % 400 = 1), count(*) FROM analytics_pageview"
        )
    reasons = [reason for _, _, reason in checked.bad()]
    assert (reasons.count("invalid_utf8"), reasons.count("not_an_integer")) == (undecodable, slow)
    assert checked.loader.tallies["analytics_pageview"].moved == rows - undecodable - slow


# The cells, against what PostgreSQL itself prints.

addresses = st.one_of(
    st.ip_addresses(),
    st.integers(0, 2**48).map(ipaddress.IPv6Address),
    st.integers(0, 2**32 - 1).map(lambda number: ipaddress.IPv6Address((0xFFFF << 32) + number)),
)


def printed(url: str, kind: str, cells: list[str]) -> list[str]:
    """Return what PostgreSQL's COPY prints for cells that it was given by COPY."""
    with psycopg.connect(url) as session, session.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(f"CREATE TEMP TABLE printed (n int, cell {kind})")
        with cursor.copy("COPY printed FROM STDIN") as copy:
            for number, cell in enumerate(cells):
                copy.write(f"{number}\t{cell}\n")
        with cursor.copy("COPY (SELECT cell FROM printed ORDER BY n) TO STDOUT") as copy:
            return [bytes(line).decode().removesuffix("\n") for line in copy]


@pytest.mark.postgres_only
@settings(max_examples=20, deadline=None)
@given(found=st.lists(addresses, min_size=1, max_size=200))
def test_addresses_are_spelled_as_postgresql_spells_them(
    database_url: str, found: list[ipaddress.IPv4Address | ipaddress.IPv6Address]
) -> None:
    cells = [address_cell(address) for address in found]

    assert printed(database_url, "inet", cells) == cells


def field_of(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


@pytest.mark.postgres_only
@settings(max_examples=20, deadline=None)
@given(found=st.lists(st.one_of(st.floats(0, 9999999999), st.integers(0, 9999999999)), min_size=1, max_size=200))
def test_money_is_spelled_as_postgresql_spells_it(database_url: str, found: list[float]) -> None:
    cell = cell_of(field_of(Part, "price"))
    cells = []
    for value in found:
        try:
            cells.append(cell(value))
        except Changed as change:
            cells.append(change.cell)

    assert printed(database_url, "numeric(12, 2)", cells) == cells


TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - as SQLite keeps them


@pytest.mark.postgres_only
@settings(max_examples=20, deadline=None)
@given(found=st.lists(TIMES, min_size=1, max_size=200))
def test_times_are_spelled_as_postgresql_spells_them(database_url: str, found: list[datetime]) -> None:
    cell = cell_of(field_of(Event, "occurred_at"))
    cells = [cell(moment.isoformat(" ")) for moment in found]

    assert printed(database_url, "timestamptz", cells) == cells


def test_an_address_of_one_interface_is_none_that_the_target_takes() -> None:
    with pytest.raises(BadValue):
        cell_of(field_of(Lead, "ip_address"))("fe80::1%eth0")


@pytest.mark.parametrize(
    ("model", "name", "value", "cell"),
    [
        (User, "is_active", 1, "t"),
        (User, "deleted_at", None, "\\N"),
        (User, "deleted_at", "2026-03-02 12:00:00.500000", "2026-03-02 12:00:00.5+00"),
        (User, "date_of_birth", "1990-02-01", "1990-02-01"),
        (Seller, "latitude", -33, "-33"),
        (Seller, "latitude", 100000.0, "100000"),
        (Seller, "business_hours", '{"b":1,"a":[1.50,true]}', '{"a": [1.50, true], "b": 1}'),
        (Vehicle, "vin", None, "\\N"),
        (Vehicle, "year", 2020, "2020"),
        (Part, "price", 12, "12.00"),
        (Part, "description", "a\tb\\N\n", "a\\tb\\\\N\\n"),
        (Lead, "ip_address", "2001:DB8::0:1", "2001:db8::1"),
    ],
)
def test_a_value_has_its_cell(model: type[models.Model], name: str, value: Any, cell: str) -> None:
    assert cell_of(field_of(model, name))(value) == cell


def test_every_field_of_every_model_has_a_cell() -> None:
    for model in ForecourtLayout().models:
        for column in model._meta.concrete_fields:
            assert callable(cell_of(column))


def test_parents_come_before_what_leads_to_them() -> None:
    order = list(ForecourtLayout().models)

    for model in order:
        for column in model._meta.concrete_fields:
            if isinstance(column, models.ForeignKey) and column.remote_field.model is not model:
                assert order.index(column.remote_field.model) < order.index(model)


def test_a_finding_is_told_with_plain_types() -> None:
    from config.ops.transfer.findings import as_dict

    finding = Finding("bad", "leads_lead", "1", "message", "invalid_utf8", "no text", "H\udce4m" + "x" * 10_000)

    told = json.loads(json.dumps(as_dict(finding)))

    assert told["value"] == {"hex": ("48e46d" + "78" * 77), "bytes": 10_003}
