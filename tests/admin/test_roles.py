"""Who may do what on the staff site: every role, every table, every action, through the real pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Seller, User
from accounts.models.users import Role
from tests.admin.conftest import Reader
from tests.admin.rows import Rows, clones, fill, staff
from tests.builders import make_user
from tests.schema.rows import BY_LABEL, MODELS

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

ALL, EDIT, LOOK, NO = "view add change delete", "view add change", "view", ""
DROP = "view delete"

# The table of who may do what: SUPER_ADMIN, ADMIN, VIEWER, SELLER.
ALLOWED: dict[str, tuple[str, str, str, str]] = {
    "accounts.Integration": (DROP, LOOK, LOOK, NO),
    "accounts.Language": (ALL, LOOK, LOOK, NO),
    "accounts.OneTimeToken": (DROP, NO, NO, NO),
    "accounts.PaymentEvent": (LOOK, NO, NO, NO),
    "accounts.Seller": (ALL, EDIT, LOOK, "view change"),
    "accounts.SellerLocation": (DROP, LOOK, LOOK, NO),
    "accounts.StoredFile": (DROP, LOOK, LOOK, NO),
    "accounts.Subscription": (ALL, LOOK, LOOK, NO),
    "accounts.Translation": (ALL, EDIT, LOOK, NO),
    "accounts.User": (ALL, LOOK, LOOK, NO),
    "accounts.UserIdentity": (DROP, NO, NO, NO),
    "accounts.UserPreference": (ALL, LOOK, LOOK, NO),
    "accounts.UserSession": (DROP, NO, NO, NO),
    "analytics.AuditLog": (LOOK, LOOK, LOOK, NO),
    "analytics.DailyMetric": (LOOK, LOOK, LOOK, NO),
    "analytics.Event": (LOOK, LOOK, LOOK, NO),
    "analytics.PageView": (LOOK, LOOK, LOOK, NO),
    "analytics.SystemSetting": (ALL, LOOK, NO, NO),
    "analytics.WebVital": (LOOK, LOOK, LOOK, NO),
    "inventory.Car": (ALL, EDIT, LOOK, NO),
    "inventory.CarFeature": (ALL, ALL, LOOK, NO),
    "inventory.CarImage": (ALL, ALL, LOOK, NO),
    "inventory.CarSlugHistory": (DROP, LOOK, LOOK, NO),
    "inventory.CarSpecification": (ALL, ALL, LOOK, NO),
    "inventory.Category": (ALL, ALL, LOOK, LOOK),
    "inventory.Part": (ALL, ALL, LOOK, ALL),
    "inventory.PartImage": (ALL, ALL, LOOK, ALL),
    "inventory.SellerCategory": (ALL, ALL, LOOK, NO),
    "inventory.Vehicle": (ALL, ALL, LOOK, ALL),
    "leads.Lead": (ALL, EDIT, LOOK, NO),
    "leads.LeadActivity": (LOOK, LOOK, LOOK, NO),
    "leads.LeadNote": (ALL, "view add", LOOK, NO),
    "leads.NewsletterSubscriber": (ALL, ALL, LOOK, NO),
    "leads.SupportTicket": (ALL, EDIT, LOOK, NO),
    "leads.TicketComment": (ALL, "view add", LOOK, NO),
    "leads.Voucher": (ALL, ALL, LOOK, ALL),
    "leads.VoucherClaim": (LOOK, LOOK, LOOK, LOOK),
    "leads.VoucherCode": ("view change delete", "view change delete", LOOK, "view change delete"),
    "leads.VoucherRedemption": (LOOK, LOOK, LOOK, LOOK),
}
ROLES = (Role.SUPER_ADMIN, Role.ADMIN, Role.VIEWER, Role.SELLER)


def test_the_table_knows_every_model() -> None:
    assert set(ALLOWED) == {model._meta.label for model in MODELS}


@pytest.mark.no_cover  # Measuring takes most of the time here, and other tests run the same lines.
@pytest.mark.parametrize("role", ROLES)
def test_every_action_on_every_table_is_open_to_whom_the_table_says(role: str) -> None:
    person = staff(role)
    client, rows = Reader(person), rows_of(person)
    allowed = {label: set(actions[ROLES.index(Role(role))].split()) for label, actions in ALLOWED.items()}
    found = {label: open_actions(client, BY_LABEL[label], rows) for label in ALLOWED}
    assert found == allowed


def rows_of(person: User) -> Rows:
    """Make two rows of each table, all of sellers that the person owns where it is a seller."""
    return fill(2, owner=person if person.role == Role.SELLER else make_user(Role.SELLER), assigned_to=None)


def free_row(model: Any, rows: Rows) -> Any:
    """Return a row that no other row points at, so that nothing but the role stands in the way of its deletion."""
    pointed_at = any(relation.one_to_many and relation.auto_created for relation in model._meta.get_fields())
    return clones(model, 1, rows, {"owner": rows[Seller][0].owner})[0] if pointed_at else rows[model][1]


def open_actions(client: Client, model: Any, rows: Rows) -> set[str]:
    if not admin.site.is_registered(model):
        return open_in_a_form(client, model, rows)
    row, found = free_row(model, rows), set()
    if client.get(address(model, "changelist")).status_code == 200:
        found.add("view")
    if took(client.post(address(model, "add"), {})):
        found.add("add")
    if took(client.post(address(model, "change", row.pk), {})):
        found.add("change")
    with transaction.atomic():
        response = client.post(address(model, "delete", row.pk), {"post": "yes"})
        if took(response):
            assert is_gone(row), f"{model._meta.label} was allowed to be deleted and is still there"
            found.add("delete")
        else:
            assert not is_gone(row)
        transaction.set_rollback(True)
    return found


def open_in_a_form(client: Client, model: Any, rows: Rows) -> set[str]:
    """Return what the form of the row above lets do with rows that have no page of their own."""
    parent = next(
        parent
        for parent, model_admin in admin.site._registry.items()
        if model in {inline.model for inline in getattr(model_admin, "inlines", ())}
    )
    response: Any = client.get(address(parent, "change", rows[parent][0].pk))
    if response.status_code != 200:
        return set()
    for formset in response.context_data["inline_admin_formsets"]:
        if formset.opts.model is model:
            return {
                action for action in ("view", "add", "change", "delete") if getattr(formset, f"has_{action}_permission")
            }
    return set()


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def took(response: Any) -> bool:
    """Whether the page let the person act: it did it, or complained about what was typed."""
    assert response.status_code in {200, 302, 403}
    return bool(response.status_code != 403)


def is_gone(row: Any) -> bool:
    stored = type(row)._base_manager.filter(pk=row.pk).first()
    return stored is None or getattr(stored, "deleted_at", None) is not None


@pytest.mark.parametrize("name", ["index", "inventory_car_changelist", "inventory_car_add"])
def test_who_is_not_signed_in_is_asked_to(name: str, client: Client) -> None:
    asked = reverse(f"admin:{name}")
    assert client.get(asked).headers["Location"] == f"{reverse('admin:login')}?next={asked}"


@pytest.mark.parametrize("name", ["index", "inventory_car_changelist", "accounts_user_changelist"])
def test_a_buyer_has_no_back_office(name: str, sign_in: Callable[[User], Client]) -> None:
    client = sign_in(make_user(Role.BUYER))
    asked = reverse(f"admin:{name}")
    assert client.get(asked).headers["Location"] == f"{reverse('admin:login')}?next={asked}"


@pytest.mark.parametrize("role", [*ROLES, Role.BUYER])
def test_who_is_suspended_or_deleted_is_out_at_once(role: str, sign_in: Callable[[User], Client]) -> None:
    person = staff(role)
    client = sign_in(person)
    person.status = "suspended"
    person.save()
    assert client.get(reverse("admin:index")).status_code == 302


def test_a_person_signs_in_with_the_address_in_any_case_and_the_password(client: Client) -> None:
    make_user(Role.VIEWER, email="viewer@example.org", password="Correct-horse-7")
    response = client.post(reverse("admin:login"), {"username": "Viewer@Example.org", "password": "Correct-horse-7"})
    assert response.status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_buyer_with_the_right_password_is_told_that_this_is_for_staff(client: Client) -> None:
    make_user(Role.BUYER, email="buyer@example.org", password="Correct-horse-7")
    response = client.post(reverse("admin:login"), {"username": "buyer@example.org", "password": "Correct-horse-7"})
    assert response.status_code == 200
    assert "staff account" in response.content.decode()
