"""Who connects while the server is away tries again where that may help, and never repeats a statement."""

from __future__ import annotations

import psycopg
import pytest

from config.db.connecting import patiently

AWAY = "postgresql://forecourt@127.0.0.1:1/stock"


def test_a_server_that_is_away_is_tried_again_after_one_two_and_four_seconds() -> None:
    waits: list[float] = []
    with pytest.raises(psycopg.OperationalError):
        patiently(lambda: psycopg.connect(AWAY), retries=3, sleep=waits.append, dice=lambda: 0.5)
    assert waits == [1.0, 2.0, 4.0]


def test_each_wait_is_a_quarter_shorter_to_a_quarter_longer() -> None:
    waits: list[float] = []
    dice = iter([0.0, 1.0])
    with pytest.raises(psycopg.OperationalError):
        patiently(lambda: psycopg.connect(AWAY), retries=2, sleep=waits.append, dice=lambda: next(dice))
    assert waits == [0.75, 2.5]


@pytest.mark.postgres_only
def test_a_server_that_comes_meanwhile_is_used(database_url: str) -> None:
    addresses = iter([AWAY, AWAY, database_url])
    waits: list[float] = []
    with patiently(lambda: psycopg.connect(next(addresses)), retries=3, sleep=waits.append) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    assert len(waits) == 2


@pytest.mark.postgres_only
def test_a_refusal_that_waiting_does_not_change_is_told_at_once(database_url: str) -> None:
    waits: list[float] = []
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        patiently(lambda: psycopg.connect(database_url, dbname="nothing_here"), retries=3, sleep=waits.append)
    assert waits == []


def test_what_serves_requests_does_not_wait() -> None:
    with pytest.raises(psycopg.OperationalError):
        patiently(lambda: psycopg.connect(AWAY))
