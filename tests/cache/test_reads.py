"""What a cached read returns, who builds it, and what others get meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches
from django.utils import translation
from pytest_django import Settings
from redis import Redis

from accounts.models import Seller
from config.cache import cached, counts, families, invalidate, uncached
from config.cache.families import LONG, NOTHING_SECONDS, Family
from config.cache.keys import identity

pytestmark = pytest.mark.django_db(transaction=True)


class Asked:
    """Builds an answer and counts how often it was asked."""

    def __init__(self, answer: Any = "answer") -> None:
        self.answer = answer
        self.times = 0

    def __call__(self) -> Any:
        self.times += 1
        return self.answer


@dataclass(frozen=True, slots=True)
class Filters:
    make: str = ""
    price_max: Decimal | None = None
    fuels: frozenset[str] = frozenset()


def own_keys(server: Redis, part: str) -> list[str]:
    return [key.decode() for key in server.scan_iter() if part in key.decode()]


def test_the_same_question_is_asked_of_the_database_once(server: Redis) -> None:
    ask = Asked([{"name": "Octavia", "price": Decimal("14900.00")}])
    answers = [cached(families.CARS_LIST, Filters(make="Skoda"), ask) for _ in range(3)]
    assert answers == [ask.answer] * 3
    assert ask.times == 1
    cached(families.CARS_LIST, Filters(make="Volvo"), ask)
    assert ask.times == 2


def test_equal_filters_share_a_key_however_they_are_written() -> None:
    key = identity({"make": "Skoda", "price": {"max": Decimal("10.00")}, "fuels": {"LPG", "CNG"}})
    assert identity({"fuels": {"CNG", "LPG"}, "price": {"max": 10}, "make": "Skoda", "color": "", "year": None}) == key
    assert identity({"make": "skoda", "price": {"max": 10}, "fuels": {"LPG", "CNG"}}) != key
    assert identity(Filters()) == identity(Filters(price_max=None)) != identity(Filters(make="all"))
    # The order of a list, such as a sort, counts.
    assert identity(["price", "year"]) != identity(["year", "price"])
    assert identity("octavia-2018") == "octavia-2018"
    assert len(identity("x" * 10_000)) < 40


def test_what_is_no_plain_value_is_refused_before_anything_is_asked(server: Redis) -> None:
    ask = Asked()
    with pytest.raises(TypeError, match="Seller cannot be part of a cache key"):
        cached(families.CARS_LIST, {"seller": Seller()}, ask)
    assert ask.times == 0
    with pytest.raises(TypeError, match="QuerySet cannot be cached"):
        cached(families.SELLERS_LIST, None, Seller.objects.all)


def test_what_is_somebodys_is_never_under_a_shared_key(server: Redis) -> None:
    def counts_of(user: int) -> Any:
        return cached(families.CONTACTS, "NEW", lambda: f"of {user}", owner=user)

    assert (counts_of(1), counts_of(2), counts_of(1)) == ("of 1", "of 2", "of 1")
    with pytest.raises(TypeError, match="belong to one user"):
        cached(families.CONTACTS, "NEW", Asked())
    with pytest.raises(TypeError, match="have no owner"):
        cached(families.CARS_LIST, None, Asked(), owner=1)


def test_what_is_translated_is_kept_by_language(server: Redis) -> None:
    for language in ("en", "fi", "en", "fi"):
        with translation.override(language):
            assert cached(families.VOUCHERS_NEARBY, None, translation.get_language) == language


def test_that_there_is_no_such_thing_is_believed_for_a_minute_at_most(server: Redis) -> None:
    ask = Asked(None)
    assert [cached(families.CAR_BY_SLUG, "nowhere", ask) for _ in range(2)] == [None, None]
    assert ask.times == 1
    assert 0 < server.ttl("forecourt:1.1:car:slug:nowhere") <= NOTHING_SECONDS
    # Made-up names leave nothing behind that stays.
    assert all(0 < server.ttl(key) <= 2 * NOTHING_SECONDS for key in own_keys(server, "nowhere"))


def test_long_values_are_packed_and_another_version_of_their_shape_is_not_read(server: Redis) -> None:
    long = "Heated seats, " * 1000
    cached(families.CAR, "one", lambda: long)
    (size,) = (server.strlen(key) for key in own_keys(server, "1.1:car:one"))
    assert size < 1000
    newer = Family(name="car", seconds=LONG, depends=("car", "traders"), by_row=True, version=2)
    assert cached(families.CAR, "one", Asked("another")) == long
    assert cached(newer, "one", Asked("another")) == "another"


def test_a_frozen_answer_is_made_of_its_bytes_once_and_any_other_is_each_readers_own(server: Redis) -> None:
    def reads(family: Family) -> list[Any]:
        return [cached(family, "one", lambda: [Filters(make="Skoda")]) for _ in range(3)]

    _, second, third = reads(families.CAR)
    assert second == [Filters(make="Skoda")]
    assert second is third
    _, second, third = reads(families.SELLER)
    assert second == third
    assert second is not third


def test_a_value_that_cannot_be_read_is_built_anew(server: Redis) -> None:
    cached(families.CAR, "one", Asked("old"))
    data = server.get("forecourt:1.1:car:one")
    assert isinstance(data, bytes)
    server.set("forecourt:1.1:car:one", data[:-3] + b"???")
    assert cached(families.CAR, "one", Asked("new")) == "new"
    assert cached(families.CAR, "one", Asked("never asked")) == "new"


def test_a_failed_build_is_the_askers_and_holds_nobody_up(server: Redis) -> None:
    def fail() -> str:
        raise LookupError("no table")

    with pytest.raises(LookupError, match="no table"):
        cached(families.CARS_LIST, None, fail)
    assert cached(families.CARS_LIST, None, Asked("built")) == "built"


def in_threads(*calls: Callable[[], Any]) -> list[Any]:
    found: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        found[place] = call()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return found


def test_many_who_ask_at_once_let_one_build_and_wait_for_it(server: Redis) -> None:
    waiting, ask = threading.Event(), Asked("built once")

    def slow() -> Any:
        waiting.wait(timeout=0.3)
        return ask()

    answers = in_threads(*[lambda: cached(families.CARS_LIST, None, slow)] * 8)
    assert answers == ["built once"] * 8
    assert ask.times == 1


def test_an_answer_that_grew_old_is_handed_out_while_one_builds_the_next(
    server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.cache.shelf.DUE_SHARE", 0)
    cached(families.CARS_LIST, None, Asked("old"))
    building, done = threading.Event(), threading.Event()

    def slow() -> str:
        building.set()
        assert done.wait(timeout=10)
        return "new"

    def impatient() -> str:
        assert building.wait(timeout=10)
        try:
            return str(cached(families.CARS_LIST, None, Asked("second build")))
        finally:
            done.set()

    assert in_threads(lambda: cached(families.CARS_LIST, None, slow), impatient) == ["new", "old"]


def test_after_a_write_nobody_gets_what_was_true_before_it(server: Redis) -> None:
    cached(families.CARS_LIST, None, Asked("before"))
    invalidate("cars")
    assert cached(families.CARS_LIST, None, Asked("after")) == "after"
    # Of another namespace nothing ended.
    cached(families.PARTS_LIST, None, Asked("parts"))
    invalidate("cars")
    assert cached(families.PARTS_LIST, None, Asked("never asked")) == "parts"


def test_what_was_read_before_a_write_and_arrives_after_it_is_not_kept(server: Redis) -> None:
    def overtaken() -> str:
        invalidate("cars")
        return "before"

    assert cached(families.CARS_LIST, None, overtaken) == "before"
    assert cached(families.CARS_LIST, None, Asked("after")) == "after"


def test_generations_that_the_server_dropped_end_answers_and_never_revive_them(server: Redis) -> None:
    cached(families.CARS_LIST, None, Asked("before"))
    server.delete("forecourt:1:generation:cars")
    assert cached(families.CARS_LIST, None, Asked("after")) == "after"


def test_switched_off_every_read_asks_the_database(server: Redis, settings: Settings) -> None:
    settings.CACHE_READS = False
    ask = Asked()
    for _ in range(3):
        cached(families.CARS_LIST, None, ask)
    assert ask.times == 3
    assert own_keys(server, "cars:list") == []


def test_who_asks_anew_gets_nothing_kept_and_keeps_nothing(server: Redis) -> None:
    cached(families.CARS_LIST, None, Asked("kept"))
    with uncached():
        assert cached(families.CARS_LIST, None, Asked("new")) == "new"
    assert cached(families.CARS_LIST, None, Asked("never asked")) == "kept"


def test_hits_and_misses_are_counted_by_family(server: Redis) -> None:
    counts.lookups(server)
    server.delete("forecourt:1:lookups")
    for slug in ("a", "b", "a", "a"):
        cached(families.CAR_BY_SLUG, slug, Asked())
    cached(families.CARS_LIST, None, Asked())
    found = [(one.family, one.hits, one.misses, one.rate) for one in counts.lookups(server)]
    assert found == [("car:slug", 2, 2, 50.0), ("cars:list", 0, 1, 0.0)]


def test_the_prefix_of_keys_is_the_caches_own(server: Redis) -> None:
    cached(families.CARS_LIST, None, Asked())
    assert all(key.startswith(f"{caches['default'].key_prefix}:") for key in own_keys(server, "cars"))
