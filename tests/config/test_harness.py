from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection

from accounts.models import User
from accounts.models.users import Role
from accounts.roles import ROLE_PERMISSIONS
from tests.builders import make_user
from tests.servers import engine


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_tests_that_commit_leave_the_database_as_the_migrations_made_it(turn: str) -> None:
    assert not User.objects.exists(), turn
    assert set(Group.objects.values_list("name", flat=True)) == {*ROLE_PERMISSIONS, "SUPER_ADMIN"}, turn
    viewer = Group.objects.get(name="VIEWER")
    assert viewer.permissions.count() == len(ROLE_PERMISSIONS["VIEWER"]), turn

    make_user(Role.VIEWER).groups.add(viewer, Group.objects.create(name="Interns"))
    viewer.permissions.clear()
    Group.objects.filter(name="SELLER").delete()
    ContentType.objects.filter(model="car").delete()


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
