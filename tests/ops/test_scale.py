"""What `seed --scale` adds: one load of two blocks is looked at from many sides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Avg, Count, F, Q
from pytest_django import DjangoDbBlocker

from accounts.models import Language, Seller, Translation, User
from analytics.models import DailyMetric, Event, PageView, SystemSetting
from config.db.errors import Refused
from config.ops.scale import LARGEST_SCALE, LARGEST_SEED, ROWS_PER_BLOCK, run_scale
from config.ops.scale.regions import REGIONS
from config.ops.scale.rows import unique_code, unique_vin
from inventory.models import Car, CarImage, CarSlugHistory, Category, Part, Vehicle
from inventory.models.base import engine_cc
from inventory.models.parts import normalize_part_number
from inventory.vin import has_valid_check_digit, validate_vin
from leads.models import Lead, LeadActivity, SupportTicket, Voucher, VoucherClaim
from leads.models.leads import LeadStatus
from leads.scoring import priority_for, score_lead
from tests.builders import make_part, make_user

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SEED = 11
OURS = ("accounts", "inventory", "leads", "analytics")

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def scaled(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, int]]:
    """Two blocks of rows, which are gone after the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield run_scale(scale=2, random_seed=SEED, now=NOW)
        transaction.set_rollback(True)


def everything(model: type[models.Model]) -> models.QuerySet[Any]:
    return model._base_manager.all()


def test_two_blocks_are_twenty_thousand_rows_and_the_counts_are_true(scaled: dict[str, int]) -> None:
    assert sum(scaled.values()) == 2 * ROWS_PER_BLOCK
    assert scaled == {label: everything(apps.get_model(label)).count() for label in scaled}


def test_rows_lie_in_every_part_of_the_domain(scaled: dict[str, int]) -> None:
    assert {label.partition(".")[0] for label in scaled} == set(OURS)
    assert {"accounts.User", "inventory.Car", "inventory.Part", "leads.Lead", "analytics.Event"} <= set(scaled)


def test_vins_are_well_formed_with_correct_check_digits_and_the_model_year() -> None:
    letters = "ABCDEFGHJKLMNPRSTVWXY123456789"
    for model in (Car, Vehicle):
        rows = list(everything(model).values_list("vin", "year"))
        for vin, year in rows:
            validate_vin(vin)
            assert has_valid_check_digit(vin)
            assert vin[9] == letters[(year - 1980) % 30]
        assert len({vin for vin, _ in rows}) == len(rows)


def test_other_numbers_and_other_seeds_never_share_a_code_or_vin() -> None:
    pairs = [(seed, number) for seed in (0, 1, 2, LARGEST_SEED) for number in (0, 1, 999, 10**8 - 1)]

    assert len({unique_code(*pair) for pair in pairs}) == len(pairs)
    assert len({unique_vin(*pair, manufacturer="WVW", year=2019) for pair in pairs}) == len(pairs)


def test_the_category_tree_has_three_levels_with_paths_from_the_root() -> None:
    categories = everything(Category).select_related("parent")

    assert {category.level for category in categories} == {1, 2, 3}
    for category in categories:
        above = category.parent
        assert category.level == (above.level + 1 if above else 1)
        assert category.path == f"{above.path if above else ''}{category.slug}/"


def test_parts_lie_in_leaves_of_the_tree() -> None:
    assert not everything(Part).filter(category__children__isnull=False).exists()
    assert not everything(Part).filter(category__isnull=True).exists()


def test_a_part_belongs_to_the_seller_of_its_vehicle() -> None:
    assert not everything(Part).exclude(seller_id=F("vehicle__seller_id")).exists()


def test_normalized_numbers_are_what_saving_would_have_made_of_them() -> None:
    for number, norm in everything(Part).values_list("part_number", "part_number_norm"):
        assert norm == normalize_part_number(number)
    for model in (Car, Vehicle):
        for size, cc in everything(model).values_list("engine_size", "engine_cc").distinct():
            assert cc == engine_cc(size)


