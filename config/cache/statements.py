"""Which tables a statement of SQL writes to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRITING = re.compile(
    r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM(?:\s+ONLY)?|MERGE\s+INTO"
    r'|TRUNCATE(?:\s+TABLE)?|COPY)\s+(?:(?:"[^"]+"|\w+)\.)?(?:"([^"]+)"|(\w+))',
    re.IGNORECASE,
)
# Texts are left as they are: a hyphen in them begins no comment.
_TEXT_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)


def written_tables(sql: Any) -> Iterator[str]:
    """Yield the tables that statements, a text or one put together by psycopg, write to; rather one too many."""
    text = sql if isinstance(sql, str) else _text(sql)
    # Most are one SELECT, which writes nothing unless a function does.
    if text.lstrip()[:6].upper() == "SELECT" and ";" not in text:
        return
    if "--" in text or "/*" in text:
        text = _TEXT_OR_COMMENT.sub(lambda found: found[0] if found[0].startswith("'") else " ", text)
    for match in _WRITING.finditer(text):
        yield match[1] or match[2]


def _text(sql: Any) -> str:
    return str(sql.as_string()) if hasattr(sql, "as_string") else str(sql)
