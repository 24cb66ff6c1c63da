from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection

from accounts.roles import ROLE_PERMISSIONS
from tests.servers import engine


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_roles_outlive_the_flush_between_committing_tests(turn: str) -> None:
    groups = Group.objects.filter(name__in=ROLE_PERMISSIONS)
    assert groups.count() == len(ROLE_PERMISSIONS), f"gone before the {turn} test"
    assert Group.objects.get(name="VIEWER").permissions.count() == len(ROLE_PERMISSIONS["VIEWER"])


@pytest.mark.django_db
def test_the_database_is_the_one_that_was_asked_for() -> None:
    assert connection.vendor == {"postgres": "postgresql", "sqlite": "sqlite"}[engine()]


@pytest.mark.django_db
@pytest.mark.sqlite_only
def test_sqlite_is_tested_in_a_file() -> None:
    assert Path(connection.settings_dict["NAME"]).is_file()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_the_cache_is_empty_when_a_test_begins(turn: str) -> None:
    assert cache.get("left over") is None
    cache.set("left over", turn)
    assert cache.get("left over") == turn
