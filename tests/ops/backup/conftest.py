"""A small database of its own for each test, on the engine under test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from config.database_url import parse_database_url, url_of
from config.ops.scratch import connected
from tests.ops.backup.shops import PROJECT, Shop
from tests.servers import engine

MakeShop = Callable[..., Shop]


@pytest.fixture
def make_shop(tmp_path: Path, database_url: str, db: None) -> Iterator[MakeShop]:
    """Make databases with as many rows as asked for; they are gone after the test."""
    with ExitStack() as opened:

        def make(rows: int = 50, name: str = "shop") -> Shop:
            if engine() == "sqlite":
                url = f"sqlite:///{tmp_path / f'{name}.sqlite3'}"
            else:
                url = opened.enter_context(new_database(database_url, f"{name}_{os.getpid()}"))
            shop = Shop(url, opened.enter_context(connected(url)), tmp_path / "backups")
            shop.fill(rows)
            return shop

        yield make


class new_database:  # noqa: N801 - used as a function
    """A database of the server, for the block."""

    def __init__(self, server: str, name: str) -> None:
        self.server, self.name = server, name

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as session:
            session.execute(sql.SQL(statement).format(sql.Identifier(self.name)))

    def __enter__(self) -> str:
        self.execute("CREATE DATABASE {}")
        parsed = parse_database_url("DATABASE_URL", self.server, PROJECT).config
        return url_of(parsed | {"OPTIONS": parsed.get("OPTIONS", {})}, name=self.name)

    def __exit__(self, *exception: object) -> None:
        self.execute("DROP DATABASE {} WITH (FORCE)")


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    """A database with 50 cars."""
    return make_shop()
