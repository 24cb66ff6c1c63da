"""The container files, read and checked as far as that goes without a container engine, and the server they start."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import inherited, manage
from tests.config.test_settings import PRODUCTION
from tests.config.variables import PROJECT, example_variables

APPLICATION = ("migrate", "web")


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile as (instruction, arguments), comments gone and continued lines joined."""
    text = re.sub(r"^#.*\n", "", (PROJECT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(word.upper(), arguments) for word, arguments in lines]


def last(instruction: str) -> str:
    return [arguments for word, arguments in instructions() if word == instruction][-1]


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((PROJECT / "compose.yaml").read_text())


def test_every_file_that_is_copied_exists_and_is_not_ignored() -> None:
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    sources = [
        source
        for word, arguments in instructions()
        if word == "COPY" and "--from=" not in arguments
        for source in arguments.split()[:-1]
    ]
    assert {"manage.py", "config", "pyproject.toml", "uv.lock"} <= set(sources)
    assert ignored[0] == "*"
    for source in sources:
        assert (PROJECT / source).exists(), source
        assert f"!{source}" in ignored


def test_every_app_is_in_the_image() -> None:
    copied = {arguments.split()[0] for word, arguments in instructions() if word == "COPY"}
    assert {"config", "accounts", "inventory", "leads", "analytics"} <= copied


def test_the_image_runs_as_nobody_special_and_holds_no_secret() -> None:
    assert last("USER") == "forecourt"
    stages = [arguments for word, arguments in instructions() if word == "FROM"]
    assert len(stages) == 2
    environment = " ".join(arguments for word, arguments in instructions() if word in {"ENV", "ARG"})
    assert not re.search(r"SECRET|PASSWORD|KEYS", environment)


def test_what_the_image_starts_and_asks_is_there() -> None:
    assert shutil.which(json.loads(last("CMD"))[0], path=Path(sys.executable).parent)
    probe = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert probe[:2] == ["python", "-m"]
    assert importlib.util.find_spec(probe[2])


def test_the_stylesheets_are_collected_without_any_secret(tmp_path: Path) -> None:
    build = next(arguments for word, arguments in instructions() if "collectstatic" in arguments)
    words = shlex.split(build)
    environment = dict(word.split("=", 1) for word in words[: words.index("python")])
    result = manage(*words[words.index("manage.py") + 1 :], "--dry-run", environment=inherited() | environment)
    assert result.returncode == 0, result.stderr
    assert "static files" in result.stdout


def test_every_service_is_watched_and_refers_to_what_exists(compose: Any) -> None:
    services, used = compose["services"], set()
    for name, service in services.items():
        assert "test" in service["healthcheck"] or name == "migrate", name
        assert "build" in service or re.search(r":.*\d", service["image"]), name
        assert set(service["networks"]) <= set(compose["networks"])
        for other in service.get("depends_on", {}):
            assert other in services
        for volume in service.get("volumes", []):
            used.add(volume.split(":")[0])
        for config in service.get("configs", []):
            assert config["source"] in compose["configs"]
    assert used == set(compose["volumes"])


def test_databases_start_alone_and_everything_starts_together(compose: Any) -> None:
    by_profile: dict[str, set[str]] = {}
    for name, service in compose["services"].items():
        for profile in service["profiles"]:
            by_profile.setdefault(profile, set()).add(name)
    assert by_profile == {
        "databases": {"database", "cache"},
        "all": {"database", "cache", "migrate", "web"},
        "pgbouncer": {"pgbouncer"},
    }


def test_the_application_starts_after_its_databases_and_migrations(compose: Any) -> None:
    assert compose["services"]["web"]["depends_on"] == {
        "database": {"condition": "service_healthy"},
        "cache": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }


def test_nothing_is_open_to_the_network_but_on_this_machine(compose: Any) -> None:
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_variables_are_known_and_no_secret_is_written_down(compose: Any) -> None:
    text = (PROJECT / "compose.yaml").read_text()
    known = {variable.name for variable in example_variables()}
    assert set(re.findall(r"\$\{(\w+)", text)) <= known
    for name in APPLICATION:
        assert set(compose["services"][name]["environment"]) <= known
    secrets = re.findall(r"PASSWORD: (.*)", text)
    assert secrets
    assert all(secret.startswith("${PG_PASSWORD:?") for secret in secrets)


def composed(compose: Any, **written: str) -> dict[str, str]:
    """Return the environment of the web container when .env holds `written` and the production secrets."""
    file = PRODUCTION | {"DATABASE_URL": "", "PG_PASSWORD": "hush"} | written

    def value(match: re.Match[str]) -> str:
        return file.get(match[1]) or (match[3] if match[2] == ":-" else "")

    fixed = compose["services"]["web"]["environment"]
    return file | {name: re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, text) for name, text in fixed.items()}


@pytest.mark.parametrize(
    "written", [{}, {"PG_HOST": "/run/pgbouncer", "PG_PORT": "6432", "PGBOUNCER": "true"}], ids=["direct", "pgbouncer"]
)
def test_the_composed_environment_passes_the_deployment_check(compose: Any, written: dict[str, str]) -> None:
    environment = inherited() | composed(compose, **written)
    result = manage("check", "--deploy", "--fail-level", "DEBUG", environment=environment)
    assert (result.returncode, result.stdout) == (0, "System check identified no issues (0 silenced).\n"), result.stderr


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def served(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The server of the image's CMD, on a migrated SQLite file, as staging."""
    environment = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    environment |= PRODUCTION | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ENV_FILE": os.devnull,
        "ENVIRONMENT": "staging",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'served.sqlite3'}",
        "REDIS_URL": os.environ["REDIS_URL"],
        "BIND": f"127.0.0.1:{port}",
        "TRUSTED_PROXY_COUNT": "1",
        "METRICS_DIR": str(tmp_path / "metrics"),
    }
    assert manage("migrate", "--no-input", environment=environment).returncode == 0
    with subprocess.Popen(
        json.loads(last("CMD")), cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True
    ) as run:
        yield run
        run.send_signal(signal.SIGTERM)


def test_the_image_s_command_serves_and_its_probe_sees_it(served: subprocess.Popen[str], port: int) -> None:
    probe = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    environment = {"PATH": os.environ["PATH"], "BIND": f"0.0.0.0:{port}", "ALLOWED_HOSTS": PRODUCTION["ALLOWED_HOSTS"]}
    deadline = time.monotonic() + 60
    while subprocess.run([sys.executable, *probe[1:]], cwd=PROJECT, env=environment, check=False).returncode:
        assert served.poll() is None, served.stderr and served.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    headers = {"Host": "admin.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
        assert response.read() == b"alive\n"
        assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_the_server_does_not_start_on_a_database_without_its_tables(tmp_path: Path, port: int) -> None:
    environment = PRODUCTION | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ENV_FILE": os.devnull,
        "ENVIRONMENT": "staging",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}",
        "BIND": f"127.0.0.1:{port}",
    }
    result = subprocess.run(
        json.loads(last("CMD")), cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "migrations are pending" in result.stderr


def test_the_probe_fails_where_nobody_answers(port: int) -> None:
    environment = {"PATH": os.environ["PATH"], "BIND": f"127.0.0.1:{port}"}
    command = [sys.executable, "-m", "config.ops.probe"]
    assert subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode == 1
