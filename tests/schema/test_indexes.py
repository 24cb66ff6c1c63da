"""The indexes that the features promise, read from the database's own catalog."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import ForeignKey

from config.db.base import SoftDeleteModel
from tests.schema.rows import BY_LABEL, MODELS

# Feature, table, and the columns that must lead some index, in this order; "lower(x)" is x without case.
PROMISED = [
    ("e-mail is the unique login name", "accounts.User", "email"),
    ("e-mail is the unique login name", "accounts.User", "lower(email)"),
    ("role on every user", "accounts.User", "role"),
    ("verification state", "accounts.User", "is_verified"),
    ("account status", "accounts.User", "status"),
    ("phone", "accounts.User", "phone"),
    ("created / updated timestamps", "accounts.User", "created_at"),
    ("magic-link sign-in", "accounts.OneTimeToken", "token_hash"),
    ("magic-link sign-in", "accounts.OneTimeToken", "expires_at"),
    ("magic-link sign-in", "accounts.OneTimeToken", "email, purpose"),
    ("sessions with access and refresh token", "accounts.UserSession", "access_token_hash"),
    ("sessions with access and refresh token", "accounts.UserSession", "refresh_token_hash"),
    ("sessions with access and refresh token", "accounts.UserSession", "expires_at"),
    ("active web sessions are listable", "accounts.UserSession", "user_id, expires_at"),
    ("linked OAuth accounts", "accounts.UserIdentity", "provider, provider_account_id"),
    ("user preferences", "accounts.UserPreference", "user_id"),
    ("location indexes", "accounts.SellerLocation", "seller_id"),
    ("location indexes", "accounts.SellerLocation", "recorded_at"),
    ("location indexes", "accounts.SellerLocation", "seller_id, recorded_at"),
    ("location indexes", "accounts.Seller", "owner_id"),
    ("nearby search", "accounts.Seller", "last_latitude, last_longitude"),
    ("geo index", "accounts.Seller", "latitude, longitude"),
    ("translated name and description", "accounts.Seller", "name_key"),
    ("business category", "inventory.SellerCategory", "category_id"),
    ("business category", "inventory.SellerCategory", "seller_id"),
    ("external service mapping", "accounts.Integration", "service"),
    ("external service mapping", "accounts.Integration", "external_id"),
    ("external service mapping", "accounts.Integration", "content_type_id, object_id"),
    ("seller indexes", "accounts.Seller", "business_type"),
    ("seller indexes", "accounts.Seller", "is_verified"),
    ("seller indexes", "accounts.Seller", "city, province"),
    ("seller indexes", "accounts.Seller", "rating"),
    ("seller indexes", "accounts.Seller", "plan"),
    ("seller indexes", "accounts.Seller", "created_at"),
    ("subscription indexes", "accounts.Subscription", "user_id"),
    ("subscription indexes", "accounts.Subscription", "status"),
    ("subscription indexes", "accounts.Subscription", "end_date"),
    ("financial transactions area", "accounts.PaymentEvent", "provider, event_id"),
    ("one active subscription per user and provider", "accounts.Subscription", "user_id, provider"),
    ("one text per key and language", "accounts.Translation", "key, language_id"),
    ("one text per key and language", "accounts.Translation", "language_id"),
    ("one text per key and language", "accounts.Translation", "domain, key"),
    ("file metadata", "accounts.StoredFile", "owner_id"),
    ("file metadata", "accounts.StoredFile", "status"),
    ("file metadata", "accounts.StoredFile", "folder"),
    ("file metadata", "accounts.StoredFile", "content_type"),
    ("file metadata", "accounts.StoredFile", "created_at"),
    ("file metadata", "accounts.StoredFile", "is_public"),
    ("category name unique", "inventory.Category", "lower(name)"),
    ("category ordering and path", "inventory.Category", "slug"),
    ("category indexes", "inventory.Category", "parent_id"),
    ("category indexes", "inventory.Category", "parent_id, is_active"),
    ("category indexes", "inventory.Category", "is_active"),
    ("category indexes", "inventory.Category", "path"),
    ("VIN unique", "inventory.Vehicle", "vin"),
    ("vehicle indexes", "inventory.Vehicle", "make, model, year"),
    ("vehicle indexes", "inventory.Vehicle", "seller_id"),
    ("vehicle indexes", "inventory.Vehicle", "year"),
    ("vehicle indexes", "inventory.Vehicle", "condition"),
    ("vehicle indexes", "inventory.Vehicle", "acquired_at"),
    ("vehicle indexes", "inventory.Vehicle", "fuel_type"),
    ("vehicle indexes", "inventory.Vehicle", "transmission"),
    ("part images", "inventory.PartImage", "part_id, position"),
    ("part indexes", "inventory.Part", "name"),
    ("part indexes", "inventory.Part", "part_number"),
    ("part indexes", "inventory.Part", "part_number_norm"),
    ("part indexes", "inventory.Part", "seller_id"),
    ("part indexes", "inventory.Part", "vehicle_id"),
    ("part indexes", "inventory.Part", "category_id"),
    ("part indexes", "inventory.Part", "is_listed"),
    ("part indexes", "inventory.Part", "status"),
    ("part indexes", "inventory.Part", "condition"),
    ("part indexes", "inventory.Part", "price"),
    ("part indexes", "inventory.Part", "created_at"),
    ("part indexes", "inventory.Part", "is_listed, status"),
    ("part indexes", "inventory.Part", "seller_id, is_listed"),
    ("part indexes", "inventory.Part", "vehicle_id, status"),
    ("slug", "inventory.Car", "slug"),
    ("slug", "inventory.CarSlugHistory", "slug"),
    ("several images", "inventory.CarImage", "car_id, position"),
    ("features", "inventory.CarFeature", "car_id, position"),
    ("specifications", "inventory.CarSpecification", "car_id, position"),
    ("car indexes", "inventory.Car", "make"),
    ("car indexes", "inventory.Car", "status"),
    ("car indexes", "inventory.Car", "segment"),
    ("car indexes", "inventory.Car", "price"),
    ("car indexes", "inventory.Car", "year"),
    ("car indexes", "inventory.Car", "created_at"),
    ("car indexes", "inventory.Car", "vin"),
    ("composite filter indexes", "inventory.Car", "status, created_at"),
    ("composite filter indexes", "inventory.Car", "status, make"),
    ("composite filter indexes", "inventory.Car", "status, segment"),
    ("composite filter indexes", "inventory.Car", "status, price"),
    ("voucher indexes", "leads.Voucher", "seller_id, state"),
    ("voucher indexes", "leads.Voucher", "expires_at"),
    ("voucher indexes", "leads.Voucher", "seller_id, state, expires_at"),
    ("claim", "leads.VoucherClaim", "user_id, status"),
    ("redeem", "leads.VoucherRedemption", "voucher_id, redeemed_at"),
    ("redeem", "leads.VoucherRedemption", "user_id, redeemed_at"),
    ("codes", "leads.VoucherCode", "code"),
    ("codes", "leads.VoucherCode", "voucher_id, type"),
    ("codes", "leads.VoucherCode", "voucher_id, is_active"),
    ("lead indexes", "leads.Lead", "lower(email)"),
    ("lead indexes", "leads.Lead", "status"),
    ("lead indexes", "leads.Lead", "score"),
    ("lead indexes", "leads.Lead", "created_at"),
    ("lead indexes", "leads.Lead", "car_id"),
    ("lead indexes", "leads.Lead", "status, created_at"),
    ("lead indexes", "leads.Lead", "assigned_to_id, status"),
    ("lead indexes", "leads.LeadActivity", "lead_id, created_at"),
    ("lead indexes", "leads.LeadActivity", "type"),
    ("lead indexes", "leads.LeadActivity", "created_at"),
    ("lead list", "leads.Lead", "priority, score, created_at"),
    ("newsletter subscribers", "leads.NewsletterSubscriber", "email"),
    ("newsletter subscribers", "leads.NewsletterSubscriber", "lower(email)"),
    ("newsletter subscribers", "leads.NewsletterSubscriber", "status"),
    ("tickets", "leads.SupportTicket", "number"),
    ("tickets", "leads.SupportTicket", "status"),
    ("tickets", "leads.SupportTicket", "type"),
    ("tickets", "leads.SupportTicket", "priority"),
    ("ticket comments", "leads.TicketComment", "ticket_id, created_at"),
    ("analytics indexes", "analytics.Event", "event_type"),
    ("analytics indexes", "analytics.Event", "part_id"),
    ("analytics indexes", "analytics.Event", "seller_id"),
    ("analytics indexes", "analytics.Event", "occurred_at"),
    ("analytics indexes", "analytics.Event", "session_id"),
    ("analytics indexes", "analytics.Event", "event_type, occurred_at"),
    ("analytics indexes", "analytics.Event", "car_id, occurred_at"),
    ("analytics indexes", "analytics.PageView", "path, created_at"),
    ("analytics indexes", "analytics.PageView", "created_at"),
    ("analytics indexes", "analytics.WebVital", "name, created_at"),
    ("analytics indexes", "analytics.WebVital", "path"),
    ("analytics indexes", "analytics.WebVital", "created_at"),
    ("daily aggregates", "analytics.DailyMetric", "day, metric"),
    ("daily aggregates", "analytics.DailyMetric", "content_type_id, object_id, day"),
    ("audit indexes", "analytics.AuditLog", "actor_id, created_at"),
    ("audit indexes", "analytics.AuditLog", "entity_type, entity_id"),
    ("audit indexes", "analytics.AuditLog", "created_at"),
    ("audit indexes", "analytics.AuditLog", "event_type"),
    ("audit indexes", "analytics.AuditLog", "seller_id, created_at"),
    ("dynamic configuration", "analytics.SystemSetting", "key"),
]

# Feature, table, index, and what its condition must speak of.
PARTIAL = [
    ("featured flag", "inventory.Car", "car_featured", "is_featured"),
    ("reservations", "inventory.Part", "part_reserved_until", "reserved_until"),
    ("voucher indexes", "leads.Voucher", "voucher_published", "published"),
    ("one active subscription per user and provider", "accounts.Subscription", "subscription_one_running", "trialing"),
    ("several images", "inventory.CarImage", "carimage_one_primary", "is_primary"),
]


def definitions(table: str) -> dict[str, str]:
    """Return the statement that makes each index of a table, in lower case, without quotes and casts."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s", [table])
            found = dict(cursor.fetchall())
        else:
            cursor.execute(f"PRAGMA index_list({connection.ops.quote_name(table)})")
            names = [row[1] for row in cursor.fetchall()]
            found = {name: _sqlite_definition(cursor, table, name) for name in names}
    return {name: re.sub(r'["`]|::[a-z]+|\(\d+\)', "", text.lower()) for name, text in found.items()}


