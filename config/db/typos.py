"""Words that nothing has, replaced by what names are made of: another form of the same word, or the right spelling.

The words are kept in a table of PostgreSQL, which `config.ops.search_words` fills; its trigram index finds words that
look alike. Where a server lacks the extension, words are replaced by other forms only; on SQLite they stay as they were
typed.
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
# What PostgreSQL calls its rules for the forms of words in the marketplace's languages.
STEMMERS = ("english_stem", "finnish_stem", "spanish_stem")

_STEMS = """
    SELECT stemmer, (ts_lexize(stemmer::regdictionary, %(word)s))[1] FROM unnest(%(stemmers)s::text[]) AS stemmer
"""
# Stems may differ from their words in the last letter: batteries and battery have batteri.
_SAME_STEM = f"""
    SELECT word, rows FROM {TABLE}
     WHERE source = %(source)s AND word LIKE left(%(stem)s, greatest(length(%(stem)s) - 1, 3)) || '%%'
       AND (ts_lexize(%(stemmer)s::regdictionary, word))[1] = %(stem)s
     ORDER BY rows DESC LIMIT 1
"""  # noqa: S608  # the name of a table

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
        cursor.execute(f"SELECT word FROM {TABLE} WHERE source = %s AND word = ANY(%s)", [source, list(words)])  # noqa: S608
        known = {word for (word,) in cursor.fetchall()}
        return [word if word in known else _meant(cursor, word, source) for word in words]


def _meant(cursor: CursorWrapper, word: str, source: str) -> str:
    """Return the known word that an unknown one stands for; the word itself where there is none."""
    if len(word) < SHORTEST_REPAIRED or any(letter.isdigit() for letter in word):
        return word
    return _other_form(cursor, word, source) or _nearest(cursor, word, source) or word


def _other_form(cursor: CursorWrapper, word: str, source: str) -> str:
    """Return the most frequent known word with the same stem in one of the languages, or nothing."""
    cursor.execute(_STEMS, {"word": word, "stemmers": list(STEMMERS)})
    forms = []
    for stemmer, stem in cursor.fetchall():
        # Words such as "the" have no stem.
        if stem and len(stem) >= SHORTEST_REPAIRED:
            cursor.execute(_SAME_STEM, {"source": source, "stemmer": stemmer, "stem": stem})
            forms += [(-rows, known) for known, rows in cursor.fetchall()]
    return min(forms)[1] if forms else ""


def _nearest(cursor: CursorWrapper, word: str, source: str) -> str:
    """Return the known word that differs in the fewest letters, or nothing where none is near."""
    cursor.execute("SELECT FROM pg_extension WHERE extname = 'pg_trgm'")
    if not cursor.rowcount:
        return ""
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
    return ""


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
