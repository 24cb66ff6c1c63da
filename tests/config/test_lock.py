from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_lock_knows_the_public_index_alone() -> None:
    text = (ROOT / "uv.lock").read_text()
    assert set(re.findall(r"(\w+://[^/\"]+)", text)) == {"https://pypi.org", "https://files.pythonhosted.org"}
    assert set(re.findall(r"source = \{ (\w+) =", text)) == {"registry", "virtual"}


def test_the_lock_holds_every_requirement_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *project["dependency-groups"]["dev"],
    ]
    # The lock writes names in their normal form (PEP 503).
    wanted = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~!; ]", line, maxsplit=1)[0]).lower() for line in requirements}
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    own = next(package for package in lock["package"] if package["name"] == project["project"]["name"])
    declared = {entry["name"] for entry in (*own["metadata"]["requires-dist"], *own["metadata"]["requires-dev"]["dev"])}
    assert declared == wanted
