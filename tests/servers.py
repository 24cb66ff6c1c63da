"""A pytest plugin: opens the servers before Django reads its settings, and closes them when pytest ends.

`FORECOURT_TEST_ENGINE=postgres` (the default) or `sqlite` chooses the database. With pytest-xdist the controller opens
the servers and every worker has a database of its own on them.
"""

from __future__ import annotations

import contextlib
import gc
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from django.test import SimpleTestCase

from config.ops import servers
from config.ops.programs import ProgramNotFound

ENGINES = ("postgres", "sqlite")
ANY_ENGINE = "any_engine"
HEADER = pytest.StashKey[list[str]]()
OPEN = pytest.StashKey[contextlib.ExitStack]()


def engine() -> str:
    """Return the engine under test. Raises pytest.UsageError if the environment names another."""
    chosen = os.environ.get("FORECOURT_TEST_ENGINE", "postgres")
    if chosen not in ENGINES:
        raise pytest.UsageError(f"FORECOURT_TEST_ENGINE={chosen}: write postgres or sqlite.")
    return chosen


def worker_number() -> int:
    """Return which of the parallel workers we are, counted from 1; 0 is the process that was started by hand."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(name.removeprefix("gw")) + 1 if name else 0


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Open the servers ahead of pytest-django, which loads the settings in this same hook."""
    early_config.stash[OPEN] = contextlib.ExitStack()
    options = early_config.known_args_namespace
    if worker_number():
        os.environ["REDIS_URL"] = _patient(servers.redis_database(os.environ["REDIS_URL"], worker_number()))
    elif not (options.help or options.version):
        try:
            early_config.stash[HEADER] = _open_servers(early_config.stash[OPEN])
        except (ProgramNotFound, servers.ServerFailed) as problem:
            raise pytest.UsageError(str(problem)) from problem
    return (yield)


def _open_servers(stack: contextlib.ExitStack) -> list[str]:
    cache = stack.enter_context(servers.valkey())
    if engine() == "postgres":
        database = stack.enter_context(servers.postgresql())
        os.environ["DATABASE_URL"] = database.url
        name = str(database)
    else:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="forecourt-"))
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'forecourt.sqlite3'}"
        name = "SQLite, in a file"
    os.environ["REDIS_URL"] = _patient(cache.url)
    # A developer's own .env must not change what the tests prove.
    os.environ["ENV_FILE"] = os.devnull
    # A pool holds sessions open, and PostgreSQL drops no database while there is one.
    os.environ["DATABASE_POOL_SIZE"] = "0"
    return [f"database: {name}", f"cache: {cache}"]


def _patient(url: str) -> str:
    """Return the URL of a cache server that is waited for: where tests share a processor, 50 ms pass unnoticed."""
    options = "socket_timeout=10&socket_connect_timeout=10"
    return url if options in url else f"{url}{'&' if '?' in url else '?'}{options}"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers that tie a test to one engine."""
    for name in ENGINES:
        config.addinivalue_line("markers", f"{name}_only: what this proves exists on {name} alone")
    config.addinivalue_line("markers", f"{ANY_ENGINE}: what this proves has nothing to do with the engine")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which servers the run uses."""
    return config.stash.get(HEADER, [])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that belong to the other engine, and on SQLite those for which one engine is enough.

    These are marked, or need no database at all; the run on PostgreSQL has them.
    """
    others = [f"{name}_only" for name in ENGINES if name != engine()]
    left_out = {
        item
        for item in items
        if any(item.get_closest_marker(marker) for marker in others)
        or (engine() == "sqlite" and one_engine_is_enough(item))
    }
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def one_engine_is_enough(item: pytest.Item) -> bool:
    """Whether the test would prove the same once more on the other engine."""
    if item.get_closest_marker("sqlite_only"):
        return False
    return item.get_closest_marker(ANY_ENGINE) is not None or not uses_database(item)


def uses_database(item: pytest.Item) -> bool:
    """Whether the test asks for the database under test, by marker, fixture or Django's own test classes."""
    fixtures = {"database_url", "db", "live_server", "transactional_db"}
    return (
        item.get_closest_marker("django_db") is not None
        or not fixtures.isdisjoint(getattr(item, "fixturenames", ()))
        or issubclass(getattr(item, "cls", None) or object, SimpleTestCase)
    )


def pytest_collection_finish() -> None:
    """Spare the collector the modules and tests, which stay until the end."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what was opened."""
    config.stash[OPEN].close()
