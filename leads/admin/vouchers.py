"""Vouchers, their codes, and who held and used them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from accounts.admin.people import UserAdmin
from accounts.admin.texts import KeyedTextsAdmin
from accounts.models import Language, Translation
from accounts.search import SELLERS, TRANSLATIONS, USERS
from accounts.services import save_translation
from config.staff.actions import service_action
from config.staff.admin import RecordedAdmin, StaffAdmin
from config.staff.columns import badge, format_money, link_to, money, related_count
from config.staff.filters import BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter
from config.staff.forms import StaffModelForm, dress
from config.staff.inlines import RelatedListInline
from config.staff.searching import Names, Through, Whole, Words
from config.staff.site import person
from leads.codes import typed_code
from leads.models import Voucher, VoucherClaim, VoucherCode, VoucherRedemption
from leads.models.vouchers import CodeType, DiscountType, VoucherState
from leads.queries import keys_of_others
from leads.search import REDEMPTIONS
from leads.services import (
    add_voucher_code,
    copy_voucher_text,
    delete_voucher,
    expire_voucher,
    publish_voucher,
    restore_voucher,
    suspend_voucher,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

VOUCHER_COLOURS = {
    VoucherState.PUBLISHED: "success",
    VoucherState.CLAIMED: "info",
    VoucherState.REDEEMED: "primary",
    VoucherState.EXPIRED: "danger",
    VoucherState.SUSPENDED: "warning",
}
# By the words of titles, which translations hold.
TITLES = Through("title_key", Words(TRANSLATIONS), Translation, "key")
CLAIM_COLOURS = {"claimed": "info", "redeemed": "success", "expired": "danger"}


class CodeForm(forms.Form):
    type = forms.ChoiceField(choices=[(CodeType.SHORT, "Short, made for you"), (CodeType.STATIC, "Static, as below")])
    code = forms.CharField(required=False, max_length=20, help_text="4 to 20 capital letters and digits, if static.")


# What a voucher says: the field of the form, and the field of the row that holds its translation key.
TEXTS = {"title": "title_key", "description": "description_key", "terms": "terms_key"}


class VoucherForm(StaffModelForm):
    """A voucher with its texts in the default language; keys that nobody gave are made."""

    title = forms.CharField(required=False, max_length=255, help_text="In the default language.")
    description = forms.CharField(required=False, widget=forms.Textarea, help_text="In the default language.")
    terms = forms.CharField(required=False, widget=forms.Textarea, help_text="In the default language.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # By the keys that are new, those by which the texts were found before.
        self.left_keys: dict[str, str] = {}
        for key_field in TEXTS.values():
            if key_field in self.fields:
                self.fields[key_field].required = False
                self.fields[key_field].help_text = "Made for you when left empty."
        if self.instance.pk:
            texts = texts_of(self.instance)
            self.initial.update({name: texts.get(getattr(self.instance, key), "") for name, key in TEXTS.items()})
        dress(self)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name, key_field in TEXTS.items():
            cleaned[key_field] = self._key_of(name, cleaned)
            # The key of a field that the form does not show is not set by the form.
            setattr(self.instance, key_field, cleaned[key_field])
        self._refuse_texts_of_others(cleaned)
        return cleaned

    def _key_of(self, name: str, cleaned: dict[str, Any]) -> str:
        """Return the key by which the text is found from now on; what was chosen counts if the form lets one choose."""
        key_field = TEXTS[name]
        own = f"voucher.{self.instance.public_id.lower()}.{name}"
        if key_field in self.fields:
            return cleaned.get(key_field) or own
        stored: str = getattr(self.instance, key_field)
        if stored in {"", own} or not (name in self.changed_data and cleaned.get(name)):
            return stored or own
        # Another row may find its text by this key, one even that the person does not see.
        self.left_keys[own] = stored
        return own

    def _refuse_texts_of_others(self, cleaned: dict[str, Any]) -> None:
        """Say which texts other rows have as well: they would change along with this voucher's."""
        changed = [
            (name, key) for name, key in TEXTS.items() if key in self.fields and {name, key} & {*self.changed_data}
        ]
        shared = keys_of_others({cleaned[key] for _, key in changed}, voucher=self.instance) if changed else set()
        for name, key in changed:
            if cleaned[key] not in shared:
                continue
            if key in self.changed_data:
                self.add_error(key, "Another row has this key: choose another one, or leave it empty.")
            else:
                self.add_error(name, "Other rows have this text as well: change it among the translations.")


