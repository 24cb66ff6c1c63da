"""What becomes of leads, vouchers and the help desk when people are taken out of the database for good."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, OuterRef, Subquery, TextField, Value
from django.db.models.functions import Coalesce, Greatest, Left, NullIf

from config.db.removal import locked_slices, remove_rows
from leads.models import LeadActivity, LeadNote, TicketComment, Voucher, VoucherClaim, VoucherRedemption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Seller, User

# Rows that outlive a person: the link to the person, and the column for the name.
_NAMED: tuple[tuple[Any, str, str], ...] = (
    (LeadNote, "author", "author_label"),
    (LeadActivity, "actor", "actor_label"),
    (TicketComment, "author", "author_label"),
    (VoucherRedemption, "user", "user_label"),
)


def _filled(field: str) -> NullIf:
    return NullIf(field, Value(""), output_field=TextField())


# What a voucher is called, which is never nothing.
_NAME = Coalesce(_filled("title_text"), _filled("title_key"), "public_id", output_field=TextField())


@transaction.atomic
def keep_name(*, user: User) -> None:
    """Write the person's name beside what they wrote, did and redeemed, where it is not there yet."""
    for model, link, label in _NAMED:
        name = str(user)[: model._meta.get_field(label).max_length]
        model.objects.filter(**{link: user, label: ""}).update(**{label: name})


@transaction.atomic
def replace_names(*, users: list[int], name: str) -> None:
    """Write `name` beside what people with these keys wrote, did and redeemed, in place of theirs."""
    for model, link, label in _NAMED:
        model.objects.filter(**{f"{link}__in": users}).exclude(**{label: ""}).update(**{label: name})


@transaction.atomic
def remove_claims(*, user: User) -> Counter[str]:
    """Remove the claims of a person, which the vouchers then no longer count."""
    removed: Counter[str] = Counter()
    for keys in locked_slices(VoucherClaim.objects.filter(user=user)):
        claims = VoucherClaim.objects.filter(pk__in=keys)
        for voucher, number in Counter(claims.values_list("voucher", flat=True)).items():
            fewer = Greatest(F("claim_count") - number, 0)
            Voucher.all_objects.filter(pk=voucher).update(claim_count=fewer)
        removed.update(claims.delete()[1])
    return removed


@transaction.atomic
def remove_vouchers(*, sellers: Iterable[Seller]) -> Counter[str]:
    """Remove the vouchers of `sellers` with their codes and claims, and return how many rows of which model.

    Redemptions stay: they keep the voucher's title and the seller's name as text.
    """
    removed: Counter[str] = Counter()
    for keys in locked_slices(Voucher.all_objects.filter(seller__in=list(sellers))):
        VoucherRedemption.objects.filter(voucher__in=keys).update(
            voucher=None,
            claim=None,
            voucher_label=Left(_of_voucher(_NAME), 255),
            seller_label=Left(_of_voucher("seller__name"), 255),
        )
        removed.update(remove_rows(VoucherClaim.objects.filter(voucher__in=keys)))
        removed.update(Voucher.all_objects.filter(pk__in=keys).delete()[1])
    return removed


def _of_voucher(value: Any) -> Subquery:
    vouchers = Voucher.all_objects.filter(pk=OuterRef("voucher_id")).with_titles()
    return Subquery(vouchers.values_list(value, flat=True))
