from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from config.db.errors import Refused
from inventory.models import Category
from inventory.services import delete_category, restore_category
from tests.builders import NOON, make_category, make_part

pytestmark = pytest.mark.django_db


def places() -> dict[str, tuple[int, str]]:
    return {row.name: (row.level, row.path) for row in Category.all_objects.all()}


def test_a_moved_subtree_takes_its_descendants_along_even_deleted_ones() -> None:
    engine, body = make_category("Engine"), make_category("Body")
    pumps = make_category("Pumps", parent=engine)
    make_category("Oil pumps", parent=pumps, deleted_at=NOON)

    pumps.parent = body
    pumps.save()

    assert places() == {
        "Engine": (1, "engine/"),
        "Body": (1, "body/"),
        "Pumps": (2, "body/pumps/"),
        "Oil pumps": (3, "body/pumps/oil-pumps/"),
    }


def test_a_stale_object_does_not_leave_descendants_behind() -> None:
    engine, body = make_category("Engine"), make_category("Body")
    pumps = make_category("Pumps", parent=engine)
    make_category("Oil pumps", parent=pumps)
    stale = Category.objects.get(pk=pumps.pk)
    engine.parent = body
    engine.save()

    stale.slug = "all-pumps"
    stale.save()

    assert places()["Oil pumps"] == (4, "body/engine/all-pumps/oil-pumps/")


@pytest.mark.parametrize("target", ["Top", "Middle", "Bottom"])
def test_a_node_is_not_moved_under_itself_or_below(target: str) -> None:
    top = make_category("Top")
    middle = make_category("Middle", parent=top)
    make_category("Bottom", parent=middle)
    before = places()

    top.parent = Category.objects.get(name=target)
    with pytest.raises(ValidationError, match="under itself or one of its own descendants"):
        top.save()

    assert places() == before


def test_a_category_is_not_put_below_a_deleted_one_unless_it_is_deleted_itself() -> None:
    engine = make_category("Engine")
    pumps, gone = make_category("Pumps"), make_category("Gone", parent=engine, deleted_at=NOON)
    engine.soft_delete(NOON)

    pumps.parent = engine
    with pytest.raises(ValidationError, match="Engine is deleted: choose another parent"):
        pumps.save()
    gone.name = "Long gone"
    gone.save()

    assert places()["Pumps"] == (1, "pumps/")


def test_names_that_make_the_same_slug_get_numbered_ones() -> None:
    make_category("Brake pads")

    assert make_category("Brake-pads").slug == "brake-pads-1"
    assert make_category("刹车").slug == "category"


def test_a_category_with_children_or_parts_is_not_deleted() -> None:
    parent = make_category("Engine")
    make_category("Pumps", parent=parent)
    make_part(category=parent)
    make_part(category=parent)

    with pytest.raises(Refused, match="Engine has 1 category below it and 2 parts: move them first"):
        delete_category(category=parent)

    assert Category.objects.count() == 2


def test_an_empty_category_is_deleted_once_and_restored_once() -> None:
    category = make_category()

    delete_category(category=category, now=NOON)
    assert not Category.objects.exists()
    with pytest.raises(Refused, match="is deleted already"):
        delete_category(category=category)

    restore_category(category=category)
    assert Category.objects.get() == category
    with pytest.raises(Refused, match="is not deleted"):
        restore_category(category=category)


def test_a_category_does_not_come_back_where_a_live_one_has_its_name_or_its_parent_is_deleted() -> None:
    parent = make_category("Engine")
    child = make_category("Pumps", parent=parent)
    delete_category(category=child)
    delete_category(category=parent)

    with pytest.raises(Refused, match="restore that one first"):
        restore_category(category=child)

    make_category("ENGINE", slug="other")
    with pytest.raises(Refused, match="has the name Engine now"):
        restore_category(category=parent)