def test_a_seller_has_sold_as_many_parts_as_there_are_sold_ones() -> None:
    sold = Count("parts", filter=Q(parts__status="SOLD"))

    assert not everything(Seller).annotate(sold=sold).exclude(total_sales=F("sold")).exists()
    assert everything(Seller).filter(total_sales__gt=0).exists()


def test_stock_is_available_reserved_and_sold() -> None:
    for model in (Car, Part):
        assert {"AVAILABLE", "RESERVED", "SOLD"} <= set(everything(model).values_list("status", flat=True))


def test_what_is_sold_was_there_before_and_reservations_lie_ahead() -> None:
    for model in (Car, Part):
        assert not everything(model).filter(Q(sold_at__lt=F("created_at")) | Q(sold_at__gt=NOW)).exists()
    assert not everything(Part).filter(reserved_until__lte=NOW).exists()
    assert not everything(Part).filter(status="RESERVED", reserved_until__isnull=True).exists()


def test_every_car_has_exactly_one_primary_picture() -> None:
    primary = Count("images", filter=Q(images__is_primary=True))

    assert not everything(Car).annotate(primary=primary).exclude(primary=1).exists()
    assert not CarImage.objects.filter(is_primary=True).exclude(position=0).exists()


def test_older_cars_cost_less_and_have_run_farther() -> None:
    cars = everything(Car).filter(currency="EUR")
    young, old = cars.filter(year__gte=2021), cars.filter(year__lte=2016)

    assert _mean(young, "price") > 2 * _mean(old, "price")
    assert 2 * _mean(young, "mileage_km") < _mean(old, "mileage_km")


def _mean(rows: models.QuerySet[Any], column: str) -> Any:
    return rows.aggregate(mean=Avg(column))["mean"]


def test_prices_are_believable_in_each_currency() -> None:
    for currency, lowest, highest in (("EUR", 90, 160_000), ("ZAR", 1800, 3_200_000)):
        prices = everything(Car).filter(currency=currency).values_list("price", flat=True)
        assert lowest <= min(prices) < max(prices) <= highest
        assert {price % 10 for price in prices} == {Decimal(0)}


def test_people_have_names_of_all_four_languages_and_mail_that_reaches_nobody() -> None:
    first_names = set(everything(User).values_list("first_name", flat=True))

    assert all(first_names & set(region.first_names) for region in REGIONS)
    assert set(everything(Seller).values_list("country", flat=True)) == {"FI", "ES", "ZA"}
    assert not everything(User).exclude(email__endswith="@example.org").exists()


def test_nobody_can_sign_in_with_a_password() -> None:
    assert not any(user.has_usable_password() for user in everything(User))


def test_leads_are_in_every_state_with_the_times_that_belong_to_it() -> None:
    leads = everything(Lead)
    answered = ["CONTACTED", "QUALIFIED", "NEGOTIATING", "CONVERTED"]

    assert set(leads.values_list("status", flat=True)) == set(LeadStatus.values)
    assert not leads.filter(status__in=answered, responded_at__isnull=True).exists()
    assert not leads.filter(status="NEW", responded_at__isnull=False).exists()
    assert not leads.filter(Q(responded_at__lt=F("created_at")) | Q(closed_at__lt=F("responded_at"))).exists()


def test_the_last_change_in_a_leads_timeline_leads_to_its_state() -> None:
    for lead in everything(Lead).exclude(status="NEW").prefetch_related("activities"):
        changes = [entry for entry in lead.activities.all() if entry.type == "STATUS_CHANGED"]
        newest = max(changes, key=lambda entry: (entry.created_at, entry.pk))
        assert newest.metadata["to"] == lead.status
        assert newest.created_at >= lead.created_at


def test_every_timeline_begins_with_the_lead_itself() -> None:
    created = Count("activities", filter=Q(activities__type="CREATED", activities__created_at=F("created_at")))

    assert not everything(Lead).annotate(created=created).exclude(created=1).exists()


