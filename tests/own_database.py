"""A pytest plugin: fixtures for tests that do as they like with a database of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from config.database_url import url_of
from config.ops.scratch import connected, migrate_from_zero
from tests import commands
from tests.config.databases import Manage, settings_of
from tests.servers import engine


@pytest.fixture
def url(tmp_path: Path, database_url: str) -> Iterator[str]:
    """An empty database of the engine under test, which the test may do with as it likes."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'own.sqlite3'}"
        return
    name = f"own_{os.getpid()}_{tmp_path.parent.name}_{tmp_path.name}"[:60].lower()
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield url_of(settings_of(database_url), name=name)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[str]:
    """A database with all migrations applied, made once and copied by `migrated`."""
    if engine() == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('pattern') / 'pattern.sqlite3'}"
        migrate_from_zero(url)
        yield url
        return
    name = f"pattern_{os.getpid()}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = url_of(settings_of(database_url), name=name)
        try:
            migrate_from_zero(url)
            yield url
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def migrated(url: str, pattern: str, database_url: str) -> None:
    """Apply all migrations to the test's own database, the quick way."""
    own, other = settings_of(url)["NAME"], settings_of(pattern)["NAME"]
    if engine() == "sqlite":
        with connected(pattern) as source, source.cursor() as cursor:
            cursor.execute(f"VACUUM INTO '{own}'")
        return
    copy_database(str(other), str(own), database_url)


def copy_database(source: str, target: str, server_url: str) -> None:
    """Let the PostgreSQL database `target` be what `source` is."""
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(target)))
        # Since version 15 the server would write every page into its log, which takes it a multiple of the time.
        way = sql.SQL("STRATEGY FILE_COPY" if server.info.server_version >= 150_000 else "")
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} {}")
        server.execute(copy.format(sql.Identifier(target), sql.Identifier(source), way))


@pytest.fixture
def manage(url: str) -> Manage:
    """Run manage.py on the test's own database, as a person at a terminal does."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return commands.manage(*arguments, environment=commands.inherited() | {"DATABASE_URL": url} | environment)

    return run


@pytest.fixture
def plain_role(url: str, database_url: str) -> Iterator[str]:
    """The URL of the test's own database for a role that may read and write, and make neither schema nor database."""
    name = f"plain_{os.getpid()}"
    role = sql.Identifier(name)
    with psycopg.connect(database_url, autocommit=True) as server, psycopg.connect(url, autocommit=True) as own:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'plain'").format(role))
        for grant in ("ALL TABLES", "ALL SEQUENCES"):
            own.execute(sql.SQL("GRANT ALL ON {} IN SCHEMA public TO {}").format(sql.SQL(grant), role))
        try:
            yield url_of(settings_of(url) | {"USER": name, "PASSWORD": "plain"})
        finally:
            own.execute(sql.SQL("DROP OWNED BY {}").format(role))
            server.execute(sql.SQL("DROP ROLE {}").format(role))
