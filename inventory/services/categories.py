"""Categories: deleting and restoring nodes of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.db.locks import lock_keys
from inventory.models import Category, Part
from inventory.services import changes
from inventory.services.refusals import StillInUse, WrongState

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User


@transaction.atomic
def delete_category(*, category: Category, actor: User | None = None, now: datetime | None = None) -> Category:
    """Hide a category. Raises Refused while it has children or parts, or if it is deleted already."""
    # A part or child that is being added has locked this key, and so is seen, or waits and finds it deleted.
    stored = Category.objects.select_for_update().filter(pk=category.pk).first()
    if stored is None:
        raise WrongState(f"{category} is deleted already.")
    users = _users_of(stored)
    if users:
        raise StillInUse(f"{stored} has {users}: move them first, or make the category inactive.")
    return changes.write(
        category,
        stored,
        event_type="CATEGORY_DELETED",
        actor=actor,
        action="delete",
        deleted_at=now or timezone.now(),
    )


def _users_of(category: Category) -> str:
    children = Category.objects.filter(parent=category).count()
    parts = Part.objects.filter(category=category).count()
    found = []
    if children:
        found.append("1 category below it" if children == 1 else f"{children} categories below it")
    if parts:
        found.append("1 part" if parts == 1 else f"{parts} parts")
    return " and ".join(found)


@transaction.atomic
def restore_category(*, category: Category, actor: User | None = None) -> Category:
    """Show a deleted category again. Raises Refused if its parent is deleted or a live one has its name or slug."""
    category.refresh_from_db()
    if category.parent is not None and not lock_keys(Category.objects.filter(pk=category.parent.pk)):
        raise WrongState(f"{category} lies under {category.parent}, which is deleted: restore that one first.")
    unique = {
        "name": (category.name, Q(name__iexact=category.name)),
        "slug": (category.slug, Q(slug=category.slug)),
    }
    return changes.restore(category, event_type="CATEGORY_RESTORED", actor=actor, unique=unique)
