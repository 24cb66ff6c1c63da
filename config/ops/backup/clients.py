"""PostgreSQL's client programs: which to run for a server, and how to hand over a connection without showing it."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from psycopg import pq

from config.db.errors import Refused
from config.ops.programs import POSTGRESQL, Search, Wanted, candidates, wheel_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.postgresql.base import DatabaseWrapper

# Settings of the session, such as the web's statement limit: the programs set their own.
NOT_FOR_PROGRAMS = {"options", "password"}


@dataclass(frozen=True, slots=True)
class Client:
    """A program that was found; `version` is as it says, such as "15.18"."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        """The major version."""
        return int(re.split(r"\D", self.version)[0])


def client_program(name: str, server_major: int, search: Search | None = None) -> Client:
    """Return the program `name` that fits a server: of its major version, else the next newer one.

    An older one would leave things out without a word. Raises Refused with the package to install.
    """
    found: list[Client] = []
    for client in _installed(name, search or Search()):
        if client.major == server_major:
            return client
        found.append(client)
    if newer := [client for client in found if client.major > server_major]:
        return min(newer, key=lambda client: client.major)
    have = f"{name} here is version {max(client.version for client in found)}" if found else f"{name} is not installed"
    raise Refused(
        f"The server is PostgreSQL {server_major} and {have}: install version {server_major} "
        f"(Debian and Ubuntu: postgresql-client-{server_major}, Fedora: postgresql{server_major}, "
        f"Alpine: postgresql{server_major}-client, Homebrew: postgresql@{server_major}) or put it on PATH."
    )


def same_major(name: str, major: int, search: Search | None = None) -> Client:
    """Return the program `name` of exactly this major version, which the files of a server need. Raises Refused."""
    for client in _installed(name, search or Search()):
        if client.major == major:
            return client
    raise Refused(
        f"The files are of PostgreSQL {major} and {name} of that version is not here: install PostgreSQL {major} "
        f"(Debian and Ubuntu: postgresql-{major}, Fedora: postgresql{major}-server, Alpine: postgresql{major}, "
        f"Homebrew: postgresql@{major}) or put it on PATH."
    )


def newest_client(name: str, search: Search | None = None) -> Client:
    """Return the newest program `name` of this machine: it reads the files of all older ones. Raises Refused."""
    found = list(_installed(name, search or Search()))
    if not found:
        raise Refused(f"{name} is not installed: install PostgreSQL's client programs (postgresql-client).")
    return max(found, key=lambda client: client.major)


def _installed(name: str, search: Search) -> Iterator[Client]:
    beside_the_server = f"{Path(POSTGRESQL.wheel).parent}/{name}"
    wanted = Wanted(
        name=name,
        names=(name,),
        packages={},
        advice="",
        companions=("pg_restore",),
        folders=POSTGRESQL.folders,
        wheel=beside_the_server if search.anywhere else "",
    )
    paths = [*candidates(wanted, search), *([wheel] if wanted.wheel and (wheel := wheel_program(wanted)) else [])]
    for path in dict.fromkeys(paths):
        # Debian's own wrapper has another name; it would only start one of those in the versions' folders.
        if path.name != name:
            continue
        with suppress(OSError, subprocess.SubprocessError):
            told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
            if version := re.search(r"\(PostgreSQL\) (\d[\w.]*)", told):
                yield Client(path, version[1])


def connection_environment(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return this process's environment with the database to connect to in libpq's own variables.

    The password must not stand on a command line, which every user of the machine can read.
    """
    parameters = cast("DatabaseWrapper", connection).get_connection_params()
    variables = {
        option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar
    }
    given = {
        variables[name]: str(value)
        for name, value in parameters.items()
        if name in variables and name not in NOT_FOR_PROGRAMS and value not in (None, "")
    }
    if parameters.get("password"):
        given["PGPASSWORD"] = str(parameters["password"])
    return {**os.environ, **given}