def _sqlite_definition(cursor: CursorWrapper, table: str, name: str) -> str:
    cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [name])
    (statement,) = cursor.fetchone()
    if statement:
        return str(statement)
    # SQLite keeps no statement for the index of a unique column.
    cursor.execute(f"PRAGMA index_info({connection.ops.quote_name(name)})")
    columns = ", ".join(row[2] for row in cursor.fetchall())
    return f"CREATE UNIQUE INDEX {name} ON {table} ({columns})"


def key_of(definition: str) -> list[str]:
    """Return the columns of an index in order, without direction and operator class; "lower(x)" for an expression."""
    columns = definition.partition("(")[2].partition(" where ")[0].rpartition(")")[0]
    columns = re.sub(r"\(*lower\(\(*(\w+)\)*\)+", r"lower<\1>", columns)
    return [part.split()[0].replace("<", "(").replace(">", ")") for part in columns.split(",")]


@pytest.mark.django_db
@pytest.mark.parametrize(("feature", "label", "columns"), PROMISED)
def test_the_promised_index_exists(feature: str, label: str, columns: str) -> None:
    wanted = columns.split(", ")
    keys = [key_of(text) for text in definitions(BY_LABEL[label]._meta.db_table).values()]
    assert any(key[: len(wanted)] == wanted for key in keys), f"{feature}: {wanted} leads none of {keys}"


@pytest.mark.django_db
@pytest.mark.parametrize(("feature", "label", "name", "condition"), PARTIAL)
def test_the_promised_partial_index_has_its_condition(feature: str, label: str, name: str, condition: str) -> None:
    definition = definitions(BY_LABEL[label]._meta.db_table)[name]
    assert condition in definition.partition(" where ")[2], feature


@pytest.mark.django_db
def test_every_foreign_key_leads_an_index() -> None:
    """Otherwise removing the row it points to would read the whole table."""
    missing = [
        f"{model._meta.label}.{field.name}"
        for model in MODELS
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey)
        and not any(key_of(text)[0] == field.column for text in definitions(model._meta.db_table).values())
    ]
    assert missing == []


@pytest.mark.django_db
def test_every_soft_deletable_table_indexes_its_deletion_time() -> None:
    tables = [model for model in MODELS if issubclass(model, SoftDeleteModel)]
    assert len(tables) == 8
    for model in tables:
        keys = [key_of(text) for text in definitions(model._meta.db_table).values()]
        assert ["deleted_at"] in keys, model._meta.label
