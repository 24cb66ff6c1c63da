"""Misspelled words, repaired against the words that names are made of.

The words are kept in a table of PostgreSQL, which `config.ops.search_words` fills; its trigram index finds words that
look alike. Elsewhere, and where a server lacks the extension, words stay as they were typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.utils import CursorWrapper

TABLE = "accounts_searchword"
SHORTEST_REPAIRED = 3
SHORTEST_WITH_TWO_TYPOS = 7

# Words that share runs of three letters. A short word with a typo may share none with the one that was meant: then the
# most frequent words of about its length.
_LOOK_ALIKE = f"""
    SELECT word, rows FROM {TABLE} WHERE source = %(source)s AND word %% %(word)s
     ORDER BY similarity(word, %(word)s) DESC, rows DESC LIMIT 60
"""  # noqa: S608  # the name of a table
_AS_LONG = f"""
    SELECT word, rows FROM {TABLE}
     WHERE source = %(source)s AND length(word) BETWEEN greatest(%(length)s - 1, 4) AND %(length)s + 1
     ORDER BY rows DESC LIMIT 500
"""  # noqa: S608  # the name of a table


def repaired(words: Sequence[str], source: str, *, using: str) -> list[str]:
    """Return the words, each unknown one as the known word of table `source` that was most likely meant."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return list(words)
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_extension WHERE extname = 'pg_trgm'")
        if not cursor.rowcount:
            return list(words)
        cursor.execute(f"SELECT word FROM {TABLE} WHERE source = %s AND word = ANY(%s)", [source, list(words)])  # noqa: S608
        known = {word for (word,) in cursor.fetchall()}
        return [word if word in known else _meant(cursor, word, source) for word in words]


def _meant(cursor: CursorWrapper, word: str, source: str) -> str:
    """Return the known word nearest to an unknown one; the word itself where none is near."""
    if len(word) < SHORTEST_REPAIRED or any(letter.isdigit() for letter in word):
        return word
    most = 1 if len(word) < SHORTEST_WITH_TWO_TYPOS else 2
    for candidates in (_LOOK_ALIKE, _AS_LONG):
        cursor.execute(candidates, {"word": word, "source": source, "length": len(word)})
        near = [
            (steps, known[0] != word[0], -rows, known)
            for known, rows in cursor.fetchall()
            if (steps := distance(word, known)) <= most
        ]
        if near:
            return str(min(near)[-1])
    return word


def distance(one: str, other: str) -> int:
    """Return how many letters must be put in, left out, replaced or swapped with their neighbour between two words."""
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for place, letter in enumerate(one):
        before, last, row = row, before, [place + 1]
        for column, target in enumerate(other):
            steps = min(before[column + 1] + 1, row[column] + 1, before[column] + (letter != target))
            if place and column and letter == other[column - 1] and one[place - 1] == target:
                steps = min(steps, last[column - 1] + 1)
            row.append(steps)
    return row[-1]
