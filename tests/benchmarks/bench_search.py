"""Searches among many parts against the obvious query for each, on one server and the same rows; and what they find.

The obvious query for a word that many rows hold is the rank of every match; for one that few hold, for two words and
for a number, the ORM's own contains-search; for a misspelled word, its similarity to every name. `BENCH_SCALE` (100) is
the number of parts in ten thousands.
"""

from __future__ import annotations

import os
import random
import statistics
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from rich.console import Console

from config.db import bulk
from config.db.words import words_of
from config.ops.scale.catalogue import CAR_MODELS, COMBUSTION_PART_KINDS, PART_KINDS
from config.ops.scale.texts import PART_DESCRIPTIONS
from config.ops.search_words import refresh_words
from inventory.models import Part
from inventory.models.parts import normalize_part_number
from inventory.search import search_parts
from tests.benchmarks.conftest import Bench
from tests.builders import NOON, make_vehicle
from tests.word_indexes import without_word_indexes

PARTS = int(os.environ.get("BENCH_SCALE", "100")) * 10_000
SEARCHES = 500
PAGE = 20
A_TENTH = 0.1
Words = frozenset[str]
SIDES = ("front left", "front right", "rear left", "rear right", "left", "right", "upper", "lower", "", "", "", "")

RANKED = """
    SELECT id FROM inventory_part
     WHERE deleted_at IS NULL AND to_tsvector('simple', name || ' ' || description) @@ to_tsquery('simple', %s)
     ORDER BY ts_rank(to_tsvector('simple', name || ' ' || description), to_tsquery('simple', %s)) DESC, created_at DESC
     LIMIT 20
"""
RANKED_INDEX = (
    "CREATE INDEX bench_obvious ON inventory_part USING gin (to_tsvector('simple', name || ' ' || description))"
)
ALIKE = "SELECT id FROM inventory_part WHERE deleted_at IS NULL ORDER BY similarity(name, %s) DESC LIMIT 20"

rng = random.Random(7)


