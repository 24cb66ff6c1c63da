"""Files to move and databases to move them into."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from config.ops.scratch import child_environment
from tests.commands import manage


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Forecourt file without rows of its own; tests move copies of it."""
    path = tmp_path_factory.mktemp("migrated") / "empty.sqlite3"
    done = manage("migrate", "--no-input", "--skip-checks", environment=child_environment(sqlite_url(path)))
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="session")
def demo_file(migrated_file: Path) -> Path:
    """The same with the demo data in it."""
    path = migrated_file.with_name("demo.sqlite3")
    shutil.copy(migrated_file, path)
    seed = ("seed", "--force", "--verbosity", "0", "--now", "2026-03-02T12:00")
    done = manage(*seed, environment=child_environment(sqlite_url(path)))
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def empty(migrated_file: Path, tmp_path: Path) -> Path:
    """A copy of the file without rows."""
    return Path(shutil.copy(migrated_file, tmp_path / "forecourt.sqlite3"))


@pytest.fixture
def demo(demo_file: Path, tmp_path: Path) -> Path:
    """A copy of the demo file."""
    return Path(shutil.copy(demo_file, tmp_path / "demo.sqlite3"))


@pytest.fixture
def any_database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the test connect to databases of its own; it does not touch Django's."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session")
def server_url(database_url: str) -> str:
    """The server's address without a database."""
    return database_url.rpartition("/")[0]


@pytest.fixture(scope="session")
def migrated_database(server_url: str) -> Iterator[str]:
    """The name of a migrated database, to be copied."""
    with new_database(server_url) as name:
        environment = child_environment(f"{server_url}/{name}")
        done = manage("migrate", "--no-input", "--skip-checks", environment=environment)
        assert done.returncode == 0, done.stderr
        yield name


@pytest.fixture
def target(server_url: str, migrated_database: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database of this test's own."""
    with new_database(server_url, template=migrated_database) as name:
        yield f"{server_url}/{name}"


@pytest.fixture
def unmigrated(server_url: str) -> Iterator[str]:
    """The URL of a PostgreSQL database without tables."""
    with new_database(server_url) as name:
        yield f"{server_url}/{name}"


class new_database:  # noqa: N801 - used as a function
    """Make a database for the block."""

    def __init__(self, server_url: str, template: str = "template0") -> None:
        self.name = f"transfer_{secrets.token_hex(4)}"
        self.template, self.server = template, f"{server_url}/postgres"

    def __enter__(self) -> str:
        with psycopg.connect(self.server, autocommit=True) as server:
            way = "STRATEGY FILE_COPY" if server.info.server_version >= 150_000 else ""
            server.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.template} ENCODING 'UTF8' {way}")
        return self.name

    def __exit__(self, *error: object) -> None:
        with psycopg.connect(self.server, autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
