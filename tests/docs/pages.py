"""Running what a guide tells people to type.

Every fenced block marked `bash` in a guide is run as it stands, one after another in one folder, and the first command
that fails ends its block. Blocks with another mark are shown only: output, configuration files, commands for another
machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
# A guide shows what a command that finds something answers: "exit code 3".
_EXPECTED = re.compile(r"# exit code (?P<code>\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a guide."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def expected_code(self) -> int:
        """The exit code that the block says it ends with; 0 if it says nothing."""
        found = _EXPECTED.search(self.text)
        return int(found["code"]) if found else 0


def commands_of(page: str) -> list[Block]:
    """Return the blocks of `docs/<page>` that a person is to type, in their order."""
    text = (Path(settings.BASE_DIR) / "docs" / page).read_text(encoding="utf-8")
    blocks = [
        Block(page, text.count("\n", 0, found.start()) + 1, found["language"], found["text"])
        for found in _FENCE.finditer(text)
    ]
    return [block for block in blocks if block.language == "bash"]


def type_commands(page: str, *, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Type all commands of a guide in `folder` and return what each block printed.

    `manage.py` and the programs of this virtual environment are found without a path. Raises AssertionError with the
    block's place and output when one does not end as the guide says.
    """
    path = os.pathsep.join([str(settings.BASE_DIR), str(Path(sys.executable).parent), os.environ["PATH"]])
    outputs = []
    for block in commands_of(page):
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", block.text],
            cwd=folder,
            env={**environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == block.expected_code, f"{block} ended with {done.returncode}:\n{done.stdout}"
        outputs.append(done.stdout)
    return outputs