def test_leads_are_scored_as_real_ones() -> None:
    for lead in everything(Lead)[:100]:
        score = score_lead(
            name=lead.name, email=lead.email, phone=lead.phone, message=lead.message, has_car=lead.car_id is not None
        )
        assert (lead.score, lead.score_factors) == score
        assert lead.priority == priority_for(lead.score)


def test_a_lead_names_the_seller_of_what_it_asks_about() -> None:
    of_cars = everything(Lead).filter(car__seller__isnull=False).exclude(seller_id=F("car__seller_id"))
    of_parts = everything(Lead).filter(part__isnull=False).exclude(seller_id=F("part__seller_id"))

    assert not of_cars.exists()
    assert not of_parts.exists()


def test_a_vouchers_counts_are_the_rows_there_are() -> None:
    counted = everything(Voucher).annotate(
        claimed=Count("claims", distinct=True), redeemed=Count("redemptions", distinct=True)
    )

    assert not counted.exclude(claim_count=F("claimed"), redemption_count=F("redeemed")).exists()
    assert everything(Voucher).filter(redemption_count__gt=0).exists()
    assert everything(Voucher).filter(scan_count__lt=F("claim_count")).count() == 0


def test_a_claim_lies_within_the_vouchers_window_and_its_redemption_within_the_claim() -> None:
    claims = VoucherClaim.objects.all()

    assert not claims.filter(claimed_at__lt=F("voucher__valid_from")).exists()
    assert not claims.filter(expires_at__gt=F("voucher__expires_at")).exists()
    assert not claims.filter(expires_at__gt=F("claimed_at") + timedelta(days=30)).exists()
    assert not claims.filter(redeemed_at__gt=F("expires_at")).exists()
    assert not claims.filter(status="redeemed").exclude(redemption__redeemed_at=F("redeemed_at")).exists()
    assert not claims.filter(status="expired", expires_at__gt=NOW).exists()


def test_a_vouchers_texts_are_there_in_all_four_languages() -> None:
    voucher = everything(Voucher).earliest("pk")
    texts = Translation.objects.filter(key__in=[voucher.title_key, voucher.description_key, voucher.terms_key])

    assert texts.count() == 12
    assert set(texts.values_list("language_id", flat=True)) == {"fi", "es", "af", "en"}


def test_nothing_happens_after_now_or_more_than_three_years_before(scaled: dict[str, int]) -> None:
    moments = {"created_at", "updated_at", "occurred_at", "recorded_at", "redeemed_at", "claimed_at", "subscribed_at"}
    for label in scaled:
        model = apps.get_model(label)
        for name in moments & {field.name for field in model._meta.concrete_fields}:
            outside = {f"{name}__gt": NOW}, {f"{name}__lt": NOW - timedelta(days=3 * 365)}
            assert not everything(model).filter(Q(**outside[0]) | Q(**outside[1])).exists(), (label, name)


def test_nothing_happens_before_what_it_happens_to() -> None:
    for rows, parent in (
        (everything(Vehicle), "seller"),
        (everything(Part), "vehicle"),
        (everything(Voucher), "seller"),
        (everything(SupportTicket), "user"),
        (LeadActivity.objects.all(), "lead"),
        (everything(Event).filter(part__isnull=False), "part"),
        (everything(Event).filter(user__isnull=False), "user"),
    ):
        assert not rows.filter(created_at__lt=F(f"{parent}__created_at")).exists(), (rows.model, parent)


def test_the_next_row_of_every_table_gets_a_key_of_its_own() -> None:
    highest = everything(Part).aggregate(highest=models.Max("id"))["highest"]

    assert make_part().pk > highest
    make_user()
    PageView.objects.create(path="/")


@pytest.mark.sqlite_only
def test_every_foreign_key_finds_its_row() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_key_check")
        assert cursor.fetchall() == []


@pytest.mark.postgres_only
def test_the_planner_knows_the_new_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'inventory_part'")
        # Statistics are no part of a transaction, so another test may have counted more; unknown would be -1.
        assert cursor.fetchone()[0] >= everything(Part).count()


