"""Taking a person out of the database: what goes along, and what stays with the names as text."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Seller, StoredFile, User
from accounts.models.users import Role
from accounts.services import remove_user_for_good
from accounts.services.people import WrongState
from accounts.signals import user_removing
from analytics.models import AuditLog, Event
from config.db.errors import Refused
from inventory.models import Car, CarFeature, CarImage, Part
from leads.models import (
    Lead,
    LeadActivity,
    LeadNote,
    TicketComment,
    Voucher,
    VoucherClaim,
    VoucherCode,
    VoucherRedemption,
)
from leads.services import redeem_voucher
from tests.accounts.leaving import busy_person, row_counts
from tests.builders import NOON, make_car, make_lead, make_seller, make_user, make_vehicle, make_voucher
from tests.races import before_the_commit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def boss() -> User:
    return make_user(Role.SUPER_ADMIN)


def test_all_that_is_theirs_goes_and_nothing_of_anybody_else(boss: User) -> None:
    busy_person("Berta Berg")
    anna = busy_person("Anna Aho")
    before = row_counts()

    remove_user_for_good(user=anna, actor=boss)

    gone = before - row_counts()
    assert dict(gone) == {
        "accounts.User": 1,
        "accounts.Seller": 1,
        "accounts.SellerLocation": 1,
        "accounts.Subscription": 1,
        "accounts.UserIdentity": 1,
        "accounts.UserSession": 1,
        "accounts.OneTimeToken": 1,
        "accounts.StoredFile": 2,
        "inventory.Car": 3,
        "inventory.CarImage": 2,
        "inventory.CarFeature": 1,
        "inventory.CarSpecification": 1,
        "inventory.CarSlugHistory": 1,
        "inventory.Vehicle": 1,
        "inventory.Part": 2,
        "inventory.PartImage": 2,
        "inventory.SellerCategory": 1,
        "leads.Voucher": 2,
        "leads.VoucherCode": 1,
        "leads.VoucherClaim": 3,
        "leads.SupportTicket": 1,
        "leads.TicketComment": 1,
        "analytics.Event": 1,
    }
    assert Seller.objects.filter(owner__name="Berta Berg").exists()


def test_what_stays_keeps_the_names_as_text(boss: User) -> None:
    anna = busy_person("Anna Aho")

    remove_user_for_good(user=anna, actor=boss)

    assert LeadNote.objects.get(author=None).author_label == "Anna Aho"
    assert LeadActivity.objects.get(actor=None).actor_label == "Anna Aho"
    assert TicketComment.objects.get(author=None).author_label == "Anna Aho"
    theirs = VoucherRedemption.objects.get(user=None)
    assert theirs.user_label == "Anna Aho"
    assert theirs.voucher is not None
    assert theirs.voucher.redemption_count == 1
    assert AuditLog.objects.filter(actor=None, actor_label="Anna Aho").exists()
    assert Lead.objects.filter(subject_label="", user=None, car=None, part=None, seller=None).count() == 4
    assert Event.objects.filter(user=None, part=None, seller=None).count() == 2


def test_redemptions_of_their_vouchers_stay_and_say_whose_they_were(boss: User) -> None:
    anna = busy_person("Anna Aho")

    remove_user_for_good(user=anna, actor=boss)

    kept = VoucherRedemption.objects.get(voucher=None)
    assert (kept.voucher_label, kept.seller_label) == ("Brakes at Anna Aho's", "Anna Aho's yard")
    assert (kept.user_label, kept.claim) == ("Visitor of Anna Aho", None)
    assert kept.discount_amount == Decimal("12.50")
    assert str(kept) == "Brakes at Anna Aho's redeemed by Visitor of Anna Aho"


def test_a_redemption_of_a_voucher_without_a_title_keeps_its_key(boss: User) -> None:
    voucher = make_voucher()
    VoucherRedemption.objects.create(voucher=voucher, user=make_user())
    remove_user_for_good(user=voucher.seller.owner, actor=boss)
    assert VoucherRedemption.objects.get().voucher_label == voucher.title_key


def test_the_audit_log_says_who_removed_whom_with_how_much(boss: User) -> None:
    anna = busy_person("Anna Aho")
    key = anna.public_id

    remove_user_for_good(user=anna, actor=boss)

    entry = AuditLog.objects.get(event_type="USER_REMOVED")
    assert (entry.actor, entry.entity_type, entry.entity_id, entry.entity_label) == (
        boss,
        "accounts.user",
        key,
        "Anna Aho",
    )
    for words in ("Removed Anna Aho for good, with", "3 cars", "2 parts", "1 seller,", "2 vouchers", "4 pictures"):
        assert words in entry.description
    assert " 0 " not in entry.description


@pytest.mark.django_db(transaction=True)
def test_the_files_of_pictures_go_once_the_person_is_gone(boss: User, media: Path) -> None:
    busy_person("Berta Berg")
    anna = busy_person("Anna Aho")
    others = {path for path in media.rglob("*") if path.is_file() and "anna" not in str(path)}
    mine = StoredFile.objects.filter(owner=anna).exclude(storage_key="")
    keys = [key for file in mine for key in (file.storage_key, file.metadata["thumbnail_key"])]
    assert len(keys) == 4

    remove_user_for_good(user=anna, actor=boss)

    assert not any((media / key).exists() for key in keys)
    assert {path for path in media.rglob("*") if path.is_file()} == others - {media / key for key in keys}


def test_a_picture_that_somebody_else_shows_as_well_is_kept(boss: User) -> None:
    anna = busy_person("Anna Aho")
    shared = CarImage.objects.get(file__isnull=False).file
    CarImage.objects.create(car=make_car(), url="/shared.png", file=shared)
    remove_user_for_good(user=anna, actor=boss)
    assert StoredFile.objects.get(file_name="front.png") == shared


@pytest.mark.django_db(transaction=True)
def test_a_refusal_removes_nothing(boss: User, media: Path) -> None:
    anna = busy_person("Anna Aho")
    make_lead(assigned_to=anna)
    before, files = row_counts(), sorted(media.rglob("*"))
    with pytest.raises(Refused, match="1 open lead"):
        remove_user_for_good(user=anna, actor=boss)
    assert (row_counts(), sorted(media.rglob("*"))) == (before, files)


def test_nobody_is_removed_twice(boss: User) -> None:
    anna = make_user(name="Anna Aho")
    again = User.objects.get(pk=anna.pk)
    remove_user_for_good(user=anna, actor=boss)
    with pytest.raises(WrongState, match="gone already"):
        remove_user_for_good(user=again, actor=boss)


def _large_business(rows: int) -> Seller:
    seller = make_seller()
    vehicle, visitor = make_vehicle(seller=seller), make_user()
    cars = [
        Car(seller=seller, make="A", model="B", year=2020, slug=f"c-{n}", mileage_km=1, price=1, segment="SUV")
        for n in range(rows)
    ]
    Car.objects.bulk_create(cars)
    CarFeature.objects.bulk_create(CarFeature(car=car, text="Towbar") for car in cars)
    parts = [Part(seller=seller, vehicle=vehicle, name=f"P{n}", price=1) for n in range(rows)]
    Part.objects.bulk_create(parts)
    Event.objects.bulk_create(Event(event_type="PART_VIEW", part=part, seller=seller) for part in parts)
    window = {"discount_type": "fixed", "discount_value": 1}
    vouchers = [
        Voucher(seller=seller, title_key=f"t{n}", description_key="d", terms_key="c", **window) for n in range(rows)
    ]
    Voucher.objects.bulk_create(vouchers)
    VoucherCode.objects.bulk_create(VoucherCode(voucher=each, code=f"C{each.pk}", type="static") for each in vouchers)
    VoucherClaim.objects.bulk_create(VoucherClaim(voucher=each, user=visitor, expires_at=NOON) for each in vouchers)
    VoucherRedemption.objects.bulk_create(VoucherRedemption(voucher=each, user=visitor) for each in vouchers)
    return seller


def test_thousands_of_rows_go_with_few_statements(boss: User) -> None:
    seller = _large_business(1500)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        remove_user_for_good(user=seller.owner, actor=boss)
    assert len(statements) < 300
    assert [model._base_manager.count() for model in (Car, Part, Voucher)] == [0, 0, 0]
    assert VoucherRedemption.objects.filter(voucher=None).exclude(voucher_label="").count() == 1500
    assert Event.objects.filter(part=None, seller=None).count() == 1500


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_redemption_made_meanwhile_is_kept_as_well(boss: User) -> None:
    voucher = make_voucher(state="published", valid_from=None, expires_at=None)
    visitor = make_user(name="Late Visitor")
    VoucherClaim.objects.create(voucher=voucher, user=visitor, expires_at=NOON.replace(year=2100))
    result = before_the_commit(
        lambda: redeem_voucher(voucher=voucher, user=visitor),
        lambda: remove_user_for_good(user=voucher.seller.owner),
    )
    assert not isinstance(result, Exception)
    assert VoucherRedemption.objects.get().seller_label == voucher.seller.name


def test_stock_that_is_added_meanwhile_keeps_everything_in_place(boss: User) -> None:
    seller = make_seller()
    make_car(seller=seller)

    def add(**kwargs: Any) -> None:
        make_car(seller=seller)

    user_removing.connect(add)
    before = row_counts()
    try:
        with pytest.raises(WrongState, match="nothing was removed"):
            remove_user_for_good(user=seller.owner, actor=boss)
    finally:
        user_removing.disconnect(add)
    assert row_counts() == before
