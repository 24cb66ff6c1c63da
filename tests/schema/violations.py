"""For every named constraint of every model, one thing that it must refuse.

A violation gets two valid rows and returns the columns to write into the second one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.builders import NOON

Violation = Callable[[Any, Any], dict[str, Any]]


def values(**columns: Any) -> Violation:
    """Write these values."""
    return lambda first, second: columns


def same(*columns: str, **others: Any) -> Violation:
    """Write what the first row has in these columns, and `others`."""
    return lambda first, second: {column: getattr(first, column) for column in columns} | others


def other_case(column: str) -> Violation:
    """Write what the first row has, in capitals."""
    return lambda first, second: {column: getattr(first, column).upper()}


VIOLATIONS: dict[str, Violation] = {
    "auditlog_action_valid": values(action="guess"),
    "auditlog_public_id_unique": same("public_id"),
    "car_condition_valid": values(condition="SHINY"),
    "car_currency_valid": values(currency="XXX"),
    "car_drivetrain_valid": values(drivetrain="SIX_WD"),
    "car_fuel_type_valid": values(fuel_type="STEAM"),
    "car_mileage_km_known": values(mileage_km=None),
    "car_mileage_km_positive": values(mileage_km=-1),
    "car_power_hp_positive": values(power_hp=-1),
    "car_price_positive": values(price=Decimal(0)),
    "car_public_id_unique": same("public_id"),
    "car_segment_valid": values(segment="TRUCK"),
    "car_slug_unique": same("slug"),
    "car_sold_when_dated": values(status="SOLD", sold_at=None),
    "car_status_valid": values(status="STOLEN"),
    "car_transmission_valid": values(transmission="PEDALS"),
    "car_vin_form": values(vin="WVWZZZ1KZAW00000I"),
    "car_vin_unique": same("vin"),
    "car_year_range": values(year=1885),
    "carimage_one_primary": same("car_id"),
    "carslughistory_former_slug_unique": same("slug"),
    "category_level_positive": values(level=0),
    "category_name_unique": other_case("name"),
    "category_not_own_parent": lambda first, second: {"parent_id": second.pk},
    "category_public_id_unique": same("public_id"),
    "category_slug_unique": same("slug"),
    "dailymetric_day_unique": same("day", "metric"),
    "dailymetric_unique_sessions_positive": values(unique_sessions=-1),
    "event_public_id_unique": same("public_id"),
    "integration_service_external_unique": same("service", "external_id"),
    "language_direction_valid": values(direction="up"),
    "language_single_default": values(is_default=True),
    "lead_closed_when_dated": values(status="LOST", closed_at=None),
    "lead_priority_valid": values(priority=5),
    "lead_public_id_unique": same("public_id"),
    "lead_score_range": values(score=101),
    "lead_status_valid": values(status="MAYBE"),
    "leadactivity_type_valid": values(type="LUNCH"),
    "newslettersubscriber_email_unique": other_case("email"),
    "newslettersubscriber_status_valid": values(status="ASLEEP"),
    "onetimetoken_hash_unique": same("token_hash"),
    "onetimetoken_purpose_valid": values(purpose="other"),
    "pageview_load_time_ms_positive": values(load_time_ms=-1),
    "part_condition_valid": values(condition="SHINY"),
    "part_currency_valid": values(currency="XXX"),
    "part_hold_valid": values(hold="maybe"),
    "part_price_positive": values(price=Decimal(0)),
    "part_public_id_unique": same("public_id"),
    "part_reserved_until_when_reserved": values(reserved_until=NOON),
    "part_sold_not_listed": values(status="SOLD", sold_at=NOON, is_listed=True),
    "part_sold_when_dated": values(sold_at=NOON),
    "part_status_valid": values(status="LOST"),
    "part_vehicle_seller": same("seller_id"),
    "paymentevent_event_unique": same("provider", "event_id"),
    "seller_business_type_valid": values(business_type="BAKERY"),
    "seller_country_valid": values(country="XX"),
    "seller_last_latitude_range": values(last_latitude=-90.1, last_longitude=0.0),
    "seller_last_longitude_range": values(last_latitude=0.0, last_longitude=180.1),
    "seller_last_position_complete": values(last_latitude=1.0, last_longitude=None),
    "seller_latitude_range": values(latitude=90.1, longitude=0.0),
    "seller_longitude_range": values(latitude=0.0, longitude=-180.1),
    "seller_name_key_unique": same("name_key"),
    "seller_plan_valid": values(plan="GOLD"),
    "seller_position_complete": values(latitude=None, longitude=0.0),
    "seller_public_id_unique": same("public_id"),
    "seller_rating_range": values(rating=Decimal("5.01")),
    "seller_archived_sales_positive": values(archived_sales=-1),
    "seller_total_sales_positive": values(total_sales=-1),
    "sellercategory_one_primary": same("seller_id"),
    "sellercategory_seller_category_unique": same("seller_id", "category_id", is_primary=False),
    "sellerlocation_accuracy_m_positive": values(accuracy_m=-0.5),
    "sellerlocation_latitude_range": values(latitude=90.1),
    "sellerlocation_longitude_range": values(longitude=180.1),
    "sellerlocation_source_valid": values(source="rumour"),
    "storedfile_size_positive": values(size=-1),
    "storedfile_status_valid": values(status="lost"),
    "subscription_end_after_start": values(end_date=NOON - timedelta(seconds=1)),
    "subscription_external_unique": same("external_id"),
    "subscription_one_running": same("user_id", status="trialing"),
    "subscription_period_end_after_start": values(
        current_period_start=NOON, current_period_end=NOON - timedelta(seconds=1)
    ),
    "subscription_public_id_unique": same("public_id"),
    "subscription_status_valid": values(status="lapsed"),
    "supportticket_number_unique": same("number"),
    "supportticket_priority_valid": values(priority=6),
    "supportticket_resolved_when_dated": values(resolved_at=NOON),
    "supportticket_status_valid": values(status="lost"),
    "supportticket_type_valid": values(type="gossip"),
    "systemsetting_key_unique": same("key"),
    "translation_key_language_unique": same("key", "language_id"),
    "user_hold_valid": values(hold="maybe"),
    "user_email_any_case_unique": other_case("email"),
    "user_inactive_when_closed": values(status="banned", is_active=True),
    "user_public_id_unique": same("public_id"),
    "user_role_valid": values(role="OWNER"),
    "user_staff_follows_role": values(is_staff=True),
    "user_status_valid": values(status="asleep", is_active=False),
    "user_superuser_follows_role": values(is_superuser=True),
    "useridentity_account_unique": same("provider", "provider_account_id"),
    "useridentity_public_id_unique": same("public_id"),
    "useridentity_type_valid": values(type="magic"),
    "userpreference_theme_valid": values(theme="plaid"),
    "usersession_access_token_unique": same("access_token_hash"),
    "usersession_has_token": values(access_token_hash=None, refresh_token_hash=None),
    "usersession_kind_valid": values(kind="fax"),
    "usersession_public_id_unique": same("public_id"),
    "usersession_refresh_token_unique": same("refresh_token_hash"),
    "vehicle_hold_valid": values(hold="maybe"),
    "vehicle_condition_valid": values(condition="SHINY"),
    "vehicle_drivetrain_valid": values(drivetrain="SIX_WD"),
    "vehicle_fuel_type_valid": values(fuel_type="STEAM"),
    "vehicle_mileage_km_positive": values(mileage_km=-1),
    "vehicle_power_hp_positive": values(power_hp=-1),
    "vehicle_public_id_unique": same("public_id"),
    "vehicle_transmission_valid": values(transmission="PEDALS"),
    "vehicle_vin_form": values(vin="WVWZZZ1KZAW00000"),
    "vehicle_vin_unique": same("vin"),
    "vehicle_year_range": values(year=2201),
    "voucher_counts_positive": values(claim_count=-1),
    "voucher_currency_valid": values(currency="XXX"),
    "voucher_discount_positive": values(discount_value=Decimal(0)),
    "voucher_discount_type_valid": values(discount_type="gift"),
    "voucher_latitude_range": values(latitude=90.1, longitude=0.0),
    "voucher_longitude_range": values(latitude=0.0, longitude=180.1),
    "voucher_max_per_user_positive": values(max_per_user=0),
    "voucher_max_redemptions_positive": values(max_redemptions=0),
    "voucher_percentage_range": values(discount_type="percentage", discount_value=Decimal("100.01")),
    "voucher_position_complete": values(latitude=1.0, longitude=None),
    "voucher_public_id_unique": same("public_id"),
    "voucher_redemptions_within_limit": values(max_redemptions=1, redemption_count=2),
    "voucher_state_valid": values(state="torn"),
    "voucher_window_order": lambda first, second: {"expires_at": second.valid_from - timedelta(seconds=1)},
    "voucherclaim_one_open_claim": same("user_id", "voucher_id"),
    "voucherclaim_redeemed_when_dated": values(status="redeemed", redeemed_at=None),
    "voucherclaim_status_valid": values(status="lost"),
    "vouchercode_code_unique": same("code"),
    "vouchercode_type_valid": values(type="runes"),
    "voucherredemption_currency_valid": values(currency="XXX"),
    "voucherredemption_discount_amount_positive": values(discount_amount=Decimal("-0.01")),
    "voucherredemption_idempotency_unique": same("voucher_id", "idempotency_key"),
    "voucherredemption_latitude_range": values(latitude=-90.1, longitude=0.0),
    "voucherredemption_longitude_range": values(latitude=0.0, longitude=-180.1),
    "voucherredemption_position_complete": values(latitude=None, longitude=1.0),
    "voucherredemption_voucher_named": values(voucher_id=None, voucher_label=""),
    "webvital_name_valid": values(name="WOW"),
    "webvital_rating_valid": values(rating="fine"),
    "webvital_value_positive": values(value=-1.0),
}

# What the first row needs, so that there is something to collide with.
FIRST_ROW: dict[str, dict[str, Any]] = {
    "language_single_default": {"is_default": True},
    "seller_name_key_unique": {"name_key": "seller.first.name"},
}
