"""Settings that staff may change while the program runs."""

from __future__ import annotations

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from analytics.models import AuditLog, SystemSetting
from analytics.sealing import mask
from analytics.setting_keys import BY_WEBSITES, SETTINGS
from analytics.settings import MINUTE, WEEK, UnknownSetting, cache_lifetime, get_setting, get_settings, set_setting
from config.options import option, options
from leads.scoring import ScoringRules
from tests.builders import make_user
from tests.races import at_the_same_time

PROJECT = Path(__file__).resolve().parents[2]
KEY = "mail.api_key"
SECRET = "sk-live-0123456789abcdef"


# Values


@pytest.mark.django_db
def test_every_default_is_a_value_that_its_setting_accepts() -> None:
    for key, setting in SETTINGS.items():
        assert setting.clean(setting.default) == setting.default, key
        assert get_setting(key) == setting.default, key
        assert setting.help.endswith("."), key


def test_a_setting_that_the_program_does_not_use_says_who_does() -> None:
    declared = PROJECT / "analytics" / "setting_keys.py"
    apps = (
        module
        for app in ("accounts", "analytics", "config", "inventory", "leads")
        for module in (PROJECT / app).rglob("*.py")
    )
    sources = "".join(module.read_text() for module in apps if module != declared)
    used = {key for key in SETTINGS if f'"{key}"' in sources} | {f"leads.{rule.name}" for rule in fields(ScoringRules)}
    assert {key for key, setting in SETTINGS.items() if not setting.help.endswith(BY_WEBSITES)} == used


@pytest.mark.django_db
def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(UnknownSetting, match=r"no setting leads\.colour"):
        get_setting("leads.colour")
    with pytest.raises(LookupError):
        option("leads.colour")
    with pytest.raises(UnknownSetting):
        set_setting("leads.colour", "red")
    assert not SystemSetting.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "lowest", "highest"),
    [
        ("leads.high_priority_from", 0, 100),
        ("security.password_min_length", 6, 32),
        ("security.session_timeout_minutes", 5, 10_080),
        ("security.session_lifetime_hours", 1, 168),
        ("security.login_attempts", 3, 20),
    ],
)
def test_a_number_keeps_to_its_range(key: str, lowest: int, highest: int) -> None:
    for value in (lowest, highest):
        set_setting(key, value)
        assert get_setting(key) == value
    for wrong in (lowest - 1, highest + 1, str(lowest), float(lowest), True, None):
        with pytest.raises(ValidationError, match=f"whole number from {lowest} to {highest}"):
            set_setting(key, wrong)
    assert get_setting(key) == highest


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("site.maintenance_mode", "true"),
        ("site.maintenance_mode", 1),
        ("site.title", 5),
        ("site.title", "x" * 101),
        ("business.email", "nobody"),
        ("notifications.addresses", "ann@example.org"),
        ("notifications.addresses", ["ann"]),
        ("notifications.addresses", [f"p{number}@example.org" for number in range(21)]),
        ("leads.free_mail_domains", ["no domain"]),
        ("leads.urgent_words", ["now"]),
        ("leads.urgent_words", {"en": "now"}),
    ],
)
def test_a_value_of_another_type_is_refused_and_nothing_is_written(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        set_setting(key, value)
    assert get_setting(key) == SETTINGS[key].default
    assert not SystemSetting.objects.exists()
    assert not AuditLog.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "given", "kept"),
    [
        ("site.title", "  Kroi  ", "Kroi"),
        ("business.email", "Info@Example.org", "info@example.org"),
        (
            "notifications.addresses",
            ["B@example.org", "a@example.org", "b@example.org"],
            ["b@example.org", "a@example.org"],
        ),
        ("leads.urgent_words", {"FI": [" Heti ", ""]}, {"fi": ["heti"]}),
        ("features.chatbot", True, True),
    ],
)
def test_a_value_is_kept_in_one_spelling(key: str, given: Any, kept: Any) -> None:
    set_setting(key, given)
    assert get_setting(key) == kept


@pytest.mark.django_db
def test_changing_what_one_was_given_changes_no_default() -> None:
    get_setting("leads.urgent_words")["en"].clear()
    assert get_setting("leads.urgent_words")["en"]


