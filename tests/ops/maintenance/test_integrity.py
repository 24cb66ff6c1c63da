"""`maintain --integrity`: what contradicts each other is found and named, and counts can be put right."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from accounts.models import Integration, Seller
from analytics.models import AuditLog, WebVital
from config.db.removal import BATCH_ROWS
from inventory.models import Category, Part
from leads.models import Voucher, VoucherClaim, VoucherRedemption
from leads.services import claim_voucher
from tests.builders import (
    NOON,
    make_car,
    make_category,
    make_event,
    make_lead,
    make_part,
    make_seller,
    make_user,
    make_vehicle,
    make_vin,
    make_voucher,
)
from tests.ops.maintenance.running import run

pytestmark = pytest.mark.django_db


def findings() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run("--integrity", "--json").json()["findings"]
    return found


def write(model: Any, row: Any, **columns: Any) -> None:
    """Change columns behind the back of everything that watches."""
    model._base_manager.filter(pk=row.pk).update(**columns)


class TestSoundness:
    def test_sound_rows_give_nothing(self) -> None:
        part = make_part(status="SOLD", sold_at=NOON, seller=make_seller(total_sales=1))
        make_lead(part=part)
        make_event(part=part)
        make_category(parent=make_category())
        Integration.objects.create(service="search", external_id="1", target=part)
        voucher = make_voucher(state="published", expires_at=None)
        claim_voucher(voucher=voucher, user=make_user(), now=NOON)
        done = run("--integrity")
        assert (done.output, done.code) == ("Nothing contradicts anything.\n", 0)

    def test_it_writes_nothing(self) -> None:
        seller = make_seller(total_sales=5)
        run("--integrity")
        seller.refresh_from_db()
        assert seller.total_sales == 5
        assert not AuditLog.objects.exists()


class TestCounters:
    def test_sales_are_sold_parts_and_those_in_archives(self) -> None:
        high, low = make_seller(total_sales=9), make_seller(total_sales=0)
        right = make_seller(total_sales=3, archived_sales=2)
        for seller in (high, low, right):
            make_part(seller=seller, status="SOLD", sold_at=NOON)
        make_part(seller=low, status="SOLD", sold_at=NOON, deleted_at=NOON)
        (finding,) = findings()
        assert (finding["check"], finding["table"], finding["rows"]) == ("counter", "accounts_seller", 2)
        assert finding["examples"] == [f"{high.pk} has 9 instead of 1", f"{low.pk} has 0 instead of 2"]
        assert run("--integrity").code == 3
        done = run("--integrity", "--fix")
        assert (done.code, done.output.splitlines()[0]) == (0, "2 counts were put right.")
        assert dict(Seller.objects.values_list("pk", "total_sales")) == {high.pk: 1, low.pk: 2, right.pk: 3}
        entry = AuditLog.objects.filter(event_type="COUNTER_CORRECTED").order_by("pk").first()
        assert entry is not None
        assert entry.changes == {"total_sales": [9, 1]}
        assert run("--integrity", "--fix").output.splitlines()[0] == "0 counts were put right."

    def test_vouchers_count_claims_and_redemptions(self) -> None:
        voucher = make_voucher(state="published", claim_count=7, redemption_count=7)
        claim = VoucherClaim.objects.create(voucher=voucher, user=make_user(), expires_at=NOON)
        VoucherRedemption.objects.create(voucher=voucher, claim=claim)
        assert [finding["text"] for finding in findings()] == ["redemption_count is wrong", "claim_count is wrong"]
        assert run("--integrity", "--fix").code == 0
        voucher.refresh_from_db()
        assert (voucher.claim_count, voucher.redemption_count) == (1, 1)

    def test_a_count_that_a_rule_forbids_stays_and_is_named(self) -> None:
        voucher = make_voucher(max_redemptions=1, redemption_count=1)
        other = make_voucher(redemption_count=4)
        for _ in range(2):
            VoucherRedemption.objects.create(voucher=voucher)
        done = run("--integrity", "--fix")
        assert done.code == 3
        assert f"{voucher.pk} has 1 instead of 2" in done.output
        counts = dict(Voucher.objects.values_list("pk", "redemption_count"))
        assert counts == {voucher.pk: 1, other.pk: 0}

    def test_any_number_of_them(self) -> None:
        owner = make_user()
        number = BATCH_ROWS + 50
        Seller.objects.bulk_create(Seller(owner=owner, name=f"S{i}", total_sales=1) for i in range(number))
        (finding,) = findings()
        assert (finding["rows"], len(finding["examples"])) == (number, 10)
        assert run("--integrity", "--fix").output.splitlines()[0] == f"{number} counts were put right."
        assert findings() == []


class TestCategories:
    def test_level_and_path_follow_the_parents_down_to_the_leaves(self) -> None:
        root = make_category("Engine")
        child = make_category("Fuel", parent=root)
        leaf = make_category("Pumps", parent=child)
        write(Category, child, level=7, path="odd/")
        write(Category, leaf, path="odd/pumps/")
        (finding,) = findings()
        assert (finding["table"], finding["rows"]) == ("inventory_category", 2)
        assert run("--integrity", "--fix").code == 0
        places = list(Category.objects.order_by("level").values_list("level", "path"))
        assert places == [(1, "engine/"), (2, "engine/fuel/"), (3, "engine/fuel/pumps/")]

    def test_a_ring_is_named_and_left_alone(self) -> None:
        first = make_category("A")
        second = make_category("B", parent=first)
        write(Category, first, parent=second)
        (finding,) = findings()
        assert (finding["check"], finding["examples"]) == ("category ring", [str(first.pk), str(second.pk)])
        assert run("--integrity", "--fix").code == 3


class TestLinksAndRules:
    @pytest.mark.django_db(transaction=True)
    def test_a_foreign_key_that_leads_nowhere(self) -> None:
        part = make_part()
        with unguarded():
            write(Part, part, category_id=4711)
        (finding,) = findings()
        assert (finding["check"], finding["table"], finding["examples"]) == (
            "foreign key", "inventory_part", [str(part.pk)],
        )  # fmt: skip
        assert "category_id names a row of inventory_category that is not there" in finding["text"]
        with unguarded():
            write(Part, part, category_id=None)

    @pytest.mark.django_db(transaction=True)
    def test_a_part_of_another_seller_than_its_vehicle(self) -> None:
        part, other = make_part(), make_seller()
        with unguarded():
            write(Part, part, seller_id=other.pk)
        (finding,) = findings()
        assert finding["text"] == "The part must belong to the seller of its vehicle."
        with unguarded():
            write(Part, part, seller_id=part.seller_id)

    @pytest.mark.django_db(transaction=True)
    def test_a_rule_that_rows_break_is_named_with_its_words(self) -> None:
        vital = WebVital.objects.create(name="LCP", value=1, rating="good", path="/")
        with without_check(WebVital, "webvital_value_positive"):
            write(WebVital, vital, value=-1)
            (finding,) = findings()
            assert (finding["check"], finding["rows"], finding["examples"]) == ("check constraint", 1, [str(vital.pk)])
            assert finding["text"] == "webvital_value_positive: A measurement cannot be negative."
            write(WebVital, vital, value=1)

    def test_a_rule_that_is_unknown_for_want_of_a_value_is_kept(self) -> None:
        make_seller(rating=None)
        make_part(price=Decimal("0.01"))
        assert findings() == []

    def test_a_name_of_another_service_whose_row_is_gone(self) -> None:
        part = make_part()
        Integration.objects.create(service="search", external_id="1", target=part)
        gone = Integration.objects.create(service="search", external_id="2", target=part)
        no_number = Integration.objects.create(service="search", external_id="3", target=part)
        write(Integration, gone, object_id="99999")
        write(Integration, no_number, object_id="cku1")
        (finding,) = findings()
        assert (finding["check"], finding["rows"]) == ("generic link", 2)
        assert finding["examples"] == ["search: 2", "search: 3"]

    def test_a_link_to_a_kind_of_row_that_there_is_no_more(self) -> None:
        kind = ContentType.objects.create(app_label="inventory", model="tractor")
        Integration.objects.create(service="search", external_id="1", content_type=kind, object_id="1")
        (finding,) = findings()
        assert finding["check"] == "generic link"


class TestVins:
    def test_a_car_and_a_vehicle_with_one_vin(self) -> None:
        vin = make_vin()
        vehicle = make_vehicle(vin=vin)
        make_car(vin=vin)
        (finding,) = findings()
        assert (finding["check"], finding["examples"]) == ("VIN", [f"{vehicle.pk} {vin}"])

    def test_unless_one_was_made_of_the_other_or_is_deleted(self) -> None:
        car = make_car()
        make_vehicle(vin=car.vin, source_car=car)
        vin = make_vin()
        make_vehicle(vin=vin)
        make_car(vin=vin, deleted_at=NOON)
        assert findings() == []


@contextmanager
def unguarded() -> Generator[None]:
    """Let links lead nowhere, as a file does that another program edited or a load with the triggers off."""
    if connection.vendor == "sqlite":
        with connection.constraint_checks_disabled():
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


@contextmanager
def without_check(model: Any, name: str) -> Generator[None]:
    """Take a rule away for the block."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            try:
                yield
            finally:
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
        return
    (constraint,) = (each for each in model._meta.constraints if each.name == name)
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    yield
    with connection.schema_editor() as editor:
        editor.add_constraint(model, constraint)
