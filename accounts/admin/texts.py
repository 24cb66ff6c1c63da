"""Languages and translated texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from accounts.models import Language, Translation
from accounts.search import TRANSLATIONS
from accounts.services import verify_translation
from config.staff.actions import service_action
from config.staff.admin import StaffAdmin
from config.staff.columns import badge, link_to, related_count
from config.staff.filters import BooleanRadioFilter, ValuesFilter
from config.staff.searching import Whole, Words
from config.staff.site import person

if TYPE_CHECKING:
    from django.http import HttpRequest


class KeyedTextsAdmin(StaffAdmin):
    """Rows whose texts are translations: whoever chose the key of another row's text would have that text as well."""

    text_keys: tuple[str, ...] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        may_choose = person(request).has_perm("accounts.change_translation")
        return readonly if may_choose else tuple(dict.fromkeys((*readonly, *self.text_keys)))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the keys for people who see no translations."""
        fieldsets = super().get_fieldsets(request, obj)
        if person(request).has_perm("accounts.view_translation"):
            return fieldsets
        return [(title, options) for title, options in fieldsets if options["fields"] != self.text_keys]


@admin.register(Language)
class LanguageAdmin(StaffAdmin):
    is_small = True
    list_display = (
        "name",
        "code",
        badge("direction", {"rtl": "info"}),
        "is_default",
        "is_active",
        related_count("translations", "Texts"),
    )
    list_filter = (("is_active", BooleanRadioFilter), ("is_default", BooleanRadioFilter))
    search_fields = ("name", "code")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # The code is the key of the row: another code would be another language.
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else (*readonly, "code")


@admin.register(Translation)
class TranslationAdmin(StaffAdmin):
    list_display = ("key", link_to("language"), "value", "domain", "is_verified", link_to("verified_by"), "updated_at")
    list_filter = (
        "language",
        ("domain", ValuesFilter),
        ("is_verified", BooleanRadioFilter),
    )
    search_fields = ("key", "value")
    searches_by = (Whole("key"), Words(TRANSLATIONS))
    readonly_fields = ("is_verified", "verified_by", "verified_at")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("key", "language"),
                    "domain",
                    "value",
                    "context",
                    ("is_verified", "verified_by", "verified_at"),
                )
            },
        ),
    )

    verify = service_action(
        "Mark as verified",
        verify_translation,
        argument="translation",
        done="verified",
        when=lambda translation: not translation.is_verified,
        icon="verified",
    )