@pytest.mark.django_db
def test_a_stored_value_that_no_longer_fits_gives_way_to_the_default(caplog: pytest.LogCaptureFixture) -> None:
    SystemSetting.objects.create(key="security.login_attempts", value=900)
    with caplog.at_level(logging.WARNING, "analytics.settings"):
        assert get_setting("security.login_attempts") == 5
    assert "security.login_attempts is not usable" in caplog.text


# Who changed what


@pytest.mark.django_db
def test_a_change_is_audited_with_before_and_after() -> None:
    actor = make_user("SUPER_ADMIN")
    set_setting("security.login_attempts", 7, actor=actor)
    set_setting("security.login_attempts", 7, actor=actor)
    row, entry = SystemSetting.objects.get(), AuditLog.objects.get()
    assert (row.updated_by, row.description) == (actor, SETTINGS["security.login_attempts"].help)
    assert (entry.event_type, entry.entity_label) == ("SYSTEM_CONFIG_UPDATED", "security.login_attempts")
    assert (entry.changes, entry.actor) == ({"value": [5, 7]}, actor)


# Secrets


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("", ""), ("short", "••••••••"), ("elevenchars", "••••••••"), ("twelve-chars", "twel••••••••hars")],
)
def test_of_a_secret_only_the_ends_are_shown(secret: str, shown: str) -> None:
    assert mask(secret) == shown


@pytest.mark.django_db
def test_a_secret_is_masked_where_it_is_shown_and_encrypted_where_it_is_kept() -> None:
    set_setting(KEY, SECRET)
    row = SystemSetting.objects.get()
    assert (get_setting(KEY), row.plain_value) == (SECRET, SECRET)
    assert row.shown_value == "sk-l••••••••cdef"
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(value AS text) FROM analytics_systemsetting")
        stored = cursor.fetchone()[0]
    assert SECRET not in stored


@pytest.mark.django_db
def test_a_secret_is_not_in_the_audit_log() -> None:
    set_setting(KEY, SECRET)
    set_setting(KEY, SECRET.upper())
    assert list(AuditLog.objects.order_by("id").values_list("changes", flat=True)) == [
        {"value": ["", "(hidden)"]},
        {"value": ["(hidden)", "(hidden)"]},
    ]


@pytest.mark.django_db
def test_a_secret_is_not_overwritten_by_its_own_mask() -> None:
    set_setting(KEY, SECRET)
    set_setting(KEY, mask(SECRET))
    assert get_setting(KEY) == SECRET
    assert AuditLog.objects.count() == 1


@pytest.mark.django_db
def test_a_secret_written_past_the_service_is_encrypted_too() -> None:
    SystemSetting.objects.bulk_create([SystemSetting(key=KEY, value=SECRET)])
    row = SystemSetting.objects.get()
    assert set(row.value) == {"sealed"}
    assert get_setting(KEY) == SECRET
    row.full_clean()
    row.save()
    assert SystemSetting.objects.get().plain_value == SECRET


@pytest.mark.django_db
def test_a_secret_whose_key_is_gone_says_so_and_can_be_replaced() -> None:
    set_setting(KEY, SECRET)
    with override_settings(FIELD_ENCRYPTION_KEYS=["another-key-than-that-which-sealed-the-secret"]):
        assert SystemSetting.objects.get().shown_value == "(cannot be decrypted)"
        with pytest.raises(ValidationError, match="FIELD_ENCRYPTION_KEYS"):
            get_setting(KEY)
        set_setting(KEY, "(cannot be decrypted)")
        assert SystemSetting.objects.get().shown_value == "(cannot be decrypted)"
        set_setting(KEY, SECRET.upper())
        assert get_setting(KEY) == SECRET.upper()


# The form's rules


@pytest.mark.django_db
def test_the_form_refuses_what_the_service_refuses() -> None:
    with pytest.raises(ValidationError) as unknown:
        SystemSetting(key="leads.colour", value="red").full_clean()
    assert unknown.value.message_dict == {"key": ["There is no setting leads.colour."]}
    with pytest.raises(ValidationError) as out_of_range:
        SystemSetting(key="security.login_attempts", value=2).full_clean()
    assert out_of_range.value.message_dict == {"value": ["Write a whole number from 3 to 20."]}


