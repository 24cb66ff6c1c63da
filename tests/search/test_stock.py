"""What is found among cars, vehicles and parts, and in which order."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from config.db.search import Found, in_order
from config.ops.search_words import refresh_words, stale_words
from inventory.models import Car, Part, Vehicle
from inventory.search import (
    matching_parts,
    search_cars,
    search_parts,
    search_vehicles,
    suggest_makes_and_models,
    suggest_part_names,
)
from tests.builders import NOON, make_car, make_part, make_seller, make_vehicle

pytestmark = pytest.mark.django_db


def names(found: Found, rows: QuerySet[Any] | None = None) -> list[str]:
    return [row.name for row in in_order(Part.objects.all() if rows is None else rows, found.ids)]


def parts(**names_and_fields: dict[str, Any]) -> None:
    """Make parts of one vehicle, each a minute younger than the one before."""
    vehicle = make_vehicle()
    for number, (name, fields) in enumerate(names_and_fields.items()):
        defaults = {"name": name.replace("_", " "), "created_at": NOON + timedelta(minutes=number)}
        make_part(vehicle=vehicle, **defaults | fields)


class TestWords:
    @pytest.mark.parametrize("text", ["vänster dörr", "VANSTER DORR", "dörr vänster", "Vänster, (dörr)!", "vanster do"])
    def test_case_accents_order_and_signs_do_not_matter_and_the_last_word_may_be_begun(self, text: str) -> None:
        parts(Vänster_dörr={}, Vänster_spegel={}, Dörr={})
        assert names(search_parts(text)) == ["Vänster dörr"]

    def test_names_come_before_descriptions_and_new_rows_before_old_ones(self) -> None:
        parts(
            Turbo={"description": "Fits the gearbox of a bus."},
            Gearbox_five_speed={},
            Gearbox_six_speed={},
            Clutch={"description": "Gearbox and engine gone."},
        )
        assert names(search_parts("gearbox")) == ["Gearbox six speed", "Gearbox five speed", "Clutch", "Turbo"]

    def test_words_may_be_spread_over_name_and_description(self) -> None:
        parts(Gearbox={"description": "From a Corolla of 2015."}, Clutch={"description": "Of a Corolla."})
        assert names(search_parts("corolla gearbox")) == ["Gearbox"]

    @pytest.mark.parametrize("text", ["", "a", "!!", "\0", "'; DROP TABLE x --", "x & | ! <-> :*", "%_", "ß" * 10_000])
    def test_odd_text_finds_nothing_and_breaks_nothing(self, text: str) -> None:
        parts(Gearbox={}, Clutch={})
        assert search_parts(text) == Found([])
        assert not Part.objects.filter(matching_parts(text)).exists()

    def test_a_page_goes_on_where_the_last_one_ended(self) -> None:
        parts(**{f"Gearbox {number}": {} for number in range(3)}, Clutch={"description": "No gearbox."})
        first, second = search_parts("gearbox", limit=2), search_parts("gearbox", limit=2, offset=2)
        assert (names(first), first.has_more) == (["Gearbox 2", "Gearbox 1"], True)
        assert (names(second), second.has_more) == (["Gearbox 0", "Clutch"], False)

    def test_only_rows_within_the_given_ones_are_found(self) -> None:
        seller = make_seller()
        make_part(name="Gearbox of another")
        make_part(name="Gearbox", seller=seller)
        make_part(name="Gearbox deleted", seller=seller, deleted_at=NOON)
        assert names(search_parts("gearbox", within=Part.objects.filter(seller=seller))) == ["Gearbox"]

    def test_the_condition_alone_finds_the_same_rows(self) -> None:
        parts(Turbo={"description": "Of a gearbox."}, Gearbox={}, Clutch={}, Pump={"part_number": "GEARBOX 1"})
        found = search_parts("gearbox")
        assert set(found.ids) == set(Part.objects.filter(matching_parts("gearbox")).values_list("pk", flat=True))
        assert len(found.ids) == 3


class TestNumbers:
    @pytest.mark.parametrize("text", ["06F 903 023 C", "06f903023c", "06F-903-023-C", "06f.903/023c"])
    def test_a_part_number_is_found_however_it_is_written(self, text: str) -> None:
        parts(Longer={"part_number": "06F 903 023 CX"}, Alternator={"part_number": "06F-903023 C"}, Other={})
        assert names(search_parts(text)) == ["Alternator", "Longer"]

    def test_a_number_that_is_only_begun_finds_the_newest_first(self) -> None:
        parts(Old={"part_number": "06F 903 1"}, New={"part_number": "06F9032"}, Other={"part_number": "16F903"})
        assert names(search_parts("06f 903")) == ["New", "Old"]

    def test_a_vin_is_found_written_with_spaces_or_only_begun(self) -> None:
        car, vehicle = make_car(vin="WVWZZZ1KZAW000017"), make_vehicle(vin="WVWZZZ1KZAW000025")
        assert search_cars("wvwzzz 1kz aw000017").ids == [car.pk]
        assert search_cars("WVWZZZ1K").ids == [car.pk]
        assert search_vehicles("WVWZZZ1KZAW000025").ids == [vehicle.pk]

    def test_a_digit_behind_other_words_is_meant_as_it_is_and_a_letter_only_begun(self) -> None:
        golf, other = make_car(make="VW", model="Golf 7", vin=None), make_car(make="VW", model="Golf 75", vin=None)
        assert search_cars("golf 7").ids == [golf.pk]
        assert search_cars("golf 75").ids == [other.pk]
        assert set(search_cars("7 g").ids) == {golf.pk}

    def test_a_car_is_found_by_model_and_year(self) -> None:
        car = make_car(model="Octavia", year=2018)
        make_car(model="Octavia", year=2019)
        assert search_cars("octavia 2018 skoda").ids == [car.pk]


class TestTypos:
    @pytest.mark.postgres_only
    def test_misspelled_words_find_what_was_meant_and_say_so(self) -> None:
        parts(Gearbox={}, Alternator={})
        car = make_car(make="Skoda")
        refresh_words(connection)
        for text in ("gearbx", "gaerbox", "gearrbox", "Gearbux", "hearbox"):
            found = search_parts(text)
            assert (names(found), found.repaired) == (["Gearbox"], "gearbox")
        for text in ("Skda", "Sokda", "škodda"):
            assert search_cars(text) == Found([car.pk], "skoda")

    @pytest.mark.postgres_only
    @pytest.mark.parametrize(
        ("stock", "typed"),
        [("Gearbox", "gearboxes"), ("Battery", "batteries"), ("Moottori", "moottorit"), ("Motor", "motores")],
    )
    def test_another_form_of_a_word_finds_it_in_each_language(self, stock: str, typed: str) -> None:
        parts(**{stock: {}, f"Battery_holder_{stock}": {}, "Motto": {}, "Generator": {}})
        refresh_words(connection)
        found = search_parts(typed)
        assert (names(found)[-1], found.repaired) == (stock, stock.lower())

    def test_a_word_that_is_found_is_not_repaired(self) -> None:
        parts(Gearbox={}, Clutch={"description": "Gearbux is how the label spells it."})
        refresh_words(connection)
        assert names(search_parts("gearbux")) == ["Clutch"]

    def test_a_word_far_from_all_others_finds_nothing(self) -> None:
        parts(Gearbox={}, Alternator={})
        refresh_words(connection)
        assert search_parts("windscreen") == Found([])

    @pytest.mark.postgres_only
    def test_without_the_extension_words_are_searched_as_they_are_typed(self) -> None:
        parts(Gearbox={})
        refresh_words(connection)
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        assert names(search_parts("gearbox")) == ["Gearbox"]
        assert search_parts("gearbx") == Found([])

    @pytest.mark.postgres_only
    def test_words_follow_the_names(self) -> None:
        parts(Gearbox={}, Alternator={})
        assert refresh_words(connection) > 0
        assert refresh_words(connection) == 0
        Part.objects.filter(name="Gearbox").update(name="Clutch")
        assert search_parts("clutsh") == Found([])
        assert stale_words(connection) == refresh_words(connection) == 2
        assert stale_words(connection) == 0
        assert search_parts("clutsh").repaired == "clutch"


class TestManyMatches:
    @pytest.mark.postgres_only
    @pytest.mark.parametrize("old_first", [True, False])
    def test_the_newest_of_many_are_found_without_reading_all(self, old_first: bool) -> None:
        vehicle = make_vehicle()
        common = [f"Gearbox {number}" for number in range(5000)]
        rare = [f"Clutch {number}" for number in range(3000)]
        rows = [
            Part(
                vehicle=vehicle, seller=vehicle.seller, name=name, price=1, created_at=NOON + timedelta(seconds=number)
            )
            for number, name in enumerate([*common, *rare] if old_first else [*rare, *common])
        ]
        Part.objects.bulk_create(rows, batch_size=4000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE inventory_part")
        assert names(search_parts("gearbox", limit=3)) == ["Gearbox 4999", "Gearbox 4998", "Gearbox 4997"]
        assert names(search_parts("gear", limit=1, offset=1000)) == ["Gearbox 3999"]


def test_part_names_are_suggested_once_each() -> None:
    parts(**{"Door mirror": {}, "Mirror glass": {}, "Gearbox": {}, "Door  mirror": {"name": "Door mirror"}})
    assert suggest_part_names("mir") == ["Door mirror", "Mirror glass"]
    assert suggest_part_names("m") == []


def test_makes_and_models_are_suggested_by_how_many_there_are() -> None:
    make_car(make="Seat", model="Leon")
    for _ in range(2):
        make_car(make="Skoda", model="Superb")
    make_vehicle(make="Skoda", model="Octavia")
    make_vehicle(make="Suzuki", model="Swift")
    suggested = partial(suggest_makes_and_models, cars=Car.objects.all(), vehicles=Vehicle.objects.all())
    assert suggested("s") == ([], [])
    assert suggested("sk") == (["Skoda"], [])
    assert suggested("SE") == (["Seat"], [])
    assert suggested("su") == (["Suzuki"], ["Superb"])
    assert suggested("le", make="skoda") == ([], [])
    assert suggested("le", make="SEAT") == ([], ["Leon"])
