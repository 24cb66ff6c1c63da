from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ValidationError
from django.db import connection
from pytest_django import Settings

from accounts.models import User, UserIdentity
from inventory.models import Car, Part
from tests.builders import make_car, make_part, make_user

pytestmark = pytest.mark.django_db


def make_identity(**tokens: str) -> UserIdentity:
    return UserIdentity.objects.create(user=make_user(), provider="google", provider_account_id="g-1", **tokens)


def stored(table: str, column: str, pk: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [pk])
        return str(cursor.fetchone()[0])


def test_an_email_is_stored_trimmed_and_in_lower_case_by_save_bulk_create_and_update() -> None:
    saved = make_user(email="  Anna.Virtanen@Example.ORG ")
    bulk = User.objects.bulk_create([User(email="Bulk@Example.org")])[0]
    User.objects.filter(pk=bulk.pk).update(email="Changed@Example.org")

    assert saved.email == "anna.virtanen@example.org"
    assert stored("accounts_user", "email", saved.pk) == "anna.virtanen@example.org"
    assert stored("accounts_user", "email", bulk.pk) == "changed@example.org"


def test_looking_a_user_up_by_email_ignores_case_and_surrounding_blanks() -> None:
    user = make_user(email="anna@example.org")

    assert User.objects.get(email=" ANNA@Example.org ") == user


def test_a_vin_is_stored_in_upper_case_and_found_in_any_case() -> None:
    car = make_car(vin="tmbzzz1z8ja123456")

    assert stored("inventory_car", "vin", car.pk) == "TMBZZZ1Z8JA123456"
    assert Car.objects.get(vin="tmbZZZ1z8ja123456") == car


def test_an_empty_vin_and_an_empty_part_number_are_stored_as_null() -> None:
    cars = [make_car(vin=""), make_car(vin="  ")]
    part = make_part(part_number="")

    assert Car.objects.filter(vin__isnull=True).count() == len(cars)
    assert Part.objects.get(part_number__isnull=True) == part


def test_tokens_of_identities_are_unreadable_in_the_database_and_readable_in_python() -> None:
    identity = make_identity(access_token="ya29.secret")

    raw = stored("accounts_useridentity", "access_token", identity.pk)

    assert "secret" not in raw
    assert UserIdentity.objects.get(pk=identity.pk).access_token == "ya29.secret"


def test_equal_tokens_are_encrypted_differently_each_time() -> None:
    identity = make_identity(access_token="same", refresh_token="same")

    assert stored("accounts_useridentity", "access_token", identity.pk) != stored(
        "accounts_useridentity", "refresh_token", identity.pk
    )


def test_a_token_survives_a_change_of_keys_while_the_old_key_is_still_listed(settings: Settings) -> None:
    identity = make_identity(access_token="kept")

    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]

    assert UserIdentity.objects.get(pk=identity.pk).access_token == "kept"


def test_a_token_whose_key_is_gone_is_refused_with_the_name_of_the_setting(settings: Settings) -> None:
    identity = make_identity(access_token="lost")
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(ValidationError, match="FIELD_ENCRYPTION_KEYS"):
        UserIdentity.objects.get(pk=identity.pk)


def test_encrypted_tokens_cannot_be_searched() -> None:
    with pytest.raises(FieldError, match="Unsupported lookup"):
        UserIdentity.objects.filter(access_token__contains="ya29").exists()
