"""One valid row of every model, so that a test can break one thing about it at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from django.apps import apps
from django.db.models import Model

from accounts.models import (
    Integration,
    OneTimeToken,
    PaymentEvent,
    SellerLocation,
    StoredFile,
    Subscription,
    UserIdentity,
    UserPreference,
    UserSession,
)
from analytics.models import AuditLog, DailyMetric, PageView, SystemSetting, WebVital
from inventory.models import CarFeature, CarImage, CarSlugHistory, CarSpecification, PartImage, SellerCategory
from leads.models import (
    LeadActivity,
    LeadNote,
    NewsletterSubscriber,
    TicketComment,
    VoucherClaim,
    VoucherCode,
    VoucherRedemption,
)
from tests import builders
from tests.builders import NOON

APPS = ("accounts", "inventory", "leads", "analytics")
MODELS: list[type[Model]] = [model for app in APPS for model in apps.get_app_config(app).get_models()]
BY_LABEL = {model._meta.label: model for model in MODELS}

_numbers = count(1)


def _number() -> int:
    return next(_numbers)


ROWS: dict[str, Callable[[], Model]] = {
    "accounts.Integration": lambda: Integration.objects.create(service="partpal", external_id=f"old{_number()}"),
    "accounts.Language": lambda: builders.make_language(f"q{_number()}"),
    "accounts.OneTimeToken": lambda: OneTimeToken.objects.create(
        purpose="magic_link", token_hash=f"{_number():064}", email="link@example.org", expires_at=NOON
    ),
    "accounts.PaymentEvent": lambda: PaymentEvent.objects.create(
        provider="stripe", event_id=f"evt_{_number()}", type="invoice.paid"
    ),
    "accounts.Seller": builders.make_seller,
    "accounts.SellerLocation": lambda: SellerLocation.objects.create(
        seller=builders.make_seller(), latitude=-33.9, longitude=18.4
    ),
    "accounts.StoredFile": lambda: StoredFile.objects.create(file_name="a.png", content_type="image/png", size=1),
    "accounts.Subscription": lambda: Subscription.objects.create(
        user=builders.make_user(), provider="stripe", external_id=f"sub_{_number()}", start_date=NOON
    ),
    "accounts.Translation": lambda: builders.make_translation(f"text.{_number()}", "Hello"),
    "accounts.User": builders.make_user,
    "accounts.UserIdentity": lambda: UserIdentity.objects.create(
        user=builders.make_user(), provider="google", provider_account_id=f"{_number()}"
    ),
    "accounts.UserPreference": lambda: UserPreference.objects.create(
        user=builders.make_user(), language=builders.make_language()
    ),
    "accounts.UserSession": lambda: UserSession.objects.create(
        user=builders.make_user(),
        access_token_hash=f"{_number():064}",
        refresh_token_hash=f"{_number():064}",
        expires_at=NOON,
    ),
    "analytics.AuditLog": lambda: AuditLog.objects.create(action="create"),
    "analytics.DailyMetric": lambda: DailyMetric.objects.create(day=NOON.date(), metric=f"views{_number()}", value=1),
    "analytics.Event": builders.make_event,
    "analytics.PageView": lambda: PageView.objects.create(path="/"),
    "analytics.SystemSetting": lambda: SystemSetting.objects.create(key=f"key{_number()}", value=True),
    "analytics.WebVital": lambda: WebVital.objects.create(name="LCP", value=1200, rating="good", path="/"),
    "inventory.Car": builders.make_car,
    "inventory.CarFeature": lambda: CarFeature.objects.create(car=builders.make_car(), text="Tow bar"),
    "inventory.CarImage": lambda: CarImage.objects.create(
        car=builders.make_car(), url="https://example.org/a.jpg", is_primary=True
    ),
    "inventory.CarSlugHistory": lambda: CarSlugHistory.objects.create(car=builders.make_car(), slug=f"old{_number()}"),
    "inventory.CarSpecification": lambda: CarSpecification.objects.create(
        car=builders.make_car(), label="Doors", value="5"
    ),
    "inventory.Category": builders.make_category,
    "inventory.Part": builders.make_part,
    "inventory.PartImage": lambda: PartImage.objects.create(part=builders.make_part(), url="https://example.org/a.jpg"),
    "inventory.SellerCategory": lambda: SellerCategory.objects.create(
        seller=builders.make_seller(), category=builders.make_category(), is_primary=True
    ),
    "inventory.Vehicle": builders.make_vehicle,
    "leads.Lead": builders.make_lead,
    "leads.LeadActivity": lambda: LeadActivity.objects.create(lead=builders.make_lead(), type="PHONE_CALL"),
    "leads.LeadNote": lambda: LeadNote.objects.create(lead=builders.make_lead(), text="Called back."),
    "leads.NewsletterSubscriber": lambda: NewsletterSubscriber.objects.create(email=f"n{_number()}@example.org"),
    "leads.SupportTicket": builders.make_ticket,
    "leads.TicketComment": lambda: TicketComment.objects.create(ticket=builders.make_ticket(), text="On its way."),
    "leads.Voucher": builders.make_voucher,
    "leads.VoucherClaim": lambda: VoucherClaim.objects.create(
        voucher=builders.make_voucher(), user=builders.make_user(), expires_at=NOON + timedelta(days=30)
    ),
    "leads.VoucherCode": lambda: VoucherCode.objects.create(
        voucher=builders.make_voucher(), code=f"CODE{_number()}", type="static"
    ),
    "leads.VoucherRedemption": lambda: VoucherRedemption.objects.create(
        voucher=builders.make_voucher(), user=builders.make_user(), idempotency_key=f"request-{_number():08}"
    ),
}


def make_row(model: type[Model]) -> Any:
    """Return a new valid row of `model`."""
    return ROWS[model._meta.label]()


def write_raw(row: Model, values: dict[str, Any]) -> None:
    """Write `values`, a mapping of columns, into the row by SQL: no model, form or service has a say."""
    from django.db import connection

    quote = connection.ops.quote_name
    columns = {field.column: field for field in row._meta.concrete_fields}
    adapted = [
        value if value is None or isinstance(value, str | int) else columns[column].get_db_prep_save(value, connection)
        for column, value in values.items()
    ]
    assignments = ", ".join(f"{quote(column)} = %s" for column in values)
    key = row._meta.pk
    assert key is not None
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(row._meta.db_table)} SET {assignments} WHERE {quote(str(key.column))} = %s",
            [*adapted, row.pk],
        )
        assert cursor.rowcount == 1
