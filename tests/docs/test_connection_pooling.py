"""What docs/connection-pooling.md tells people to type, typed; its figures; and its configuration with a PgBouncer."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings

from config.ops import servers
from config.settings import _POOL_PRESETS
from tests import commands
from tests.docs.pages import type_commands

PAGE = "connection-pooling.md"
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


@pytest.fixture(scope="module")
def text() -> str:
    return (Path(settings.BASE_DIR) / "docs" / PAGE).read_text(encoding="utf-8")


def configuration(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",))
    (block,) = re.findall(r"^```ini\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    parser.read_string(block)
    return parser


@pytest.mark.django_db
@pytest.mark.any_engine
@pytest.mark.usefixtures("migrated")
def test_every_command_does_what_it_should(url: str, tmp_path: Path) -> None:
    environment = {name: os.environ[name] for name in ("HOME", "LANG", "REDIS_URL") if name in os.environ}
    type_commands(PAGE, folder=tmp_path, environment=environment | {"ENV_FILE": os.devnull, "DATABASE_URL": url})


def test_the_limits_are_those_that_were_chosen(text: str) -> None:
    wanted = {
        "pool_mode": "transaction", "listen_port": "6432", "max_client_conn": "1000", "default_pool_size": "25",
        "min_pool_size": "10", "reserve_pool_size": "5", "reserve_pool_timeout": "3", "max_db_connections": "50",
        "server_idle_timeout": "600", "server_lifetime": "3600", "query_wait_timeout": "120",
    }  # fmt: skip
    found = dict(configuration(text)["pgbouncer"])
    assert {name: found.get(name) for name in wanted} == wanted


def test_the_table_of_sizes_follows_the_rule(text: str) -> None:
    rows = re.findall(r"^\| [\w, ]+ \| (\d+), SSD \| (\d+) \|", text, re.MULTILINE)
    assert len(rows) == 5
    assert all(int(connections) == 2 * int(cores) + 1 for cores, connections in rows)


def test_the_defaults_are_those_of_the_code(text: str) -> None:
    sizes, waits = ([str(preset[place]) for preset in _POOL_PRESETS.values()] for place in (0, 1))
    assert "{} in development, {} in staging, {} in production |".format(*sizes) in text
    assert "{} in development, {} in staging, {} in production |".format(*waits) in text


@pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed: apt-get install pgbouncer")
@pytest.mark.postgres_only
def test_forecourt_works_through_a_pgbouncer_of_this_configuration(text: str, tmp_path: Path) -> None:
    # Sockets have short names, and the folder of a test is closed to other users.
    with (
        servers.postgresql() as server,
        tempfile.TemporaryDirectory(prefix="forecourt-") as folder,
        pgbouncer(text, Path(folder), server.url) as through,
    ):
        environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "ARCHIVE_DIR": str(tmp_path / "archive")}
        environment |= {"DATABASE_URL": through, "PGBOUNCER": "true", "DIRECT_DATABASE_URL": server.url}
        for arguments in ("check", "migrate -v0", "seed --profile minimal", "maintain", "verify_database"):
            done = commands.manage(*arguments.split(), environment=environment)
            assert done.returncode == 0, done.stderr
        with psycopg.connect(through.replace(":6432/forecourt", ":6432/pgbouncer"), autocommit=True) as console:
            # The console knows no prepared statements.
            console.prepare_threshold = None
            pools = console.execute("SHOW POOLS").fetchall()
        assert any(row[0] == "forecourt" for row in pools)


@contextmanager
def pgbouncer(text: str, folder: Path, server_url: str) -> Generator[str]:
    """Run a PgBouncer with the page's limits in front of a server, and yield the URL that leads through it."""
    parts = psycopg.conninfo.conninfo_to_dict(server_url)
    parser = configuration(text)
    target = f"host={parts['host']} port={parts.get('port', 5432)} dbname={parts['dbname']}"
    parser["databases"]["forecourt"] = target
    parser["pgbouncer"].update(
        {
        "listen_addr": "", "unix_socket_dir": str(folder), "auth_type": "trust",
        "auth_file": str(folder / "userlist.txt"), "admin_users": str(parts["user"]),
        "pidfile": str(folder / "pgbouncer.pid"),
    })  # fmt: skip
    (folder / "userlist.txt").write_text(f'"{parts["user"]}" ""\n')
    with (folder / "pgbouncer.ini").open("w") as file:
        parser.write(file)
    assert PGBOUNCER is not None
    # It refuses to run as root, and must reach the server's socket.
    owner = Path(str(parts["host"])).stat().st_uid
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner, -1)
    process = subprocess.Popen([PGBOUNCER, str(folder / "pgbouncer.ini")], user=owner if os.geteuid() == 0 else None)
    try:
        while not (folder / ".s.PGSQL.6432").exists():
            assert process.poll() is None
            time.sleep(0.05)
        yield f"postgresql://{parts['user']}@{quote(str(folder), safe='')}:6432/forecourt"
    finally:
        process.terminate()
        process.wait()
