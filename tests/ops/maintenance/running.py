"""Running `manage.py maintain` inside the test's process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import call_command


@dataclass(frozen=True, slots=True)
class Done:
    """What the command printed, and its exit code."""

    output: str
    code: int

    def json(self) -> Any:
        return json.loads(self.output)


def run(*arguments: str) -> Done:
    """Run the command with strings, as a person would."""
    output = StringIO()
    code = 0
    try:
        call_command("maintain", *arguments, stdout=output, stderr=output)
    except SystemExit as ending:
        code = int(ending.code or 0)
    return Done(output.getvalue(), code)


def rows_of(step: str, *arguments: str) -> int:
    """Run one step and return how many rows it says that it changed."""
    done = run("--only", step, "--json", *arguments)
    (outcome,) = done.json()["steps"]
    assert outcome["error"] == "", outcome["error"]
    assert done.code == 0
    return int(outcome["rows"])
