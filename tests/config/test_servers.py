from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
import redis

from config.ops import programs, servers
from config.ops.programs import NO_INSTALL, ProgramNotFound, Search
from config.ops.servers import Account, ServerFailed

ROOT = Path(__file__).resolve().parents[2]
HOLD_BOTH_OPEN = """
import signal, time
# A process started in the background inherits that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from config.ops import servers
with servers.postgresql() as database, servers.valkey() as cache:
    print(database.url, cache.url, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)


@pytest.fixture
def open_folder() -> Generator[Path]:
    """A directory that the servers' account can enter; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="forecourt-kept-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def barren(path: Path, **environment: str) -> Search:
    """A world with nothing but the programs in `path`."""
    return Search(
        environment={"PATH": str(path), NO_INSTALL: "packages,wheels,containers", **environment}, anywhere=False
    )


def make_program(path: Path, version: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{version}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.postgres_only
def test_a_database_url_in_the_environment_wins_and_is_reported(database_url: str, tmp_path: Path) -> None:
    with servers.postgresql(barren(tmp_path, TEST_DATABASE_URL=database_url)) as server:
        assert server.url == database_url
        assert server.source == "TEST_DATABASE_URL"
        assert str(server) == f"PostgreSQL {server.version} (TEST_DATABASE_URL)"


def test_a_redis_url_in_the_environment_wins_and_is_reported(redis_url: str, tmp_path: Path) -> None:
    with servers.valkey(barren(tmp_path, TEST_REDIS_URL=redis_url)) as server:
        assert server.url == redis_url
        assert server.source == "TEST_REDIS_URL"


def test_a_url_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    search = barren(tmp_path, TEST_DATABASE_URL="postgresql://ann:s3cret@%2Fnowhere/shop")
    with pytest.raises(ServerFailed, match="TEST_DATABASE_URL does not answer") as failure, servers.postgresql(search):
        pass
    assert "s3cret" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_pytest_says_in_one_line_which_server_is_missing() -> None:
    environment = {**os.environ, "TEST_REDIS_URL": "unix:///nowhere/socket"}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/config"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip().startswith("ERROR: Redis of TEST_REDIS_URL does not answer")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("wanted", [programs.POSTGRESQL, programs.VALKEY, programs.CHROMIUM], ids=lambda w: w.name)
def test_a_program_found_nowhere_is_one_line_of_advice(wanted: programs.Wanted, tmp_path: Path) -> None:
    with pytest.raises(ProgramNotFound) as failure:
        programs.find(wanted, barren(tmp_path))
    assert str(failure.value) == f"{wanted.name} not found: {wanted.advice}."
    assert "apt-get install" in wanted.advice


def test_a_program_on_the_path_is_taken_under_any_of_its_names(tmp_path: Path) -> None:
    path = make_program(tmp_path / "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    assert programs.find(programs.VALKEY, barren(tmp_path)).path == path
    path = make_program(tmp_path / "valkey-server", "Server v=9.1.2 sha=00000000:0")
    assert programs.find(programs.VALKEY, barren(tmp_path)).path == path


def test_a_server_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    for name in ("postgres", "initdb", "psql", "pg_dump"):
        make_program(tmp_path / name, "postgres (PostgreSQL) 13.9")
    with pytest.raises(ProgramNotFound):
        programs.find(programs.POSTGRESQL, barren(tmp_path))
    make_program(tmp_path / "postgres", "postgres (PostgreSQL) 14.1")
    assert programs.find(programs.POSTGRESQL, barren(tmp_path)).source == "on this machine"


def test_a_postgresql_without_its_companions_is_passed_over(tmp_path: Path) -> None:
    make_program(tmp_path / "postgres", "postgres (PostgreSQL) 17.2")
    with pytest.raises(ProgramNotFound):
        programs.find(programs.POSTGRESQL, barren(tmp_path))


def test_a_browser_named_in_the_environment_comes_first(tmp_path: Path) -> None:
    make_program(tmp_path / "chromium", "Chromium 150.0.1.2")
    named = make_program(tmp_path / "mine", "Chromium 156.0.1.2")
    assert programs.find(programs.CHROMIUM, barren(tmp_path, CHROMIUM=str(named))).path == named


def test_a_named_browser_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    make_program(tmp_path / "chromium", "Chromium 150.0.1.2")
    with pytest.raises(ProgramNotFound, match="CHROMIUM=/nowhere/chromium"):
        programs.find(programs.CHROMIUM, barren(tmp_path, CHROMIUM="/nowhere/chromium"))


def test_a_stand_in_for_chromium_is_passed_over(tmp_path: Path) -> None:
    stand_in = tmp_path / "chromium-browser"
    stand_in.write_text("#!/bin/sh\necho 'install the snap' >&2\nexit 1\n")
    stand_in.chmod(0o755)
    with pytest.raises(ProgramNotFound):
        programs.find(programs.CHROMIUM, barren(tmp_path))


@pytest.mark.usefixtures("own_servers")
def test_a_private_cluster_listens_on_its_socket_alone_and_leaves_nothing_behind() -> None:
    with servers.postgresql() as server, psycopg.connect(server.url) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()
            for name in ("listen_addresses", "unix_socket_directories", "fsync", "server_encoding")
        }
        folder = Path(str(shown["unix_socket_directories"] and shown["unix_socket_directories"][0]))
        assert folder.is_dir()
    assert shown["listen_addresses"] == ("",)
    assert shown["fsync"] == ("off",)
    assert shown["server_encoding"] == ("UTF8",)
    assert not folder.exists()


@pytest.mark.usefixtures("own_servers")
def test_a_private_cluster_folds_the_case_of_letters_beyond_ascii() -> None:
    with servers.postgresql() as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT lower('ÄÖÅÑ'), 'JÄRVI' ILIKE 'järvi'").fetchone() == ("äöåñ", True)


@pytest.mark.usefixtures("own_servers")
def test_a_long_temporary_directory_does_not_break_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("long" * 20)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with servers.valkey() as server:
        assert str(deep) not in server.url


@pytest.mark.usefixtures("own_servers")
def test_servers_with_a_kept_folder_find_their_data_again(open_folder: Path) -> None:
    with servers.postgresql(data=open_folder / "postgresql") as database, psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE car AS SELECT 'Volvo' AS make")
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    with servers.valkey(data=open_folder / "valkey") as cache:
        redis.Redis.from_url(cache.url).set("make", "Volvo")
    with servers.postgresql(data=open_folder / "postgresql") as database, psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT make FROM car").fetchone() == ("Volvo",)
    with servers.valkey(data=open_folder / "valkey") as cache:
        assert redis.Redis.from_url(cache.url).get("make") == b"Volvo"


@pytest.mark.usefixtures("own_servers")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_servers_are_gone_however_their_owner_ends(how: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD_BOTH_OPEN],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        process_group=0,
    )
    assert owner.stdout
    database_url, cache_url = owner.stdout.readline().split()
    cluster = Path(psycopg.conninfo.conninfo_to_dict(database_url)["host"])  # type: ignore[arg-type]  # it names one
    cache = Path(cache_url.removeprefix("unix://").partition("?")[0]).parent
    process_ids = [int((cluster / "data/postmaster.pid").read_text().splitlines()[0]), process_id_of(cache_url)]

    os.killpg(owner.pid, how)
    owner.wait()

    wait_until(lambda: not any([cluster.exists(), cache.exists(), *map(is_running, process_ids)]))


