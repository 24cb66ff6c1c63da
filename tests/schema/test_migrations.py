"""Migrations: forwards, backwards, forwards; nothing missing; one kind of change in each."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL

from config.ops.schema import Catalog, differences, read_catalog
from config.ops.scratch import child_environment, connected, migrate_from_zero, scratch_url
from tests.commands import manage
from tests.schema.rows import APPS

# Unapplying accounts takes along whatever depends on people.
BACKWARDS = ("accounts", "admin", "auth", "contenttypes", "sessions")


def migrate(url: str, *arguments: str) -> None:
    done = manage("migrate", "--no-input", "--skip-checks", *arguments, environment=child_environment(url))
    assert done.returncode == 0, done.stderr


def catalog_of(url: str) -> Catalog:
    with connected(url) as database:
        return read_catalog(database)


@pytest.mark.django_db
@pytest.mark.timeout(300)
def test_all_the_way_forward_back_to_zero_and_forward_again() -> None:
    with scratch_url(connection) as url:
        migrate_from_zero(url)
        there = catalog_of(url)
        assert ("table", "accounts_user") in there

        for app in BACKWARDS:
            migrate(url, app, "zero")
        assert {name for kind, name in catalog_of(url) if kind == "table"} == {"django_migrations"}

        migrate(url)
        assert differences(there, catalog_of(url)) == []


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    output = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=output)
    assert output.getvalue().strip() == "No changes detected"


def test_no_migration_mixes_data_with_schema() -> None:
    mixed = []
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        kinds = {isinstance(operation, RunPython) for operation in migration.operations}
        if app in APPS and len(kinds) == 2:
            mixed.append(f"{app}.{name}")
    assert mixed == []


def test_every_migration_of_ours_can_be_undone() -> None:
    one_way = [
        f"{app}.{name}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        for operation in migration.operations
        if app in APPS and isinstance(operation, RunPython | RunSQL) and not operation.reversible
    ]
    assert one_way == []
