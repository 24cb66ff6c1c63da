"""Passwords that came from older systems keep working and are renewed."""

from __future__ import annotations

import bcrypt
import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.hashers import check_password

PASSWORD = "Sininen-Saab-900"
LONGEST = "å" * 36  # 72 bytes


def imported_hash(password: str, *, cost: int, prefix: bytes) -> str:
    return "bcrypt$" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost, prefix)).decode()


@pytest.mark.django_db
@pytest.mark.parametrize("cost", [10, 12])
@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
def test_an_imported_hash_signs_in_and_is_rewritten(cost: int, prefix: bytes) -> None:
    user = get_user_model().objects.create(
        email="aino@example.org", status="active", password=imported_hash(PASSWORD, cost=cost, prefix=prefix)
    )
    assert authenticate(username="aino@example.org", password="wrong") is None
    user.refresh_from_db()
    assert user.password.startswith(f"bcrypt$${prefix.decode()}${cost}$")

    assert authenticate(username="aino@example.org", password=PASSWORD) == user
    user.refresh_from_db()
    assert user.password.startswith("pbkdf2_sha256$")
    assert authenticate(username="aino@example.org", password=PASSWORD) == user


def test_a_password_longer_than_bcrypt_reads_is_a_wrong_one() -> None:
    encoded = imported_hash(LONGEST, cost=4, prefix=b"2b")
    assert check_password(LONGEST, encoded)
    assert not check_password(LONGEST + "x", encoded)
    assert not check_password("x" * 5000, encoded)


@pytest.mark.parametrize("password", ["", "nul\0byte", "\N{SNOWMAN}"])
def test_an_odd_password_is_a_wrong_one(password: str) -> None:
    assert not check_password(password, imported_hash(PASSWORD, cost=4, prefix=b"2b"))


def test_nobody_signs_in_with_a_hash_that_no_password_makes() -> None:
    encoded = imported_hash(PASSWORD, cost=4, prefix=b"2b")
    # The last character of the salt stands for two bits only, and here it has more.
    assert not check_password(PASSWORD, encoded[:35] + "z" + encoded[36:])
