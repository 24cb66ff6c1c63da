"""What the settings make of an environment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.commands import inherited, manage_from_nothing, manage_with_apps_loaded
from tests.config.variables import example_variables

SECRET = "kJ8#mQ2$vX5^zR7&wT4*yU9!aS3@dF6%gH1+bN0=cL_pE-iO~" + "x7"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": SECRET,
    "FIELD_ENCRYPTION_KEYS": SECRET[::-1],
    "ALLOWED_HOSTS": "admin.example.org",
    "DATABASE_URL": "postgresql://forecourt:hush@db.example.org/forecourt",
    "REDIS_URL": "redis://cache.example.org:6379/0",
}


def settings_of(environment: dict[str, str], *names: str) -> dict[str, object]:
    """Return these settings as a command in such an environment sees them."""
    code = (
        "import json; from django.conf import settings as s; "
        f"print(json.dumps({{n: getattr(s, n) for n in {names}}}, default=lambda function: function.__qualname__))"
    )
    result = manage_with_apps_loaded("shell", "--no-imports", "-c", code, environment=inherited() | environment)
    assert result.returncode == 0, result.stderr
    loaded: dict[str, object] = json.loads(result.stdout)
    return loaded


def test_a_deployment_check_of_production_finds_nothing() -> None:
    environment = inherited() | PRODUCTION
    result = manage_from_nothing("check", "--deploy", "--fail-level", "DEBUG", environment=environment)
    assert (result.returncode, result.stdout) == (0, "System check identified no issues (0 silenced).\n"), result.stderr


def test_only_development_has_commands_that_print_secrets() -> None:
    for environment in ({}, PRODUCTION):
        listed = manage_from_nothing("help", "--commands", environment=inherited() | environment).stdout.split()
        assert ("print_settings" in listed) is (environment == {})


def test_the_example_file_is_a_valid_environment_that_changes_nothing(tmp_path: Path) -> None:
    example = {variable.name: variable.default for variable in example_variables()}
    names = ("DEBUG", "TIME_ZONE", "DATABASES", "MIGRATION_LOCK_TIMEOUT", "CACHES", "LOGGING", "PGBOUNCER")
    assert settings_of(example | {"ENV_FILE": os.devnull}, *names) == settings_of({}, *names)


def test_an_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("TIME_ZONE=Europe/Helsinki\nADMIN_EMAIL=file@example.org\n")
    seen = settings_of({"ENV_FILE": str(file), "ADMIN_EMAIL": "own@example.org"}, "TIME_ZONE", "ADMIN_EMAIL")
    assert seen == {"TIME_ZONE": "Europe/Helsinki", "ADMIN_EMAIL": "own@example.org"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"DEBUG": "yess"}, "Error: DEBUG='yess' is neither true nor false: write true or false."),
        ({"TIME_ZONE": "Europe/Belgium"}, "Error: TIME_ZONE='Europe/Belgium' is not in the zone database"),
        ({"ENVIRONMENT": "prod"}, "Error: ENVIRONMENT='prod': write one of development, staging, production."),
        ({"WEB_CONCURRENCY": "0"}, "Error: WEB_CONCURRENCY='0': write a whole number from 1"),
        ({"SECRET_KEY": ""}, "Error: SECRET_KEY is missing, and ENVIRONMENT is production"),
        ({"FIELD_ENCRYPTION_KEYS": ""}, "Error: FIELD_ENCRYPTION_KEYS is missing"),
        ({"DATABASE_URL": ""}, "Error: DATABASE_URL is missing, and ENVIRONMENT is production"),
        ({"DATABASE_URL": "mysql://a:hush@h/d"}, "Error: DATABASE_URL begins with 'mysql'"),
        ({"PG_PORT": "abc"}, "Error: PG_PORT='abc': write a whole number from 1 to 65535."),
        ({"PG_SSL": "yess"}, "Error: PG_SSL='yess' is neither true nor false: write true or false."),
        ({"ENV_FILE": "/nope"}, "Error: ENV_FILE: cannot read /nope: No such file or directory."),
        ({"REDIS_URL": "garbage"}, "Error: REDIS_URL cannot be read: write redis://:password@host:6379/0"),
        ({"REDIS_URL": "http://x"}, "Error: REDIS_URL cannot be read: write redis://"),
        ({"REDIS_URL": "redis://"}, "Error: REDIS_URL cannot be read: write redis://"),
        ({"REDIS_URL": "unix://"}, "Error: REDIS_URL cannot be read: write redis://"),
        ({"REDIS_URL": "redis://:hush@cache:port/0"}, "Error: REDIS_URL cannot be read: write redis://"),
    ],
)
def test_a_wrong_variable_stops_every_command_with_one_sentence(change: dict[str, str], sentence: str) -> None:
    result = manage_with_apps_loaded("check", environment=inherited() | PRODUCTION | change)
    assert result.returncode == 1
    assert result.stderr.startswith(sentence)
    assert len(result.stderr.splitlines()) == 1
    assert "hush" not in result.stderr


@pytest.mark.parametrize(
    "url", ["redis://localhost", "redis://:hush@cache:6379/1", "rediss://u:hush@cache/0", "unix:///run/redis.sock?db=1"]
)
def test_every_kind_of_cache_address_is_accepted(url: str) -> None:
    assert settings_of({"REDIS_URL": url}, "REDIS_URL") == {"REDIS_URL": url}


def test_traceback_shows_where_a_wrong_variable_was_read() -> None:
    result = manage_from_nothing("check", "--traceback", environment=inherited() | {"DEBUG": "yess"})
    assert result.returncode == 1
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    ("environment", "size", "patience"), [("development", 5, 10), ("staging", 20, 20), ("production", 50, 30)]
)
def test_each_environment_has_its_pool(environment: str, size: int, patience: int) -> None:
    seen = settings_of(PRODUCTION | {"ENVIRONMENT": environment}, "DATABASES")
    pool = seen["DATABASES"]["default"]["OPTIONS"]["pool"]  # type: ignore[index]  # plain JSON
    assert (pool["max_size"], pool["timeout"]) == (size, patience)


def test_the_url_wins_over_the_variable_and_the_variable_over_the_environment() -> None:
    url = PRODUCTION["DATABASE_URL"]
    with_variable = settings_of(PRODUCTION | {"DATABASE_POOL_SIZE": "7"}, "DATABASE_POOL_REQUESTED")
    assert with_variable == {"DATABASE_POOL_REQUESTED": 7}
    both = {"DATABASE_POOL_SIZE": "7", "DATABASE_URL": f"{url}?connection_limit=9"}
    assert settings_of(PRODUCTION | both, "DATABASE_POOL_REQUESTED") == {"DATABASE_POOL_REQUESTED": 9}


def test_production_encrypts_and_development_serves_plain_http() -> None:
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "DEBUG")
    assert list(settings_of(PRODUCTION, *names).values()) == [True, True, True, 31_536_000, False]
    assert list(settings_of({}, *names).values()) == [False, False, False, 0, True]
    databases = settings_of(PRODUCTION, "DATABASES")["DATABASES"]
    assert databases["default"]["OPTIONS"]["sslmode"] == "require"  # type: ignore[index]  # plain JSON


def test_sql_is_logged_in_development_only() -> None:
    for environment, level in (("development", "DEBUG"), ("staging", "WARNING")):
        seen = settings_of(PRODUCTION | {"ENVIRONMENT": environment, "LOG_SQL": "true"}, "LOGGING")
        assert seen["LOGGING"]["loggers"]["django.db.backends"]["level"] == level  # type: ignore[index]  # plain JSON
