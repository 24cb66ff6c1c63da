from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Seller
from config.db.errors import Refused
from inventory.models import Part
from inventory.models.parts import PartStatus
from inventory.services import (
    delete_part,
    list_part,
    release_part,
    reserve_part,
    restore_part,
    return_part,
    sell_part,
    unlist_part,
)
from tests.builders import NOON, make_category, make_part, make_seller, make_user, make_vehicle

pytestmark = pytest.mark.django_db

SOLD = {"status": PartStatus.SOLD, "sold_at": NOON}


def sales_of(part: Part) -> int:
    return Seller.all_objects.get(pk=part.seller_id).total_sales


def test_listing_shows_the_part_and_is_announced_with_its_actor(announcements: list[dict[str, Any]]) -> None:
    part, clerk = make_part(), make_user("ADMIN")

    list_part(part=part, actor=clerk)

    assert list(Part.objects.public()) == [part]
    (fact,) = announcements
    assert (fact["action"], fact["event_type"], fact["actor"]) == ("status_change", "PART_LISTED", clerk)
    assert fact["changes"] == {"is_listed": [False, True]}
    assert fact["seller"] == part.seller


@pytest.mark.parametrize(
    ("seller", "reason"),
    [
        ({"is_verified": False}, "is not verified: verify the seller first"),
        ({"is_active": False}, "is not active"),
        ({"deleted_at": NOON}, "is deleted"),
    ],
)
def test_listing_is_refused_while_the_seller_may_not_sell(seller: dict[str, Any], reason: str) -> None:
    part = make_part(seller=make_seller(**seller))

    with pytest.raises(Refused, match=reason):
        list_part(part=part)

    part.refresh_from_db()
    assert not part.is_listed


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": PartStatus.RESERVED}, "is reserved: only available parts can be listed"),
        (SOLD, "is sold: only available parts can be listed"),
        ({"is_listed": True}, "is listed already"),
        ({"deleted_at": NOON}, "is deleted: restore it first"),
    ],
)
def test_listing_is_refused_unless_the_part_is_available(fields: dict[str, Any], reason: str) -> None:
    part = make_part(**fields)

    with pytest.raises(Refused, match=reason):
        list_part(part=part)

    part.refresh_from_db()
    assert part.is_listed == fields.get("is_listed", False)


def test_unlisting_takes_the_part_off_the_marketplace_once() -> None:
    part = make_part(is_listed=True)

    unlist_part(part=part)

    assert not Part.objects.public().exists()
    with pytest.raises(Refused, match="is not listed"):
        unlist_part(part=part)


def test_selling_dates_unlists_and_counts_the_sale_once(announcements: list[dict[str, Any]]) -> None:
    part = make_part(is_listed=True)

    sell_part(part=part, now=NOON)

    part.refresh_from_db()
    assert (part.status, part.sold_at, part.is_listed) == (PartStatus.SOLD, NOON, False)
    assert sales_of(part) == 1
    assert announcements[-1]["changes"] == {
        "status": ["AVAILABLE", "SOLD"],
        "sold_at": [None, NOON],
        "is_listed": [True, False],
    }


def test_selling_a_sold_part_is_refused_and_counts_nothing() -> None:
    part = make_part()
    sell_part(part=part, now=NOON)

    with pytest.raises(Refused, match="is sold already"):
        sell_part(part=part, now=NOON + timedelta(days=1))

    part.refresh_from_db()
    assert part.sold_at == NOON
    assert sales_of(part) == 1


def test_selling_a_reserved_part_ends_the_reservation() -> None:
    part = make_part(status=PartStatus.RESERVED, reserved_until=NOON)

    sell_part(part=part, now=NOON)

    assert part.reserved_until is None
    assert sales_of(part) == 1


def test_a_returned_part_has_no_sale_date_is_not_listed_and_counts_no_more(
    announcements: list[dict[str, Any]],
) -> None:
    part = make_part(is_listed=True)
    sell_part(part=part, now=NOON)

    return_part(part=part)

    part.refresh_from_db()
    assert (part.status, part.sold_at, part.is_listed) == (PartStatus.AVAILABLE, None, False)
    assert sales_of(part) == 0
    assert announcements[-1]["event_type"] == "PART_RETURNED"
    assert announcements[-1]["changes"] == {"status": ["SOLD", "AVAILABLE"], "sold_at": [NOON, None]}


def test_an_imported_counter_of_nothing_does_not_fall_below_it() -> None:
    part = make_part(**SOLD)

    return_part(part=part)

    assert sales_of(part) == 0


def test_only_a_sold_part_can_be_returned() -> None:
    part = make_part(seller=make_seller(total_sales=3))

    with pytest.raises(Refused, match="is available: only sold parts"):
        return_part(part=part)

    assert sales_of(part) == 3


def test_a_reservation_hides_a_listed_part_until_it_is_released() -> None:
    part = make_part(is_listed=True)

    reserve_part(part=part, until=NOON + timedelta(days=2), now=NOON)
    assert not Part.objects.public().exists()

    release_part(part=part)
    part.refresh_from_db()
    assert (part.status, part.reserved_until) == (PartStatus.AVAILABLE, None)
    assert list(Part.objects.public()) == [part]


def test_a_reservation_must_end_in_the_future() -> None:
    part = make_part()

    with pytest.raises(Refused, match="in the future"):
        reserve_part(part=part, until=NOON, now=NOON)

    part.refresh_from_db()
    assert part.status == PartStatus.AVAILABLE


@pytest.mark.parametrize("fields", [{"status": PartStatus.RESERVED}, SOLD])
def test_only_an_available_part_can_be_reserved(fields: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="only available parts can be reserved"):
        reserve_part(part=make_part(**fields))


def test_only_a_reserved_part_can_be_released() -> None:
    with pytest.raises(Refused, match="only reserved parts can be released"):
        release_part(part=make_part())


def test_a_stale_object_does_not_undo_what_happened_since() -> None:
    part = make_part()
    stale = Part.objects.get(pk=part.pk)
    sell_part(part=part, now=NOON)

    with pytest.raises(Refused, match="is sold"):
        reserve_part(part=stale)

    part.refresh_from_db()
    assert part.status == PartStatus.SOLD


def test_a_deleted_part_is_hidden_unlisted_and_comes_back_unlisted() -> None:
    part = make_part(is_listed=True)

    delete_part(part=part, now=NOON)
    assert not Part.objects.exists()
    assert Part.all_objects.get().deleted_at == NOON
    with pytest.raises(Refused, match="is deleted already"):
        delete_part(part=part)

    restore_part(part=part)
    assert Part.objects.get().is_listed is False
    with pytest.raises(Refused, match="is not deleted"):
        restore_part(part=part)


@pytest.mark.parametrize("what", ["vehicle", "category", "seller"])
def test_a_part_comes_back_only_to_what_is_there(what: str) -> None:
    seller = make_seller()
    part = make_part(vehicle=make_vehicle(seller=seller), category=make_category(), deleted_at=NOON)
    needed = getattr(part, what)
    needed.soft_delete(NOON)

    with pytest.raises(Refused, match="is deleted: restore"):
        restore_part(part=part)

    part.refresh_from_db()
    assert part.deleted_at == NOON
