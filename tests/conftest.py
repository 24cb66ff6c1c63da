"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import caches
from django.db import connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from tests.config.databases import settings_of
from tests.emptying import FirstRows
from tests.servers import engine


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """Copy the migrated tables on PostgreSQL, and use a file on SQLite: in memory it locks and journals differently."""
    settings = connections["default"].settings_dict
    if engine() == "sqlite":
        settings["TEST"]["NAME"] = str(Path(settings["NAME"]).with_name("test.sqlite3"))
    else:
        settings["TEST"]["TEMPLATE"] = settings_of(request.getfixturevalue("pattern"))["NAME"]
    request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    """Let tests that commit leave a database as the migrations made it."""
    with django_db_blocker.unblock():
        first_rows = FirstRows("default")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: first_rows.restore())
        yield


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
    """Start every test with nothing cached, by other processes and event loops neither."""
    for cache in caches.all():
        cache.clear()
