"""Settings that staff may change while the program runs, for the apps below `analytics`, which keeps them.

`analytics.settings` knows the keys with their types and defaults and registers itself here when the program starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Source = Callable[[Iterable[str]], dict[str, Any]]

_sources: list[Source] = []


def register_source(source: Source) -> None:
    """Let `source` answer from now on: it is given keys and returns their values by key."""
    _sources[:] = [source]


def option(key: str) -> Any:
    """Return the setting's value, or its default. Raises LookupError for a key that nobody declared."""
    return options([key])[key]


def options(keys: Iterable[str]) -> dict[str, Any]:
    """Return several settings by key, in one look. Raises LookupError as `option`."""
    if not _sources:
        raise LookupError("Settings can be read once the apps are ready.")
    return _sources[0](keys)
