"""How lists find their pages, count their rows, offer dates, and what they can be sorted by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Language, Translation
from config.staff.counting import MOST_COUNTED, Count, count_rows
from config.staff.filters import values_of
from config.staff.orders import Order
from config.staff.pages import Found, Place, PlainRows, UnknownPage, find_page
from inventory.models import Part, Vehicle
from tests.builders import NOON, make_part, make_seller, make_vehicle
from tests.staff.site import PartAdmin

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.staff.urls")]

PARTS = "/admin/inventory/part/"


def order_of(*names: str, model: Any = Part) -> Order:
    order = Order.of(names, model)
    assert order is not None
    return order


def page(order: Order, text: str = "1", *, size: int = 2) -> Found:
    return find_page(PlainRows(Part.objects.all()), order, Place.read(text, order, Part, size), size)


def walked(order: Order, *, begin: str, backwards: bool = False) -> list[Any]:
    """Return the keys from one end of the list to the other, page by page."""
    found = page(order, begin)
    keys = list(found.keys)
    while beside := found.earlier if backwards else found.later:
        found = page(order, beside)
        keys = [*found.keys, *keys] if backwards else [*keys, *found.keys]
    return keys


@pytest.fixture
def vehicle() -> Vehicle:
    return make_vehicle()


@pytest.mark.parametrize(
    "names", [("-created_at", "-pk"), ("price", "created_at", "pk"), ("sold_at", "pk"), ("-sold_at", "-pk")]
)
def test_pages_follow_one_another_in_both_directions_also_where_values_are_empty(
    names: tuple[str, ...], vehicle: Vehicle
) -> None:
    for number in range(8):
        sold = {"status": "SOLD", "sold_at": NOON + timedelta(days=number % 2)} if number % 2 else {}
        make_part(vehicle=vehicle, price=1 + number % 3, created_at=NOON + timedelta(hours=number % 4), **sold)
    wanted = list(Part.objects.order_by(*names).values_list("pk", flat=True))
    order = order_of(*names)
    assert walked(order, begin="1") == wanted
    assert walked(order, begin="last", backwards=True) == wanted


def test_a_page_stays_where_it_is_while_rows_come_before_it(vehicle: Vehicle) -> None:
    parts = [make_part(vehicle=vehicle, created_at=NOON - timedelta(days=age)) for age in range(5)]
    order = order_of("-created_at", "-pk")
    second = page(order).later
    make_part(vehicle=vehicle, created_at=NOON + timedelta(days=1))
    parts[0].delete()
    assert page(order, second).keys == [parts[2].pk, parts[3].pk]


def test_before_the_beginning_lies_a_whole_first_page(vehicle: Vehicle) -> None:
    parts = [make_part(vehicle=vehicle, created_at=NOON - timedelta(days=age)) for age in range(3)]
    order = order_of("-created_at", "-pk")
    after_first = Place(None, (parts[0].created_at, parts[0].pk))
    found = find_page(PlainRows(Part.objects.all()), order, after_first, 2)
    assert found.keys == [parts[1].pk, parts[2].pk]
    assert page(order, found.earlier).keys == [parts[0].pk, parts[1].pk]


@pytest.mark.parametrize("text", ["after:nonsense", "before:", "0", "-1", "999999999"])
def test_the_name_of_no_page_is_refused(text: str) -> None:
    order = order_of("-created_at", "-pk")
    with pytest.raises(UnknownPage):
        Place.read(text, order, Part, 50)


def test_a_page_of_another_order_is_refused(vehicle: Vehicle) -> None:
    for _ in range(3):
        make_part(vehicle=vehicle)
    after = page(order_of("-created_at", "-pk")).later
    with pytest.raises(UnknownPage):
        Place.read(after, order_of("price", "pk"), Part, 2)


def test_an_address_that_names_no_page_leads_to_the_list(staff_client: Client) -> None:
    response = staff_client.get(f"{PARTS}?p=after:nonsense")
    assert (response.status_code, response.headers["Location"]) == (302, f"{PARTS}?e=1")


def test_the_gap_between_numbered_pages_is_no_link(staff_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PartAdmin, "list_per_page", 2)
    vehicle = make_vehicle()
    for _ in range(30):
        make_part(vehicle=vehicle)
    shown = staff_client.get(PARTS).content.decode()
    assert "<span>…</span>" in shown
    assert 'href="?p=15"' in shown
    assert "?p=…" not in unquote(shown)


def test_orders_that_mix_directions_or_follow_other_tables_have_no_places() -> None:
    assert Order.of(["-created_at", "pk"], Part) is None
    assert Order.of(["seller", "pk"], Part) is None
    assert Order.of(["created_at"], Part) is None


def test_a_list_is_sorted_by_the_column_clicked_last_and_by_the_newest_among_equals(staff_client: Client) -> None:
    vehicle = make_vehicle()
    old, new, dear = (
        make_part(vehicle=vehicle, price=price, created_at=NOON + timedelta(days=day))
        for price, day in ((1, 0), (1, 1), (2, 0))
    )
    listed = [staff_client.get(f"{PARTS}?o={asked}").context["cl"].result_list for asked in ("-3.1", "3.1")]
    assert listed == [[dear, new, old], [old, new, dear]]


def test_columns_that_no_index_orders_cannot_be_sorted_by(staff_client: Client) -> None:
    changelist = staff_client.get(PARTS).context["cl"]
    names = [getattr(column, "__name__", column) for column in changelist.sortable_by]
    assert names == ["name", "status", "price"]
    few, many = make_vehicle(), make_vehicle()
    make_part(vehicle=few)
    by_count = staff_client.get("/admin/inventory/vehicle/?o=5").context["cl"]
    assert (by_count.result_list, by_count.get_ordering_field_columns()) == ([many, few], {})


def test_a_count_says_how_sure_it_is() -> None:
    counts = [Count(9_120), Count.about(1_023_456), Count.about(10_400), Count(MOST_COUNTED, "more than")]
    assert list(map(str, counts)) == ["9,120", "about 1,000,000", "about 10,000", "more than 10,000"]
    assert [count.is_exact for count in counts] == [True, False, False, False]


def test_few_rows_are_counted_whatever_the_database_expects(vehicle: Vehicle) -> None:
    make_part(vehicle=vehicle)
    for expected in (None, 1, 5_000_000):
        count = count_rows(Part.objects.all(), expected, ["-created_at"])
        assert (count, count.is_exact) == (1, True)


def test_small_lists_have_numbered_pages_and_tell_their_rows(staff_client: Client) -> None:
    vehicle = make_vehicle()
    for _ in range(51):
        make_part(vehicle=vehicle)
    shown = staff_client.get(f"{PARTS}?p=2").content.decode()
    assert "51 parts" in shown
    assert '<a href="?p=1"' in shown
    assert staff_client.get(f"{PARTS}?p=3").status_code == 302


def test_dates_are_offered_from_the_first_row_to_the_last(staff_client: Client) -> None:
    vehicle = make_vehicle()
    make_part(vehicle=vehicle, created_at=NOON.replace(year=2024, month=11, day=28))
    make_part(vehicle=vehicle, created_at=NOON.replace(year=2026, month=2, day=3))

    def offered(query: str = "") -> list[str]:
        return [choice["title"] for choice in staff_client.get(f"{PARTS}?{query}").context["cl"].dates["choices"]]

    assert offered() == ["2024", "2025", "2026"]
    assert offered("created_at__year=2024") == ["November 2024", "December 2024"]
    assert offered("created_at__year=2026&created_at__month=2") == ["February 1", "February 2", "February 3"]
    assert offered("created_at__year=2026&created_at__month=2&created_at__day=3") == ["February 3"]
    assert len(staff_client.get(f"{PARTS}?created_at__year=2026").context["cl"].result_list) == 1


def test_a_list_without_rows_offers_no_dates(staff_client: Client) -> None:
    assert staff_client.get(PARTS).context["cl"].dates is None


def test_the_values_of_a_column_are_offered_each_once(staff_client: Client) -> None:
    language = Language.objects.get_or_create(code="en", defaults={"name": "English"})[0]
    for number, domain in enumerate(["voucher", "", "seller", "voucher"]):
        Translation.objects.create(key=f"key.{number}", language=language, value="x", domain=domain)
    assert values_of(Translation, "domain") == ["seller", "voucher"]


def test_counts_of_related_rows_end_where_people_stop_reading(staff_client: Client) -> None:
    vehicle = make_vehicle()
    make_part(vehicle=vehicle)
    rows = Part.objects.all()
    fields = [str(field.column) for field in Part._meta.concrete_fields if not field.primary_key]
    columns = ", ".join("'row-' || number" if name == "public_id" else name for name in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE numbers (number) AS"
            " (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 1000)"
            f" INSERT INTO inventory_part ({', '.join(fields)}) SELECT {columns} FROM inventory_part, numbers"
        )
    assert rows.count() == 1001
    assert ">1,000+</a>" in staff_client.get("/admin/inventory/vehicle/").content.decode()


def test_choosing_a_related_row_reads_on_without_counting(staff_client: Client) -> None:
    for _ in range(21):
        make_seller()
    asked = {"app_label": "inventory", "model_name": "vehicle", "field_name": "seller", "term": ""}
    first, second = (staff_client.get("/admin/autocomplete/", {**asked, "page": page}).json() for page in (1, 2))
    assert (len(first["results"]), first["pagination"]["more"]) == (20, True)
    assert (len(second["results"]), second["pagination"]["more"]) == (1, False)