@pytest.mark.usefixtures("own_servers")
def test_a_command_runs_beside_both_servers_and_its_status_is_ours(open_folder: Path) -> None:
    look = "import os, sys; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL']); sys.exit(3)"
    command = [sys.executable, "-m", "config.ops.local", str(open_folder / "servers"), sys.executable, "-c", look]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    announced, found = done.stdout.splitlines()
    assert announced.startswith("Using PostgreSQL ")
    assert [url.partition("://")[0] for url in found.split()] == ["postgresql", "unix"]
    assert (open_folder / "servers" / "postgresql" / "PG_VERSION").is_file()


def process_id_of(url: str) -> int:
    client = redis.Redis.from_url(url)
    return int(client.info("server")["process_id"])


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: object) -> None:
    """Wait for it; what never happens ends in the test's own timeout."""
    assert callable(condition)
    while not condition():
        time.sleep(0.05)


def test_a_server_that_fails_to_start_says_why(open_folder: Path) -> None:
    cluster = open_folder / "postgresql"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("9.1\n")
    with pytest.raises(ServerFailed, match="postgres did not start"), servers.postgresql(data=cluster):
        pass


def test_an_account_may_use_what_the_modes_of_all_folders_above_allow(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name)
        program = make_program(closed / "program", "")
        stranger = Account(uid=os.geteuid() + 54321, gid=os.getegid() + 54321)
        assert not stranger.may_use(program)
        closed.chmod(0o755)
        assert stranger.may_use(program)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///tmp/x/socket?db=0", "unix:///tmp/x/socket?db=3"),
        ("redis://localhost:6379", "redis://localhost:6379/3"),
        ("redis://localhost:6379/", "redis://localhost:6379/3"),
        ("redis://:word@localhost:6379/2?timeout=5", "redis://:word@localhost:6379/5?timeout=5"),
    ],
)
def test_each_worker_counts_its_redis_database_from_the_one_given(url: str, expected: str) -> None:
    assert servers.redis_database(url, 3) == expected
