"""What programs read over HTTP, without signing in."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models.users import Role
from config import pages
from config.ops.search_words import refresh_words
from leads.models import VoucherCode
from leads.models.vouchers import VoucherState
from tests.api.conftest import Ask
from tests.builders import (
    NOON,
    make_car,
    make_category,
    make_language,
    make_part,
    make_seller,
    make_translation,
    make_user,
    make_vehicle,
    make_voucher,
)

pytestmark = pytest.mark.django_db


def names(rows: list[dict[str, Any]], key: str = "public_id") -> list[str]:
    return [row[key] for row in rows]


def test_a_list_of_cars_tells_ids_times_and_money_for_programs(ask: Ask) -> None:
    car = make_car(price="14900.50", seller=make_seller(name="Motors"))
    make_car(published_at=None)

    page = ask("cars")

    assert {key: page[key] for key in ("page", "page_size", "total", "next", "previous")} == {
        "page": 1, "page_size": 20, "total": 1, "next": None, "previous": None,
    }  # fmt: skip
    (shown,) = page["items"]
    assert "id" not in shown
    assert shown["public_id"] == car.public_id
    assert shown["price"] == {"amount": "14900.50", "currency": "EUR"}
    assert shown["published_at"] == "2026-03-02T12:00:00Z"
    assert shown["seller"]["name"] == "Motors"


def test_cars_are_narrowed_and_sorted_by_parameters(ask: Ask) -> None:
    dear, cheap = make_car(price=900), make_car(price=500)
    make_car(price=901)
    make_car(price=600, make="Volvo")

    found = ask("cars?make=skoda&price_min=500&price_max=900&sort=-price&category=FAMILY")

    assert names(found["items"]) == [dear.public_id, cheap.public_id]


def test_both_kinds_of_page(ask: Ask) -> None:
    cars = [make_car(created_at=NOON + timedelta(minutes=minute)).public_id for minute in range(3)][::-1]

    assert names(ask("cars?page=2&page_size=2")["items"]) == cars[2:]
    first = ask("cars?page_size=2&cursor=")
    second = ask(f"cars?page_size=2&cursor={first['next']}")
    back = ask(f"cars?page_size=2&cursor={second['previous']}")

    assert (first["total"], names(first["items"]), names(second["items"])) == (None, cars[:2], cars[2:])
    assert (names(back["items"]), second["next"], back["previous"]) == (cars[:2], None, None)


def test_one_car_by_slug_by_id_and_by_former_slug(ask: Ask, client: Client) -> None:
    car = make_car(slug="old", description="Fine.")
    car.slug = "new"
    car.save()

    assert ask("cars/new") == ask(f"cars/{car.public_id}")
    assert ask("cars/new")["description"] == "Fine."
    moved = client.get("/api/v1/cars/old?from=mail")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/api/v1/cars/new?from=mail")
    assert moved.headers["Cache-Control"] == "public, max-age=60"
    assert ask("cars/old/related") == ask("cars/new/related")


def test_short_lists_of_cars(ask: Ask) -> None:
    car = make_car(slug="one", is_featured=True)
    other = make_car(make="Volvo", segment="SUV")

    assert names(ask("cars/featured")) == [car.public_id]
    assert names(ask("cars/one/related")) == [other.public_id]
    assert ask("cars/makes") == ["Skoda", "Volvo"]
    assert {kind: number for kind, number in ask("cars/categories").items() if number} == {"FAMILY": 1, "SUV": 1}


def test_parts_their_facets_and_categories(ask: Ask) -> None:
    engine = make_category("Engine")
    part = make_part(vehicle=make_vehicle(make="Ford", year=2012), category=engine, price=950, is_listed=True)
    make_part(category=engine, condition="POOR", is_listed=True)
    make_part(is_listed=False)

    assert names(ask("parts?make=Ford&year=2012&category=engine&condition=GOOD&condition=NEW")["items"]) == [
        part.public_id
    ]
    assert ask("parts/facets?category=engine")["total"] == 2
    assert ask(f"parts/{part.public_id}")["vehicle"]["make"] == "Ford"
    assert ask("parts/featured") == []
    assert ask("categories")[0]["part_count"] == 2


def test_sellers_and_where_they_are(ask: Ask) -> None:
    seller = make_seller(province="WC", city="Paarl", latitude=-33.92, longitude=18.42, rating=4, phone="+27 21 1")
    make_seller(is_verified=False)
    point = "latitude=-33.9&longitude=18.4"

    assert ask("sellers?verified=true")["items"][0]["vehicle_count"] == 0
    assert ask(f"sellers/{seller.public_id}")["phone"] == "+27 21 1"
    (near,) = ask(f"sellers/nearby?{point}")
    assert (near["public_id"], round(near["distance_km"], 1)) == (seller.public_id, 2.9)
    assert names(ask("sellers/rectangle?north=-33&south=-34&east=19&west=18")) == [seller.public_id]
    error = ask("sellers/rectangle?north=-34&south=-33&east=19&west=18", status=400)["error"]
    assert error["fields"] == {"south": ["Value error, the southern edge lies north of the northern one"]}
    assert ask(f"sellers/serving?{point}") == []
    assert (ask("sellers/provinces"), ask("sellers/cities?province=Western Cape")) == (["Western Cape"], ["Paarl"])


def test_vouchers_nearby_in_the_callers_language(ask: Ask) -> None:
    seller = make_seller(latitude=-33.92, longitude=18.42)
    fields = {"seller": seller, "state": VoucherState.PUBLISHED, "expires_at": timezone.now() + timedelta(days=1)}
    at_sellers = make_voucher(**fields)
    nearer = make_voucher(**fields, latitude=-33.9, longitude=18.4, discount_type="fixed")
    make_voucher(**fields, latitude=0.0, longitude=0.0)
    make_voucher(**fields | {"state": VoucherState.DRAFT})
    make_voucher(**fields | {"expires_at": timezone.now()})
    make_translation(at_sellers.title_key, "Alennus", "fi")

    found = ask("vouchers/nearby?latitude=-33.9&longitude=18.4", **{"X-Language": "fi"})

    assert names(found) == [nearer.public_id, at_sellers.public_id]
    assert (found[0]["amount"], found[0]["percentage"]) == ({"amount": "15.00", "currency": "ZAR"}, None)
    assert (found[1]["title"], found[1]["percentage"], found[1]["distance_km"]) == ("Alennus", "15.00", 2.89)


def test_what_is_not_public_is_not_there_not_even_for_its_owner(client: Client) -> None:
    owner = make_user(Role.SELLER)
    seller = make_seller(owner=owner, is_verified=False)
    part = make_part(seller=seller, is_listed=True)
    client.force_login(owner)

    assert client.get(f"/api/v1/parts/{part.public_id}").status_code == 404
    assert "Cookie" not in client.get("/api/v1/parts").headers.get("Vary", "")


def test_a_voucher_is_found_by_its_code_and_by_the_text_that_is_shown(ask: Ask) -> None:
    make_language("en", is_default=True)
    make_language("de")
    valid = {"state": VoucherState.PUBLISHED, "expires_at": timezone.now() + timedelta(days=1)}
    untranslated, translated = make_voucher(**valid), make_voucher(**valid)
    VoucherCode.objects.create(voucher=translated, code="BRAKES20", type="static")
    for voucher in (untranslated, translated):
        make_translation(voucher.title_key, "Brakes")
    make_translation(translated.title_key, "Bremsen", "de")

    def found(text: str) -> list[str]:
        return names(ask(f"search?q={text}", **{"X-Language": "de"})["vouchers"])

    assert found("brakes") == [untranslated.public_id]
    assert found("bremsen") == found("brakes20") == found("BRAKES-20") == [translated.public_id]


def test_an_answer_is_kept_and_asked_again_by_its_tag(client: Client) -> None:
    make_car()
    first = client.get("/api/v1/cars")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    again = client.get("/api/v1/cars", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["Vary"]) == (304, b"", first.headers["Vary"])
    make_car()
    assert client.get("/api/v1/cars", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_long_answer_comes_compressed_to_who_can_read_it(client: Client) -> None:
    for _ in range(5):
        make_car()
    plain, packed = client.get("/api/v1/cars"), client.get("/api/v1/cars", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.content) < len(plain.content) / 3


def test_a_text_finds_the_best_first_and_forgives_an_error(ask: Ask) -> None:
    named = make_car(name="Skoda Octavia Combi", slug="combi")
    described = make_car(make="Volvo", model="V60", description="Better than an Octavia.")
    make_car(make="Fiat", model="Panda")

    found = ask("cars?q=octavia")
    assert (names(found["items"]), found["total"], found["searched_for"]) == (
        [named.public_id, described.public_id],
        2,
        None,
    )
    assert names(ask("cars?q=octavia&sort=newest")["items"]) == [described.public_id, named.public_id]
    assert names(ask("cars?q=octavia&make=volvo")["items"]) == [described.public_id]
    first = ask("cars?q=octavia&cursor=&page_size=1")
    second = ask(f"cars?q=octavia&page_size=1&cursor={first['next']}")
    assert names(first["items"] + second["items"]) == [named.public_id, described.public_id]
    assert (second["next"], ask(f"cars?q=octavia&page_size=1&cursor={second['previous']}")["items"]) == (
        None,
        first["items"],
    )
    assert ask("cars?q=octavia&page=600")["items"] == []


@pytest.mark.postgres_only
def test_an_error_is_forgiven_in_every_order_on_every_page_and_among_facets(ask: Ask) -> None:
    cars = [make_car(make="Skoda", price=price).public_id for price in (3, 2, 1)][::-1]
    make_part(name="Gearbox", is_listed=True)
    refresh_words(connection)

    by_price = ask("cars?q=Skda&sort=price&cursor=&page_size=2")
    then = ask(f"cars?q=Skda&sort=price&page_size=2&cursor={by_price['next']}")
    beyond = ask("cars?q=Skda&page=1000&page_size=5")
    facets = ask("parts/facets?q=gearbx")

    assert names(by_price["items"] + then["items"]) == cars
    assert (beyond["items"], beyond["total"]) == ([], 3)
    assert {each["searched_for"] for each in (by_price, then, beyond)} == {"skoda"}
    assert (facets["total"], facets["searched_for"]) == (1, "gearbox")


@pytest.mark.postgres_only
def test_words_are_repaired_only_where_nothing_of_any_kind_has_them_as_typed(ask: Ask) -> None:
    car = make_car(make="Mitsubishi", model="Colt").public_id
    gearbox = make_part(name="Gearbox", is_listed=True).public_id
    make_part(name="Bolt set", is_listed=True)
    refresh_words(connection)

    typed, repaired = ask("search?q=colt"), ask("search?q=gearbx")

    assert (names(typed["cars"]), typed["parts"], typed["searched_for"]) == ([car], [], None)
    assert (names(repaired["parts"]), repaired["searched_for"]) == ([gearbox], "gearbox")


def test_parts_lie_around_a_whole_centre_within_ten_kilometres_unless_told_otherwise(ask: Ask) -> None:
    near, further = (make_seller(latitude=latitude, longitude=18.4) for latitude in (-33.9, -34.1))
    parts = [make_part(seller=seller, is_listed=True).public_id for seller in (near, further)]
    centre = "latitude=-33.9&longitude=18.4"

    assert names(ask(f"parts?{centre}")["items"]) == parts[:1]
    assert names(ask(f"parts?{centre}&radius_km=50&sort=oldest")["items"]) == parts


def test_nobody_finds_a_car_by_its_vin(ask: Ask) -> None:
    make_car(vin="WVWZZZ1KZAW000017")
    for text in ("WVWZZZ1KZAW000017", "WVW"):
        assert [ask(f"cars?q={text}{order}")["total"] for order in ("", "&sort=price")] == [0, 0]


def test_suggestions_are_of_what_is_public(ask: Ask) -> None:
    make_car(make="Nissan", model="Leaf", status="RESERVED")
    make_part(name="Nut", vehicle=make_vehicle(make="Nio"), is_listed=False)
    make_part(name="Nozzle", vehicle=make_vehicle(make="Navistar"), is_listed=True)
    assert [ask(f"parts/autocomplete?q={text}")["makes"] for text in ("ni", "na")] == [[], ["Navistar"]]


def test_a_cursor_tells_nothing_and_serves_its_own_list_alone(ask: Ask) -> None:
    for _ in range(2):
        make_car()
        make_part(is_listed=True)
    cursor = ask("cars?cursor=&page_size=1")["next"]
    assert b"newest" not in urlsafe_b64decode(cursor + "==")
    assert ask("cars?cursor=&page_size=1")["next"] == cursor
    assert "cursor" in ask(f"parts?cursor={cursor}", status=400)["error"]["fields"]


def test_a_cursor_outlives_a_new_secret_key_as_long_as_the_old_one_is_known(ask: Ask, settings: Settings) -> None:
    for _ in range(2):
        make_car()
    cursor = ask("cars?cursor=&page_size=1")["next"]
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new"
    assert len(ask(f"cars?cursor={cursor}")["items"]) == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert "cursor" in ask(f"cars?cursor={cursor}", status=400)["error"]["fields"]


def test_ranks_end_with_the_thousandth_row(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LAST_RANK", 5)
    for _ in range(7):
        make_car(name="Octavia")
    sizes, cursor = [], ""
    while cursor is not None:
        page = ask(f"cars?q=octavia&page_size=2&cursor={cursor}")
        sizes.append(len(page["items"]))
        cursor = page["next"]
    beyond = ask("cars?q=octavia&page_size=2&page=4")
    assert sizes == [2, 2, 1]
    assert (beyond["items"], beyond["total"]) == ([], 7)
    assert len(ask(f"cars?q=octavia&page_size=2&cursor={beyond['previous']}")["items"]) == 2


def test_parts_are_found_by_number_and_suggested_while_somebody_types(ask: Ask) -> None:
    part = make_part(name="Alternator", part_number="06B-903-016", is_listed=True)
    make_part(name="Alternator bracket", is_listed=False)

    assert names(ask("parts?q=06b 903 016")["items"]) == [part.public_id]
    assert ask("parts/facets?q=alternator")["total"] == 1
    assert ask("parts/autocomplete?q=alt")["names"] == ["Alternator"]
    assert ask("parts/autocomplete?q=a") == {"names": [], "makes": [], "models": []}


def test_one_search_over_everything_public(ask: Ask) -> None:
    seller = make_seller(name="Octavia Motors")
    car, part = make_car(name="Octavia"), make_part(name="Octavia bumper", seller=seller, is_listed=True)
    make_seller(name="Octavia Secret", is_active=False)
    valid = {"state": VoucherState.PUBLISHED, "expires_at": timezone.now() + timedelta(days=1)}
    voucher = make_voucher(seller=seller, **valid)
    make_translation(voucher.title_key, "Octavia week")

    found = ask("search?q=octavia")

    assert found.pop("searched_for") is None
    assert {kind: names(rows) for kind, rows in found.items()} == {
        "cars": [car.public_id],
        "parts": [part.public_id],
        "sellers": [seller.public_id],
        "vouchers": [voucher.public_id],
    }
