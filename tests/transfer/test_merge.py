"""Merging into a database that has rows already: add what is missing, bring the rest up to date, twice is once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from psycopg import sql

from config.ops.transfer.forecourt import ForecourtLayout
from config.ops.transfer.merging import Merge, natural_key, staged_models
from config.ops.transfer.planning import Order, planned
from config.ops.transfer.run import carry_out
from tests.transfer.conftest import sqlite_url
from tests.transfer.moving import Watch, all_rows, catalog, contents, editing, execute, move, query

pytestmark = [pytest.mark.postgres_only, pytest.mark.usefixtures("any_database"), pytest.mark.timeout(300)]

NOW = "'2026-03-02 12:00:00'"


def counts(document: dict[str, list[dict[str, int]]], kind: str) -> int:
    return sum(table[kind] for table in document["merged"])


def merged(source: Path, target: str, *options: str) -> dict[str, dict[str, int]]:
    """Merge and return what it did, by table."""
    done = move(source, "--merge", "--yes", "--json", *options, target=target)
    assert done.code == 0, done.err
    return {entry["table"]: entry for entry in done.json["merged"]}


def total(tables: dict[str, dict[str, int]], kind: str) -> int:
    return sum(entry[kind] for entry in tables.values())


def test_merging_into_an_empty_database_is_moving(demo: Path, target: str) -> None:
    merged(demo, target)

    assert all_rows(target) == all_rows(sqlite_url(demo))


def test_merging_again_creates_and_changes_nothing(demo: Path, target: str) -> None:
    merged(demo, target)
    before = contents(target)

    again = merged(demo, target)

    assert (total(again, "created"), total(again, "changed")) == (0, 0)
    # The merge itself is on record.
    assert contents(target) == before | {"analytics_auditlog": before["analytics_auditlog"] + 1}


def test_merging_after_a_move_creates_and_changes_nothing(demo: Path, target: str) -> None:
    move(demo, "--yes", target=target)

    again = merged(demo, target)

    assert (total(again, "created"), total(again, "changed")) == (0, 0)


def test_what_changed_since_is_changed_and_what_is_new_is_added(demo: Path, target: str) -> None:
    merged(demo, target)
    with editing(demo) as source:
        source.execute("UPDATE inventory_part SET price = 77.7 WHERE id = 1")
        source.execute(
            "INSERT INTO leads_newslettersubscriber (email, name, source, preferences, status, subscribed_at)"
            f" VALUES ('new@example.org', '', '', '{{}}', 'ACTIVE', {NOW})"
        )

    tables = merged(demo, target)

    assert {table: entry["changed"] for table, entry in tables.items() if entry["changed"]} == {"inventory_part": 1}
    assert {table: entry["created"] for table, entry in tables.items() if entry["created"]} == {
        "leads_newslettersubscriber": 1
    }
    assert query(target, "SELECT price::text FROM inventory_part WHERE id = 1") == [("77.70",)]
    assert all_rows(target) == all_rows(sqlite_url(demo))


def test_rows_of_others_stay_and_keys_that_are_taken_are_given_anew(demo: Path, target: str) -> None:
    """The target's own people and cars have the keys that the file's rows had."""
    execute(
        target,
        "INSERT INTO accounts_user (id, password, is_superuser, public_id, created_at, updated_at, email, name,"
        " first_name, last_name, phone, phone_verified, avatar_url, role, status, is_verified, is_active, is_staff,"
        " email_before_delete) OVERRIDING SYSTEM VALUE SELECT n, '', false, 'own-' || n, now(), now(),"
        " 'own' || n || '@example.org', 'Own', '', '', '', false, '', 'BUYER', 'active', false, true, false, ''"
        " FROM generate_series(1, 40) n;"
        "SELECT setval(pg_get_serial_sequence('accounts_user', 'id'), 40)",
    )

    tables = merged(demo, target)

    assert (tables["accounts_user"]["created"], tables["accounts_user"]["changed"]) == (19, 0)
    assert query(target, "SELECT count(*) FROM accounts_user WHERE public_id LIKE 'own-%'") == [(40,)]
    assert query(target, "SELECT min(id) FROM accounts_user WHERE public_id NOT LIKE 'own-%'") == [(41,)]
    owners = "SELECT s.public_id, u.public_id FROM accounts_seller s JOIN accounts_user u ON u.id = s.owner_id"
    with editing(demo) as source:
        assert sorted(query(target, owners)) == sorted(source.execute(owners).fetchall())
    again = merged(demo, target)
    assert (total(again, "created"), total(again, "changed")) == (0, 0)


def test_links_by_content_type_lead_to_the_same_rows_under_their_new_keys(demo: Path, target: str) -> None:
    execute(target, "SELECT setval(pg_get_serial_sequence('inventory_car', 'id'), 5000)")
    with editing(demo) as source:
        (car, public_id) = source.execute("SELECT id, public_id FROM inventory_car LIMIT 1").fetchone()
        (content_type,) = source.execute("SELECT id FROM django_content_type WHERE model = 'car'").fetchone()
        source.execute(
            "INSERT INTO analytics_dailymetric (day, metric, content_type_id, object_id, value, unique_sessions)"
            " VALUES ('2026-03-01', 'views', ?, ?, 7, 3)",
            [content_type, car],
        )
        source.execute(
            "INSERT INTO accounts_integration (created_at, updated_at, service, external_id, content_type_id,"
            f" object_id, internal_id) VALUES ({NOW}, {NOW}, 'kroi', 'k1', ?, ?, '')",
            [content_type, str(car)],
        )

    merged(demo, target)

    for table, kind, condition in (
        ("analytics_dailymetric", "bigint", "t.metric = 'views'"),
        ("accounts_integration", "text", "t.external_id = 'k1'"),
    ):
        assert query(
            target,
            f"SELECT c.public_id, c.id > 5000 FROM {table} t JOIN inventory_car c ON c.id::{kind} = t.object_id"
            " JOIN django_content_type k ON k.id = t.content_type_id AND k.model = 'car'"
            f" WHERE {condition}",
        ) == [(public_id, True)]
    again = merged(demo, target)
    assert (total(again, "created"), total(again, "changed")) == (0, 0)


def test_a_row_that_the_target_has_under_another_id_is_bad(demo: Path, target: str, tmp_path: Path) -> None:
    merged(demo, target)
    execute(target, "UPDATE accounts_user SET public_id = 'another' WHERE email = 'sales@example.org'")
    before = contents(target)
    report = tmp_path / "report.json"

    done = move(demo, "--merge", "--yes", "--report", str(report), target=target)

    assert done.code == 1
    (taken,) = [entry for entry in json.loads(report.read_text())["findings"] if entry["reason"] == "taken"]
    assert (taken["table"], taken["column"], taken["value"]) == ("accounts_user", "email", "sales@example.org")
    assert "accounts_user another of the target has the same email" in taken["message"]
    assert "Nothing was moved, because of the bad rows above" in done.out
    assert contents(target) == before


def test_quarantine_leaves_such_a_row_and_what_hangs_on_it_behind(demo: Path, target: str, tmp_path: Path) -> None:
    merged(demo, target)
    execute(target, "UPDATE accounts_user SET public_id = 'another' WHERE email = 'mike.johnson@example.org'")
    with editing(demo) as source:
        source.execute("UPDATE inventory_part SET price = 77.7 WHERE id = 1")
    report = tmp_path / "report.json"

    done = move(demo, "--merge", "--yes", "--on-error", "quarantine", "--report", str(report), "--json", target=target)

    assert done.code == 3, done.err
    tables = {table["table"]: table for table in done.json["tables"]}
    assert tables["accounts_user"]["bad"] == 1
    assert tables["accounts_seller"]["hanging"] == 1
    for table in tables.values():
        assert table["rows"] == sum(table[kind] for kind in ("moved", "noted", "left_out", "bad", "hanging"))
    assert all(proof["holds"] for proof in done.json["proofs"])
    hanging = [entry for entry in json.loads(report.read_text())["findings"] if entry.get("because_of")]
    assert {entry["table"] for entry in hanging} >= {"accounts_seller", "inventory_vehicle", "inventory_part"}


def test_bad_rows_of_the_file_and_of_the_merge_are_listed_in_one_run(demo: Path, target: str) -> None:
    merged(demo, target)
    execute(target, "UPDATE accounts_user SET public_id = 'another' WHERE email = 'sales@example.org'")
    with editing(demo) as source:
        source.execute("UPDATE inventory_part SET price = 'R 12' WHERE id = 2")

    done = move(demo, "--merge", "--yes", target=target)

    assert done.code == 1
    assert "price: it is no number" in done.err
    assert "of the target has the same email" in done.err


def test_a_rehearsal_of_a_merge_tells_what_it_would_do_and_does_nothing(demo: Path, target: str) -> None:
    merged(demo, target)
    with editing(demo) as source:
        source.execute("UPDATE inventory_part SET price = 77.7 WHERE id = 1")
    before, schema, rows = contents(target), catalog(target), query(target, "SELECT * FROM inventory_part")

    done = move(demo, "--merge", "--dry-run", "--json", target=target)

    assert done.code == 0, done.err
    assert counts(done.json, "changed") == 1
    assert not done.json["committed"]
    assert (contents(target), catalog(target), query(target, "SELECT * FROM inventory_part")) == (before, schema, rows)


def test_content_that_the_target_changes_fails_the_proof_of_a_merge_too(demo: Path, target: str) -> None:
    execute(target, "ALTER TABLE inventory_part ALTER COLUMN name TYPE char(300)")
    before = contents(target)

    done = move(demo, "--merge", "--yes", target=target)

    assert (done.code, "inventory_part does not hold what was sent" in done.err) == (1, True)
    assert contents(target) == before


# However many rows there are.


def test_every_table_that_a_merge_joins_is_analyzed_and_has_its_keys_as_indexes(demo: Path, target: str) -> None:
    unprepared: list[tuple[str]] = []
    with planned(Order(demo, target, merge=True)) as plan:

        def look() -> None:
            assert plan.connection is not None
            with plan.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
                    " AND (reltuples < 0 OR NOT relhasindex)"
                )
                unprepared.extend(cursor.fetchall())

        result = carry_out(plan, now=timezone.now(), watcher=Watch("proof", look))

    assert result.merged
    assert unprepared == []


def test_looking_for_taken_values_compares_no_row_with_every_other(
    demo: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a join by "is another row" would, when the planner expects next to nothing of what has to join."""
    plans: list[str] = []
    rows_of = Merge._rows

    def explained(merge: Merge, statement: sql.Composed) -> list[tuple[Any, ...]]:
        plans.extend(line for (line,) in rows_of(merge, sql.SQL("EXPLAIN ") + statement))
        return rows_of(merge, statement)

    monkeypatch.setattr(Merge, "_rows", explained)
    merged(demo, target)

    assert any("Anti Join" in line for line in plans)
    assert [line for line in plans if "Join Filter" in line and "<>" in line] == []


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("accounts.User", ("public_id",)),
        ("accounts.Language", ("code",)),
        ("accounts.Translation", ("key", "language_id")),
        ("accounts.UserPreference", ("user_id",)),
        ("accounts.StoredFile", ("file_id",)),
        ("inventory.PartImage", ("part_id", "position")),
        ("inventory.CarFeature", ("car_id", "position")),
        ("leads.NewsletterSubscriber", ("email",)),
        ("leads.VoucherCode", ("code",)),
        ("analytics.DailyMetric", ("day", "metric", "content_type_id", "object_id")),
        ("auth.Permission", ("content_type_id", "codename")),
        ("auth.Group", ("name",)),
    ],
)
def test_rows_are_recognised_by(label: str, key: tuple[str, ...]) -> None:
    assert natural_key(apps.get_model(label)) == key


def test_tables_that_hold_keys_of_permissions_and_the_like_are_matched_with_them() -> None:
    layout = ForecourtLayout()

    tables = {model._meta.db_table for model in staged_models(layout.models, layout.matched)}

    assert tables >= {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}
    assert tables >= {"accounts_user_groups", "accounts_integration", "django_admin_log", "analytics_dailymetric"}
    assert "accounts_user" not in tables
