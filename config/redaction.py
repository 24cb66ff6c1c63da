"""Keeping secrets out of logs and error reports."""

from __future__ import annotations

import logging
import re
from typing import Any

from django.views.debug import SafeExceptionReporterFilter

from config.audit import current_context

HIDDEN = "[hidden]"
_SECRET_WORD = r"(?:password|passwd|token|secret|key|authorization|cookie|session)"  # noqa: S105 - words, no secret
# name=value, name: value and "name": "value", where the name contains one of the words. What may repeat before the part
# that decides is bounded: logs hold what strangers send, and each start would else look at all the rest.
_PAIR = re.compile(
    rf"""(?ix) (?P<name> {_SECRET_WORD}[\w-]{{0,64}} ["']? \s{{0,16}} [=:] \s{{0,16}} )
         (?: (?P<quote>["']) (?:\\.|(?!(?P=quote))[^\\\n])* (?P=quote)?
           | (?:bearer|basic|token)\s+ [^\s,;&]+
           | [^\s"',;&)}}\]]+ )"""
)
_URL_PASSWORD = re.compile(r"(?P<start>\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]*:)[^\s/@]+@", re.IGNORECASE)
_SECRET_COLUMN = re.compile(rf'"[^"]*{_SECRET_WORD}[^"]*"', re.IGNORECASE)
_SQL_TEXT = re.compile(r"'(?:[^']|'')*'")
# Comments, texts in PostgreSQL's three spellings and numbers; quoted names come first, so that what is in them stays.
# A text that was cut off ends with the statement.
_SQL_VALUE = re.compile(
    r"""(?sx) (?P<name> "(?:[^"]|"")*" | \$\d+ )
          | (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
          | \$(?P<tag>\w*)\$ .*? (?:\$(?P=tag)\$|\Z)
          | \b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)
          | '(?:[^']|'')*(?:'|\Z)
          | (?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b"""
)
_PLACEHOLDERS = re.compile(r"\(\s*(?:%s|\?|\$\d+)(?:\s*,\s*(?:%s|\?|\$\d+))+\s*\)")


def redacted(text: str) -> str:
    """Return `text` with the values of secret-looking names and the passwords in URLs hidden."""
    text = _URL_PASSWORD.sub(rf"\g<start>{HIDDEN}@", text)
    return _PAIR.sub(lambda match: f"{match['name']}{HIDDEN}", text)


def redacted_sql(sql: str) -> str:
    """Return a statement without its text values when it touches a column with a secret-looking name.

    Which value belongs to which column is not to be told from the statement, so all texts go.
    """
    return _SQL_TEXT.sub(f"'{HIDDEN}'", sql) if _SECRET_COLUMN.search(sql) else sql


def normalized_sql(sql: str) -> str:
    """Return a statement in one line with a question mark for each value, so that it names no row and no secret."""
    hidden = _SQL_VALUE.sub(lambda found: found["name"] or (" " if found["comment"] else "?"), sql)
    return _PLACEHOLDERS.sub("(...)", " ".join(hidden.split()))


class RedactingFilter(logging.Filter):
    """Hides secrets in every record that passes, and stamps it with the id of the request it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_context().request_id or "-"
        sql = getattr(record, "sql", None)
        if record.name == "django.db.backends" and isinstance(sql, str):
            # The parameters repeat what the statement already shows, and would escape the rule for columns.
            duration = getattr(record, "duration", 0.0)
            record.msg, record.args = f"({duration:.3f}) {redacted_sql(sql)}", ()
            return True
        record.msg, record.args = redacted(record.getMessage()), ()
        return True


class RedactingFormatter(logging.Formatter):
    """A formatter whose tracebacks hide secrets too."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        return redacted(super().formatException(ei))


class ReportFilter(SafeExceptionReporterFilter):
    """What Django's error pages hide, and the words it does not know."""

    hidden_settings = re.compile(r"API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|COOKIE|SESSION|_URL$", re.IGNORECASE)
