"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import caches
from django.db import connections
from pytest_django.plugin import blocking_manager_key

from accounts.roles import install_roles
from tests.servers import engine


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """Put SQLite's test database into a file: in memory it locks and journals differently."""
    if engine() == "sqlite":
        settings = connections["default"].settings_dict
        settings["TEST"]["NAME"] = str(Path(settings["NAME"]).with_name("test.sqlite3"))
    request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


@pytest.fixture(scope="session")
def database_url() -> str:
    """The server under test, for tests that make databases of their own beside Django's."""
    return os.environ["DATABASE_URL"]


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis database that belongs to this worker alone."""
    return os.environ["REDIS_URL"]


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Generator[None]:
    """Hash passwords in one round: a million take half a second, and here nobody guesses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1)
        yield


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Start every test with nothing cached."""
    for cache in caches.all(initialized_only=True):
        cache.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Put the roles back that a flush took: they come from a migration, and a flush empties every table."""
    yield
    # After the last test the database is gone as well.
    if nextitem is not None and flushes(item):
        with item.config.stash[blocking_manager_key].unblock():
            install_roles(apps)


def flushes(item: pytest.Item) -> bool:
    """Whether pytest-django empties the database after this test, because it commits for real."""
    marker = item.get_closest_marker("django_db")
    fixtures = getattr(item, "fixturenames", ())
    by_fixture = not {"transactional_db", "live_server"}.isdisjoint(fixtures)
    return by_fixture or (marker is not None and bool(marker.kwargs.get("transaction")))
