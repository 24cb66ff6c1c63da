"""A site of its own for each test, on the engine under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from config.ops.restoring.kept import kept_by_restores, remove
from tests.ops.backup.conftest import MakeShop, make_shop
from tests.ops.restoring.sites import Site

__all__ = ["make_shop"]

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(make_shop: MakeShop) -> Iterator[MakeSite]:
    """Make databases with as many rows as asked for; they are gone after the test, with what restores kept."""
    sites: list[Site] = []

    def make(rows: int = 50, name: str = "shop") -> Site:
        site = Site(make_shop(rows, name))
        site.shop.connection.close()
        sites.append(site)
        return site

    yield make
    for site in sites:
        site.shop.connection.close()
        remove(site.shop.connection, kept_by_restores(site.shop.connection))


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A database with 50 cars."""
    return make_site()
