"""Vouchers: states, codes, claims and redemptions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Seller, Translation, User
from accounts.services import ban_user, delete_seller, delete_user, suspend_user
from analytics.models import AuditLog
from config.db.errors import Refused
from leads.codes import has_valid_check_character
from leads.models import Voucher, VoucherClaim, VoucherCode, VoucherRedemption
from leads.models.vouchers import ClaimStatus, VoucherState
from leads.queries import voucher_code
from leads.services import (
    TransitionRefused,
    add_voucher_code,
    claim_voucher,
    delete_voucher,
    expire_voucher,
    publish_voucher,
    redeem_voucher,
    restore_voucher,
    suspend_voucher,
)
from leads.services.vouchers import TRANSITIONS, VoucherChanged
from tests.builders import NOON, make_language, make_translation, make_user, make_voucher
from tests.races import at_the_same_time

DAY = timedelta(days=1)


@pytest.fixture
def texts(db: None) -> None:
    """The texts of a voucher with the keys title, description and terms, in the default language."""
    make_language("en", is_default=True)
    for key in ("title", "description", "terms"):
        make_translation(key, key.upper())


def make_ready(**fields: Any) -> Voucher:
    keys = {"title_key": "title", "description_key": "description", "terms_key": "terms"}
    return make_voucher(**keys | fields)


def state_of(voucher: Voucher) -> str:
    return str(Voucher.all_objects.get(pk=voucher.pk).state)


# States


def test_the_table_of_transitions_is_the_declared_one() -> None:
    assert {str(old): {str(new) for new in following} for old, following in TRANSITIONS.items()} == {
        "draft": {"published"},
        "published": {"claimed", "expired", "suspended"},
        "claimed": {"redeemed", "expired"},
        "redeemed": {"expired"},
        "suspended": {"published", "expired"},
        "expired": set(),
    }


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize("old", list(VoucherState))
@pytest.mark.parametrize(
    ("service", "new"), [(publish_voucher, "published"), (suspend_voucher, "suspended"), (expire_voucher, "expired")]
)
def test_a_service_allows_exactly_what_the_table_allows(old: VoucherState, service: Any, new: str) -> None:
    voucher = make_ready(state=old)
    arguments: dict[str, Any] = {"now": NOON} if service is publish_voucher else {}
    if new == old or new in TRANSITIONS[old]:
        assert service(voucher=voucher, **arguments).state == new
        assert state_of(voucher) == new
        assert AuditLog.objects.count() == (new != old)
    else:
        with pytest.raises(TransitionRefused, match=f"cannot become {new}"):
            service(voucher=voucher, **arguments)
        assert state_of(voucher) == old
        assert not AuditLog.objects.exists()


@pytest.mark.usefixtures("texts")
def test_a_transition_is_audited_with_both_states() -> None:
    voucher, actor = make_ready(), make_user("ADMIN")
    publish_voucher(voucher=voucher, actor=actor, now=NOON)
    entry = AuditLog.objects.get()
    assert (entry.action, entry.event_type) == ("status_change", "VOUCHER_PUBLISHED")
    assert (entry.changes, entry.seller, entry.actor) == ({"state": ["draft", "published"]}, voucher.seller, actor)


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"valid_from": NOON + DAY}, "valid from 2026-03-03 12:00"),
        ({"expires_at": NOON}, "expired on 2026-03-02 12:00"),
    ],
)
def test_a_voucher_is_not_published_outside_of_its_window(window: dict[str, Any], words: str) -> None:
    voucher = make_ready(**window)
    with pytest.raises(Refused, match=words):
        publish_voucher(voucher=voucher, now=NOON)
    assert state_of(voucher) == "draft"


@pytest.mark.usefixtures("texts")
def test_a_window_without_ends_is_open() -> None:
    assert publish_voucher(voucher=make_ready(valid_from=None, expires_at=None), now=NOON).state == "published"


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize("missing", ["title", "description", "terms"])
def test_a_voucher_is_not_published_without_its_texts(missing: str) -> None:
    Translation.objects.filter(key=missing).delete()
    make_translation(missing, "teksti", "fi")
    voucher = make_ready()
    with pytest.raises(Refused, match=rf"no text in EN for its {missing} \({missing}\)"):
        publish_voucher(voucher=voucher, now=NOON)
    assert state_of(voucher) == "draft"


@pytest.mark.django_db
def test_without_a_default_language_nothing_is_published() -> None:
    with pytest.raises(Refused, match="No language is the default"):
        publish_voucher(voucher=make_ready(), now=NOON)


@pytest.mark.usefixtures("texts")
def test_whoever_read_the_voucher_before_a_colleague_changed_it_is_refused() -> None:
    voucher = make_ready(state="published")
    expire_voucher(voucher=Voucher.objects.get())
    with pytest.raises(VoucherChanged):
        suspend_voucher(voucher=voucher)
    assert state_of(voucher) == "expired"


@pytest.mark.django_db
def test_expiring_a_voucher_ends_the_claims_that_people_hold() -> None:
    voucher, user = make_voucher(state="published"), make_user()
    claim = claim_voucher(voucher=voucher, user=user, now=NOON)
    expire_voucher(voucher=voucher)
    claim.refresh_from_db()
    assert claim.status == ClaimStatus.EXPIRED


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize("gone", ["voucher", "seller"])
def test_what_is_deleted_is_not_published(gone: str) -> None:
    voucher = make_ready()
    if gone == "voucher":
        delete_voucher(voucher=Voucher.objects.get())
    else:
        delete_seller(seller=voucher.seller)
    with pytest.raises(Refused, match="is deleted"):
        publish_voucher(voucher=voucher, now=NOON)
    assert state_of(voucher) == "draft"


@pytest.mark.usefixtures("texts")
def test_a_voucher_is_published_in_the_window_that_is_stored() -> None:
    voucher = make_ready()
    Voucher.objects.update(valid_from=None, expires_at=NOON)
    with pytest.raises(Refused, match="expired on"):
        publish_voucher(voucher=voucher, now=NOON)
    assert state_of(voucher) == "draft"


# Deletion


@pytest.mark.django_db
def test_a_published_voucher_cannot_be_deleted_only_expire() -> None:
    voucher = make_voucher(state="published")
    with pytest.raises(Refused, match="let it expire instead"):
        delete_voucher(voucher=voucher)
    assert Voucher.objects.get().deleted_at is None


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize("state", ["draft", "suspended", "claimed", "redeemed", "expired"])
def test_other_vouchers_are_hidden_keep_their_texts_and_can_come_back(state: str) -> None:
    voucher = make_ready(state=state)
    delete_voucher(voucher=voucher, now=NOON)
    assert not Voucher.objects.exists()
    assert Translation.objects.count() == 3
    with pytest.raises(Refused, match="deleted already"):
        delete_voucher(voucher=voucher)
    restore_voucher(voucher=voucher)
    assert Voucher.objects.get().state == state
    with pytest.raises(Refused, match="is not deleted"):
        restore_voucher(voucher=voucher)


@pytest.mark.parametrize(
    ("state", "is_editable"),
    [
        ("draft", True),
        ("published", True),
        ("claimed", True),
        ("suspended", True),
        ("redeemed", False),
        ("expired", False),
    ],
)
def test_a_finished_voucher_is_read_only(state: str, is_editable: bool) -> None:
    assert Voucher(state=state).is_editable is is_editable


# Codes


@pytest.mark.django_db
def test_a_short_code_is_made_stored_and_found_however_it_is_typed() -> None:
    voucher = make_voucher()
    row = add_voucher_code(voucher=voucher)
    assert (row.type, row.is_active, len(row.code)) == ("short", True, 8)
    assert has_valid_check_character(row.code)
    assert voucher_code(f" {row.code[:4].lower()}-{row.code[4:]}") == row


@pytest.mark.django_db
def test_a_code_that_is_switched_off_or_of_a_deleted_voucher_is_not_found() -> None:
    off = add_voucher_code(voucher=make_voucher())
    VoucherCode.objects.filter(pk=off.pk).update(is_active=False)
    gone = add_voucher_code(voucher=make_voucher())
    delete_voucher(voucher=gone.voucher)
    assert voucher_code(off.code) is None
    assert voucher_code(gone.code) is None


@pytest.mark.django_db
def test_a_short_code_that_is_taken_is_drawn_again() -> None:
    voucher = make_voucher()
    draws = iter(["AAAAAAAA", "AAAAAAAA", "BBBBBBBB"])
    codes = [add_voucher_code(voucher=voucher, make_code=lambda: next(draws)).code for _ in range(2)]
    assert codes == ["AAAAAAAA", "BBBBBBBB"]


@pytest.mark.django_db
def test_after_five_taken_codes_it_gives_up() -> None:
    voucher = make_voucher()
    add_voucher_code(voucher=voucher, make_code=lambda: "AAAAAAAA")
    with pytest.raises(Refused, match="in use already"):
        add_voucher_code(voucher=voucher, make_code=lambda: "AAAAAAAA")
    assert VoucherCode.objects.count() == 1


@pytest.mark.django_db
def test_a_static_code_is_kept_in_capitals_and_is_unique_everywhere() -> None:
    assert add_voucher_code(voucher=make_voucher(), type="static", code="spring 2026").code == "SPRING2026"
    with pytest.raises(Refused, match="SPRING2026 is in use already"):
        add_voucher_code(voucher=make_voucher(), type="static", code="SPRING2026")
    assert VoucherCode.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "ABC", "A" * 21, "SÄÄSTÖ", "SPRING_26"])
def test_a_malformed_static_code_is_refused(code: str) -> None:
    with pytest.raises(Refused, match="4 to 20 capital letters and digits"):
        add_voucher_code(voucher=make_voucher(), type="static", code=code)
    assert not VoucherCode.objects.exists()


@pytest.mark.django_db
def test_a_finished_voucher_takes_no_more_codes_and_qr_codes_are_not_made_by_hand() -> None:
    with pytest.raises(Refused, match="takes no more codes"):
        add_voucher_code(voucher=make_voucher(state="expired"))
    with pytest.raises(Refused, match="signed token"):
        add_voucher_code(voucher=make_voucher(), type="qr")
    assert not VoucherCode.objects.exists()


@pytest.mark.django_db
def test_a_deleted_voucher_takes_no_codes() -> None:
    voucher = make_voucher()
    delete_voucher(voucher=Voucher.objects.get())
    with pytest.raises(Refused, match="is deleted"):
        add_voucher_code(voucher=voucher)
    assert not VoucherCode.objects.exists()


# Claims


@pytest.mark.django_db
def test_a_claim_lasts_thirty_days_but_not_longer_than_its_voucher() -> None:
    user = make_user()
    long, short = make_voucher(state="published"), make_voucher(state="published", expires_at=NOON + 5 * DAY)
    assert claim_voucher(voucher=long, user=user, now=NOON).expires_at == NOON + 30 * DAY
    assert claim_voucher(voucher=short, user=user, now=NOON).expires_at == NOON + 5 * DAY
    long.refresh_from_db()
    assert long.claim_count == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "draft"}, "only published vouchers"),
        ({"state": "suspended"}, "only published vouchers"),
        ({"valid_from": NOON + DAY}, "not valid at this time"),
        ({"expires_at": NOON}, "not valid at this time"),
        ({"max_redemptions": 2, "redemption_count": 2}, "as often as it may be"),
    ],
)
def test_a_voucher_that_is_not_on_offer_cannot_be_claimed(fields: dict[str, Any], words: str) -> None:
    voucher = make_voucher(**{"state": "published"} | fields)
    with pytest.raises(Refused, match=words):
        claim_voucher(voucher=voucher, user=make_user(), now=NOON)
    voucher.refresh_from_db()
    assert voucher.claim_count == 0
    assert not VoucherClaim.objects.exists()


@pytest.mark.django_db
def test_nobody_holds_two_open_claims_of_a_voucher_but_one_may_follow_an_expired_one() -> None:
    voucher, user = make_voucher(state="published"), make_user()
    claim_voucher(voucher=voucher, user=user, now=NOON)
    with pytest.raises(Refused, match="holds an open claim"):
        claim_voucher(voucher=voucher, user=user, now=NOON + DAY)
    claim_voucher(voucher=voucher, user=user, now=NOON + 31 * DAY)
    assert list(VoucherClaim.objects.order_by("id").values_list("status", flat=True)) == ["expired", "claimed"]


# Redemptions


@pytest.mark.django_db
def test_a_redemption_uses_up_the_claim_and_is_counted() -> None:
    voucher = make_voucher(state="published", discount_type="fixed", discount_value=Decimal(250), currency="ZAR")
    user = make_user(name="Ann Lee")
    claim = claim_voucher(voucher=voucher, user=user, now=NOON)
    add_voucher_code(voucher=voucher, make_code=lambda: "ABCDEFGH")
    redemption = redeem_voucher(voucher=voucher, user=user, code_used="abcd-efgh", now=NOON + DAY)
    claim.refresh_from_db()
    voucher.refresh_from_db()
    assert (claim.status, claim.redeemed_at, redemption.claim) == (ClaimStatus.REDEEMED, NOON + DAY, claim)
    assert (redemption.code_used, redemption.discount_amount, redemption.currency) == ("ABCDEFGH", Decimal(250), "ZAR")
    assert voucher.redemption_count == 1
    user.delete()
    redemption.refresh_from_db()
    assert (redemption.user, redemption.user_label) == (None, "Ann Lee")


@pytest.mark.django_db
def test_a_limit_of_three_for_each_person_lets_one_redeem_three_times() -> None:
    voucher, user = make_voucher(state="published", max_per_user=3), make_user()
    for _ in range(3):
        claim_voucher(voucher=voucher, user=user, now=NOON)
        redeem_voucher(voucher=voucher, user=user, now=NOON)
    with pytest.raises(Refused, match="as often as one person may"):
        claim_voucher(voucher=voucher, user=user, now=NOON)
    claim_voucher(voucher=voucher, user=make_user(), now=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "at", "words"),
    [
        ({"state": "suspended"}, NOON, "cannot be redeemed"),
        ({"state": "expired"}, NOON, "cannot be redeemed"),
        ({}, NOON + 60 * DAY, "has expired"),
        ({}, NOON + 30 * DAY, "no open claim"),
    ],
)
def test_a_voucher_that_cannot_be_used_any_more_is_not_redeemed(change: dict[str, Any], at: Any, words: str) -> None:
    voucher, user = make_voucher(state="published"), make_user()
    claim_voucher(voucher=voucher, user=user, now=NOON)
    Voucher.objects.filter(pk=voucher.pk).update(redemption_count=0, **change)
    with pytest.raises(Refused, match=words):
        redeem_voucher(voucher=voucher, user=user, now=at)
    voucher.refresh_from_db()
    assert voucher.redemption_count == 0
    assert not VoucherRedemption.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"deleted_at": NOON}, {"is_verified": False}, {"is_active": False}])
def test_vouchers_of_a_seller_who_is_not_public_are_neither_claimed_nor_redeemed(change: dict[str, Any]) -> None:
    voucher, holder = make_voucher(state="published"), make_user()
    claim_voucher(voucher=voucher, user=holder, now=NOON)
    Seller.all_objects.filter(pk=voucher.seller_id).update(**change)
    with pytest.raises(Refused, match="not on the marketplace"):
        claim_voucher(voucher=voucher, user=make_user(), now=NOON)
    with pytest.raises(Refused, match="not on the marketplace"):
        redeem_voucher(voucher=voucher, user=holder, now=NOON)
    assert VoucherClaim.objects.get().status == "claimed"
    assert not VoucherRedemption.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("leave", [suspend_user, ban_user, delete_user])
def test_people_who_have_left_neither_claim_nor_redeem(leave: Any) -> None:
    held, other, person = make_voucher(state="published"), make_voucher(state="published"), make_user()
    claim_voucher(voucher=held, user=person, now=NOON)
    leave(user=User.objects.get(pk=person.pk))
    with pytest.raises(Refused, match="neither claims nor redeems"):
        claim_voucher(voucher=other, user=person, now=NOON)
    with pytest.raises(Refused, match="neither claims nor redeems"):
        redeem_voucher(voucher=held, user=person, now=NOON)
    assert VoucherClaim.objects.get().status == "claimed"
    assert not VoucherRedemption.objects.exists()


@pytest.mark.django_db
def test_a_voucher_is_redeemed_with_an_active_code_of_its_own() -> None:
    voucher, person = make_voucher(state="published"), make_user()
    claim_voucher(voucher=voucher, user=person, now=NOON)
    foreign = add_voucher_code(voucher=make_voucher(), type="static", code="FOREIGN1")
    inactive = add_voucher_code(voucher=voucher, type="static", code="INACTIVE1")
    VoucherCode.objects.filter(pk=inactive.pk).update(is_active=False)
    for code in (foreign.code, inactive.code, "UNKNOWN1"):
        with pytest.raises(Refused, match=f"{code} is not an active code"):
            redeem_voucher(voucher=voucher, user=person, code_used=code, now=NOON)
    assert VoucherClaim.objects.get().status == "claimed"
    assert not VoucherRedemption.objects.exists()


@pytest.mark.django_db
def test_without_a_claim_nothing_is_redeemed() -> None:
    with pytest.raises(Refused, match="no open claim"):
        redeem_voucher(voucher=make_voucher(state="published"), user=make_user(), now=NOON)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_the_last_one_is_redeemed_by_one_person_only(attempt: int) -> None:
    voucher = make_voucher(state="published", max_redemptions=1)
    people = [make_user() for _ in range(4)]
    for person in people:
        claim_voucher(voucher=voucher, user=person, now=NOON)

    def redeem(person: User) -> Any:
        return redeem_voucher(voucher=Voucher.objects.get(pk=voucher.pk), user=person, now=NOON)

    results = at_the_same_time(*(lambda person=person: redeem(person) for person in people))
    assert sorted(type(result).__name__ for result in results) == ["Refused"] * 3 + ["VoucherRedemption"]
    voucher.refresh_from_db()
    assert (voucher.redemption_count, VoucherRedemption.objects.count()) == (1, 1)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_one_claim_is_redeemed_once_however_often_it_is_sent(attempt: int) -> None:
    voucher, user = make_voucher(state="published", max_per_user=5), make_user()
    claim_voucher(voucher=voucher, user=user, now=NOON)

    def redeem() -> Any:
        return redeem_voucher(voucher=Voucher.objects.get(pk=voucher.pk), user=user, now=NOON)

    results = at_the_same_time(redeem, redeem, redeem)
    assert sorted(type(result).__name__ for result in results) == ["Refused"] * 2 + ["VoucherRedemption"]
    assert VoucherRedemption.objects.count() == 1


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_two_claims_at_the_same_moment_become_one() -> None:
    voucher, user = make_voucher(state="published"), make_user()

    def claim() -> Any:
        return claim_voucher(voucher=Voucher.objects.get(pk=voucher.pk), user=user, now=NOON)

    results = at_the_same_time(claim, claim)
    assert sorted(type(result).__name__ for result in results) == ["Refused", "VoucherClaim"]
    voucher.refresh_from_db()
    assert (voucher.claim_count, VoucherClaim.objects.count()) == (1, 1)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_static_code_given_twice_at_the_same_moment_is_refused_once() -> None:
    vouchers = [make_voucher(), make_voucher()]

    def add(voucher: Voucher) -> Any:
        return add_voucher_code(voucher=voucher, type="static", code="SPRING26")

    results = at_the_same_time(lambda: add(vouchers[0]), lambda: add(vouchers[1]))
    assert sorted(type(result).__name__ for result in results) == ["Refused", "VoucherCode"]
