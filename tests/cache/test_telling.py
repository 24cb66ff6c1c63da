"""Where staff and monitoring see how the cache does, and filling it ahead."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings
from redis import Redis

from config.cache import cached, families
from tests.builders import make_car, make_part

pytestmark = pytest.mark.django_db(transaction=True)


def cache_admin(*arguments: str) -> str:
    out = StringIO()
    call_command("cache_admin", *arguments, stdout=out)
    return out.getvalue()


def read(times: int, *slugs: str) -> None:
    for slug in slugs * times:
        cached(families.CAR_BY_SLUG, slug, lambda: "a car")


@pytest.fixture
def nothing_counted(server: Redis) -> None:
    cache_admin("stats")
    server.delete("forecourt:1:lookups")


@pytest.mark.usefixtures("nothing_counted")
class TestHitsAndMisses:
    def test_are_told_by_family(self) -> None:
        read(4, "octavia", "golf")
        cached(families.PARTS_LIST, None, list)
        about = json.loads(cache_admin("stats", "--json"))
        assert (about["hits"], about["misses"], about["hit_rate"]) == (6, 3, 66.7)
        assert about["families"] == [
            {"family": "car:slug", "hits": 6, "misses": 2, "hit_rate": 75.0},
            {"family": "parts:list", "hits": 0, "misses": 1, "hit_rate": 0.0},
        ]
        assert "car:slug               6             2    75.0 %\n" in cache_admin("stats")

    def test_without_any_there_is_nothing_to_tell(self) -> None:
        assert json.loads(cache_admin("stats", "--json")) == {"hits": 0, "misses": 0, "hit_rate": 0.0, "families": []}

    def test_few_hits_are_a_warning_of_dbhealth_after_a_hundred_reads(self) -> None:
        def findings() -> Any:
            out = StringIO()
            with pytest.raises(SystemExit) as left:
                call_command("dbhealth", "--section", "cache", "--json", stdout=out)
            section = json.loads(out.getvalue())["sections"]["cache"]
            return left.value.code, section["tables"]["reads"]["rows"], [found["text"] for found in section["findings"]]

        read(1, *(f"car-{number}" for number in range(99)))
        assert not [text for text in findings()[2] if "cached reads" in text]
        read(2, "car-1")
        code, rows, texts = findings()
        assert (code, rows) == (2, [{"family": "car:slug", "hits": 2, "misses": 99, "rate": 2.0}])
        assert "Only 2 % of the 101 cached reads were answered from the cache (below 50 %)." in texts

    def test_are_figures_for_prometheus(self, client: Client, settings: Settings) -> None:
        settings.METRICS_TOKEN = "open-sesame"
        read(3, "octavia")
        text = client.get("/metrics", headers={"Authorization": "Bearer open-sesame"}).content.decode()
        assert 'forecourt_cache_reads_total{family="car:slug",outcome="hit"} 2.0' in text
        assert 'forecourt_cache_reads_total{family="car:slug",outcome="miss"} 1.0' in text


def test_a_warm_cache_answers_what_visitors_ask_first(server: Redis) -> None:
    make_car()
    make_part(is_listed=True)
    first = json.loads(cache_admin("warm", "--json"))
    assert {"cars_ms", "cars_featured_ms", "parts_ms", "categories_ms", "provinces_ms"} <= first.keys()
    before = json.loads(cache_admin("stats", "--json"))
    assert json.loads(cache_admin("warm", "--json")).keys() == first.keys()
    after = json.loads(cache_admin("stats", "--json"))
    assert (after["misses"] - before["misses"], after["hits"] - before["hits"]) == (0, len(first))


def test_warming_a_cache_that_keeps_nothing_is_refused(server: Redis, settings: Settings) -> None:
    settings.CACHE_READS = False
    with pytest.raises(CommandError, match="CACHE_READS is false"):
        cache_admin("warm")
