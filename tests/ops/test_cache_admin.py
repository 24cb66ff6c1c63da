"""`manage.py cache_admin`: is the cache server there, how is it, and emptying what is ours."""

from __future__ import annotations

import json
import os
from io import StringIO

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import override_settings
from django_redis import get_redis_connection

from config.ops.cache import BATCH_KEYS
from tests.commands import inherited, manage


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("cache_admin", *arguments, stdout=out)
    return out.getvalue()


def test_ping_says_how_long_the_answer_took() -> None:
    assert run("ping").startswith("answer_ms  ")
    assert json.loads(run("ping", "--json"))["answer_ms"] > 0


def test_info_tells_memory_hits_and_how_many_keys_are_ours() -> None:
    cache.set("car:1", 1)
    server = get_redis_connection("default")
    server.set("somebody-elses", "1")
    about = json.loads(run("info", "--json"))
    assert (about["all_keys"], about["own_keys"]) == (2, 1)
    assert about["used_memory"] > 0
    assert {"keyspace_hits", "keyspace_misses", "evicted_keys"} <= about.keys()


def test_flush_removes_our_keys_of_every_version_and_nothing_of_anybody_else() -> None:
    server = get_redis_connection("default")
    server.set("somebody-elses", "1")
    server.set("forecourtish:1:car", "1")
    cache.set_many({f"car:{number}": number for number in range(BATCH_KEYS + 5)})
    cache.set("car:1", "new", version=2)
    assert run("flush", "--yes") == f"removed  {BATCH_KEYS + 6}\n"
    assert cache.get("car:1") is None
    assert cache.get("car:1", version=2) is None
    assert {key.decode() for key in server.scan_iter()} == {"somebody-elses", "forecourtish:1:car"}


def test_flush_asks_first_and_without_anybody_to_ask_removes_nothing() -> None:
    cache.set("car:1", 1)
    environment = {"REDIS_URL": settings.REDIS_URL, "DATABASE_URL": os.environ["DATABASE_URL"]}
    refused = manage("cache_admin", "flush", environment=inherited() | environment)
    assert refused.returncode == 1
    assert refused.stderr == "CommandError: Nobody is there to ask: add --yes.\n"
    assert cache.get("car:1") == 1


def test_a_server_that_does_not_answer_is_an_error_without_its_password() -> None:
    away = manage("cache_admin", "ping", environment=inherited() | {"REDIS_URL": "redis://:hush@127.0.0.1:1/0"})
    assert away.returncode == 1
    assert "The cache server of REDIS_URL does not answer" in away.stderr
    assert "hush" not in away.stderr
    assert "Traceback" not in away.stderr


def test_without_a_server_there_is_nothing_to_ask() -> None:
    with override_settings(REDIS_URL=""), pytest.raises(CommandError, match="REDIS_URL is not set"):
        run("ping")
