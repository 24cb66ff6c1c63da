"""Vouchers: their states, their codes, and who holds and uses them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Language, Seller, Translation, User
from accounts.services import save_translation
from config.audit import announce
from config.db.errors import Refused
from config.db.removal import change_in_batches
from leads.codes import STATIC_CODE, new_short_code, typed_code
from leads.models import Voucher, VoucherClaim, VoucherCode, VoucherRedemption
from leads.models.vouchers import ClaimStatus, CodeType, DiscountType, VoucherState
from leads.services.leads import lock_person

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from decimal import Decimal

    from django.db.models import QuerySet

CLAIM_LIFETIME = timedelta(days=30)
CODE_ATTEMPTS = 5

DRAFT, PUBLISHED, CLAIMED = VoucherState.DRAFT, VoucherState.PUBLISHED, VoucherState.CLAIMED
REDEEMED, EXPIRED, SUSPENDED = VoucherState.REDEEMED, VoucherState.EXPIRED, VoucherState.SUSPENDED

# From each state, the states that may follow it.
TRANSITIONS: dict[VoucherState, frozenset[VoucherState]] = {
    DRAFT: frozenset({PUBLISHED}),
    PUBLISHED: frozenset({CLAIMED, EXPIRED, SUSPENDED}),
    CLAIMED: frozenset({REDEEMED, EXPIRED}),
    REDEEMED: frozenset({EXPIRED}),
    SUSPENDED: frozenset({PUBLISHED, EXPIRED}),
    EXPIRED: frozenset(),
}
# In these a person who holds a voucher can use it.
USABLE_STATES = (PUBLISHED, CLAIMED)


class TransitionRefused(Refused):
    """A voucher cannot go from its state to the one that was asked for."""


class VoucherChanged(Refused):
    """Somebody else changed the voucher after it was read."""

    def __init__(self, voucher: Voucher) -> None:
        super().__init__(f"Somebody else has changed {voucher} meanwhile. Reload the page and look again.")


# States


@transaction.atomic
def publish_voucher(*, voucher: Voucher, actor: User | None = None, now: datetime | None = None) -> Voucher:
    """Show a voucher to everybody.

    Raises TransitionRefused unless it is a draft or suspended; Refused before it is valid, after it has expired, while
    its title, description or terms have no text in the default language, and for a deleted voucher or seller.
    """
    now = now or timezone.now()
    if voucher.state != PUBLISHED:
        _check_transition(voucher, PUBLISHED)
        stored = _locked(voucher)
        if stored.seller.deleted_at is not None:
            raise Refused(f"{stored} belongs to {stored.seller}, who is deleted: restore the seller first.")
        _check_window(stored, now)
        _check_texts(stored)
    return _change_state(voucher, PUBLISHED, actor)


def suspend_voucher(*, voucher: Voucher, actor: User | None = None) -> Voucher:
    """Take a published voucher back for a while. Raises TransitionRefused in any other state."""
    return _change_state(voucher, SUSPENDED, actor)


@transaction.atomic
def expire_voucher(*, voucher: Voucher, actor: User | None = None) -> Voucher:
    """End a voucher for good, with the claims that people still hold. Raises TransitionRefused for a draft."""
    _change_state(voucher, EXPIRED, actor)
    VoucherClaim.objects.filter(voucher=voucher, status=ClaimStatus.CLAIMED).update(status=ClaimStatus.EXPIRED)
    return voucher


def expire_vouchers(now: datetime) -> int:
    """End all vouchers that passed their end, with the claims that people still hold; return how many vouchers."""
    return change_in_batches(overdue_vouchers(now), _expire_batch)


def overdue_vouchers(now: datetime) -> QuerySet[Voucher]:
    """Return the vouchers that passed their end and are not known as expired, deleted ones included."""
    return Voucher.all_objects.filter(state__in=(PUBLISHED, CLAIMED, SUSPENDED), expires_at__lte=now)


def _expire_batch(vouchers: QuerySet[Voucher]) -> int:
    # Locked, so that nobody redeems one between the two updates.
    keys = list(vouchers.select_for_update().values_list("pk", flat=True))
    expired = Voucher.all_objects.filter(pk__in=keys).update(state=EXPIRED)
    VoucherClaim.objects.filter(voucher__in=keys, status=ClaimStatus.CLAIMED).update(status=ClaimStatus.EXPIRED)
    if expired:
        announce(
            "status_change",
            event_type="VOUCHERS_EXPIRED",
            description=f"{expired} vouchers passed their end.",
            metadata={"entity_type": Voucher._meta.label_lower, "ids": keys},
        )
    return expired


def expire_claims(now: datetime) -> int:
    """End the claims that ran out, of which the voucher may still be valid; return how many."""
    return change_in_batches(overdue_claims(now), _expire_claims)


def overdue_claims(now: datetime) -> QuerySet[VoucherClaim]:
    """Return the open claims that ran out."""
    return VoucherClaim.objects.filter(status=ClaimStatus.CLAIMED, expires_at__lte=now)


def _expire_claims(claims: QuerySet[VoucherClaim]) -> int:
    # Locked, so that what is announced is what was open.
    keys = list(claims.select_for_update().values_list("pk", flat=True))
    expired = VoucherClaim.objects.filter(pk__in=keys).update(status=ClaimStatus.EXPIRED)
    if expired:
        announce(
            "status_change",
            event_type="VOUCHER_CLAIMS_EXPIRED",
            description=f"{expired} claims ran out.",
            metadata={"entity_type": VoucherClaim._meta.label_lower, "ids": keys},
        )
    return expired


def _check_transition(voucher: Voucher, state: VoucherState) -> None:
    old = VoucherState(voucher.state)
    if state in TRANSITIONS[old]:
        return
    following = sorted(VoucherState(following).label.lower() for following in TRANSITIONS[old])
    way = f"it can become {' or '.join(following)}" if following else "that is final"
    raise TransitionRefused(f"{voucher} is {old.label.lower()} and cannot become {state.label.lower()}: {way}.")


@transaction.atomic
def _change_state(voucher: Voucher, state: VoucherState, actor: User | None) -> Voucher:
    old = VoucherState(voucher.state)
    if old == state:
        return voucher
    _check_transition(voucher, state)
    if not Voucher.objects.filter(pk=voucher.pk, state=old).update(state=state):
        raise VoucherChanged(voucher)
    voucher.refresh_from_db(fields=["state", "updated_at"])
    announce(
        "status_change",
        voucher,
        event_type=f"VOUCHER_{state.upper()}",
        actor=actor,
        description=f"{old.label} to {state.label}",
        changes={"state": [old, state]},
    )
    return voucher


def _check_window(voucher: Voucher, now: datetime) -> None:
    if voucher.valid_from is not None and now < voucher.valid_from:
        begin = timezone.localtime(voucher.valid_from)
        raise Refused(f"{voucher} is valid from {begin:%Y-%m-%d %H:%M}: publish it then, or change its start.")
    if voucher.expires_at is not None and now >= voucher.expires_at:
        end = timezone.localtime(voucher.expires_at)
        raise Refused(f"{voucher} expired on {end:%Y-%m-%d %H:%M}: change its end before you publish it.")


def _check_texts(voucher: Voucher) -> None:
    language = Language.objects.filter(is_default=True).first()
    if language is None:
        raise Refused("No language is the default one: mark one, then publish.")
    keys = {"title": voucher.title_key, "description": voucher.description_key, "terms": voucher.terms_key}
    texts = Translation.objects.filter(language=language, key__in=keys.values()).exclude(value="")
    known = set(texts.values_list("key", flat=True))
    missing = [f"{what} ({key})" for what, key in keys.items() if key not in known]
    if missing:
        raise Refused(f"{voucher} has no text in {language.name} for its {', '.join(missing)}: add the translation.")


@transaction.atomic
def copy_voucher_text(*, from_key: str, to_key: str, actor: User | None = None) -> None:
    """Write the text of a key under another one too, in all languages but the default one, which is new."""
    for text in Translation.objects.filter(key=from_key, language__is_default=False).select_related("language"):
        save_translation(
            key=to_key, language=text.language, value=text.value, domain="voucher", context=text.context, actor=actor
        )


# Deletion


@transaction.atomic
def delete_voucher(*, voucher: Voucher, actor: User | None = None, now: datetime | None = None) -> Voucher:
    """Hide a voucher; its texts stay. Raises Refused for a published one, which can only expire."""
    deleted = Voucher.objects.exclude(state=PUBLISHED).filter(pk=voucher.pk).update(deleted_at=now or timezone.now())
    voucher.refresh_from_db(fields=["state", "deleted_at", "updated_at"])
    if not deleted:
        if voucher.state == PUBLISHED:
            raise Refused(f"{voucher} is published and cannot be deleted: let it expire instead.")
        raise Refused(f"{voucher} is deleted already.")
    announce("delete", voucher, event_type="VOUCHER_DELETED", actor=actor, description="Voucher deleted")
    return voucher


@transaction.atomic
def restore_voucher(*, voucher: Voucher, actor: User | None = None) -> Voucher:
    """Show a hidden voucher again. Raises Refused if it is not hidden."""
    if not Voucher.all_objects.deleted().filter(pk=voucher.pk).update(deleted_at=None):
        raise Refused(f"{voucher} is not deleted.")
    voucher.refresh_from_db(fields=["deleted_at", "updated_at"])
    announce("update", voucher, event_type="VOUCHER_RESTORED", actor=actor, description="Voucher restored")
    return voucher


# Codes


@transaction.atomic
def add_voucher_code(
    *,
    voucher: Voucher,
    type: CodeType | str = CodeType.SHORT,  # noqa: A002 - the name of the column
    code: str = "",
    make_code: Callable[[], str] = lambda: new_short_code(with_check_character=True),
    actor: User | None = None,
) -> VoucherCode:
    """Give a voucher a code: a short one is made by `make_code`, a static one is `code`.

    Raises Refused for a voucher that is deleted or cannot be changed any more, a static code that is in use or
    malformed, and a QR code, which is a signed token and never made by hand.
    """
    kind, voucher = CodeType(type), _locked(voucher)
    if not voucher.is_editable:
        raise Refused(f"{voucher} is {voucher.get_state_display().lower()} and takes no more codes.")
    if kind == CodeType.QR:
        raise Refused("A QR code carries a signed token: add a short or a static code.")
    row = _new_static_code(voucher, code) if kind == CodeType.STATIC else _new_short_code(voucher, make_code)
    announce("create", row, event_type="VOUCHER_CODE_ADDED", actor=actor, description=f"{kind.label} code of {voucher}")
    return row


def _new_static_code(voucher: Voucher, code: str) -> VoucherCode:
    code = typed_code(code)
    if not STATIC_CODE.fullmatch(code):
        raise Refused("A static code has 4 to 20 capital letters and digits.")
    row = _try_code(voucher, CodeType.STATIC, code)
    if row is None:
        raise Refused(f"The code {code} is in use already: choose another.")
    return row


def _new_short_code(voucher: Voucher, make_code: Callable[[], str]) -> VoucherCode:
    for _ in range(CODE_ATTEMPTS):
        row = _try_code(voucher, CodeType.SHORT, make_code())
        if row is not None:
            return row
    raise Refused(f"{CODE_ATTEMPTS} new codes were all in use already: try again.")


def _try_code(voucher: Voucher, kind: CodeType, code: str) -> VoucherCode | None:
    if VoucherCode.objects.filter(code=code).exists():
        return None
    try:
        with transaction.atomic():
            row: VoucherCode = VoucherCode.objects.create(voucher=voucher, type=kind, code=code)
    except IntegrityError:
        # Somebody was faster since we looked.
        return None
    return row


# Claims and redemptions


@transaction.atomic
def claim_voucher(*, voucher: Voucher, user: User, now: datetime | None = None) -> VoucherClaim:
    """Put a voucher into a person's wallet for 30 days, or until it expires.

    Raises Refused unless the voucher is published and inside its window, its seller is public, something is left of
    both limits, and the person may sign in and holds no open claim of it.
    """
    now = now or timezone.now()
    _lock_holder(user)
    voucher = _locked(voucher)
    _check_seller(voucher)
    if voucher.state != PUBLISHED:
        raise Refused(f"{voucher} is {voucher.get_state_display().lower()}: only published vouchers can be claimed.")
    if not Voucher.objects.filter(pk=voucher.pk).valid(now=now).exists():
        raise Refused(f"{voucher} is not valid at this time.")
    _check_limits(voucher, user)
    open_claims = VoucherClaim.objects.filter(voucher=voucher, user=user, status=ClaimStatus.CLAIMED)
    # A claim that ran out before the expiry run came by must not stand in the way of a new one.
    open_claims.filter(expires_at__lte=now).update(status=ClaimStatus.EXPIRED)
    if open_claims.exists():
        raise Refused(f"{user} holds an open claim of {voucher} already.")
    expires_at = min(filter(None, (now + CLAIM_LIFETIME, voucher.expires_at)))
    claim: VoucherClaim = VoucherClaim.objects.create(voucher=voucher, user=user, claimed_at=now, expires_at=expires_at)
    Voucher.objects.filter(pk=voucher.pk).update(claim_count=F("claim_count") + 1)
    announce("create", claim, event_type="VOUCHER_CLAIM_MADE", seller=voucher.seller, description=f"Claim of {voucher}")
    return claim


@transaction.atomic
def redeem_voucher(
    *,
    voucher: Voucher,
    user: User,
    code_used: str = "",
    discount_amount: Decimal | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    metadata: dict[str, Any] | None = None,
    actor: User | None = None,
    now: datetime | None = None,
) -> VoucherRedemption:
    """Use the voucher that a person holds.

    `discount_amount` is what the voucher took off, in its currency; a fixed discount is its own amount. `code_used` is
    the code that was typed or scanned, if there was one. Raises Refused without an open claim of at most 30 days, for a
    voucher that is not usable or expired or whose seller is not public, for a code that is not an active one of this
    voucher, for a person who may not sign in, and above either limit.
    """
    now = now or timezone.now()
    _lock_holder(user)
    voucher = _locked(voucher)
    _check_seller(voucher)
    if voucher.state not in USABLE_STATES:
        raise Refused(f"{voucher} is {voucher.get_state_display().lower()} and cannot be redeemed.")
    if voucher.expires_at is not None and now >= voucher.expires_at:
        raise Refused(f"{voucher} has expired.")
    _check_limits(voucher, user)
    claim = VoucherClaim.objects.filter(voucher=voucher, user=user, status=ClaimStatus.CLAIMED).first()
    if claim is None or claim.expires_at <= now:
        raise Refused(f"{user} holds no open claim of {voucher}: it must be claimed first, and used within 30 days.")
    used = VoucherClaim.objects.filter(pk=claim.pk, status=ClaimStatus.CLAIMED)
    if not used.update(status=ClaimStatus.REDEEMED, redeemed_at=now) or not _count_redemption(voucher):
        raise VoucherChanged(voucher)
    if discount_amount is None and voucher.discount_type == DiscountType.FIXED:
        discount_amount = voucher.discount_value
    redemption: VoucherRedemption = VoucherRedemption.objects.create(
        voucher=voucher,
        user=user,
        claim=claim,
        code_used=_active_code(voucher, code_used) if code_used else "",
        discount_amount=discount_amount,
        currency=voucher.currency,
        latitude=latitude,
        longitude=longitude,
        metadata=metadata or {},
        redeemed_at=now,
    )
    announce(
        "create",
        redemption,
        event_type="VOUCHER_REDEMPTION_MADE",
        actor=actor,
        seller=voucher.seller,
        description=f"Redemption of {voucher}",
    )
    return redemption


def _locked(voucher: Voucher) -> Voucher:
    """Return the voucher as it is now, locked until the transaction ends. Raises Refused for a deleted one."""
    locked: Voucher | None = (
        Voucher.objects.with_titles()
        .select_for_update(of=("self",))
        .select_related("seller")
        .filter(pk=voucher.pk)
        .first()
    )
    if locked is None:
        raise Refused(f"{voucher} is deleted.")
    return locked


def _lock_holder(user: User) -> None:
    """Keep the person from leaving until the transaction ends; people are locked before vouchers."""
    if lock_person(user).filter(is_active=True).first() is None:
        raise Refused(f"{user} is deleted, suspended or banned, and so neither claims nor redeems vouchers.")


def _check_seller(voucher: Voucher) -> None:
    if not Seller.objects.public().filter(pk=voucher.seller_id).exists():
        raise Refused(f"{voucher} belongs to {voucher.seller}, who is not on the marketplace at present.")


def _active_code(voucher: Voucher, text: str) -> str:
    found = VoucherCode.objects.typed(text).filter(voucher=voucher).first()
    if found is None:
        raise Refused(f"{text} is not an active code of {voucher}: look at the code again.")
    return str(found.code)


def _check_limits(voucher: Voucher, user: User) -> None:
    if voucher.max_redemptions is not None and voucher.redemption_count >= voucher.max_redemptions:
        raise Refused(f"{voucher} was redeemed as often as it may be.")
    if VoucherRedemption.objects.filter(voucher=voucher, user=user).count() >= voucher.max_per_user:
        raise Refused(f"{user} has redeemed {voucher} as often as one person may.")


def _count_redemption(voucher: Voucher) -> int:
    """Count one redemption if the limit leaves room for it; return the number of rows that could."""
    room = Q(max_redemptions__isnull=True) | Q(redemption_count__lt=F("max_redemptions"))
    return Voucher.objects.filter(room, pk=voucher.pk).update(redemption_count=F("redemption_count") + 1)
