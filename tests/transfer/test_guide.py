"""`docs/moving-to-postgresql.md`, typed from the first command to the last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.ops.scratch import child_environment
from tests.docs.pages import type_commands
from tests.transfer.moving import query
from tests.transfer.partpal_file import PartPalFile

pytestmark = [pytest.mark.postgres_only, pytest.mark.timeout(300)]


def test_every_command_of_the_guide_does_what_it_says(tmp_path: Path, unmigrated: str) -> None:
    file = PartPalFile(tmp_path / "dev.db")
    for _ in range(3):
        file.add("parts")
    file.write()
    outputs = type_commands("moving-to-postgresql.md", folder=tmp_path, environment=child_environment(unmigrated))
    moved = next(output for output in outputs if "Every row is accounted for" in output and "were moved" in output)
    assert "PartPal" in moved
    assert json.loads((tmp_path / "move.json").read_text())["summary"]["committed"]
    assert "0 created, 0 changed" in "".join(outputs)
    assert query(unmigrated, "SELECT count(*) FROM inventory_part") == [(3,)]
