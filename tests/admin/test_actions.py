"""Every action of every list and page: what it does, what it refuses and why, and that it asks first where it must."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Translation, User, UserSession
from accounts.models.users import Role
from analytics.models import AuditLog
from inventory.models import Car, Part, Vehicle
from leads.models import NewsletterSubscriber, SupportTicket, Voucher
from tests.admin.conftest import said
from tests.admin.forms import address
from tests.admin.rows import staff
from tests.builders import (
    NOON,
    make_car,
    make_language,
    make_lead,
    make_part,
    make_seller,
    make_ticket,
    make_translation,
    make_user,
    make_vehicle,
    make_voucher,
)

pytestmark = pytest.mark.django_db

HOLDS = {"place_hold", "lift_hold"}
# Every action of the apps' own; a new one without a test here fails.
ACTIONS: dict[str, set[str]] = {
    "accounts.Seller": {"verify", "unverify", "give_plan", "open_for_buyers", "close_for_buyers"},
    "accounts.Translation": {"verify"},
    "accounts.User": {"suspend", "ban", "reactivate", "change_role", "verify_address", "end_sessions", *HOLDS},
    "accounts.UserSession": {"end_sessions"},
    "inventory.Car": {
        "publish", "unpublish", "reserve", "release", "sell", "take_back", "feature", "unfeature", "break_for_parts",
    },
    "inventory.Part": {"list_on_marketplace", "unlist", "reserve", "release", "sell", "take_back", *HOLDS},
    "inventory.Vehicle": HOLDS,
    "leads.Lead": {"assign", "change_status", "set_priority", "add_note", "record_activity", "rescore"},
    "leads.NewsletterSubscriber": {"sign_off"},
    "leads.SupportTicket": {"assign", "change_status"},
    "leads.Voucher": {"publish", "suspend", "expire", "add_code"},
}  # fmt: skip
EVERYWHERE = {"delete_rows", "restore_rows", "delete_for_good"}


def test_the_table_knows_every_action() -> None:
    admins: dict[Any, Any] = dict(admin.site._registry)
    found = {
        model._meta.label: {*model_admin._list_actions, *model_admin._page_actions} - EVERYWHERE
        for model, model_admin in admins.items()
        if hasattr(model_admin, "_list_actions")
    }
    assert {label: names for label, names in found.items() if names} == ACTIONS


def run(client: Client, action: str, *rows: Any, **answers: Any) -> list[str]:
    """Run an action from the list on `rows` and return what the page says; `answers` are what it asks for."""
    given = {"staff_confirmed": 1, **answers} if answers else {}
    data = {"action": action, "_selected_action": [row.pk for row in rows], **given}
    page = address(type(rows[0]), "changelist")
    response = client.post(page, data)
    assert response.status_code == 302, response.content.decode()[:500]
    client.get(page)  # shows what is said, so that the next action starts anew
    for row in rows:
        row.refresh_from_db()
    return said(response)


def asks(client: Client, action: str, row: Any) -> str:
    """Return the question that an action puts before it does anything."""
    before = type(row)._base_manager.values().get(pk=row.pk)
    response = client.post(address(type(row), "changelist"), {"action": action, "_selected_action": [row.pk]})
    assert response.status_code == 200
    assert 'name="staff_confirmed"' in response.content.decode()
    assert type(row)._base_manager.values().get(pk=row.pk) == before
    return response.content.decode()


YES = {"confirmed": "yes"}


def sold(**fields: Any) -> Part:
    return make_part(status="SOLD", sold_at=NOON, **fields)


class TestHolds:
    @pytest.mark.parametrize("make", [make_part, make_vehicle, make_user])
    def test_holding_and_letting_go(self, super_admin: Client, make: Callable[[], Any]) -> None:
        row = make()
        assert 'name="reason"' in asks(super_admin, "place_hold", row)
        (done,) = run(super_admin, "place_hold", row, hold="legal_hold", reason="Case 7")
        assert done.startswith("1 ")
        assert row.hold == "legal_hold"
        (refused,) = run(super_admin, "place_hold", row, hold="legal_hold", reason="Case 7")
        assert "under the legal hold already" in refused
        run(super_admin, "lift_hold", row, reason="Settled")
        assert row.hold == ""
        (refused,) = run(super_admin, "lift_hold", row, reason="Settled")
        assert "Nothing holds" in refused
        said = AuditLog.objects.filter(event_type__startswith="HOLD_").order_by("pk")
        assert [(e.event_type, e.description, e.actor is not None) for e in said] == [
            ("HOLD_PLACED", "Case 7", True),
            ("HOLD_LIFTED", "Settled", True),
        ]


class TestParts:
    def test_listing(self, super_admin: Client) -> None:
        free, gone = make_part(), sold(name="Sold door")
        unverified = make_part(name="Hood", seller=make_seller(name="Newcomer", is_verified=False))
        first, refused = run(super_admin, "list_on_marketplace", free, gone, unverified)
        assert first == "1 part listed."
        assert refused.startswith("2 parts not listed: ")
        assert "Sold door is sold: only available parts can be listed. (Sold door)" in refused
        assert "verify the seller first. (Hood)" in refused
        assert (free.is_listed, gone.is_listed, unverified.is_listed) == (True, False, False)

    def test_unlisting(self, super_admin: Client) -> None:
        shown, hidden = make_part(is_listed=True), make_part(name="Hidden")
        done, refused = run(super_admin, "unlist", shown, hidden)
        assert done == "1 part taken off the marketplace."
        assert "(Hidden)" in refused
        assert not shown.is_listed

    def test_reserving_asks_until_when(self, super_admin: Client) -> None:
        free, gone = make_part(), sold(name="Sold door")
        assert 'name="until_0"' in asks(super_admin, "reserve", free)
        done, refused = run(super_admin, "reserve", free, gone, until_0="2099-01-01", until_1="12:00")
        assert done == "1 part reserved."
        assert "(Sold door)" in refused
        free = Part.objects.get(pk=free.pk, reserved_until__isnull=False)
        assert (free.status, free.reserved_until and free.reserved_until.year) == ("RESERVED", 2099)

    def test_reserving_into_the_past_is_refused_on_the_question(self, super_admin: Client) -> None:
        part = make_part()
        data = {"action": "reserve", "_selected_action": [part.pk], "staff_confirmed": 1}
        response = super_admin.post(address(Part, "changelist"), {**data, "until_0": "2020-01-01", "until_1": "12:00"})
        assert "Give a moment in the future." in response.content.decode()
        part.refresh_from_db()
        assert part.status == "AVAILABLE"

    def test_releasing_selling_and_taking_back(self, super_admin: Client) -> None:
        held, free = make_part(status="RESERVED"), make_part(name="Free")
        done, refused = run(super_admin, "release", held, free)
        assert (done, "(Free)" in refused, held.status) == ("1 part released.", True, "AVAILABLE")
        assert run(super_admin, "sell", held, free) == ["2 parts marked as sold."]
        assert held.sold_at is not None
        assert "The sale is undone" in asks(super_admin, "take_back", held)
        assert run(super_admin, "take_back", held, **YES) == ["1 part taken back."]
        held = Part.objects.get(pk=held.pk)
        assert (held.status, held.sold_at) == ("AVAILABLE", None)


class TestCars:
    def test_listing_and_unlisting(self, super_admin: Client) -> None:
        hidden, shown = make_car(published_at=None), make_car(name="Shown")
        done, refused = run(super_admin, "publish", hidden, shown)
        assert (done, "(Shown 2018)" in refused) == ("1 car listed.", True)
        assert hidden.published_at is not None
        assert run(super_admin, "unpublish", hidden) == ["1 car taken off the marketplace."]
        assert hidden.published_at is None

    def test_reserving_releasing_selling_and_taking_back(self, super_admin: Client) -> None:
        car, other = make_car(), make_car(name="Sold", status="SOLD", sold_at=NOON)
        done, refused = run(super_admin, "reserve", car, other)
        assert (done, "(Sold 2018)" in refused, car.status) == ("1 car reserved.", True, "RESERVED")
        assert run(super_admin, "release", car) == ["1 car released."]
        assert run(super_admin, "sell", car) == ["1 car marked as sold."]
        assert car.sold_at is not None
        asks(super_admin, "take_back", car)
        assert run(super_admin, "take_back", car, **YES) == ["1 car taken back."]
        assert car.status == "AVAILABLE"

    def test_featuring(self, super_admin: Client) -> None:
        car, other = make_car(), make_car(name="Sold", status="SOLD", sold_at=NOON)
        done, refused = run(super_admin, "feature", car, other)
        assert (done, "(Sold 2018)" in refused) == ("1 car featured.", True)
        assert run(super_admin, "unfeature", car) == ["1 car no longer featured."]

    def test_dismantling_asks_for_the_yard(self, super_admin: Client) -> None:
        car, yard = make_car(), make_seller()
        assert 'data-field-name="seller"' in asks(super_admin, "break_for_parts", car)
        assert run(super_admin, "break_for_parts", car, seller=yard.pk) == ["1 car taken off sale to be dismantled."]
        assert Vehicle.objects.get().source_car == car
        nobody = run(super_admin, "break_for_parts", make_car(), seller="")
        assert "Choose the seller" in nobody[0]


class TestSellers:
    def test_verifying_and_withdrawing_tell_the_owner(
        self, super_admin: Client, django_capture_on_commit_callbacks: Any
    ) -> None:
        new, known = make_seller(is_verified=False), make_seller(name="Known")
        with django_capture_on_commit_callbacks(execute=True):
            done, refused = run(super_admin, "verify", new, known)
        assert (done, "(Known)" in refused, new.is_verified) == ("1 seller verified.", True, True)
        assert [message.to for message in mail.outbox] == [[new.owner.email]]
        asks(super_admin, "unverify", new)
        assert run(super_admin, "unverify", new, **YES) == ["1 seller no longer verified."]

    def test_a_plan_is_chosen(self, super_admin: Client) -> None:
        seller = make_seller()
        assert 'name="plan"' in asks(super_admin, "give_plan", seller)
        run(super_admin, "give_plan", seller, plan="ENTERPRISE")
        assert seller.plan == "ENTERPRISE"
        assert "already" in run(super_admin, "give_plan", seller, plan="ENTERPRISE")[0]

    def test_opening_and_closing(self, super_admin: Client, sign_in: Callable[[User], Client]) -> None:
        seller = make_seller(owner=staff(Role.SELLER))
        owner = sign_in(seller.owner)
        assert run(owner, "close_for_buyers", seller) == ["1 seller closed."]
        assert not seller.is_open
        assert run(super_admin, "open_for_buyers", seller) == ["1 seller opened."]
        assert seller.is_open


class TestPeople:
    def test_suspending_banning_and_letting_in_again(self, super_admin: Client, superuser: User) -> None:
        user, busy = make_user(), staff(Role.ADMIN)
        make_lead(assigned_to=busy)
        assert "cannot sign in" in asks(super_admin, "suspend", user)
        done, refused = run(super_admin, "suspend", user, busy, superuser, **YES)
        assert (done, user.status, busy.status) == ("1 user suspended.", "suspended", "active")
        assert refused.startswith("2 users not suspended: ")
        assert "lead is assigned to" in refused
        assert "own account" in refused
        run(super_admin, "reactivate", user)
        assert user.status == "active"
        run(super_admin, "ban", user, **YES)
        assert (user.status, user.is_active) == ("banned", False)

    def test_a_role_is_chosen(self, super_admin: Client, superuser: User) -> None:
        user = make_user()
        run(super_admin, "change_role", user, role="VIEWER")
        assert (user.role, user.is_staff) == ("VIEWER", True)
        assert "own account" in run(super_admin, "change_role", superuser, role="BUYER")[0]
        assert "has the role Viewer already" in run(super_admin, "change_role", user, role="VIEWER")[0]

    def test_an_address_is_verified(self, super_admin: Client) -> None:
        user = make_user(status="unconfirmed")
        run(super_admin, "verify_address", user)
        assert (user.is_verified, user.status) == (True, "active")

    def test_sessions_are_ended_one_by_one_and_all_at_once(self, super_admin: Client) -> None:
        user = make_user()
        first, second = (
            UserSession.objects.create(user=user, access_token_hash=f"{n:064}", expires_at=NOON) for n in range(2)
        )
        assert run(super_admin, "end_sessions", first) == ["1 session ended."]
        assert (first.revoked_at is None, second.revoked_at) == (False, None)
        run(super_admin, "end_sessions", user)
        second.refresh_from_db()
        assert second.revoked_at is not None

    def test_nobody_is_deleted_who_still_works_leads(self, super_admin: Client) -> None:
        busy = staff(Role.ADMIN)
        make_lead(assigned_to=busy)
        response = super_admin.post(address(User, "delete", busy.pk), {"post": "yes"})
        assert said(response)[0].startswith("Not deleted: ")
        assert User.objects.filter(pk=busy.pk).exists()


class TestLeads:
    def test_assigning(self, super_admin: Client) -> None:
        lead, colleague, viewer = make_lead(), staff(Role.ADMIN), staff(Role.VIEWER)
        asks(super_admin, "assign", lead)
        assert run(super_admin, "assign", lead, assigned_to=colleague.pk) == ["1 lead assigned."]
        assert lead.assigned_to == colleague
        assert "cannot work leads" in run(super_admin, "assign", lead, assigned_to=viewer.pk)[0]
        assert run(super_admin, "assign", lead, assigned_to="") == ["1 lead unassigned."]
        assert lead.assigned_to is None
        assert AuditLog.objects.filter(event_type="LEAD_ASSIGNED").count() == 2

    def test_status_priority_note_and_activity(self, super_admin: Client) -> None:
        lead = make_lead()
        run(super_admin, "change_status", lead, status="CONTACTED")
        assert lead.responded_at is not None
        run(super_admin, "change_status", lead, status="LOST")
        assert lead.closed_at is not None
        run(super_admin, "set_priority", lead, priority=4)
        run(super_admin, "add_note", lead, text="Prefers mail.")
        run(super_admin, "record_activity", lead, type="PHONE_CALL", description="No answer")
        assert (lead.status, lead.priority, lead.notes.get().text) == ("LOST", 4, "Prefers mail.")
        kinds = list(lead.activities.order_by("pk").values_list("type", flat=True))
        assert kinds == ["STATUS_CHANGED", "STATUS_CHANGED", "PRIORITY_CHANGED", "NOTE_ADDED", "PHONE_CALL"]

    def test_what_a_lead_has_already_is_refused_in_words(self, super_admin: Client) -> None:
        colleague = staff(Role.ADMIN)
        free, given = make_lead(name="Free"), make_lead(name="Given", assigned_to=colleague)
        assert run(super_admin, "assign", free, assigned_to="") == [
            "1 lead not unassigned: Free is assigned to nobody already. (Free)"
        ]
        done, refused = run(super_admin, "assign", free, given, assigned_to=colleague.pk)
        assert done == "1 lead assigned."
        assert refused == f"1 lead not assigned: Given is assigned to {colleague} already. (Given)"
        assert run(super_admin, "change_status", free, status="NEW") == [
            "1 lead not moved on: Free has the status New already. (Free)"
        ]
        assert run(super_admin, "set_priority", free, priority=free.priority)[0].startswith(
            "1 lead not given the priority: Free has the priority "
        )
        assert [entry.event_type for entry in AuditLog.objects.exclude(action="login")] == ["LEAD_ASSIGNED"]

    def test_scoring_again(self, super_admin: Client) -> None:
        lead = make_lead(message="I want to buy it today", phone="+358 40 1234567")
        assert run(super_admin, "rescore", lead) == ["1 lead scored again."]
        assert lead.score > 0


class TestVouchers:
    def test_publishing_needs_the_texts_and_the_window(self, super_admin: Client) -> None:
        now = timezone.now()
        good = make_voucher(valid_from=now - timedelta(days=1), expires_at=now + timedelta(days=9))
        make_language("en", is_default=True)
        for key in (good.title_key, good.description_key, good.terms_key):
            make_translation(key, "Text", is_verified=True)
        mute = make_voucher(valid_from=now - timedelta(days=1), expires_at=now + timedelta(days=9))
        over = make_voucher(valid_from=now - timedelta(days=9), expires_at=now - timedelta(days=1))
        done, refused = run(super_admin, "publish", good, mute, over)
        assert done == "1 voucher published."
        assert refused.startswith("2 vouchers not published: ")
        assert (good.state, mute.state, over.state) == ("published", "draft", "draft")
        assert run(super_admin, "suspend", good) == ["1 voucher suspended."]
        assert "ends for good" in asks(super_admin, "expire", good)
        assert run(super_admin, "expire", good, **YES) == ["1 voucher expired."]

    def test_a_code_is_added_on_its_page(self, super_admin: Client) -> None:
        voucher = make_voucher()
        page = f"{address(Voucher, 'changelist')}{voucher.pk}/add_code/"
        assert super_admin.get(page).status_code == 200
        super_admin.post(page, {"staff_confirmed": 1, "type": "static", "code": "SPRING26"})
        assert voucher.codes.get().code == "SPRING26"
        response = super_admin.post(page, {"staff_confirmed": 1, "type": "static", "code": "no spaces!"})
        assert "not given a code" in said(response)[-1]


def test_texts_are_verified(super_admin: Client, superuser: User) -> None:
    text, other = make_translation("a", "A"), make_translation("b", "B", is_verified=True)
    messages = run(super_admin, "verify", text, other)
    assert messages[0] == "1 translation verified."
    assert (text.verified_by, text.is_verified) == (superuser, True)


def test_unverified_texts_are_listed_by_language_and_domain(super_admin: Client) -> None:
    wanted = make_translation("a", "A", "fi", domain="voucher")
    make_translation("b", "B", "fi", domain="seller")
    make_translation("c", "C", "en", domain="voucher")
    make_translation("d", "D", "fi", domain="voucher", is_verified=True)
    query = "f=language:is:fi&f=domain:is:voucher&f=is_verified:is:no"
    response: Any = super_admin.get(f"{address(Translation, 'changelist')}?{query}")
    assert list(response.context_data["cl"].result_list) == [wanted]


def test_tickets_are_assigned_and_moved_on(super_admin: Client) -> None:
    ticket, colleague = make_ticket(), staff(Role.ADMIN)
    run(super_admin, "assign", ticket, assignee=colleague.pk)
    assert ticket.assignee == colleague
    run(super_admin, "change_status", ticket, status="resolved")
    assert (ticket.status, ticket.resolved_at is None) == ("resolved", False)
    assert SupportTicket.objects.count() == 1
    assert "has the status Resolved already" in run(super_admin, "change_status", ticket, status="resolved")[0]
    assert "is assigned to" in run(super_admin, "assign", ticket, assignee=colleague.pk)[0]
    assert run(super_admin, "assign", ticket, assignee="") == ["1 support ticket unassigned."]
    assert "is assigned to nobody already" in run(super_admin, "assign", ticket, assignee="")[0]


def test_subscribers_are_signed_off(super_admin: Client) -> None:
    row = NewsletterSubscriber.objects.create(email="a@example.org")
    run(super_admin, "sign_off", row)
    assert (row.status, row.unsubscribed_at is None) == ("UNSUBSCRIBED", False)
    assert "is off the list already" in run(super_admin, "sign_off", row)[0]


PAGES: list[tuple[Callable[[], Any], str]] = [
    (make_part, "sell"),
    (make_car, "reserve"),
    (lambda: make_seller(is_verified=False), "verify"),
    (make_lead, "rescore"),
    (lambda: make_user(status="suspended"), "reactivate"),
]


@pytest.mark.parametrize("case", range(len(PAGES)))
def test_the_rows_own_page_does_the_same_and_tells_the_audit_log_once(case: int, super_admin: Client) -> None:
    make, action = PAGES[case]
    row = make()
    response = super_admin.post(f"{address(type(row), 'changelist')}{row.pk}/{action}/")
    assert response.headers["Location"] == address(type(row), "change", row.pk)
    assert said(response)[0].startswith("1 ")
    assert AuditLog.objects.filter(entity_id=row.public_id).count() == 1


def test_a_page_with_many_actions_keeps_three_in_sight_and_the_rest_in_a_menu(super_admin: Client) -> None:
    response: Any = super_admin.get(address(Car, "change", make_car().pk))
    buttons = response.context_data["actions_detail"]
    assert [button["title"] for button in buttons] == ["Unlist", "Reserve", "Mark as sold", "More"]
    assert [item["title"] for item in buttons[-1]["items"]] == ["Feature", "Dismantle"]
