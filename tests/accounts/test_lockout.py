from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts.lockout import WINDOW_SECONDS
from analytics.models import AuditLog
from analytics.settings import set_setting
from tests.builders import PASSWORD, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "anna@example.org"


@pytest.fixture(autouse=True)
def anna() -> Any:
    return make_user("ADMIN", email=ADDRESS, password=PASSWORD)


def sign_in(password: str, *, email: str = ADDRESS, ip: str = "192.0.2.1") -> HttpResponse:
    data = {"username": email, "password": password}
    return Client().post("/admin/login/?next=/admin/", data, REMOTE_ADDR=ip)  # type: ignore[return-value]  # its subclass


def test_after_five_failures_even_the_right_password_is_refused_with_the_same_words() -> None:
    wrong = [sign_in("wrong") for _ in range(5)]
    right = sign_in(PASSWORD)

    assert [response.status_code for response in [*wrong, right]] == [200] * 6
    assert "Please enter the correct" in right.content.decode()


def test_four_failures_do_not_lock_and_a_success_starts_the_count_anew() -> None:
    for _ in range(2):
        for _ in range(4):
            sign_in("wrong")
        assert sign_in(PASSWORD).status_code == 302


def test_an_attacker_elsewhere_locks_nobody_else_out() -> None:
    for _ in range(9):
        sign_in("wrong", ip="203.0.113.9")

    assert sign_in(PASSWORD).status_code == 302


def test_all_addresses_of_one_ipv6_network_share_their_guesses() -> None:
    for number in range(5):
        sign_in("wrong", ip=f"2001:db8::{number:x}")

    assert sign_in(PASSWORD, ip="2001:db8::ffff").status_code == 200
    assert sign_in(PASSWORD, ip="2001:db8:0:1::1").status_code == 302


class Meanwhile(MD5PasswordHasher):
    """Compares a password while the next guess is on its way."""

    algorithm = "meanwhile"
    compared = 0

    def verify(self, password: str, encoded: str) -> bool:
        Meanwhile.compared += 1
        if Meanwhile.compared < 9:
            guess()
        return super().verify(password, encoded)


def guess() -> Any:
    return authenticate(RequestFactory().get("/", REMOTE_ADDR="192.0.2.1"), username=ADDRESS, password="wrong")


def test_guesses_that_are_sent_at_once_are_not_all_compared(settings: Any, anna: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Meanwhile"]
    anna.set_password(PASSWORD)
    anna.save()

    guess()

    assert Meanwhile.compared == 5


def test_letter_case_and_blanks_do_not_buy_more_guesses() -> None:
    for typed in ("anna@example.org", "ANNA@example.org", " anna@example.org", "Anna@Example.org", "anna@example.org "):
        sign_in("wrong", email=typed)

    assert sign_in(PASSWORD).status_code == 200


def test_the_number_of_attempts_is_a_setting() -> None:
    set_setting("security.login_attempts", 3)
    for _ in range(3):
        sign_in("wrong")

    assert sign_in(PASSWORD).status_code == 200


def test_a_locked_address_opens_again_when_the_window_ends() -> None:
    for _ in range(5):
        sign_in("wrong")
    server: Any = cache
    (key,) = server.keys("sign-in:*")

    assert 0 < server.ttl(key) <= WINDOW_SECONDS


def test_refused_attempts_are_on_record_too() -> None:
    for _ in range(6):
        sign_in("wrong")

    assert AuditLog.objects.filter(event_type="LOGIN_FAILED", success=False).count() == 6


def test_a_name_with_a_nul_character_is_a_failed_sign_in_and_no_error() -> None:
    assert authenticate(username="anna\0@example.org", password=PASSWORD) is None
