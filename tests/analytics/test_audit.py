"""The audit log: what is announced is written, once, with who and from where, and without secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from accounts.models import User
from analytics.models import AuditLog
from analytics.redaction import HIDDEN, as_json, redacted
from config.audit import RequestContext, acting, announce
from config.db.errors import Refused
from tests.builders import make_language, make_lead, make_part, make_seller, make_user

pytestmark = pytest.mark.django_db


def test_an_entry_names_actor_row_seller_and_request() -> None:
    actor, part = make_user("ADMIN", name="Ann Lee", email="ann@example.org"), make_part(name="Alternator")
    context = RequestContext(actor=actor, ip_address="192.0.2.7", user_agent="Mozilla/5.0", request_id="r-12345678")
    with acting(context):
        announce(
            "update",
            part,
            event_type="PART_CHANGED",
            description="Cheaper now",
            changes={"price": [Decimal("950.00"), Decimal("900.00")]},
            metadata={"at": datetime(2026, 3, 2, tzinfo=UTC), "by": part},
        )
    entry = AuditLog.objects.get()
    assert (entry.actor, entry.actor_label) == (actor, "Ann Lee <ann@example.org>")
    assert (entry.action, entry.event_type, entry.description) == ("update", "PART_CHANGED", "Cheaper now")
    assert (entry.entity_type, entry.entity_id, entry.entity_label) == ("inventory.part", part.public_id, "Alternator")
    assert entry.seller == part.seller
    assert entry.changes == {"price": ["950.00", "900.00"]}
    assert entry.metadata == {"at": "2026-03-02T00:00:00Z", "by": "Alternator"}
    assert (entry.ip_address, entry.user_agent, entry.request_id) == ("192.0.2.7", "Mozilla/5.0", "r-12345678")
    assert (entry.success, entry.error_message) == (True, "")


def test_a_named_actor_goes_before_the_one_behind_the_request() -> None:
    actor = make_user()
    with acting(RequestContext(actor=make_user())):
        announce("other", actor=actor)
    assert AuditLog.objects.get().actor == actor


def test_without_anybody_signed_in_there_is_no_actor() -> None:
    with acting(RequestContext(actor=AnonymousUser())):
        announce("other", event_type="SOMETHING")
    entry = AuditLog.objects.get()
    assert (entry.actor, entry.actor_label, entry.entity_type, entry.entity_id) == (None, "", "", "")


def test_a_row_without_public_id_is_named_by_its_key_and_a_seller_is_its_own_seller() -> None:
    language, seller = make_language("fi"), make_seller()
    announce("create", language)
    announce("create", seller)
    first, second = AuditLog.objects.order_by("id")
    assert (first.entity_type, first.entity_id) == ("accounts.language", "fi")
    assert second.seller == seller


def test_an_announcement_about_many_rows_names_their_table_and_ids() -> None:
    announce("delete", metadata={"entity_type": "leads.lead", "ids": ["a", "b"], "count": 2})
    entry = AuditLog.objects.get()
    assert (entry.entity_type, entry.entity_id) == ("leads.lead", "")
    assert entry.metadata == {"ids": ["a", "b"], "count": 2}


def test_an_update_that_changed_nothing_is_not_written() -> None:
    announce("update", make_lead(), changes={})
    assert not AuditLog.objects.exists()


def test_long_labels_are_cut_rather_than_refused() -> None:
    actor = make_user(name="x" * 200, email=f"{'y' * 60}@{'z' * 60}.example")
    announce("create", make_lead(name="n" * 190, subject_label="s" * 250), actor=actor)
    entry = AuditLog.objects.get()
    assert (len(entry.actor_label), len(entry.entity_label)) == (254, 255)


def test_a_change_that_fails_takes_its_entry_along() -> None:
    @transaction.atomic
    def change_and_fail() -> None:
        announce("create", make_lead())
        User.objects.create(email="a@example.org", role="NOBODY")

    with pytest.raises(IntegrityError):
        change_and_fail()
    assert not AuditLog.objects.exists()


def test_entries_outlive_the_person_and_the_seller_with_their_text() -> None:
    seller, actor = make_seller(), make_user(name="Ann Lee", email="ann@example.org")
    announce("other", seller, actor=actor)
    actor.delete()
    seller.delete()
    entry = AuditLog.objects.get()
    assert (entry.actor, entry.actor_label, entry.seller) == (None, "Ann Lee <ann@example.org>", None)


def test_an_entry_is_never_changed() -> None:
    announce("other", event_type="FIRST")
    entry = AuditLog.objects.get()
    entry.event_type = "SECOND"
    with pytest.raises(Refused, match="never changed"):
        entry.save()
    with pytest.raises(Refused, match="never changed"):
        AuditLog.objects.update(event_type="SECOND")
    assert AuditLog.objects.get().event_type == "FIRST"


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "access_token", "refresh_token_hash", "api_key", "client_secret", "Cookie", "otp"],
)
def test_secrets_are_hidden_by_the_name_of_their_field(name: str) -> None:
    announce(
        "update", make_lead(), changes={name: ["hunter2", "hunter3"], "name": ["a", "b"]}, metadata={name: "hunter2"}
    )
    entry = AuditLog.objects.get()
    assert entry.changes == {name: [HIDDEN, HIDDEN], "name": ["a", "b"]}
    assert entry.metadata == {name: HIDDEN}


def test_an_empty_secret_shows_as_empty_and_a_nested_one_is_hidden() -> None:
    assert redacted({"token": ["", "abc"]}) == {"token": ["", HIDDEN]}
    assert redacted({"mail": [{"password": "abc", "host": "m"}]}) == {"mail": [{"password": HIDDEN, "host": "m"}]}


@pytest.mark.parametrize("name", ["title_key", "key", "name_key", "storage_key", "sessions", "hashtags", "shipping"])
def test_names_that_only_look_like_secrets_are_shown(name: str) -> None:
    assert redacted({name: ["a", "b"]}) == {name: ["a", "b"]}


def test_anything_becomes_json() -> None:
    assert as_json({"a": Decimal("1.50"), "b": {1: ("x",)}, "c": object}) == {
        "a": "1.50",
        "b": {"1": ["x"]},
        "c": "<class 'object'>",
    }
