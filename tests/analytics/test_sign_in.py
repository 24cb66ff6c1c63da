"""Signing in and out leaves its mark."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.models import AuditLog
from tests.builders import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    answer = client.post(
        reverse("admin:login"),
        {"username": email, "password": password},
        headers={"User-Agent": "Mozilla/5.0", "X-Request-ID": "abcdef-123456"},
        REMOTE_ADDR="192.0.2.7",
    )
    return answer.status_code


def test_signing_in_is_dated_and_audited(client: Client) -> None:
    user = make_user("ADMIN", password=PASSWORD, name="Ann Lee", email="ann@example.org")
    assert sign_in(client, "ann@example.org") == 302
    user.refresh_from_db()
    assert user.last_login is not None
    assert timezone.now() - user.last_login < timedelta(minutes=1)
    entry = AuditLog.objects.get()
    assert (entry.action, entry.event_type, entry.success) == ("login", "LOGIN", True)
    assert (entry.actor, entry.actor_label, entry.entity_id) == (user, "Ann Lee <ann@example.org>", user.public_id)
    assert (entry.ip_address, entry.user_agent, entry.request_id) == ("192.0.2.7", "Mozilla/5.0", "abcdef-123456")


def test_a_failed_sign_in_is_recorded_with_the_address_and_never_with_the_password(client: Client) -> None:
    user = make_user("ADMIN", password=PASSWORD, email="ann@example.org")
    assert sign_in(client, "Ann@example.org", "wrong-password-9") == 200
    user.refresh_from_db()
    assert user.last_login is None
    entry = AuditLog.objects.get()
    assert (entry.action, entry.event_type, entry.success) == ("login", "LOGIN_FAILED", False)
    assert (entry.actor, entry.actor_label, entry.ip_address) == (None, "Ann@example.org", "192.0.2.7")
    values = AuditLog.objects.values().get()
    assert not [name for name, value in values.items() if "wrong-password-9" in str(value)]


def test_what_was_typed_is_cut_and_stripped_of_control_characters() -> None:
    assert authenticate(username="ann\x07\n" + "x" * 300, password="y") is None
    assert AuditLog.objects.get().actor_label == "ann" + "x" * 251


def test_signing_out_is_audited_once(client: Client) -> None:
    user = make_user("ADMIN")
    client.force_login(user)
    AuditLog.objects.all().delete()
    client.post(reverse("admin:logout"))
    client.post(reverse("admin:logout"))
    entry = AuditLog.objects.get()
    assert (entry.action, entry.event_type, entry.actor) == ("logout", "LOGOUT", user)
