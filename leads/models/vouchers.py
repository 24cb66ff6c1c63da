"""Vouchers: what a seller offers, the codes for it, who holds one and who used it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Seller, Translation, User
from accounts.validators import validate_image_url
from config.db.base import (
    LiveManager,
    PublicIdModel,
    RowQuerySet,
    RowT,
    SoftDeleteModel,
    SoftDeleteQuerySet,
    TimestampedModel,
)
from config.db.constraints import check, choice_valid, coordinates_valid, currency_valid, public_id_unique, unique
from config.db.fields import UpperCharField
from config.db.iso import validate_currency
from config.db.words import WordIndex, Words
from inventory.models import Category
from leads.codes import grouped_code, typed_code

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# What searches look through.
REDEMPTION_TEXTS = ("voucher_label", "seller_label", "user_label", "code_used")


class VoucherState(models.TextChoices):
    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    CLAIMED = "claimed", "Claimed"
    REDEEMED = "redeemed", "Redeemed"
    EXPIRED = "expired", "Expired"
    SUSPENDED = "suspended", "Suspended"


# What was promised to people who used it, or can be used no more, is left as it was.
FINISHED_STATES = (VoucherState.REDEEMED, VoucherState.EXPIRED)


class DiscountType(models.TextChoices):
    PERCENTAGE = "percentage", "Percentage"
    FIXED = "fixed", "Fixed amount"


class CodeType(models.TextChoices):
    QR = "qr", "QR"
    SHORT = "short", "Short"
    STATIC = "static", "Static"


class ClaimStatus(models.TextChoices):
    CLAIMED = "claimed", "Claimed"
    REDEEMED = "redeemed", "Redeemed"
    EXPIRED = "expired", "Expired"


class VoucherQuerySet(SoftDeleteQuerySet["Voucher"]):
    def published(self) -> Self:
        return self.filter(state=VoucherState.PUBLISHED)

    def valid(self, *, now: datetime) -> Self:
        """Vouchers whose window is open at `now`; an empty end of the window is no limit."""
        begun = Q(valid_from__isnull=True) | Q(valid_from__lte=now)
        running = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
        return self.filter(begun, running)

    def visible_to(self, user: User) -> Self:
        return self if user.sees_everything else self.filter(seller__owner=user)

    def with_titles(self) -> Self:
        """Vouchers that are called by their titles; see `Voucher.title_text`."""
        return self.annotate(title_text=title_of(OuterRef("title_key")))


def title_of(key: Any) -> Coalesce:
    """Return an expression for the title of a translation key in the default language, empty where there is none."""
    texts = Translation.objects.filter(language__is_default=True, key=key).values("value")
    return Coalesce(Subquery(texts[:1]), Value(""), output_field=models.TextField())


class Voucher(PublicIdModel, TimestampedModel, SoftDeleteModel):
    """A discount that a seller offers. Its texts are translations, found by the three keys."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="vouchers", db_index=False)
    category = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="vouchers")
    title_key = models.CharField(max_length=255, help_text="Translation key of the title.")
    description_key = models.CharField(max_length=255, help_text="Translation key of the description.")
    terms_key = models.CharField(max_length=255, help_text="Translation key of the terms.")
    discount_type = models.CharField(max_length=10, choices=DiscountType)
    discount_value = models.DecimalField(
        max_digits=10, decimal_places=2, help_text="Per cent, or an amount in the voucher's currency."
    )
    currency = UpperCharField(
        max_length=3, default="ZAR", validators=[validate_currency], help_text="ISO 4217, such as ZAR."
    )
    valid_from = models.DateTimeField(null=True, blank=True, help_text="Empty: at once.")
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="Empty: never.")
    max_redemptions = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    max_per_user = models.PositiveIntegerField("most per person", default=1)
    latitude = models.FloatField(null=True, blank=True, help_text="Where it can be used; empty: at the seller's.")
    longitude = models.FloatField(null=True, blank=True)
    image_url = models.CharField("picture", max_length=500, blank=True, default="", validators=[validate_image_url])
    metadata = models.JSONField(default=dict, blank=True)

    state = models.CharField(max_length=10, choices=VoucherState, default=VoucherState.DRAFT, editable=False)
    redemption_count = models.PositiveIntegerField("redeemed", default=0, editable=False)
    claim_count = models.PositiveIntegerField("claimed", default=0, editable=False)
    scan_count = models.PositiveIntegerField("scanned", default=0, editable=False)

    objects = LiveManager.from_queryset(VoucherQuerySet)()
    all_objects = models.Manager.from_queryset(VoucherQuerySet)()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            public_id_unique(),
            choice_valid("state", VoucherState),
            choice_valid("discount_type", DiscountType),
            currency_valid(),
            *coordinates_valid(),
            check("discount_positive", Q(discount_value__gt=0), "A discount is more than nothing."),
            check(
                "percentage_range",
                ~Q(discount_type=DiscountType.PERCENTAGE) | Q(discount_value__lte=100),
                "A percentage is at most 100.",
            ),
            check("window_order", Q(expires_at__gte=F("valid_from")), "A voucher cannot expire before it is valid."),
            check("max_redemptions_positive", Q(max_redemptions__gte=1), "The limit of redemptions is at least 1."),
            check("max_per_user_positive", Q(max_per_user__gte=1), "The limit per person is at least 1."),
            check(
                "redemptions_within_limit",
                Q(max_redemptions__isnull=True) | Q(redemption_count__lte=F("max_redemptions")),
                "More redemptions than the voucher allows.",
            ),
            check(
                "counts_positive",
                Q(redemption_count__gte=0, claim_count__gte=0, scan_count__gte=0),
                "Counts cannot be negative.",
            ),
        ]
        indexes = [
            models.Index(name="voucher_expiry", fields=["expires_at"]),
            models.Index(name="voucher_newest", fields=["-created_at"]),
            models.Index(name="voucher_state", fields=["state", "created_at", "id"]),
            models.Index(name="voucher_discount_type", fields=["discount_type", "created_at", "id"]),
            # Those whose title was searched for.
            models.Index(name="voucher_title", fields=["title_key"]),
            # A seller's vouchers by state; the first also serves the foreign key.
            models.Index(name="voucher_seller_state", fields=["seller", "state"]),
            models.Index(name="voucher_seller_state_expiry", fields=["seller", "state", "expires_at"]),
            # Those around a point.
            models.Index(
                name="voucher_position", fields=["latitude", "longitude"], condition=Q(state=VoucherState.PUBLISHED)
            ),
            models.Index(name="voucher_published", fields=["expires_at"], condition=Q(state=VoucherState.PUBLISHED)),
        ]

    # In the default language; known where `with_titles` or `fetch_names` looked it up.
    title_text: str | None = None

    def __str__(self) -> str:
        return self.title_text or self.title_key

    @classmethod
    def fetch_names(cls, vouchers: Iterable[Voucher]) -> None:
        """Look up the titles of vouchers that came with other rows, with one query."""
        nameless = [voucher for voucher in vouchers if voucher.title_text is None]
        texts = Translation.objects.filter(language__is_default=True, key__in={each.title_key for each in nameless})
        titles = dict(texts.values_list("key", "value"))
        for voucher in nameless:
            voucher.title_text = titles.get(voucher.title_key, "")

    @property
    def is_editable(self) -> bool:
        """Whether staff and the seller may still change it."""
        return self.state not in FINISHED_STATES

    @property
    def discount_label(self) -> str:
        """The discount in words for people, such as "15 %" or "250.00 ZAR"."""
        if self.discount_type == DiscountType.PERCENTAGE:
            return f"{self.discount_value.normalize():f} %"
        return f"{self.discount_value:.2f} {self.currency}"


