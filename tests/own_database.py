"""A pytest plugin: fixtures for tests that do as they like with a database of their own.

A pattern is a database that takes long to make: all workers copy the one that the first of them made.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from config.database_url import url_of
from config.ops.scratch import connected, migrate_from_zero
from tests import commands
from tests.config.databases import Manage, settings_of
from tests.servers import engine, worker_number

RUN = "FORECOURT_TEST_RUN"


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
def pattern(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> str:
    """A database with all migrations applied, to be copied: whoever stays connected keeps others from it."""
    if engine() == "sqlite":
        url = f"sqlite:///{shared_folder(tmp_path_factory) / 'pattern.sqlite3'}"
        made_once(tmp_path_factory, "pattern", lambda: migrate_from_zero(url))
        return url

    def make() -> None:
        with psycopg.connect(database_url, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate_from_zero(url)

    name = pattern_name("migrated")
    url = url_of(settings_of(database_url), name=name)
    made_once(tmp_path_factory, name, make)
    return url


def pattern_name(kind: str) -> str:
    """Return the name of this run's pattern on PostgreSQL; it is dropped when the run ends."""
    return f"{os.environ[RUN]}_{kind}"


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run see."""
    return factory.getbasetemp().parent if worker_number() else factory.getbasetemp()


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[], object]) -> None:
    """Make what has this name, unless another worker of this run has; one that is just making it is waited for."""
    made = shared_folder(factory) / f"{name}.made"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            make()
            made.touch()


def pytest_configure() -> None:
    """Give the run a name of its own, which its workers inherit."""
    if not worker_number():
        os.environ[RUN] = f"pattern_{os.getpid()}"


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Drop the run's patterns: the server may not be our own."""
    if worker_number() or engine() == "sqlite" or "DATABASE_URL" not in os.environ:
        return
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        named = server.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [pattern_name("")]
        ).fetchall()
        for (name,) in named:
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
