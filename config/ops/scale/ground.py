"""What all blocks share: the languages and the category tree. Rows that are there already are used as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import Language
from config.db.ids import encode_ulid
from config.ops.scale.catalogue import CATEGORY_TREE
from inventory.models import Category
from inventory.slugs import free_slug

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

LANGUAGES = {"en": "English", "fi": "Suomi", "es": "Español", "af": "Afrikaans"}


def add_languages(at: datetime) -> int:
    """Add the languages that are missing and return how many they were; English is the default where there is none."""
    added = 0
    has_default = Language.objects.filter(is_default=True).exists()
    for code, name in LANGUAGES.items():
        is_default = code == "en" and not has_default
        values = {"name": name, "is_default": is_default, "created_at": at, "updated_at": at}
        added += Language.objects.get_or_create(code=code, defaults=values)[1]
    return added


def add_categories(rng: Random, at: datetime) -> tuple[dict[str, int], int]:
    """Add the categories that are missing; return the keys of the leaves by name, and how many were added."""
    leaves: dict[str, int] = {}
    added = 0

    def ensure(name: str, parent: Category | None, place: int) -> Category:
        nonlocal added
        found: Category | None = Category.objects.filter(name__iexact=name).first()
        if found is not None:
            return found
        node = Category(
            public_id=encode_ulid(int(at.timestamp() * 1000), rng.getrandbits(80)),
            name=name,
            slug=free_slug(name, lambda slug: Category.objects.filter(slug=slug).exists(), otherwise="category"),
            parent=parent,
            sort_order=place,
            created_at=at,
            updated_at=at,
        )
        node.save()
        added += 1
        return node

    for root_place, (root_name, groups) in enumerate(CATEGORY_TREE.items()):
        root = ensure(root_name, None, root_place)
        for group_place, (group_name, names) in enumerate(groups.items()):
            group = ensure(group_name, root, group_place)
            if not names:
                leaves[group_name] = group.pk
            for place, name in enumerate(names):
                leaves[name] = ensure(name, group, place).pk
    return leaves, added
