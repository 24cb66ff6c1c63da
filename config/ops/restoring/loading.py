"""Filling an empty PostgreSQL database with a backup, as fast as the server can and up to the first error."""

from __future__ import annotations

import re
import secrets
import subprocess
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from config.db.errors import Refused
from config.ops.backup.clients import Client, client_program
from config.ops.backup.running import ProgramFailed, Running, running
from config.ops.backup.streams import SQL
from config.ops.restoring.scripts import SETTINGS_SINCE, prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from config.ops.restoring.content import Content, Plain

SESSION_OPTIONS = {
    # What is lost with a power cut is lost with the whole unfinished database; the swap is flushed, and all before it.
    "synchronous_commit": "off",
    # Each processor has a job of its own already; more processes, or compiled queries, would only cost.
    "max_parallel_maintenance_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "client_min_messages": "warning",
}
WATCH_EVERY = 0.5  # seconds
# psql has the mode in which it obeys no command but SQL since these releases.
RESTRICTED_SINCE = {14: 19, 15: 14, 16: 10, 17: 6}
WRITTEN_AT_ONCE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Destination:
    """An empty database: how programs connect to it, the server's major version, and who shall own what is made."""

    environment: dict[str, str]
    server_major: int
    owner: str | None = None


def load(
    plain: Plain,
    into: Destination,
    *,
    jobs: int,
    sections: tuple[str, ...] = (),
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Restore a backup into an empty database; of archives only the `sections`, if some are given.

    `watch` is called now and then. Raises Refused with the first error.
    """
    refuse_unfit(plain.content, into.server_major)
    environment = {**into.environment, "PGOPTIONS": _options(into)}
    try:
        if plain.content.kind == SQL:
            with plain.path.open("rb") as script:
                _run_script(script, plain.path.name, environment, into, watch)
            return
        program = restoring_program(plain.content, into.server_major)
        command = [str(program.path), "--no-owner", "--no-privileges", *(f"--section={name}" for name in sections)]
        if _writes_unknown_settings(program, into.server_major):
            with running([*command, "--file=-", str(plain.path)], environment) as archive:
                _run_script(_output(archive), "the archive as a script", environment, into, watch)
                archive.check()
            return
        command += ["--no-password", "--exit-on-error", f"--dbname={environment['PGDATABASE']}", f"--jobs={jobs}"]
        with running([*command, str(plain.path)], environment, stdout=subprocess.DEVNULL) as restore:
            _wait(restore, watch)
            restore.check()
    except ProgramFailed as failure:
        raise Refused(f"The backup does not restore: {failure}{_advice(str(failure))}") from failure


def restoring_program(content: Content, server_major: int) -> Client:
    """Return the pg_restore that reads the archive and knows the server. Raises Refused."""
    written_by = re.match(r"\d+", content.program_version)
    return client_program("pg_restore", max(server_major, int(written_by[0]) if written_by else 0))


def refuse_unfit(content: Content, server_major: int) -> None:
    """Raise Refused when the dump comes from a newer server than it shall go to, or the program for it is missing."""
    dumped_from = re.match(r"\d+", content.server_version)
    if dumped_from and int(dumped_from[0]) > server_major:
        raise Refused(
            f"The backup comes from PostgreSQL {dumped_from[0]} and the server is {server_major}: a dump goes to the "
            f"same or a newer version only. Give a server of version {dumped_from[0]} with --target."
        )
    if content.kind == SQL:
        client_program("psql", server_major)
    else:
        restoring_program(content, server_major)


def _options(into: Destination) -> str:
    options = {**SESSION_OPTIONS, **({"role": into.owner} if into.owner else {})}
    # libpq splits at blanks that have no backslash before them.
    escaped = {name: re.sub(r"([\\ ])", r"\\\1", value) for name, value in options.items()}
    return " ".join(f"-c {name}={value}" for name, value in escaped.items())


def _writes_unknown_settings(program: Client, server_major: int) -> bool:
    return any(program.major >= since > server_major for since in SETTINGS_SINCE.values())


def _output(program: Running) -> IO[bytes]:
    if program.process.stdout is None:
        raise AssertionError("the program was started with a pipe")
    return program.process.stdout


def _run_script(
    lines: Iterable[bytes], name: str, environment: dict[str, str], into: Destination, watch: Callable[[], None]
) -> None:
    psql = client_program("psql", into.server_major)
    command = [str(psql.path), "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]
    if _has_restricted_mode(psql):
        command.append(f"--command=\\restrict {secrets.token_hex(16)}")
    with running([*command, "--file=-"], environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as restore:
        pipe = restore.process.stdin
        if pipe is None:
            raise AssertionError("the program was started with a pipe")
        try:
            _feed(pipe, prepared(lines, name=name, server_major=into.server_major), watch)
            pipe.close()
        except BrokenPipeError:
            # It ended early; `check` tells why.
            pass
        _wait(restore, watch)
        restore.check()


def _has_restricted_mode(psql: Client) -> bool:
    minor = int([*re.findall(r"\d+", psql.version), "0"][1])
    return psql.major > max(RESTRICTED_SINCE) or minor >= RESTRICTED_SINCE.get(psql.major, minor + 1)


def _feed(pipe: IO[bytes], lines: Iterable[bytes], watch: Callable[[], None]) -> None:
    batch, size = [], 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if size >= WRITTEN_AT_ONCE:
            pipe.write(b"".join(batch))
            batch, size = [], 0
            watch()
    pipe.write(b"".join(batch))


def _wait(program: Running, watch: Callable[[], None]) -> None:
    while True:
        try:
            program.process.wait(WATCH_EVERY)
        except subprocess.TimeoutExpired:
            watch()
        else:
            return


def _advice(said: str) -> str:
    if missing := re.search(r'role "([^"]+)" does not exist', said):
        return f'\nThe script names a role that this server does not have: CREATE ROLE "{missing[1]}" first.'
    if missing := re.search(r'extension "([^"]+)" is not available', said):
        return f"\nInstall the extension {missing[1]} on the server first."
    return ""
