"""Uploaded files and the names that other systems have for our rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from accounts.models import Integration, StoredFile
from accounts.search import FILES
from config.staff.admin import RecordedAdmin
from config.staff.columns import badge, figure, link_to, picture
from config.staff.filters import (
    BooleanRadioFilter,
    ChoicesCheckboxFilter,
    RangeDateFilter,
    RangeNumericFilter,
    ValuesFilter,
)
from config.staff.searching import Whole, Words

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


@admin.register(StoredFile)
class StoredFileAdmin(RecordedAdmin):
    deletable = True
    list_display = (
        "preview",
        "file_name",
        "content_type",
        figure("size", description="Size (bytes)"),
        badge("status", {"uploaded": "success", "failed": "danger"}),
        "is_public",
        link_to("owner"),
        "created_at",
    )
    list_display_links = ("file_name",)
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("is_public", BooleanRadioFilter),
        ("content_type", ValuesFilter),
        ("size", RangeNumericFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("file_name", "folder")
    searches_by = (Words(FILES),)
    date_hierarchy = "created_at"

    @admin.display(description="Preview")
    def preview(self, file: StoredFile) -> str:
        is_picture = file.content_type.startswith("image/")
        return picture(str(file.metadata.get("thumbnail") or file.url)) if is_picture else picture("")


@admin.register(Integration)
class IntegrationAdmin(RecordedAdmin):
    deletable = True
    list_display = ("service", "external_id", "row", "internal_id", "created_at")
    list_display_links = ("external_id",)
    list_filter = (("service", ValuesFilter), "content_type")
    search_fields = ("external_id",)
    searches_by = (Whole("external_id"),)
    exclude = ("content_type", "object_id")
    readonly_fields = ("row",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("target")

    @admin.display(description="Our row")
    def row(self, integration: Integration) -> Model | None:
        """Return the row that the service's id stands for."""
        target: Model | None = integration.target
        return target
