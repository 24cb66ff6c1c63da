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
    ("AC01", "accounts.User", "email"),
    ("AC01", "accounts.User", "lower(email)"),
    ("AC05", "accounts.User", "role"),
    ("AC07", "accounts.User", "is_verified"),
    ("AC08", "accounts.User", "status"),
    ("AC11", "accounts.User", "phone"),
    ("AC12", "accounts.User", "created_at"),
    ("AC15", "accounts.OneTimeToken", "token_hash"),
    ("AC15", "accounts.OneTimeToken", "expires_at"),
    ("AC15", "accounts.OneTimeToken", "email, purpose"),
    ("AC16", "accounts.UserSession", "access_token_hash"),
    ("AC16", "accounts.UserSession", "refresh_token_hash"),
    ("AC16", "accounts.UserSession", "expires_at"),
    ("AC18", "accounts.UserSession", "user_id, expires_at"),
    ("AC20", "accounts.UserIdentity", "provider, provider_account_id"),
    ("AC23", "accounts.UserPreference", "user_id"),
    ("SE15", "accounts.SellerLocation", "seller_id"),
    ("SE15", "accounts.SellerLocation", "recorded_at"),
    ("SE15", "accounts.SellerLocation", "seller_id, recorded_at"),
    ("SE15", "accounts.Seller", "owner_id"),
    ("SE16", "accounts.Seller", "last_latitude, last_longitude"),
    ("SE18", "accounts.Seller", "latitude, longitude"),
    ("SE19", "accounts.Seller", "name_key"),
    ("SE20", "inventory.SellerCategory", "category_id"),
    ("SE20", "inventory.SellerCategory", "seller_id"),
    ("SE21", "accounts.Integration", "service"),
    ("SE21", "accounts.Integration", "external_id"),
    ("SE21", "accounts.Integration", "content_type_id, object_id"),
    ("SE22", "accounts.Seller", "business_type"),
    ("SE22", "accounts.Seller", "is_verified"),
    ("SE22", "accounts.Seller", "city, province"),
    ("SE22", "accounts.Seller", "rating"),
    ("SE22", "accounts.Seller", "plan"),
    ("SE22", "accounts.Seller", "created_at"),
    ("SB02", "accounts.Subscription", "user_id"),
    ("SB02", "accounts.Subscription", "status"),
    ("SB02", "accounts.Subscription", "end_date"),
    ("SB05", "accounts.PaymentEvent", "provider, event_id"),
    ("SB06", "accounts.Subscription", "user_id, provider"),
    ("TR02", "accounts.Translation", "key, language_id"),
    ("TR02", "accounts.Translation", "language_id"),
    ("TR02", "accounts.Translation", "domain, key"),
    ("SU06", "accounts.StoredFile", "owner_id"),
    ("SU06", "accounts.StoredFile", "status"),
    ("SU06", "accounts.StoredFile", "folder"),
    ("SU06", "accounts.StoredFile", "content_type"),
    ("SU06", "accounts.StoredFile", "created_at"),
    ("SU06", "accounts.StoredFile", "is_public"),
    ("VP02", "inventory.Category", "lower(name)"),
    ("VP03", "inventory.Category", "slug"),
    ("VP04", "inventory.Category", "parent_id"),
    ("VP04", "inventory.Category", "parent_id, is_active"),
    ("VP04", "inventory.Category", "is_active"),
    ("VP04", "inventory.Category", "path"),
    ("VP07", "inventory.Vehicle", "vin"),
    ("VP11", "inventory.Vehicle", "make, model, year"),
    ("VP11", "inventory.Vehicle", "seller_id"),
    ("VP11", "inventory.Vehicle", "year"),
    ("VP11", "inventory.Vehicle", "condition"),
    ("VP11", "inventory.Vehicle", "acquired_at"),
    ("VP11", "inventory.Vehicle", "fuel_type"),
    ("VP11", "inventory.Vehicle", "transmission"),
    ("VP16", "inventory.PartImage", "part_id, position"),
    ("VP18", "inventory.Part", "name"),
    ("VP18", "inventory.Part", "part_number"),
    ("VP18", "inventory.Part", "part_number_norm"),
    ("VP18", "inventory.Part", "seller_id"),
    ("VP18", "inventory.Part", "vehicle_id"),
    ("VP18", "inventory.Part", "category_id"),
    ("VP18", "inventory.Part", "is_listed"),
    ("VP18", "inventory.Part", "status"),
    ("VP18", "inventory.Part", "condition"),
    ("VP18", "inventory.Part", "price"),
    ("VP18", "inventory.Part", "created_at"),
    ("VP18", "inventory.Part", "is_listed, status"),
    ("VP18", "inventory.Part", "seller_id, is_listed"),
    ("VP18", "inventory.Part", "vehicle_id, status"),
    ("CA02", "inventory.Car", "slug"),
    ("CA02", "inventory.CarSlugHistory", "slug"),
    ("CA06", "inventory.CarImage", "car_id, position"),
    ("CA07", "inventory.CarFeature", "car_id, position"),
    ("CA08", "inventory.CarSpecification", "car_id, position"),
    ("CA12", "inventory.Car", "make"),
    ("CA12", "inventory.Car", "status"),
    ("CA12", "inventory.Car", "segment"),
    ("CA12", "inventory.Car", "price"),
    ("CA12", "inventory.Car", "year"),
    ("CA12", "inventory.Car", "created_at"),
    ("CA12", "inventory.Car", "vin"),
    ("CA13", "inventory.Car", "status, created_at"),
    ("CA13", "inventory.Car", "status, make"),
    ("CA13", "inventory.Car", "status, segment"),
    ("CA13", "inventory.Car", "status, price"),
    ("VO07", "leads.Voucher", "seller_id, state"),
    ("VO07", "leads.Voucher", "expires_at"),
    ("VO07", "leads.Voucher", "seller_id, state, expires_at"),
    ("VO09", "leads.VoucherClaim", "user_id, status"),
    ("VO10", "leads.VoucherRedemption", "voucher_id, redeemed_at"),
    ("VO10", "leads.VoucherRedemption", "user_id, redeemed_at"),
    ("VO11", "leads.VoucherCode", "code"),
    ("VO11", "leads.VoucherCode", "voucher_id, type"),
    ("VO11", "leads.VoucherCode", "voucher_id, is_active"),
    ("LE10", "leads.Lead", "lower(email)"),
    ("LE10", "leads.Lead", "status"),
    ("LE10", "leads.Lead", "score"),
    ("LE10", "leads.Lead", "created_at"),
    ("LE10", "leads.Lead", "car_id"),
    ("LE10", "leads.Lead", "status, created_at"),
    ("LE10", "leads.Lead", "assigned_to_id, status"),
    ("LE10", "leads.LeadActivity", "lead_id, created_at"),
    ("LE10", "leads.LeadActivity", "type"),
    ("LE10", "leads.LeadActivity", "created_at"),
    ("LE12", "leads.Lead", "priority, score, created_at"),
    ("LE19", "leads.NewsletterSubscriber", "email"),
    ("LE19", "leads.NewsletterSubscriber", "lower(email)"),
    ("LE19", "leads.NewsletterSubscriber", "status"),
    ("SU01", "leads.SupportTicket", "number"),
    ("SU01", "leads.SupportTicket", "status"),
    ("SU01", "leads.SupportTicket", "type"),
    ("SU01", "leads.SupportTicket", "priority"),
    ("SU02", "leads.TicketComment", "ticket_id, created_at"),
    ("AN06", "analytics.Event", "event_type"),
    ("AN06", "analytics.Event", "part_id"),
    ("AN06", "analytics.Event", "seller_id"),
    ("AN06", "analytics.Event", "occurred_at"),
    ("AN06", "analytics.Event", "session_id"),
    ("AN06", "analytics.Event", "event_type, occurred_at"),
    ("AN06", "analytics.Event", "car_id, occurred_at"),
    ("AN06", "analytics.PageView", "path, created_at"),
    ("AN06", "analytics.PageView", "created_at"),
    ("AN06", "analytics.WebVital", "name, created_at"),
    ("AN06", "analytics.WebVital", "path"),
    ("AN06", "analytics.WebVital", "created_at"),
    ("AN15", "analytics.DailyMetric", "day, metric"),
    ("AN15", "analytics.DailyMetric", "content_type_id, object_id, day"),
    ("AU06", "analytics.AuditLog", "actor_id, created_at"),
    ("AU06", "analytics.AuditLog", "entity_type, entity_id"),
    ("AU06", "analytics.AuditLog", "created_at"),
    ("AU06", "analytics.AuditLog", "event_type"),
    ("AU06", "analytics.AuditLog", "seller_id, created_at"),
    ("CF01", "analytics.SystemSetting", "key"),
]

# Feature, table, index, and what its condition must speak of.
PARTIAL = [
    ("CA11", "inventory.Car", "car_featured", "is_featured"),
    ("VO07", "leads.Voucher", "voucher_published", "published"),
    ("SB06", "accounts.Subscription", "subscription_one_running", "trialing"),
    ("CA06", "inventory.CarImage", "carimage_one_primary", "is_primary"),
    ("VP14", "inventory.Part", "part_reserved_until", "reserved_until"),
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
