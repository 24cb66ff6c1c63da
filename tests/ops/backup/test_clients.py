"""Which pg_dump fits which server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.db.errors import Refused
from config.ops.backup.clients import client_program
from config.ops.programs import Search


def install(folder: Path, version: str) -> Path:
    """Put a pg_dump of the version into a folder of its own."""
    program = folder / version / "pg_dump"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version} (Debian {version}-1.pgdg120+1)'\n")
    program.chmod(0o755)
    return program


def search(*programs: Path) -> Search:
    path = os.pathsep.join(str(program.parent) for program in programs)
    return Search(environment={"PATH": f"{path}{os.pathsep}/bin"}, anywhere=False)


def test_the_same_major_version_fits(tmp_path: Path) -> None:
    program = install(tmp_path, "15.4")

    found = client_program("pg_dump", 15, search(program))

    assert (found.path, found.version, found.major) == (program, "15.4", 15)


def test_a_newer_one_fits_as_well(tmp_path: Path) -> None:
    assert client_program("pg_dump", 14, search(install(tmp_path, "18.1"))).version == "18.1"


def test_a_beta_has_a_version_too(tmp_path: Path) -> None:
    assert client_program("pg_dump", 19, search(install(tmp_path, "19beta2"))).major == 19


def test_an_older_one_is_refused_with_the_package_to_install(tmp_path: Path) -> None:
    with pytest.raises(
        Refused, match=r"The server is PostgreSQL 18 and pg_dump here is version 9\.6.*postgresql-client-18"
    ):
        client_program("pg_dump", 18, search(install(tmp_path, "9.6")))


def test_none_at_all_is_refused_with_the_package_to_install() -> None:
    with pytest.raises(Refused, match=r"pg_dump is not installed: install version 16 .*postgresql-client-16"):
        client_program("pg_dump", 16, Search(environment={"PATH": "/nowhere"}, anywhere=False))


def test_a_program_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    broken = install(tmp_path, "16.0")
    broken.write_text("#!/nowhere/at/all\n")

    with pytest.raises(Refused, match="is not installed"):
        client_program("pg_dump", 16, search(broken))