def test_tables_that_are_made_elsewhere_stay_empty() -> None:
    assert [everything(model).count() for model in (CarSlugHistory, DailyMetric, SystemSetting)] == [0, 0, 0]


def test_the_same_seed_a_second_time_is_refused_and_adds_nothing(scaled: dict[str, int]) -> None:
    with pytest.raises(Refused, match=r"random seed 11 .* another --random-seed"):
        run_scale(scale=1, random_seed=SEED, now=NOW)

    assert scaled == {label: everything(apps.get_model(label)).count() for label in scaled}


def test_another_seed_adds_its_own_rows_and_shares_categories_and_languages(scaled: dict[str, int]) -> None:
    more = run_scale(scale=1, random_seed=SEED + 1, now=NOW)

    assert sum(more.values()) == ROWS_PER_BLOCK
    assert not {"inventory.Category", "accounts.Language"} & set(more)
    assert everything(User).count() == scaled["accounts.User"] + more["accounts.User"]


def test_a_category_that_is_there_already_is_used() -> None:
    everything(Part).update(category=None)
    Category.objects.filter(name="Alternators").update(name="ALTERNATORS")

    more = run_scale(scale=1, random_seed=SEED + 2, now=NOW)

    assert everything(Part).filter(category__name="ALTERNATORS").exists()
    assert "inventory.Category" not in more


def test_a_run_that_fails_half_way_leaves_nothing(scaled: dict[str, int]) -> None:
    def stop(rows: int) -> None:
        if rows > ROWS_PER_BLOCK:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_scale(scale=2, random_seed=SEED + 3, now=NOW, progress=stop)

    assert scaled == {label: everything(apps.get_model(label)).count() for label in scaled}


def test_progress_is_told_as_rows_are_written_and_ends_at_all_of_them() -> None:
    told: list[int] = []

    run_scale(scale=1, random_seed=SEED + 4, now=NOW, progress=told.append)

    assert told == sorted(set(told))
    assert told[-1] == ROWS_PER_BLOCK


@pytest.mark.parametrize("scale", [0, -1, LARGEST_SCALE + 1])
def test_a_scale_out_of_range_is_an_error(scale: int) -> None:
    with pytest.raises(ValueError, match="scale lies between"):
        run_scale(scale=scale, random_seed=1, now=NOW)


@pytest.mark.parametrize("seed", [-1, LARGEST_SEED + 1])
def test_a_seed_out_of_range_is_an_error(seed: int) -> None:
    with pytest.raises(ValueError, match="seed lies between"):
        run_scale(scale=1, random_seed=seed, now=NOW)


def test_the_same_seed_gives_the_same_rows_but_for_their_keys() -> None:
    assert _content_of_a_run(seed=SEED + 5) == _first_content()


def test_another_seed_gives_other_rows() -> None:
    assert not set(_content_of_a_run(seed=SEED + 6)["leads.Lead"]) & set(_first_content()["leads.Lead"])


@cache
def _first_content() -> dict[str, list[str]]:
    return _content_of_a_run(seed=SEED + 5)


def _content_of_a_run(*, seed: int) -> dict[str, list[str]]:
    """Return what a run of one block adds, as sorted lines per table without keys, and take it back."""
    with transaction.atomic():
        before = {label: _lines(label) for label in _labels()}
        counts = run_scale(scale=1, random_seed=seed, now=NOW)
        content = {label: sorted(_lines(label) - before[label]) for label in counts}
        transaction.set_rollback(True)
    return content


def _labels() -> list[str]:
    return [model._meta.label for app in OURS for model in apps.get_app_config(app).get_models()]


def _lines(label: str) -> set[str]:
    model = apps.get_model(label)
    columns = [field.attname for field in model._meta.concrete_fields if not (field.primary_key or field.is_relation)]
    return {repr(row) for row in everything(model).values_list(*columns)}


def test_languages_are_those_people_speak_and_english_is_the_default() -> None:
    assert set(Language.objects.values_list("code", flat=True)) == {"fi", "es", "af", "en"}
    assert Language.objects.get(is_default=True).code == "en"
