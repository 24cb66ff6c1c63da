"""Finding rows by words: what a word is, the condition that a row holds words, and the index that serves it.

A word is a run of letters and digits, without case and accents. On PostgreSQL the words of some columns are a text
search vector that an index holds, so no column has to be kept; SQLite looks through the rows.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.indexes import GinIndex
from django.db.backends.ddl_references import Statement
from django.db.models import BooleanField, Expression, Func, TextField, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_TEXT = 200
MOST_WORDS = 12

# Accents of European letters, and the points and vowel signs that Hebrew and Arabic are usually written without.
_MARKS = r"\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
_ACCENTS = re.compile(f"[{_MARKS}]+")
_WORD = re.compile(r"[^\W_]+")
# A vector has room for a million characters; what stands behind these is not found.
_LONGEST_INDEXED = 100_000
# Functions of the server alone: an index must be restorable before anything of ours is there. A sigma is one letter
# wherever it stands in a word.
_FOLDED = (
    f"replace(lower(regexp_replace(regexp_replace(normalize({{text}}, NFKD), '[{_MARKS}]+', '', 'g'),"
    " '[^[:alnum:]]+', ' ', 'g')), U&'\\03c2', U&'\\03c3')"
)
# A word of a vector has 2046 bytes; of what is spaced, those that could have more are left out.
_WITHOUT_ENDLESS = "regexp_replace({spaced}, '[^ ]{{{{255}}}}[^ ]{{{{255}}}}[^ ]*', '', 'g')"
# Most texts are short and have no accents: without folding their vector costs less than half, and no word of theirs can
# be too long. The server's own parser of texts is never asked: it takes 5E0 for a number and cuts 5E0413 after it.
_SHORT = 2000


def _spaced(sql: str, marks: str) -> str:
    """Return the SQL for a text with spaces instead of `marks`."""
    for mark in marks:
        sql = f"replace({sql}, '{mark}', ' ')"
    return sql


def _vector(spaced: str) -> str:
    return f"array_to_tsvector(array_remove(string_to_array({spaced}, ' '), ''))"


# The usual marks are not left to the pattern, which takes its time for each that it finds.
_PLAIN = f"""lower(regexp_replace({_spaced("{text}", ".,-/")}, '[^0-9A-Za-z ]+', ' ', 'g') COLLATE "C")"""
_LONG = _WITHOUT_ENDLESS.format(spaced=_FOLDED.format(text=f"left({{text}}, {_LONGEST_INDEXED})"))
_VECTOR = (
    f"CASE WHEN octet_length({{text}}) = length({{text}}) AND octet_length({{text}}) < {_SHORT} "
    f"THEN {_vector(_PLAIN)} ELSE {_vector(_LONG)} END"
)


def words_of(text: str) -> list[str]:
    """Return the words of a text in their order."""
    return _WORD.findall(_ACCENTS.sub("", unicodedata.normalize("NFKD", text)).lower().replace("\u03c2", "\u03c3"))


def searched_words(text: str) -> list[str]:
    """Return the words that somebody searches; of an endless text those at its beginning."""
    return words_of(text[:LONGEST_TEXT])[:MOST_WORDS]


def folded(sql: str) -> str:
    """Return the SQL (PostgreSQL) for a text's words with single spaces between."""
    return _FOLDED.format(text=sql)


class Words(Func):
    """The words of some columns together; on SQLite their plain text."""

    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        """Return the columns' texts, joined."""
        return self._joined(compiler, "COALESCE({}, '')")

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        text, parameters = self._joined(compiler, "COALESCE({}::text, '')")
        return f"({_VECTOR.format(text=f'({text})')})", parameters * _VECTOR.count("{text}")

    def _joined(self, compiler: Any, template: str) -> tuple[str, list[Any]]:
        columns = [compiler.compile(column) for column in self.get_source_expressions()]
        text = " || ' ' || ".join(template.format(sql) for sql, _ in columns)
        return text, [parameter for _, parameters in columns for parameter in parameters]


class Holds(Func):
    """True where columns hold every one of `words`, in any order; the last may be the beginning of a word."""

    output_field = BooleanField()

    def __init__(self, columns: Iterable[str | Expression], words: Sequence[str]) -> None:
        super().__init__(Words(*columns), Value(" ".join(words)))

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="forecourt_holds")

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        vector, words = self.get_source_expressions()
        sql, parameters = compiler.compile(vector)
        # Words have letters and digits only, so nothing in them ends the quotes.
        query = " & ".join(f"'{word}'" for word in words.value.split(" "))
        end = ":*" if is_begun(words.value.split(" ")) else ""
        return f"({sql} @@ %s::tsquery)", [*parameters, query + end]


def holds(text: str, words: str) -> bool:
    """Return what `Holds` says of a text and of words with spaces between."""
    searched = words.split(" ")
    there = words_of(text[:_LONGEST_INDEXED])
    if not is_begun(searched):
        return set(searched) <= set(there)
    *whole, last = searched
    return set(whole) <= set(there) and any(word.startswith(last) for word in there)


def is_begun(words: Sequence[str]) -> bool:
    """Whether the last word may go on: a digit behind other words, as in Golf 7, is meant as it is.

    Numbers that begin with one digit are a tenth of all numbers, which would cost a search hundreds of milliseconds.
    """
    return len(words) == 1 or len(words[-1]) > 1 or not words[-1].isdigit()


class WordIndex(GinIndex):
    """Serves `Holds` over the same columns on PostgreSQL; SQLite has no index of this kind.

    New rows go into it at once: left in a list beside it, as is usual, they would cost every search until a vacuum.
    """

    def get_with_params(self) -> list[str]:
        """Return the settings of the index."""
        return ["fastupdate = off"]

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **extra: Any) -> Any:
        """Return what makes the index."""
        if schema_editor.connection.vendor != "postgresql":
            return Statement("SELECT 1")
        return super().create_sql(model, schema_editor, using=using, **extra)

    def remove_sql(self, model: Any, schema_editor: Any, **extra: Any) -> Any:
        """Return what drops the index."""
        if schema_editor.connection.vendor != "postgresql":
            return Statement("SELECT 1")
        return super().remove_sql(model, schema_editor, **extra)
