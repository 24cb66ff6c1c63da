"""Commands that tests run in copies of one loaded process are what they are when each starts from nothing."""

from __future__ import annotations

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


def outcome(
    way: Callable[..., CompletedProcess[str]], arguments: list[str], environment: dict[str, str]
) -> tuple[int, str, str]:
    done = way(*arguments, environment=environment)
    return done.returncode, done.stdout, done.stderr
