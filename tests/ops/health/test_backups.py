"""The age of the last good backup, as the manifests of real ones tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.ops.backup.manifest import read_manifest, write_manifest
from config.ops.health.backups import backups
from config.ops.health.look import Look
from config.ops.health.report import Section, State
from config.ops.health.thresholds import DEFAULTS
from config.ops.scratch import connected
from tests.config.databases import Manage
from tests.ops.health.conftest import rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("migrated"), pytest.mark.any_engine]


def look(url: str, folder: Path, *, later: timedelta = timedelta(0)) -> Section:
    """Look at the backups of the test's own database, that much later than now."""
    with connected(url) as connection:
        return backups(
            Look(
                connection=connection,
                thresholds=DEFAULTS,
                now=datetime.now(UTC) + later,
                backup_folder=folder,
                metrics_folder=folder,
            )
        )


@pytest.fixture
def made(manage: Manage, tmp_path: Path) -> Path:
    """A folder with one backup of the test's own database."""
    folder = tmp_path / "backups"
    result = manage("backup", "--output", str(folder))
    assert result.returncode == 0, result.stderr
    return folder


@pytest.mark.parametrize(
    ("later", "state"), [(0, State.FINE), (25.9, State.FINE), (26.2, State.WARNING), (48.2, State.CRITICAL)]
)
def test_a_backup_is_a_warning_after_26_hours_and_critical_after_48(
    url: str, made: Path, later: float, state: State
) -> None:
    section = look(url, made, later=timedelta(hours=later))
    assert section.state is state
    assert section.figures["age"].value == pytest.approx(later, abs=0.2)
    assert section.figures["verified"].value == "read back"
    (row,) = rows(section, "backups")
    assert (row["kind"], row["problem"]) == ("full", None)


def test_a_backup_from_the_future_hides_neither_itself_nor_the_age_of_the_last_true_one(url: str, made: Path) -> None:
    (true,) = made.rglob("*.manifest.json")
    dated = read_manifest(true)
    backup = true.with_name(dated.file)
    twin = backup.with_name(f"ahead_of_{backup.name}")
    twin.write_bytes(backup.read_bytes())
    future = dated.started_at + timedelta(days=400)
    write_manifest(replace(dated, file=twin.name, started_at=future), twin)

    section = look(url, made, later=timedelta(hours=49))

    assert [finding.state for finding in section.findings] == [State.WARNING, State.CRITICAL]
    assert section.findings[0].text == f"{twin} is dated in the future: the clock was or is wrong."
    assert section.figures["age"].value == pytest.approx(49, abs=0.2)


def test_without_a_backup_one_learns_how_to_make_one(url: str, tmp_path: Path) -> None:
    section = look(url, tmp_path / "none")
    assert section.state is State.WARNING
    assert "There is no good backup of this database in" in section.findings[0].text
    assert "run `manage.py backup`" in section.findings[0].text


def test_outside_of_development_no_backup_is_critical(url: str, tmp_path: Path, settings: object) -> None:
    settings.ENVIRONMENT = "production"  # type: ignore[attr-defined]  # pytest-django's fixture takes any
    assert look(url, tmp_path / "none").state is State.CRITICAL


def test_a_backup_that_was_cut_counts_for_nothing(url: str, made: Path) -> None:
    (file,) = [path for path in made.rglob("*_*") if path.is_file() and "manifest" not in path.name]
    with file.open("r+b") as cut:
        cut.truncate(file.stat().st_size - 1)
    section = look(url, made)
    texts = [finding.text for finding in section.findings]
    assert texts == [
        f"{file}: it is not as long as its manifest says.",
        f"There is no good backup of this database in {made}: run `manage.py backup`, daily.",
    ]
    assert "age" not in section.figures


@pytest.mark.postgres_only
def test_a_backup_of_the_schema_alone_is_not_a_good_one(url: str, manage: Manage, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    assert manage("backup", "--output", str(folder), "--type", "schema").returncode == 0
    section = look(url, folder)
    assert [row["kind"] for row in rows(section, "backups")] == ["schema"]
    assert "There is no good backup" in section.findings[-1].text


def test_a_manifest_that_was_changed_is_a_finding(url: str, made: Path) -> None:
    (manifest,) = made.rglob("*.manifest.json")
    manifest.write_text(manifest.read_text().replace('"full"', '"FULL"'))
    section = look(url, made)
    assert any("was changed after it was written" in finding.text for finding in section.findings)


def test_a_copy_elsewhere_that_failed_is_a_finding(url: str, manage: Manage, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    (tmp_path / "taken").write_text("a file, where a folder was wanted")
    result = manage("backup", "--output", str(folder), "--upload", str(tmp_path / "taken"))
    assert result.returncode == 3, result.stderr
    section = look(url, folder)
    assert section.state is State.WARNING
    assert section.findings[0].text.startswith("The last backup is not at ")
