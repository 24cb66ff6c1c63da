"""Commands that tests run in copies of one loaded process are what they are when each starts from nothing."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from tests import commands

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["verify_start"], {}),
        (["migration_status", "--json"], {"SCHEMA_PER_APP": "true"}),
        (["verify_start"], {"DATABASE_URL": "postgresql://user:hush@127.0.0.1:1/stock"}),
        (["check"], {"TIME_ZONE": "Europe/Belgium"}),
        (["maintain", "--nonsense"], {}),
        (["backup", "--list"], {"BACKUP_DIR": "/nowhere/at/all"}),
        (["restore", "latest"], {"BACKUP_DIR": "/nowhere/at/all"}),
    ],
    ids=" ".join,
)
def test_a_command_ends_and_says_the_same_either_way(url: str, arguments: list[str], variables: dict[str, str]) -> None:
    environment = commands.inherited() | {"DATABASE_URL": url} | variables
    copied, started = (outcome(way, arguments, environment) for way in (commands.manage, commands.manage_from_nothing))
    assert copied == started


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["schema_diff"], 128 + signal.SIGINT, "Stopped.\n"),
        (["verify_database"], 128 + signal.SIGINT, "Stopped.\n"),
        (["dbhealth"], 3, "UNKNOWN: Stopped.\n"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_ctrl_c_is_one_line(arguments: list[str], code: int, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/stock"
        process = subprocess.Popen(
            [*commands.MANAGE, *arguments],
            env=commands.inherited() | {"DATABASE_URL": url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=commands.hear,  # noqa: PLW1509 - this process has one thread
        )
        with silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate()
    assert (process.returncode, out, errors) == (code, "", said)


def outcome(
    way: Callable[..., CompletedProcess[str]], arguments: list[str], environment: dict[str, str]
) -> tuple[int, str, str]:
    done = way(*arguments, environment=environment)
    return done.returncode, done.stdout, done.stderr
