"""Which tables a statement of SQL writes to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WRITING = re.compile(
    r"\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM(?:\s+ONLY)?|MERGE\s+INTO"
    r'|TRUNCATE(?:\s+TABLE)?|COPY)\s+(?:(?:"[^"]+"|\w+)\.)?(?:"([^"]+)"|(\w+))',
    re.IGNORECASE,
)
_WITH = re.compile(r"\s*WITH\b", re.IGNORECASE)


def written_tables(sql: Any) -> Iterator[str]:
    """Yield the tables that a statement, a text or one put together by psycopg, writes to; rather one too many."""
    text = sql if isinstance(sql, str) else _text(sql)
    if _WITH.match(text):
        found: Iterable[re.Match[str]] = _WRITING.finditer(text)
    else:
        first = _WRITING.match(text)
        found = [first] if first else []
    for match in found:
        yield match[1] or match[2]


def _text(sql: Any) -> str:
    return str(sql.as_string()) if hasattr(sql, "as_string") else str(sql)
