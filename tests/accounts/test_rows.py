"""What holds for the rows of every table: times, defaults, isolation, encryption at rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from accounts import queries, services
from accounts.models import Seller, Subscription, User, UserIdentity
from accounts.models.users import Role
from config.db.base import SoftDeleteModel, TimestampedModel
from tests.builders import NOON, make_part, make_seller, make_user, make_voucher
from tests.schema.rows import BY_LABEL, MODELS, make_row

pytestmark = pytest.mark.django_db

TIMESTAMPED = sorted(model._meta.label for model in MODELS if issubclass(model, TimestampedModel))
SOFT_DELETED = sorted(model._meta.label for model in MODELS if issubclass(model, SoftDeleteModel))


def rows_of(label: str) -> Any:
    model: Any = BY_LABEL[label]
    return getattr(model, "all_objects", model.objects)


@pytest.mark.parametrize("label", TIMESTAMPED)
def test_changes_are_timed_by_save_and_by_bulk_updates(label: str) -> None:
    row = make_row(BY_LABEL[label])
    old = NOON - timedelta(days=400)
    rows_of(label).filter(pk=row.pk).update(created_at=old, updated_at=old)
    row.refresh_from_db()
    assert (row.created_at, row.updated_at) == (old, old), "imports keep the source's times"

    row.save()
    row.refresh_from_db()
    assert row.created_at == old
    assert row.updated_at > old

    rows_of(label).filter(pk=row.pk).update(updated_at=old)
    rows_of(label).filter(pk=row.pk).update(created_at=old)
    row.refresh_from_db()
    assert row.updated_at > old


@pytest.mark.parametrize("label", SOFT_DELETED)
def test_a_deleted_row_is_hidden_and_comes_back(label: str) -> None:
    model: Any = BY_LABEL[label]
    row = make_row(model)
    others = model.objects.count() - 1
    row.soft_delete(NOON)
    assert model.objects.count() == others
    assert rows_of(label).get(pk=row.pk).deleted_at == NOON
    row.restore()
    assert model.objects.filter(pk=row.pk).exists()


# What a deleted row gives free: the column, and the table.
FREED = [
    ("inventory.Car", "vin"),
    ("inventory.Car", "slug"),
    ("inventory.Vehicle", "vin"),
    ("inventory.Category", "name"),
    ("inventory.Category", "slug"),
    ("accounts.Seller", "name_key"),
    ("accounts.User", "email"),
]


@pytest.mark.parametrize(("label", "column"), FREED)
def test_a_deleted_row_frees_its_unique_values(label: str, column: str) -> None:
    first, second = make_row(BY_LABEL[label]), make_row(BY_LABEL[label])
    value = getattr(first, column) or "seller.karoo"
    setattr(first, column, value)
    first.save()
    first.soft_delete(NOON)
    setattr(second, column, value)
    second.save()
    second.refresh_from_db()
    assert getattr(second, column) == value


DEFAULTS: dict[str, dict[str, Any]] = {
    "accounts.User": {"role": "BUYER", "status": "unconfirmed", "is_active": True, "is_staff": False,
                      "is_verified": False, "phone_verified": False, "email_verified_at": None},
    "accounts.Seller": {"business_type": "PRIVATE", "plan": "STARTER", "country": "ZA", "is_open": True,
                        "timezone": "Africa/Johannesburg", "is_active": True, "is_verified": False, "rating": None,
                        "total_sales": 0, "latitude": None},
    "accounts.UserPreference": {"theme": "light", "language_id": "en", "notifications_enabled": True},
    "accounts.Language": {"direction": "ltr", "is_default": False, "is_active": True},
    "accounts.Translation": {"domain": "", "context": "", "is_verified": False},
    "accounts.Subscription": {"status": "active", "cancel_at_period_end": False, "metadata": {}, "end_date": None},
    "accounts.UserIdentity": {"type": "oauth", "provider_data": {}, "is_email_verified": False},
    "accounts.UserSession": {"kind": "web", "revoked_at": None},
    "accounts.SellerLocation": {"source": "gps", "accuracy_m": None},
    "accounts.StoredFile": {"is_public": False, "status": "uploaded", "metadata": {}},
    "inventory.Category": {"is_active": True, "sort_order": 0, "level": 1, "parent_id": None},
    "inventory.Vehicle": {"condition": "GOOD", "trim": "", "fuel_type": "", "vin": None, "mileage_km": None},
    "inventory.Part": {"condition": "GOOD", "currency": "ZAR", "status": "AVAILABLE", "is_listed": False},
    "inventory.Car": {"currency": "EUR", "status": "AVAILABLE", "is_featured": False, "paragraphs": []},
    "inventory.CarImage": {"position": 0, "is_primary": False},
    "leads.Lead": {"status": "NEW", "priority": 2, "score": 0, "score_factors": {}, "source": "contact_form"},
    "leads.NewsletterSubscriber": {"status": "ACTIVE", "preferences": {}},
    "leads.Voucher": {"state": "draft", "max_per_user": 1, "max_redemptions": None, "redemption_count": 0},
    "leads.VoucherCode": {"is_active": True},
    "leads.VoucherClaim": {"status": "claimed"},
    "leads.SupportTicket": {"status": "open", "type": "general", "priority": 2},
    "leads.TicketComment": {"is_internal": False},
    "analytics.Event": {"is_bot": False, "session_id": ""},
    "analytics.AuditLog": {"success": True, "event_type": ""},
}  # fmt: skip


@pytest.mark.parametrize("label", sorted(DEFAULTS))
def test_defaults(label: str) -> None:
    row = BY_LABEL[label]()
    assert {name: getattr(row, name) for name in DEFAULTS[label]} == DEFAULTS[label]


ISOLATED = sorted(model._meta.label for model in MODELS if hasattr(getattr(model, "objects", None), "visible_to"))


@pytest.mark.parametrize("label", ISOLATED)
def test_a_seller_sees_own_rows_only_staff_all_and_buyers_none(label: str) -> None:
    row = make_row(BY_LABEL[label])
    rows: Any = BY_LABEL[label]._default_manager
    stranger, buyer = make_user(Role.SELLER), make_user(Role.BUYER)
    assert not rows.visible_to(stranger).filter(pk=row.pk).exists()
    assert not rows.visible_to(buyer).filter(pk=row.pk).exists()
    for role in (Role.SUPER_ADMIN, Role.VIEWER):
        assert rows.visible_to(make_user(role)).filter(pk=row.pk).exists()
    owner = owner_of(row)
    if owner is not None:
        assert rows.visible_to(owner).filter(pk=row.pk).exists()


def owner_of(row: Model) -> User | None:
    """The person whose seller the row hangs on."""
    if isinstance(row, User):
        return row
    if isinstance(row, Seller):
        return row.owner
    for name in ("seller", "voucher", "part"):
        above = getattr(row, name, None)
        if above is not None and name in {field.name for field in row._meta.fields}:
            return owner_of(above)
    return None


def test_isolation_covers_the_tables_of_sellers() -> None:
    assert {
        "accounts.User",
        "accounts.Seller",
        "accounts.SellerLocation",
        "inventory.Vehicle",
        "inventory.Part",
        "inventory.Car",
        "leads.Voucher",
        "leads.VoucherCode",
        "leads.VoucherClaim",
        "leads.VoucherRedemption",
        "leads.Lead",
    } <= set(ISOLATED)


def test_a_seller_sees_the_parts_of_all_own_sellers() -> None:
    owner = make_user(Role.SELLER)
    parts = {make_part(seller=make_seller(owner=owner)) for _ in range(2)}
    make_part()
    make_voucher()
    from inventory.models import Part

    assert set(Part.objects.visible_to(owner)) == parts


def test_a_person_is_found_by_an_identity_with_one_query() -> None:
    user = make_user()
    UserIdentity.objects.create(user=user, provider="clerk", provider_account_id="user_2x")
    UserIdentity.objects.create(user=user, provider="google", provider_account_id="user_2x")
    with CaptureQueriesContext(connection) as captured:
        assert queries.user_by_identity("clerk", "user_2x") == user
    assert len(captured) == 1
    assert queries.user_by_identity("firebase", "user_2x") is None
    services.delete_user(user=user)
    assert queries.user_by_identity("clerk", "user_2x") is None


def test_a_subscription_outlives_its_seller() -> None:
    seller = make_seller()
    subscription = Subscription.objects.create(user=make_user(), seller=seller, start_date=NOON)
    seller.delete()
    subscription.refresh_from_db()
    assert subscription.seller is None
