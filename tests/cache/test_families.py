"""The kinds of kept answers: what the guide says of them, and that each is asked for."""

from __future__ import annotations

import re
from collections import defaultdict

from config.cache import families
from config.cache.families import FAMILIES
from tests.config.variables import PROJECT

APPS = ("config", "accounts", "inventory", "leads", "analytics")


def test_the_guide_names_every_family_with_its_time() -> None:
    told = defaultdict(set)
    page = (PROJECT / "docs/caching.md").read_text("utf-8")
    for name, seconds, names in re.findall(r"^\| `([A-Z_]+)` \| ([0-9]+) \| (`.+`) \|$", page, re.MULTILINE):
        assert getattr(families, name) == int(seconds)
        told[int(seconds)].update(re.findall(r"`([^`]+)`", names))

    known = defaultdict(set)
    for family in FAMILIES.values():
        known[family.seconds].add(family.name)
    assert told == known


def test_every_answer_that_is_kept_is_asked_for() -> None:
    code = "".join(path.read_text("utf-8") for app in APPS for path in (PROJECT / app).rglob("*.py"))
    names = {family: name for name, family in vars(families).items() if isinstance(family, families.Family)}

    assert [name for name in names.values() if not re.search(rf"\bfamilies\.{name}\b", code)] == []
