"""The tree of part categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from accounts.search import SELLERS
from config.staff.admin import StaffAdmin
from config.staff.columns import link_to, related_count
from config.staff.filters import BooleanRadioFilter, RangeNumericFilter
from config.staff.inlines import RelatedListInline
from config.staff.searching import Names, Part, Through
from config.staff.site import person
from inventory.models import Category, SellerCategory
from inventory.services import delete_category, restore_category

if TYPE_CHECKING:
    from django.http import HttpRequest


class ChildInline(RelatedListInline):
    model = Category
    fk_name = "parent"
    fields = ("slug", "is_active", "sort_order")
    verbose_name_plural = "subcategories"


@admin.register(Category)
class CategoryAdmin(StaffAdmin):
    is_small = True
    list_display = (
        "name",
        "path",
        link_to("parent"),
        "level",
        "is_active",
        "sort_order",
        related_count("children", "Subcategories"),
        related_count("parts", "Parts"),
    )
    list_filter = (("is_active", BooleanRadioFilter), ("level", RangeNumericFilter))
    search_fields = ("name", "path")
    readonly_fields = ("path", "level", "created_by", "updated_by")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "slug"),
                    ("parent", "sort_order"),
                    ("is_active", "icon"),
                    "description",
                    ("path", "level"),
                    ("created_by", "updated_by"),
                )
            },
        ),
    )
    inlines = (ChildInline,)

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        obj.created_by = obj.created_by if change else person(request)
        obj.updated_by = person(request)
        super().save_model(request, obj, form, change)

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_category(category=row, actor=person(request))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        restore_category(category=row, actor=person(request))


@admin.register(SellerCategory)
class SellerCategoryAdmin(StaffAdmin):
    ordering = ("-id",)
    list_display = (link_to("seller"), link_to("category"), "is_primary")
    list_display_links = ("is_primary",)
    list_filter = (("is_primary", BooleanRadioFilter),)
    search_fields = ("seller__name", "category__name")
    searches_by = (Through("seller", Names(SELLERS)), Through("category", Part("name")))
