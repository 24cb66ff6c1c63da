"""A day at the marketplace in small: few cars are asked for often, many seldom, and one request in a hundred writes."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import transaction
from redis import Redis

from config.cache import cached, counts, families
from inventory.models import Car

CARS, REQUESTS = 100, 1500
LEAST_HITS = 80  # percent


@pytest.mark.django_db(transaction=True)
def test_most_reads_hit_and_none_is_older_than_the_last_write(server: Redis) -> None:
    slugs = [car.slug for car in Car.objects.bulk_create(car_for_load(number) for number in range(CARS))]
    dice = random.Random(5)
    chosen = dice.choices(slugs, weights=[1 / rank for rank in range(1, CARS + 1)], k=REQUESTS)
    truth = dict.fromkeys(slugs, 0)
    counts.lookups(server)
    server.delete("forecourt:1:lookups")
    stale = []
    for number, slug in enumerate(chosen):
        if number % 100 == 99:
            truth[slug] = number
            change(slug, number)
        if mileage(slug) != truth[slug]:
            stale.append((number, slug))
    assert stale == []
    assert counts.together(counts.lookups(server)).rate > LEAST_HITS


def car_for_load(number: int) -> Car:
    car: Car = Car(make="Skoda", model="Octavia", year=2018, price=9000, segment="FAMILY", mileage_km=0)
    car.slug = f"car-{number}"
    return car


def mileage(slug: str) -> Any:
    find = Car.objects.filter(slug=slug).values_list("mileage_km", flat=True)
    return cached(families.CAR_BY_SLUG, slug, find.first)


def change(slug: str, mileage_km: int) -> None:
    with transaction.atomic():
        car = Car.objects.get(slug=slug)
        car.mileage_km = mileage_km
        car.save()