@pytest.mark.django_db
@pytest.mark.parametrize("forged", [{"sealed": "x"}, {"sealed": 5}])
@pytest.mark.parametrize("key", [KEY, "security.login_attempts", "site.title"])
def test_nobody_types_a_value_in_the_form_of_an_encrypted_one(key: str, forged: Any) -> None:
    with pytest.raises(ValidationError):
        SystemSetting(key=key, value=forged).full_clean()
    set_setting(KEY, SECRET)
    row = SystemSetting.objects.get()
    row.value = forged
    with pytest.raises(ValidationError):
        row.full_clean()


# The cache


def queries_of(key: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        get_setting(key)
    return len(queries)


@pytest.mark.django_db(transaction=True)
def test_settings_are_read_once_and_then_come_from_the_cache() -> None:
    assert queries_of("site.title") == 1
    assert queries_of("site.title") == 0
    assert queries_of("site.tagline") == 0


@pytest.mark.django_db(transaction=True)
def test_several_settings_cost_one_look() -> None:
    with CaptureQueriesContext(connection) as queries:
        values = options(["site.title", "leads.scoring"])
    assert len(queries) == 1
    assert values == get_settings(["site.title", "leads.scoring"]) == {"site.title": "Forecourt", "leads.scoring": True}


@pytest.mark.django_db(transaction=True)
def test_a_change_by_whatever_way_is_seen_at_once() -> None:
    get_setting("site.title")
    set_setting("site.title", "By service")
    assert get_setting("site.title") == "By service"
    row = SystemSetting.objects.get()
    row.value = "By form"
    row.save()
    assert get_setting("site.title") == "By form"
    SystemSetting.objects.update(value="By update")
    assert get_setting("site.title") == "By update"
    SystemSetting.objects.all().delete()
    assert get_setting("site.title") == "Forecourt"
    SystemSetting.objects.bulk_create([SystemSetting(key="site.title", value="By bulk")])
    assert get_setting("site.title") == "By bulk"
    SystemSetting.objects.get().delete()
    assert get_setting("site.title") == "Forecourt"


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_was_seen_by_its_own_transaction_only() -> None:
    class RolledBack(Exception):
        pass

    def change_and_fail() -> None:
        with transaction.atomic():
            set_setting("site.title", "Never")
            assert get_setting("site.title") == "Never"
            raise RolledBack

    with pytest.raises(RolledBack):
        change_and_fail()
    assert get_setting("site.title") == "Forecourt"
    cache.clear()
    assert get_setting("site.title") == "Forecourt"


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_is_late_with_the_old_value_does_not_bring_it_back() -> None:
    get_setting("site.title")
    old_name = f"settings:{cache.get('settings:generation')}"
    old_values = cache.get(old_name)
    set_setting("site.title", "New")
    cache.set(old_name, old_values)
    assert get_setting("site.title") == "New"


@pytest.mark.django_db(transaction=True)
def test_without_the_cache_settings_are_read_from_the_database() -> None:
    set_setting("site.title", "Kroi")
    away = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 0.05},
        }
    }
    with override_settings(CACHES=away):
        assert get_setting("site.title") == "Kroi"
        set_setting("site.title", "Venta")
        assert get_setting("site.title") == "Venta"


def test_only_a_cache_that_all_processes_share_keeps_settings_for_a_week() -> None:
    with override_settings(REDIS_URL="redis://127.0.0.1/0"):
        assert cache_lifetime() == WEEK == 604_800
    with override_settings(REDIS_URL=""):
        assert cache_lifetime() == MINUTE


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_two_people_who_change_a_setting_for_the_first_time_make_one_row() -> None:
    results = at_the_same_time(
        lambda: set_setting("site.title", "One"),
        lambda: set_setting("site.title", "Two"),
    )
    row = SystemSetting.objects.get()
    assert {result.pk for result in results} == {row.pk}
    assert get_setting("site.title") == row.value
    changes: Any = list(AuditLog.objects.order_by("id").values_list("changes", flat=True))
    assert changes[0]["value"][0] == "Forecourt"
    assert changes[1]["value"] == [changes[0]["value"][1], row.value]
