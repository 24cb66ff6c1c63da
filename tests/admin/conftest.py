"""People at the staff site's doors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import User
from accounts.models.users import Role
from accounts.session_limits import ACTIVE_AT
from tests.admin.rows import staff

# As the first page does: what the site has is asked for while tests are collected.
admin.autodiscover()


def enter(client: Client, person: User) -> None:
    """Sign a person in, with a session that no page writes again, however long a test reads and counts queries."""
    client.force_login(person)
    session: Any = client.session
    session[ACTIVE_AT] += 24 * 3600
    session.save()


class Reader(Client):
    """A browser that is signed in and keeps of an answer no more than the page.

    Django's own copies for every template what it was given, which takes a quarter of a page's time.
    """

    def __init__(self, person: User) -> None:
        super().__init__()
        enter(self, person)

    def request(self, **request: Any) -> Any:
        return self.handler(self._base_environ(**request))  # type: ignore[attr-defined]  # unknown to the stubs


@pytest.fixture
def sign_in(db: None) -> Callable[[User], Client]:
    """Return a browser in which a person is signed in."""

    def browser(user: User) -> Client:
        client = Client()
        enter(client, user)
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