def texts_of(voucher: Voucher) -> dict[str, str]:
    """Return the voucher's texts in the default language by key, looked up once."""
    known: dict[str, str] | None = voucher.__dict__.get("_staff_texts")
    if known is not None:
        return known
    keys = [getattr(voucher, key_field) for key_field in TEXTS.values()]
    found = Translation.objects.filter(language__is_default=True, key__in=keys).values_list("key", "value")
    voucher.__dict__["_staff_texts"] = known = dict(found)
    return known


class CodeInline(RelatedListInline):
    model = VoucherCode
    fields = ("type", "is_active", "created_at")


class ClaimInline(RelatedListInline):
    model = VoucherClaim
    fields = ("user", "status", "claimed_at", "expires_at", "redeemed_at")
    needs = ("voucher",)


class RedemptionInline(RelatedListInline):
    model = VoucherRedemption
    fields = ("user", "user_label", "code_used", "discount_amount", "currency", "redeemed_at")
    needs = ("voucher",)


@admin.register(Voucher)
class VoucherAdmin(KeyedTextsAdmin):
    form = VoucherForm
    text_keys = tuple(TEXTS.values())
    list_display = (
        "title",
        "discount",
        badge("state", VOUCHER_COLOURS),
        link_to("seller"),
        "valid_from",
        "expires_at",
        "claim_count",
        "redemption_count",
        "max_redemptions",
        related_count("codes", "Codes"),
    )
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("discount_type", ChoicesCheckboxFilter),
        ("expires_at", RangeDateFilter),
    )
    search_fields = ("title_text", "title_key", "seller__name", "public_id")
    searches_by = (TITLES, Whole("title_key"), Whole("public_id"), Through("seller", Names(SELLERS)))
    date_hierarchy = "created_at"
    readonly_fields = ("state", "redemption_count", "claim_count", "scan_count")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("seller", "category"),
                    "title",
                    ("description", "terms"),
                    ("discount_type", "discount_value", "currency"),
                    ("valid_from", "expires_at"),
                    ("max_redemptions", "max_per_user"),
                    ("state", "claim_count", "redemption_count", "scan_count"),
                )
            },
        ),
        ("Translation", {"classes": ["tab"], "fields": text_keys}),
        (
            "Place and picture",
            {"classes": ["tab"], "fields": (("latitude", "longitude"), "image_url", "metadata")},
        ),
    )
    inlines = (CodeInline, ClaimInline, RedemptionInline)

    publish = service_action(
        "Publish",
        publish_voucher,
        argument="voucher",
        done="published",
        when=lambda voucher: voucher.state in {VoucherState.DRAFT, VoucherState.SUSPENDED},
        icon="campaign",
    )
    suspend = service_action(
        "Suspend",
        suspend_voucher,
        argument="voucher",
        done="suspended",
        when=lambda voucher: voucher.state == VoucherState.PUBLISHED,
        icon="pause_circle",
    )
    expire = service_action(
        "Expire",
        expire_voucher,
        argument="voucher",
        done="expired",
        confirm="It ends for good, with the claims that people still hold.",
        when=lambda voucher: voucher.state not in {VoucherState.DRAFT, VoucherState.EXPIRED},
        icon="event_busy",
        danger=True,
    )
    add_code = service_action(
        "Add code",
        add_voucher_code,
        argument="voucher",
        done="given a code",
        form=CodeForm,
        when=lambda voucher: voucher.is_editable,
        on=("page",),
        icon="qr_code",
    )

    def visible_rows(self, request: HttpRequest) -> Any:
        return super().visible_rows(request).with_titles()

    @admin.display(description="Title")
    def title(self, voucher: Voucher) -> str:
        return str(voucher)

    @admin.display(description="Description")
    def description(self, voucher: Voucher) -> str:
        return texts_of(voucher).get(voucher.description_key, "")

    @admin.display(description="Terms")
    def terms(self, voucher: Voucher) -> str:
        return texts_of(voucher).get(voucher.terms_key, "")

    def save_model(self, request: HttpRequest, obj: Voucher, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for key, left in form.left_keys.items():
            copy_voucher_text(from_key=left, to_key=key, actor=person(request))
        written = {name: form.cleaned_data.get(name) for name in TEXTS if name in form.changed_data}
        language = Language.objects.filter(is_default=True).first() if any(written.values()) else None
        for name, text in written.items():
            if text and language is not None:
                key = getattr(obj, TEXTS[name])
                save_translation(key=key, language=language, value=text, domain="voucher", actor=person(request))
        if language is not None and written.get("title"):
            # What is told of it calls it by its title.
            obj.title_text = written["title"]

    @admin.display(description="Discount")
    def discount(self, voucher: Voucher) -> str:
        if voucher.discount_type == DiscountType.PERCENTAGE:
            return voucher.discount_label
        return format_money(voucher.discount_value, voucher.currency)

    def has_change_permission(self, request: HttpRequest, obj: Voucher | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return bool(allowed) and (obj is None or obj.is_editable)

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_voucher(voucher=row, actor=person(request))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        restore_voucher(voucher=row, actor=person(request))


@admin.register(VoucherCode)
class VoucherCodeAdmin(StaffAdmin):
    list_display = (
        "shown_code",
        badge("type", {"qr": "primary", "short": "info"}),
        link_to("voucher"),
        "is_active",
        "created_at",
    )
    list_filter = (("type", ChoicesCheckboxFilter), ("is_active", BooleanRadioFilter), ("created_at", RangeDateFilter))
    search_fields = ("code", "voucher__title_key")
    searches_by = (Whole("code", stored=typed_code), Through("voucher", TITLES))
    date_hierarchy = "created_at"

    @admin.display(description="Code", ordering="code")
    def shown_code(self, code: VoucherCode) -> str:
        return str(code)

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Codes are made by the voucher's own action, which knows their rules.
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "voucher", "code", "type")


@admin.register(VoucherClaim)
class VoucherClaimAdmin(RecordedAdmin):
    list_display = (
        link_to("voucher"),
        link_to("user"),
        badge("status", CLAIM_COLOURS),
        "claimed_at",
        "expires_at",
        "redeemed_at",
    )
    list_display_links = ("claimed_at",)
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("claimed_at", RangeDateFilter),
    )
    search_fields = ("voucher__title_key", "user__name", "user__email")
    searches_by = (Through("voucher", TITLES), Through("user", Words(USERS)))
    date_hierarchy = "claimed_at"


