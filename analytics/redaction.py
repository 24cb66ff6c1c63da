"""What the audit log may repeat of a change: never a secret."""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

HIDDEN = "(hidden)"
# Translation keys and the like are no secrets, so "key" alone does not make one.
_SECRET_NAME = re.compile(
    r"""(?ix) password | passwd | secret | token | authorization | cookie
        | (?:api|private|signing|encryption|access)_?key
        | (?:^|_)(?:hash|otp|pin)$ """
)


def redacted(values: Any, *, also: frozenset[str] = frozenset()) -> Any:
    """Return JSON-like values with everything under a secret-looking name hidden, and under the names in `also`.

    A pair of before and after stays a pair, and what was empty stays empty, so that one sees what happened.
    """
    if isinstance(values, dict):
        return {
            name: _hidden(value) if name in also or _SECRET_NAME.search(str(name)) else redacted(value)
            for name, value in values.items()
        }
    if isinstance(values, list | tuple):
        return [redacted(value) for value in values]
    return values


def _hidden(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return HIDDEN if value or value == 0 else value


class _AnyEncoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)


def as_json(value: Any) -> Any:
    """Return `value` as a JSON column gives it back; amounts, times and rows become text."""
    return json.loads(json.dumps(value, cls=_AnyEncoder))