@pytest.fixture
def parts(db: None) -> dict[int, tuple[str, str]]:
    """Fill the table, and return each part's name and number by key."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        # Between two searches the right answers are counted, which takes a while.
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    vehicle = make_vehicle()
    columns = ["public_id", "vehicle_id", "seller_id", "name", "part_number", "part_number_norm", "description"]
    columns += ["condition", "price", "currency", "yard_location", "status", "is_listed", "hold"]
    columns += ["created_at", "updated_at"]

    def rows() -> Iterator[list[Any]]:
        for number in range(PARTS):
            part_number, at = _number(), NOON + timedelta(seconds=number)
            yield [
                *(f"bench-{number}", vehicle.pk, vehicle.seller_id, _name(number), part_number),
                *(normalize_part_number(part_number), _description(), "GOOD", Decimal(100), "EUR", "A-1", "AVAILABLE"),
                *(True, "", at, at),
            ]

    begin = time.perf_counter()
    with without_word_indexes(Part):
        bulk.load(Part, columns, rows())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(RANKED_INDEX)
    loaded = time.perf_counter()
    refresh_words(connection)
    Console().print(f"{PARTS:,} parts in {loaded - begin:.0f} s; their words in {time.perf_counter() - loaded:.1f} s")
    bulk.analyze(Part)
    there = Part.objects.values_list("pk", "name", "part_number")
    return {key: (name, part_number or "") for key, name, part_number in there}


def _name(number: int) -> str:
    if number % (PARTS // 40) == 7:
        return "Tachograph"
    kind, model = rng.choice([*PART_KINDS, *COMBUSTION_PART_KINDS]), rng.choice(CAR_MODELS)
    return " ".join(f"{kind.name} {rng.choice(SIDES)} {model.make} {model.model}".split())


def _number() -> str:
    return f"{rng.randrange(10, 100)}{rng.choice('ABCDEFGH')} {rng.randrange(100, 1000)} {rng.randrange(1000):03}" + (
        f" {rng.choice('ABCDEFG')}" if rng.random() < 0.5 else ""
    )


def _description() -> str:
    sentences = [rng.choice(PART_DESCRIPTIONS[rng.choice(list(PART_DESCRIPTIONS))]) for _ in range(2)]
    return f"{sentences[0]} Lot {rng.randrange(100_000)}, row {rng.randrange(400)}. {sentences[1]}"


def p50(work: Callable[[], object], times: int) -> float:
    """Return the middle of so many runs in milliseconds, after one that warms up."""
    work()
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        took.append((time.perf_counter() - begin) * 1000)
    return statistics.median(took)


def ranked(words: str) -> Callable[[], object]:
    def run() -> object:
        with connection.cursor() as cursor:
            cursor.execute(RANKED, [words, words])
            return cursor.fetchall()

    return run


def alike(text: str) -> Callable[[], object]:
    def run() -> object:
        with connection.cursor() as cursor:
            cursor.execute(ALIKE, [text])
            return cursor.fetchall()

    return run


def contains(text: str) -> Callable[[], object]:
    found = Q(name__icontains=text) | Q(part_number__icontains=text) | Q(description__icontains=text)
    return lambda: list(Part.objects.filter(found).order_by("-created_at", "-id").values_list("pk")[:PAGE])


def written_otherwise(number: str) -> str:
    letters = rng.choice([number, number.lower(), number.replace(" ", ""), number.replace(" ", "-")])
    return letters if rng.random() < 0.5 else letters.replace(" ", "  ")


def with_a_typo(word: str) -> str:
    """Return the word with one letter left out, put in, replaced, or swapped with the next."""
    place, letter = rng.randrange(len(word)), rng.choice(string.ascii_lowercase)
    before, here, after = word[:place], word[place], word[place + 1 :]
    return before + rng.choice([after, letter + here + after, letter + after, after[:1] + here + after[1:]])


def test_each_search_takes_a_tenth_of_the_obvious_query_and_finds_what_is_meant(
    parts: dict[int, tuple[str, str]], bench: Bench
) -> None:
    some_number = parts[next(iter(parts))][1]
    cases = [
        ("a common word", "alternator", ranked("alternator")),
        ("a rare word", "tachograph", contains("tachograph")),
        ("two words", "corolla alternator", contains("alternator toyota corolla")),
        ("the beginning of a word", "alterna", ranked("alterna:*")),
        ("a word of descriptions", "warranty", ranked("warranty")),
        ("a part number", some_number.lower().replace(" ", "-"), contains(some_number)),
        ("a misspelled word", "altrenator", alike("altrenator")),
    ]
    broken = []
    for what, text, obvious in cases:
        ours, theirs = p50(lambda text=text: search_parts(text), 9), p50(obvious, 3)  # type: ignore[misc]
        try:
            bench(name=f"search among {PARTS:,}: {what}", value=ours, unit="ms", against=theirs, bar=A_TENTH)
        except pytest.fail.Exception as problem:
            broken.append(str(problem))
    exact, repaired = recall(parts)
    Console().print(f"first page right: {exact:.1%} as typed, {repaired:.1%} with one typo")
    bench(name="searches without the right first page", value=1 - exact, unit="share", against=0.05, bar=1.0)
    bench(name="the same with one typo", value=1 - repaired, unit="share", against=0.15, bar=1.0)
    assert broken == []


def recall(parts: dict[int, tuple[str, str]]) -> tuple[float, float]:
    """Return for which shares of searches, as typed and with one typo, the first page is right.

    Half of what is typed right are numbers, written in some way: the first row must have it. Else it is a name with its
    words in any order: the page must begin with rows of these words, as many as there are.
    """
    words = {key: frozenset(words_of(name)) for key, (name, _) in parts.items()}
    counts = Counter(words.values())
    keys = rng.sample(sorted(parts), SEARCHES)
    exact = sum(
        _number_is_found(parts, key) if number % 2 else _name_is_found(words, counts, key, typo=False)
        for number, key in enumerate(keys)
    )
    repaired = sum(_name_is_found(words, counts, key, typo=True) for key in keys)
    return exact / SEARCHES, repaired / SEARCHES


def _number_is_found(parts: dict[int, tuple[str, str]], key: int) -> bool:
    number = parts[key][1]
    found = search_parts(written_otherwise(number)).ids
    return bool(found) and parts[found[0]][1] == number


def _name_is_found(words: dict[int, Words], counts: Counter[Words], key: int, *, typo: bool) -> bool:
    wanted = words[key]
    typed = rng.sample(sorted(wanted), len(wanted))
    if typo:
        place = max(range(len(typed)), key=lambda place: (len(typed[place]) >= 4, rng.random()))
        typed[place] = with_a_typo(typed[place])
    right = sum(count for each, count in counts.items() if each >= wanted)
    found = search_parts(" ".join(typed), limit=PAGE).ids[:right]
    return len(found) == min(right, PAGE) and all(words[each] >= wanted for each in found)
