"""People at the staff site's doors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import User
from accounts.models.users import Role
from tests.admin.rows import staff


@pytest.fixture
def sign_in(db: None) -> Callable[[User], Client]:
    """Return a browser in which a person is signed in."""

    def browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return browser


@pytest.fixture
def superuser(db: None) -> User:
    return staff(Role.SUPER_ADMIN)


@pytest.fixture
def super_admin(sign_in: Callable[[User], Client], superuser: User) -> Client:
    return sign_in(superuser)


def said(response: Any) -> list[str]:
    """Return what the page tells the person at its top."""
    return [str(message) for message in get_messages(response.wsgi_request)]
