"""People who sign in to the adapter's test site."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models.users import Role
from config.audit import announced
from tests.builders import make_seller, make_user


@pytest.fixture
def superuser(db: None) -> Any:
    return make_user(Role.SUPER_ADMIN, is_superuser=True, is_staff=True)


@pytest.fixture
def staff_client(superuser: Any) -> Client:
    """A browser in which a super administrator is signed in."""
    client = Client()
    client.force_login(superuser)
    return client


@pytest.fixture
def seller(db: None) -> Any:
    """A business whose owner may sign in."""
    return make_seller(owner=make_user(Role.SELLER, is_staff=True), name="Own yard")


@pytest.fixture
def seller_client(seller: Any) -> Client:
    client = Client()
    client.force_login(seller.owner)
    return client


@pytest.fixture
def viewer_client(db: None) -> Client:
    client = Client()
    client.force_login(make_user(Role.VIEWER, is_staff=True))
    return client


@pytest.fixture
def heard() -> Any:
    """What is announced for the audit log while the test runs."""
    heard: list[dict[str, Any]] = []

    def listen(**announcement: Any) -> None:
        heard.append(announcement)

    announced.connect(listen)
    yield heard
    announced.disconnect(listen)
