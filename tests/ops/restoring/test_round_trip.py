"""A whole site: seeded, backed up, dropped and restored, every table is equal by content."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from config.ops import servers
from config.ops.backup.manifest import manifest_path, read_manifest
from config.ops.programs import POSTGRESQL, Search, major_version, wheel_program
from config.ops.scratch import connected
from tests import commands
from tests.config.databases import settings_of
from tests.ops.backup.conftest import new_database
from tests.ops.backup.shops import Shop
from tests.ops.restoring.sites import Site
from tests.servers import engine

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def seeded(database_url: str, pattern: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with rows in every table that the demonstration fills."""
    folder = tmp_path_factory.mktemp("round_trip")
    if engine() == "sqlite":
        file = folder / "site.sqlite3"
        with closing(sqlite3.connect(str(settings_of(pattern)["NAME"]))) as source:
            source.execute("VACUUM INTO ?", [str(file)])
        yield seeded_site(f"sqlite:///{file}", folder)
        return
    with new_database(database_url, f"site_{os.getpid()}") as url:
        with psycopg.connect(database_url, autocommit=True) as server:
            server.execute(f"DROP DATABASE site_{os.getpid()}")
            server.execute(f'CREATE DATABASE site_{os.getpid()} TEMPLATE "{settings_of(pattern)["NAME"]}"')
        yield seeded_site(url, folder)


def seeded_site(url: str, folder: Path) -> Site:
    site = site_at(url, folder)
    environment = site.shop.variables(MEDIA_ROOT=str(folder / "media"))
    done = commands.manage("seed", "--profile", "demo", "--verbosity", "0", environment=environment)
    assert done.returncode == 0, done.stderr
    return site


def site_at(url: str, folder: Path, **environment: str) -> Site:
    with connected(url) as connection:
        return Site(Shop(url, connection, folder / "backups", environment))


def backed_up_dropped_and_restored(site: Site) -> Path:
    made = site.shop.manage()
    assert made.returncode == 0, made.stderr
    before = site.content()
    drop(site)
    done = site.restore("latest", "--yes")
    assert done.code == 0, done.err
    assert site.content() == before
    return site.shop.backups()[-1]


def drop(site: Site) -> None:
    if engine() == "sqlite":
        site.file.unlink()
        return
    with psycopg.connect(site.shop.url.replace(f"/{site.name}", "/postgres"), autocommit=True) as session:
        session.execute(f'DROP DATABASE "{site.name}"')


def test_what_was_seeded_dumped_and_dropped_is_equal_once_it_is_restored(seeded: Site) -> None:
    rows, _ = seeded.content()
    assert sum(1 for count in rows.values() if count) > 30

    backed_up_dropped_and_restored(seeded)


@pytest.mark.postgres_only
@pytest.mark.skipif(wheel_program(POSTGRESQL) is None, reason="the newer server's wheel is not installed")
def test_it_is_equal_on_a_newer_server_and_after_another_round_there(seeded: Site, tmp_path: Path) -> None:
    programs = wheel_program(POSTGRESQL)
    assert programs is not None
    path = f"{programs.parent}{os.pathsep}{os.environ['PATH']}"
    assert seeded.shop.manage().returncode == 0
    with servers.postgresql(Search(environment={"PATH": path})) as server:
        newer = site_at(f"{server.url}_new", tmp_path, PATH=path)

        up = newer.restore(str(seeded.shop.backups()[-1]), "--yes")

        assert up.code == 0, up.err
        assert newer.content() == seeded.content()
        there = read_manifest(manifest_path(backed_up_dropped_and_restored(newer)))
        assert there.server_version.split(".")[0] == str(major_version(programs))
        assert newer.content() == seeded.content()
