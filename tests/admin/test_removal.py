"""The question before a person is removed for good: it says how many rows of each kind go, and which stay."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from accounts.models import User
from accounts.models.users import Role
from accounts.services import delete_user
from leads.models import LeadActivity, TicketComment, VoucherRedemption
from tests.accounts.leaving import busy_person, row_counts
from tests.admin.conftest import said
from tests.admin.rows import staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def anna() -> User:
    """Somebody who is hidden already, with rows in every table, beside somebody else of that kind."""
    busy_person("Berta Berg")
    anna = busy_person("Anna Aho")
    delete_user(user=anna)
    return anna


def by_name(counts: Counter[str]) -> dict[str, int]:
    named: Counter[tuple[str, str]] = Counter()
    for label, number in counts.items():
        meta = apps.get_model(label)._meta
        named[str(meta.verbose_name), str(meta.verbose_name_plural)] += number
    return {one if number == 1 else many: number for (one, many), number in named.items()}


def test_the_question_counts_what_goes_and_what_stays(super_admin: Client, anna: User) -> None:
    address = f"/admin/accounts/user/{anna.pk}/delete_for_good/"
    told = super_admin.get(address).context["consequences"]
    before = row_counts()

    response = super_admin.post(address, {"staff_confirmed": "1"})

    assert said(response) == ["1 user deleted for good."]
    # Of the pictures the question counts those that are shown, not their files; the person is in its title.
    gone = by_name(before - row_counts() - Counter({"accounts.User": 1, "accounts.StoredFile": 2}))
    assert told.deleted == gone
    assert told.protected == []
    kept = {
        "redemptions": 2,
        "note": 1,
        "activity": 1,
        "comment": 1,
        "leads": 3,
        "events": 2,
        "category": 1,
        "files": 3,
        "audit entries": told.unlinked["audit entries"],
    }
    assert told.unlinked == kept
    assert kept["audit entries"] > 0


def test_the_page_shows_the_counts(super_admin: Client, anna: User) -> None:
    page = super_admin.get(f"/admin/accounts/user/{anna.pk}/delete_for_good/").content.decode()
    for words in ("1 seller<", "3 cars", "2 vouchers", "Goes with it", "Stays, without the link", "2 redemptions"):
        assert words in page


def test_a_removed_vouchers_redemptions_show_its_title_in_the_list_and_on_their_page(
    super_admin: Client, anna: User
) -> None:
    super_admin.post(f"/admin/accounts/user/{anna.pk}/delete_for_good/", {"staff_confirmed": "1"})
    kept = VoucherRedemption.objects.get(voucher=None)
    for address in ("/admin/leads/voucherredemption/", f"/admin/leads/voucherredemption/{kept.pk}/change/"):
        page = super_admin.get(address).content.decode()
        assert "Brakes at Anna Aho&#x27;s" in page
    assert "Anna Aho&#x27;s yard" in page


def test_the_names_of_who_went_are_shown_where_their_work_is(super_admin: Client, anna: User) -> None:
    super_admin.post(f"/admin/accounts/user/{anna.pk}/delete_for_good/", {"staff_confirmed": "1"})
    comment, activity = TicketComment.objects.get(author=None), LeadActivity.objects.get(actor=None)
    for address in (
        "ticketcomment/",
        f"ticketcomment/{comment.pk}/change/",
        f"supportticket/{comment.ticket_id}/change/",
        "leadactivity/",
        f"leadactivity/{activity.pk}/change/",
        f"lead/{activity.lead_id}/change/",
    ):
        assert "Anna Aho" in super_admin.get(f"/admin/leads/{address}").content.decode(), address


def test_nobody_but_a_super_administrator_is_offered_it(sign_in: Any, anna: User) -> None:
    admin = sign_in(staff(Role.ADMIN))
    assert admin.get(f"/admin/accounts/user/{anna.pk}/delete_for_good/").status_code == 403
    assert User.all_objects.filter(pk=anna.pk).exists()


def test_on_ones_own_page_nothing_is_offered_that_would_close_the_account(super_admin: Client, superuser: User) -> None:
    def offered(user: User) -> set[str]:
        response: Any = super_admin.get(f"/admin/accounts/user/{user.pk}/change/")
        buttons = response.context_data["actions_detail"]
        shown = [item for button in buttons for item in button.get("items", [button])]
        return {str(item["title"]) for item in shown} | (
            {"Delete"} if response.context["has_delete_permission"] else set()
        )

    closing = {"Suspend", "Ban", "Change role", "Delete"}
    assert offered(staff(Role.ADMIN)) >= closing
    assert not offered(superuser) & closing
    assert "End sessions" in offered(superuser)
