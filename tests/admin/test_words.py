"""What the pages say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import User
from inventory.models import Car
from leads.models import SupportTicket
from tests.admin.conftest import said
from tests.admin.forms import address
from tests.builders import NOON, make_car, make_ticket, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def text_of(response: Any) -> str:
    """Return what a page shows, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def test_what_is_deleted_is_counted_as_one_where_it_is_one(super_admin: Client) -> None:
    assert "1 support ticket " in text_of(super_admin.get(address(SupportTicket, "delete", make_ticket().pk)))


def test_who_deletes_a_person_reads_what_becomes_of_them(super_admin: Client) -> None:
    shown = text_of(super_admin.get(address(User, "delete", make_user().pk)))
    assert "They can no longer sign in" in shown
    assert "It disappears from lists" not in shown


def test_a_page_that_adds_something_says_so_at_its_head(super_admin: Client) -> None:
    def head(page: str) -> str:
        (found,) = re.findall(r"<h1.*?</h1>", super_admin.get(page).content.decode(), re.DOTALL)
        return " ".join(re.sub(r"<span class=\"material.*?</span>|<[^>]*>", " ", found, flags=re.DOTALL).split())

    assert head(address(Car, "add")) == "Inventory Cars Add"
    assert head(address(Car, "changelist")) == "Inventory Cars"
    car = make_car(name="bmw i3", year=2018)
    assert head(address(Car, "change", car.pk)) == f"Inventory Cars {car}"


def test_a_row_that_is_not_there_is_told_of_in_a_sentence(super_admin: Client) -> None:
    response = super_admin.get(address(Car, "change", 9999))
    assert response.headers["Location"] == reverse("admin:index")
    assert said(response) == ["Car 9999 is not there: perhaps it was deleted, or you may not see it."]


def test_tables_that_are_called_the_same_are_told_apart_on_the_page_of_a_role(super_admin: Client) -> None:
    shown = text_of(super_admin.get(address(Group, "change", Group.objects.get(name="ADMIN").pk)))
    for name in ("car image", "part image"):
        assert f" {name}: add, change, delete, view " in shown
    assert "picture:" not in shown
    assert " car: add, change, view " in shown


@pytest.mark.parametrize(("status", "sold_at", "offered"), [("AVAILABLE", None, True), ("SOLD", NOON, False)])
def test_a_sold_car_is_not_offered_to_be_featured(
    status: str, sold_at: Any, offered: bool, super_admin: Client
) -> None:
    car = make_car(status=status, sold_at=sold_at)
    page = super_admin.get(address(Car, "change", car.pk)).content.decode()
    assert (f"/{car.pk}/feature/" in page) is offered
