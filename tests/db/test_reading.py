"""Statements of our own: their plans and texts are kept, what is in them is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.db.reading import Money, fetch, shaped
from inventory.models import Car
from inventory.queries import CarFilters, car_list
from tests.builders import NOON, make_car


@pytest.fixture
def other(transactional_db: None, database_url: str) -> Iterator[psycopg.Connection]:
    """Another session in the database under test, with a table that is not ours."""
    with psycopg.connect(database_url, dbname=connection.settings_dict["NAME"], autocommit=True) as session:
        session.execute("CREATE TABLE kept AS SELECT 'Skoda'::varchar(20) AS make")
        yield session
        session.execute("DROP TABLE kept")


@pytest.mark.postgres_only
def test_a_kept_plan_outlives_a_migration_of_its_columns(other: psycopg.Connection) -> None:
    def ask() -> list[tuple[str]]:
        return fetch(Car, "SELECT make FROM kept WHERE make = %s", ["Skoda"])

    for _ in range(4):
        assert ask() == [("Skoda",)]
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%FROM kept%%'"
    plans = fetch(Car, kept, keep_plan=False)
    assert plans == [(1,)]
    other.execute("ALTER TABLE kept ALTER make TYPE varchar(50)")
    assert ask() == [("Skoda",)]


@pytest.mark.django_db
def test_a_list_that_is_asked_again_is_that_of_the_present_moment() -> None:
    make_car(slug="early", published_at=NOON)
    make_car(slug="late", published_at=NOON + timedelta(hours=1), make="Volvo")
    later = NOON + timedelta(hours=2)
    for _ in range(2):
        for filters, now, slugs in (
            (CarFilters(), NOON, ["early"]),
            (CarFilters(), later, ["late", "early"]),
            (CarFilters(make="skoda"), later, ["early"]),
            (CarFilters(make="volvo"), NOON, []),
            (CarFilters(make="volvo"), later, ["late"]),
        ):
            assert [car.slug for car in car_list(filters, now=now).items] == slugs


def test_a_row_that_is_shaped_cannot_be_told_from_one_that_was_made_as_usual() -> None:
    amount = shaped(Money, Decimal(5), "EUR")
    assert (type(amount), amount, hash(amount)) == (Money, Money(Decimal(5), "EUR"), hash(Money(Decimal(5), "EUR")))
    with pytest.raises(FrozenInstanceError):
        amount.currency = "ZAR"  # type: ignore[misc]  # that is the point


@pytest.mark.django_db
def test_a_statement_is_told_with_its_values() -> None:
    make_car(slug="one")
    with CaptureQueriesContext(connection) as queries:
        fetch(Car, "SELECT name FROM inventory_car WHERE slug = %s", ["one"])
    assert queries.captured_queries[0]["sql"] == "SELECT name FROM inventory_car WHERE slug = 'one'"
