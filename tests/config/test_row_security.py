from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from config.ops.row_security import OWN_ROWS, SETTING, apply_policies
from inventory.models import Part
from tests.builders import make_part, make_seller, make_user, make_voucher

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]


def execute(sql: str, *parameters: Any) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def bound_role(settings: Settings) -> Iterator[None]:
    """Row security on, and the rest of the test as a role that does not own the tables."""
    settings.ENABLE_ROW_SECURITY = True
    apply_policies()
    execute("CREATE ROLE forecourt_bound")
    execute("GRANT USAGE ON SCHEMA public TO forecourt_bound")
    execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO forecourt_bound")
    execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO forecourt_bound")
    execute("SET LOCAL ROLE forecourt_bound")
    yield
    execute("RESET ROLE")


def ask_as(user: User | None) -> None:
    execute("SELECT set_config(%s, %s, true)", SETTING, str(user.pk) if user else "")


def count(table: str) -> object:
    return execute(f"SELECT count(*) FROM {table}")[0][0]


def test_the_database_shows_a_seller_only_own_rows_even_to_raw_sql(bound_role: None) -> None:
    mine, theirs = make_seller(), make_seller()
    make_part(seller=mine)
    make_part(seller=theirs)
    make_voucher(seller=theirs)

    ask_as(mine.owner)

    assert execute("SELECT id FROM accounts_seller") == [(mine.pk,)]
    assert (count("inventory_part"), count("inventory_vehicle"), count("leads_voucher")) == (1, 1, 0)


def test_staff_and_commands_see_every_row(bound_role: None) -> None:
    make_part()
    make_part()

    ask_as(None)

    assert count("inventory_part") == 2


def test_a_seller_can_neither_change_nor_make_rows_of_others_in_raw_sql(bound_role: None) -> None:
    mine, part = make_seller(), make_part()
    ask_as(mine.owner)

    execute("UPDATE inventory_part SET name = 'taken' WHERE id = %s", part.pk)
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        execute(
            "INSERT INTO accounts_sellerlocation (seller_id, latitude, longitude, recorded_at, source)"
            " VALUES (%s, 0, 0, now(), 'gps')",
            part.seller_id,
        )

    ask_as(None)
    part.refresh_from_db()
    assert part.name != "taken"


def test_a_sellers_request_is_bound_and_an_administrators_is_not(bound_role: None, client: Client) -> None:
    mine = make_seller()
    make_part(seller=mine, name="Own gearbox")
    make_part(name="Foreign gearbox")

    client.force_login(mine.owner)
    page = client.get("/admin/inventory/part/").content.decode()
    # What the request set ends with its transaction, which here is the test's.
    ask_as(None)
    client.force_login(make_user("ADMIN"))
    whole = client.get("/admin/inventory/part/").content.decode()

    assert "Own gearbox" in page
    assert "Foreign gearbox" not in page
    assert "Foreign gearbox" in whole


def test_switching_row_security_off_takes_every_policy_away() -> None:
    apply_policies(enabled=True)
    assert count("pg_policies") == len(OWN_ROWS)

    apply_policies(enabled=False)

    assert count("pg_policies") == 0
    assert execute("SELECT count(*) FROM pg_class WHERE relrowsecurity")[0][0] == 0
    assert Part.objects.count() == 0


def test_a_role_that_owns_the_tables_is_warned_that_policies_do_not_bind_it(settings: Settings) -> None:
    settings.ENABLE_ROW_SECURITY = True

    warnings = run_checks(tags=["database"], databases=["default"])

    assert [warning.id for warning in warnings] == ["forecourt.W018"]


def test_a_bound_role_is_not_warned(bound_role: None) -> None:
    assert run_checks(tags=["database"], databases=["default"]) == []
