"""Foreign keys of several columns: made, kept, dropped and obeyed on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.apps.registry import Apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.models import Seller
from config.db.composite_keys import CompositeForeignKey
from config.ops.schema import read_catalog
from config.ops.scratch import connected, scratch_url
from inventory.models import Part, Vehicle
from tests.builders import make_part, make_seller, make_vehicle

KEY = ("constraint", "trial_box.box_shelf_owner")


class Tables(NamedTuple):
    """Boxes on shelves; both have an owner, and it is the same."""

    connection: BaseDatabaseWrapper
    box: type[models.Model]
    shelf: type[models.Model]

    def run(self, *statements: str) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def has_key(self) -> bool:
        return KEY in read_catalog(self.connection)

    def in_one_transaction(self, *statements: str) -> None:
        self.connection.set_autocommit(False)
        try:
            self.run(*statements)
            self.connection.commit()
        finally:
            self.connection.rollback()
            self.connection.set_autocommit(True)


def shelf_and_box() -> tuple[type[models.Model], type[models.Model]]:
    registry = Apps()

    class Shelf(models.Model):
        owner = models.IntegerField()

        class Meta:
            apps = registry
            app_label = "trial"
            constraints = [models.UniqueConstraint(name="shelf_owner", fields=["id", "owner"])]

        def __str__(self) -> str:
            return f"Shelf {self.pk}"

    class Box(models.Model):
        shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, null=True, db_constraint=False)
        owner = models.IntegerField()

        class Meta:
            apps = registry
            app_label = "trial"
            constraints = [
                CompositeForeignKey(name="box_shelf_owner", fields=["shelf", "owner"], to_fields=["id", "owner"])
            ]

        def __str__(self) -> str:
            return f"Box {self.pk}"

    return Shelf, Box


@pytest.fixture
def tables(transactional_db: None) -> Iterator[Tables]:
    shelf, box = shelf_and_box()
    with scratch_url(connection) as url, connected(url) as scratch:
        with scratch.schema_editor() as editor:
            # The one that points comes first: the order of tables does not matter.
            editor.create_model(box)
            editor.create_model(shelf)
        tables = Tables(scratch, box, shelf)
        tables.run(
            "INSERT INTO trial_shelf (id, owner) VALUES (1, 10), (2, 20)",
            "INSERT INTO trial_box (id, shelf_id, owner) VALUES (1, 1, 10)",
        )
        yield tables


def breaks_the_key(tables: Tables) -> bool:
    try:
        tables.run("UPDATE trial_box SET owner = 20 WHERE id = 1")
    except IntegrityError:
        return True
    tables.run("UPDATE trial_box SET owner = 10 WHERE id = 1")
    return False


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO trial_box (id, shelf_id, owner) VALUES (2, 1, 20)",
        "INSERT INTO trial_box (id, shelf_id, owner) VALUES (2, 3, 10)",
        "UPDATE trial_box SET shelf_id = 2 WHERE id = 1",
        "UPDATE trial_shelf SET owner = 20 WHERE id = 1",
        "DELETE FROM trial_shelf WHERE id = 1",
    ],
)
def test_rows_that_do_not_agree_are_refused_from_either_side(tables: Tables, statement: str) -> None:
    assert tables.has_key()
    with pytest.raises(IntegrityError):
        tables.run(statement)


def test_a_row_that_points_nowhere_may_hold_anything(tables: Tables) -> None:
    tables.run("INSERT INTO trial_box (id, shelf_id, owner) VALUES (2, NULL, 99)")


@pytest.mark.parametrize(
    "statements",
    [
        ["UPDATE trial_shelf SET owner = 30 WHERE id = 1", "UPDATE trial_box SET owner = 30 WHERE id = 1"],
        ["UPDATE trial_box SET owner = 30 WHERE id = 1", "UPDATE trial_shelf SET owner = 30 WHERE id = 1"],
        ["DELETE FROM trial_shelf WHERE id = 1", "DELETE FROM trial_box WHERE id = 1"],
        [
            "INSERT INTO trial_box (id, shelf_id, owner) VALUES (2, 3, 30)",
            "INSERT INTO trial_shelf (id, owner) VALUES (3, 30)",
        ],
    ],
)
def test_both_rows_change_in_one_transaction_in_any_order(tables: Tables, statements: list[str]) -> None:
    tables.in_one_transaction(*statements)


def test_what_does_not_agree_when_the_transaction_ends_is_undone_whole(tables: Tables) -> None:
    with pytest.raises(IntegrityError):
        tables.in_one_transaction(
            "INSERT INTO trial_shelf (id, owner) VALUES (3, 30)", "UPDATE trial_box SET owner = 30 WHERE id = 1"
        )
    with tables.connection.cursor() as cursor:
        cursor.execute("SELECT id FROM trial_shelf ORDER BY id")
        assert cursor.fetchall() == [(1,), (2,)]


def test_it_is_dropped_and_added_again_beside_rows(tables: Tables) -> None:
    (key,) = tables.box._meta.constraints
    with tables.connection.schema_editor() as editor:
        with_key = tables.box._meta.constraints
        tables.box._meta.constraints = []
        editor.remove_constraint(tables.box, key)
    assert not tables.has_key()
    assert not breaks_the_key(tables)

    tables.box._meta.constraints = with_key
    with tables.connection.schema_editor() as editor:
        editor.add_constraint(tables.box, key)
    assert tables.has_key()
    assert breaks_the_key(tables)


@pytest.mark.parametrize("side", ["box", "shelf"])
def test_it_outlives_a_change_of_either_table(tables: Tables, side: str) -> None:
    changed: Any = getattr(tables, side)
    column = models.IntegerField(default=5)
    column.set_attributes_from_name("weight")
    column.model = changed

    with tables.connection.schema_editor() as editor:
        editor.add_field(changed, column)

    assert tables.has_key()
    assert breaks_the_key(tables)


def test_a_migration_writes_it_down_whole() -> None:
    key = CompositeForeignKey(name="k", fields=["a", "b"], to_fields=["c", "d"], violation_error_message="No.")
    path, arguments, keywords = key.deconstruct()

    assert path == "config.db.composite_keys.CompositeForeignKey"
    assert arguments == ()
    assert CompositeForeignKey(**keywords) == key == key.clone()
    assert key != CompositeForeignKey(**keywords | {"to_fields": ["c", "e"]})


@pytest.mark.parametrize(("fields", "to_fields"), [(["a"], ["b"]), (["a", "b"], ["c"])])
def test_it_takes_as_many_fields_here_as_there_and_several(fields: list[str], to_fields: list[str]) -> None:
    with pytest.raises(ValueError, match="k: name as many fields here as there"):
        CompositeForeignKey(name="k", fields=fields, to_fields=to_fields)


class TestThePartsOfAVehicle:
    message = "The part must belong to the seller of its vehicle."

    @pytest.mark.django_db
    def test_validation_tells_what_is_wrong_unless_one_of_the_fields_is_left_out(self) -> None:
        part = make_part()
        part.seller = make_seller()

        with pytest.raises(ValidationError, match=self.message):
            part.validate_constraints()
        part.validate_constraints(exclude={"seller"})
        Part(vehicle=part.vehicle, price=1).validate_constraints(exclude={"public_id"})

    @pytest.mark.django_db(transaction=True)
    def test_a_vehicle_is_not_taken_from_its_parts_by_a_bulk_update(self) -> None:
        part = make_part()
        with pytest.raises(IntegrityError):
            Vehicle.objects.filter(pk=part.vehicle_id).update(seller=make_seller())
        with pytest.raises(IntegrityError):
            Part.objects.filter(pk=part.pk).update(vehicle=make_vehicle())

    @pytest.mark.django_db(transaction=True)
    def test_vehicle_and_parts_change_hands_in_one_transaction(self) -> None:
        part, buyer = make_part(), make_seller()
        with transaction.atomic():
            Vehicle.objects.filter(pk=part.vehicle_id).update(seller=buyer)
            Part.objects.filter(pk=part.pk).update(seller=buyer)
        part.refresh_from_db()
        assert part.vehicle.seller == part.seller == buyer

    @pytest.mark.django_db(transaction=True)
    def test_a_seller_is_deleted_with_vehicles_and_parts(self) -> None:
        part = make_part()
        Seller.all_objects.get(pk=part.seller_id).delete()
        assert not Part.all_objects.exists()
        assert not Vehicle.all_objects.exists()