@admin.register(VoucherRedemption)
class VoucherRedemptionAdmin(RecordedAdmin):
    list_display = (
        link_to("voucher", otherwise="voucher_label"),
        link_to("user", otherwise="user_label"),
        money("discount_amount"),
        "code_used",
        "redeemed_at",
    )
    list_display_links = ("redeemed_at",)
    list_filter = (("redeemed_at", RangeDateFilter),)
    search_fields = ("voucher__title_key", "voucher_label", "seller_label", "user_label", "code_used")
    searches_by = (Words(REDEMPTIONS), Through("voucher", TITLES))
    date_hierarchy = "redeemed_at"
    # A claim's own text names its voucher and its holder.
    readonly_fields = (link_to("claim", needs=("claim__voucher", "claim__user")),)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("voucher", "voucher_label", "seller_label"),
                    ("user", "user_label"),
                    (readonly_fields[0], "code_used"),
                    ("discount_amount", "currency"),
                    ("latitude", "longitude"),
                    ("redeemed_at", "idempotency_key"),
                    "metadata",
                )
            },
        ),
    )


# What becomes of a person's vouchers when the person goes for good; accounts knows no vouchers.
UserAdmin.purge_releases = UserAdmin.purge_releases.also(
    taken_along=(Voucher._meta.get_field("seller"),), unlinked=(VoucherRedemption._meta.get_field("voucher"),)
)
