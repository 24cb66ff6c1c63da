"""The tree of part categories, and which of them a seller trades in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Lower, Substr

from accounts.models import Seller, User
from config.db.base import LiveManager, PublicIdModel, SoftDeleteModel, SoftDeleteQuerySet, TimestampedModel
from config.db.constraints import check, public_id_unique, unique
from config.db.locks import lock_keys
from inventory.slugs import free_slug

if TYPE_CHECKING:
    from collections.abc import Iterable


class CategoryQuerySet(SoftDeleteQuerySet["Category"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class Category(PublicIdModel, TimestampedModel, SoftDeleteModel):
    """One node of the tree. `path` holds the slugs from the root down to the node, each followed by a slash."""

    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=255, null=True, blank=True, help_text="Translation key of the name.")
    description_key = models.CharField(
        max_length=255, null=True, blank=True, help_text="Translation key of the description."
    )
    slug = models.SlugField(max_length=255, db_index=False, blank=True, help_text="Made from the name when left empty.")
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", db_index=False
    )
    description = models.TextField(blank=True, default="")
    icon = models.CharField(max_length=255, blank=True, default="", help_text="Name of the icon.")
    is_active = models.BooleanField(
        "active", default=True, help_text="An inactive category is not offered for new parts."
    )
    sort_order = models.IntegerField(default=0)

    level = models.SmallIntegerField(default=1, editable=False)
    path = models.CharField(max_length=1000, blank=True, default="", editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    updated_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = LiveManager.from_queryset(CategoryQuerySet)()
    all_objects = models.Manager.from_queryset(CategoryQuerySet)()

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["path"]
        constraints = [
            public_id_unique(),
            unique(
                "name_unique",
                Lower("name"),
                condition=Q(deleted_at__isnull=True),
                message="Another category has this name already.",
            ),
            unique(
                "slug_unique",
                "slug",
                condition=Q(deleted_at__isnull=True),
                message="Another category has this slug already.",
            ),
            check("not_own_parent", ~Q(parent=F("id")), "A category cannot be its own parent."),
            check("level_positive", Q(level__gte=1), "The root level is 1."),
        ]
        indexes = [
            # Children in order; also serves the foreign key.
            models.Index(name="category_children", fields=["parent", "is_active", "sort_order"]),
            models.Index(name="category_active", fields=["is_active"]),
            # Subtrees: path LIKE 'engine/%'.
            models.Index(name="category_path", fields=["path"], opclasses=["varchar_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if not self._state.adding and self._is_at_or_below_self(self.parent):
            raise ValidationError({"parent": "A category cannot be moved under itself or one of its own descendants."})

    def _is_at_or_below_self(self, node: Category | None) -> bool:
        seen: set[int] = set()
        while node is not None and node.pk not in seen:
            if node.pk == self.pk:
                return True
            seen.add(node.pk)
            node = node.parent
        return False

    @transaction.atomic
    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the node and, where its place changed, the place of everything below it.

        Raises ValidationError if the new parent is the node itself or one of its descendants, or is deleted.
        """
        before = self._lock_tree()
        self.clean()
        self._look_at_parent(before)
        self.slug = self.slug or free_slug(self.name, self._slug_is_taken, otherwise="category")
        self.level = self.parent.level + 1 if self.parent else 1
        self.path = f"{self.parent.path if self.parent else ''}{self.slug}/"
        if update_fields is not None:
            update_fields = {*update_fields, "slug", "level", "path"}
        super().save(*args, update_fields=update_fields, **kwargs)
        if before is not None and before.path not in {"", self.path}:
            below = type(self).all_objects.filter(path__startswith=before.path).exclude(pk=self.pk)
            below.update(
                path=Concat(Value(self.path), Substr("path", len(before.path) + 1)),
                level=F("level") + (self.level - before.level),
            )

    def _lock_tree(self) -> Category | None:
        """Let nobody else move a node until we are done, and return this one as stored.

        Two moves at once could each be right and make a ring together.
        """
        categories = type(self).all_objects
        list(categories.filter(parent__isnull=True).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        if self.parent is not None:
            self.parent.refresh_from_db()
        return categories.filter(pk=self.pk).first()

    def _look_at_parent(self, before: Category | None) -> None:
        # Whoever deletes the parent that it has sees it.
        is_new = before is None or before.deleted_at is not None or before.parent_id != self.parent_id
        if self.parent is None or self.deleted_at is not None or not is_new:
            return
        if not lock_keys(type(self).objects.filter(pk=self.parent.pk)):
            text = f"{self.parent} is deleted: choose another parent, or restore that one first."
            raise ValidationError({"parent": text})

    def _slug_is_taken(self, slug: str) -> bool:
        return type(self).all_objects.exclude(pk=self.pk).filter(slug=slug).exists()


class SellerCategory(models.Model):
    """A seller trades in a category."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="seller_categories", db_index=False)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="seller_categories")
    is_primary = models.BooleanField("primary", default=False)

    class Meta:
        verbose_name_plural = "seller categories"
        ordering = ["seller", "-is_primary", "category"]
        constraints = [
            # Also serves the foreign key to the seller.
            unique("seller_category_unique", "seller", "category", message="The seller has this category already."),
            unique(
                "one_primary",
                "seller",
                condition=Q(is_primary=True),
                message="The seller has another primary category already.",
            ),
        ]
        # Filter of the list.
        indexes = [models.Index(name="seller_category_primary", fields=["is_primary", "id"])]

    def __str__(self) -> str:
        return f"{self.seller}: {self.category}"
