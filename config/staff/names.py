"""Names that lie in another table, such as translated titles: looked up for all rows of a page at once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def fetch_names(rows: Iterable[Any]) -> None:
    """Let each model with a class method `fetch_names` name its rows among `rows` and the related rows they hold."""
    nameless: dict[Any, list[Any]] = defaultdict(list)
    known: set[int] = set()
    waiting = list(rows)
    while waiting:
        row = waiting.pop()
        if row is None or id(row) in known:
            continue
        known.add(id(row))
        if hasattr(type(row), "fetch_names"):
            nameless[type(row)].append(row)
        waiting += row._state.fields_cache.values()
    for model, found in nameless.items():
        model.fetch_names(found)