class OfVoucherQuerySet(RowQuerySet[RowT]):
    def visible_to(self, user: User) -> Self:
        return self if user.sees_everything else self.filter(voucher__seller__owner=user)


class VoucherCodeQuerySet(OfVoucherQuerySet["VoucherCode"]):
    def typed(self, text: str) -> Self:
        """Active codes that are what a person typed or scanned."""
        # A scanned token is taken as it is; typed codes come with blanks, hyphens and small letters.
        return self.filter(is_active=True, code__in={text.strip(), typed_code(text)})


class VoucherCode(models.Model):
    """A code that stands for a voucher: printed, typed or scanned."""

    voucher = models.ForeignKey(Voucher, on_delete=models.CASCADE, related_name="codes", db_index=False)
    code = models.CharField(max_length=500)
    type = models.CharField(max_length=6, choices=CodeType)
    is_active = models.BooleanField("active", default=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    objects = VoucherCodeQuerySet.as_manager()

    class Meta:
        verbose_name = "code"
        ordering = ["-created_at", "-id"]
        constraints = [
            unique("code_unique", "code", message="This code is in use already."),
            choice_valid("type", CodeType),
        ]
        indexes = [
            # A voucher's codes by kind, and its usable ones; the first also serves the foreign key.
            models.Index(name="voucher_code_type", fields=["voucher", "type"]),
            models.Index(name="voucher_code_active", fields=["voucher", "is_active"]),
            models.Index(name="voucher_code_newest", fields=["-created_at"]),
            # Filters of the list.
            models.Index(name="code_type_newest", fields=["type", "created_at", "id"]),
            models.Index(name="code_active_newest", fields=["is_active", "created_at", "id"]),
        ]

    def __str__(self) -> str:
        return grouped_code(self.code) if self.type == CodeType.SHORT else self.code


class VoucherClaim(models.Model):
    """A voucher in a person's wallet."""

    voucher = models.ForeignKey(Voucher, on_delete=models.CASCADE, related_name="claims")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="voucher_claims", db_index=False)
    status = models.CharField(max_length=10, choices=ClaimStatus, default=ClaimStatus.CLAIMED)
    claimed_at = models.DateTimeField("claimed", default=timezone.now)
    expires_at = models.DateTimeField("expires")
    redeemed_at = models.DateTimeField("redeemed", null=True, blank=True)
    preferences = models.JSONField(default=dict, blank=True)

    objects = OfVoucherQuerySet.as_manager()

    class Meta:
        verbose_name = "claim"
        ordering = ["-claimed_at", "-id"]
        constraints = [
            choice_valid("status", ClaimStatus),
            unique(
                "one_open_claim",
                "user",
                "voucher",
                condition=Q(status=ClaimStatus.CLAIMED),
                message="This person holds an open claim of this voucher already.",
            ),
            check(
                "redeemed_when_dated",
                Q(status=ClaimStatus.REDEEMED, redeemed_at__isnull=False)
                | (~Q(status=ClaimStatus.REDEEMED) & Q(redeemed_at__isnull=True)),
                "A redeemed claim needs its date; the others have none.",
            ),
        ]
        indexes = [
            # A person's wallet; also serves the foreign key to the user.
            models.Index(name="claim_user_status", fields=["user", "status"]),
            models.Index(name="claim_newest", fields=["-claimed_at"]),
            models.Index(name="claim_status", fields=["status", "claimed_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.voucher} held by {self.user}"


class VoucherRedemption(models.Model):
    """One use of a voucher. It outlives the person who used it, and the voucher that goes with its seller's owner."""

    voucher = models.ForeignKey(
        Voucher, on_delete=models.PROTECT, null=True, blank=True, related_name="redemptions", db_index=False
    )
    voucher_label = models.CharField(
        "voucher (as text)",
        max_length=255,
        blank=True,
        default="",
        editable=False,
        help_text="Its title; filled in when the voucher is removed.",
    )
    seller_label = models.CharField(
        "seller (as text)",
        max_length=255,
        blank=True,
        default="",
        editable=False,
        help_text="Whose voucher it was; filled in when the voucher is removed.",
    )
    user = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="voucher_redemptions", db_index=False
    )
    user_label = models.CharField("person", max_length=254, blank=True, default="", editable=False)
    claim = models.OneToOneField(
        VoucherClaim, on_delete=models.SET_NULL, null=True, blank=True, related_name="redemption"
    )
    code_used = models.CharField(max_length=500, blank=True, default="")
    discount_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    currency = UpperCharField(max_length=3, default="ZAR", validators=[validate_currency])
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=128, null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    redeemed_at = models.DateTimeField("redeemed", default=timezone.now)

    objects = OfVoucherQuerySet.as_manager()

    class Meta:
        verbose_name = "redemption"
        ordering = ["-redeemed_at", "-id"]
        constraints = [
            currency_valid(),
            *coordinates_valid(),
            check(
                "voucher_named",
                Q(voucher__isnull=False) | ~Q(voucher_label=""),
                "A redemption whose voucher was removed keeps its name.",
            ),
            check("discount_amount_positive", Q(discount_amount__gte=0), "A discount cannot be negative."),
            unique(
                "idempotency_unique",
                "voucher",
                "idempotency_key",
                message="This request was answered already.",
            ),
        ]
        indexes = [
            # Both also serve their foreign keys.
            models.Index(name="redemption_voucher_time", fields=["voucher", "redeemed_at"]),
            models.Index(name="redemption_user_time", fields=["user", "redeemed_at"]),
            models.Index(name="redemption_newest", fields=["-redeemed_at"]),
            WordIndex(Words(*REDEMPTION_TEXTS), name="redemption_words"),
        ]

    def __str__(self) -> str:
        return f"{self.voucher or self.voucher_label} redeemed by {self.user_label or self.user or 'somebody'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.user is not None:
            self.user_label = self.user_label or str(self.user)
        super().save(*args, **kwargs)
