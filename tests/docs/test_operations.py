"""What docs/operations.md tells people to type, typed; and its tables against the code."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from analytics.setting_keys import SETTINGS
from config.ops.health.run import SECTIONS
from config.ops.health.thresholds import DEFAULTS
from config.ops.maintenance.periods import PERIODS
from config.ops.maintenance.steps import STEPS
from tests.docs.pages import type_commands

PAGE = "operations.md"


@pytest.fixture(scope="module")
def text() -> str:
    return (Path(settings.BASE_DIR) / "docs" / PAGE).read_text(encoding="utf-8")


@pytest.mark.django_db
@pytest.mark.any_engine
@pytest.mark.usefixtures("migrated")
def test_every_command_does_what_it_should(url: str, tmp_path: Path) -> None:
    environment = {name: os.environ[name] for name in ("HOME", "LANG", "REDIS_URL") if name in os.environ}
    environment |= {"ENV_FILE": os.devnull, "DATABASE_URL": url, "BACKUP_DIR": str(tmp_path / "backups")}
    environment |= {"ARCHIVE_DIR": str(tmp_path / "archive"), "REPORT_DIR": str(tmp_path / "reports")}
    outputs = type_commands(PAGE, folder=tmp_path, environment=environment)
    assert outputs[0].startswith("FINE: ")
    assert "\nNothing contradicts anything." in "\n".join(outputs)
    assert len(list((tmp_path / "reports").glob("maintenance_*.txt"))) == 1


def test_the_page_lists_every_section(text: str) -> None:
    table = text.partition("| section | tells")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(SECTIONS)


def test_the_page_has_the_thresholds_of_the_code(text: str) -> None:
    table = text.partition("| name | warning | critical |")[2].partition("\n\n")[0]
    found = {
        name: (float(warning), float(critical))
        for name, warning, critical in re.findall(
            r"^\| `(\w+)` \| (?:below )?([\d.]+)[^|]*\| (?:below )?([\d.]+)[^|]*\|", table, re.MULTILINE
        )
    }
    assert found == {name: (mark.warning, mark.critical) for name, mark in DEFAULTS.items()}


def test_the_page_lists_every_step_that_runs_by_itself_with_its_setting(text: str) -> None:
    table = text.partition("| step | setting and default")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == [s.name for s in STEPS if not s.only_by_name]
    found = {key: int(days) for key, days in re.findall(r"`(retention\.\w+)` (\d+)", table)}
    assert found == {key: each.default for key, each in SETTINGS.items() if key.startswith("retention.")}


def test_the_calendar_has_every_period_with_its_steps(text: str) -> None:
    table = text.partition("| period | does")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", table, re.MULTILINE))
    assert list(rows) == list(PERIODS)
    for name, period in PERIODS.items():
        named = re.findall(r"`([\w-]+)`", rows[name])
        assert named == ([] if name == "daily" else list(period.steps))


def test_its_configuration_files_can_be_read(text: str) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    assert all(yaml.safe_load(block) for block in blocks)
