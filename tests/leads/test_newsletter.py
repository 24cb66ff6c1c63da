"""The newsletter's list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from analytics.models import AuditLog
from leads.models import NewsletterSubscriber
from leads.services import subscribe, unsubscribe, unsubscribe_by_token, unsubscribe_token
from tests.builders import NOON
from tests.races import at_the_same_time

LATER = NOON + timedelta(days=3)


@pytest.mark.django_db
def test_an_address_is_on_the_list_once_in_whatever_case_it_is_written() -> None:
    first = subscribe(email="Ann@Example.org ", name="Ann", source="footer", preferences={"cars": True}, now=NOON)
    second = subscribe(email="ann@example.ORG", name="Somebody else", now=LATER)
    assert first == second
    row = NewsletterSubscriber.objects.get()
    assert (row.email, row.name, row.source, row.preferences) == ("ann@example.org", "Ann", "footer", {"cars": True})
    assert (row.status, row.subscribed_at) == ("ACTIVE", NOON)
    assert AuditLog.objects.count() == 1


@pytest.mark.django_db
def test_signing_off_is_dated_once() -> None:
    subscriber = subscribe(email="ann@example.org", now=NOON)
    unsubscribe(subscriber=subscriber, now=NOON)
    unsubscribe(subscriber=subscriber, now=LATER)
    assert (subscriber.status, subscriber.unsubscribed_at) == ("UNSUBSCRIBED", NOON)
    assert AuditLog.objects.filter(event_type="NEWSLETTER_UNSUBSCRIBED").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["UNSUBSCRIBED", "BOUNCED"])
def test_signing_up_again_brings_the_address_back(status: str) -> None:
    NewsletterSubscriber.objects.create(email="ann@example.org", name="Ann", status=status, unsubscribed_at=NOON)
    row = subscribe(email="ann@example.org", source="footer", now=LATER)
    assert (row.status, row.unsubscribed_at, row.subscribed_at) == ("ACTIVE", None, LATER)
    assert (row.name, row.source) == ("Ann", "footer")
    assert AuditLog.objects.get().changes == {"status": [status, "ACTIVE"]}


@pytest.mark.django_db
def test_one_click_on_the_link_of_a_mail_is_enough() -> None:
    subscriber = subscribe(email="ann@example.org", now=NOON)
    unsubscribe_by_token(token=unsubscribe_token(subscriber), now=LATER)
    subscriber.refresh_from_db()
    assert (subscriber.status, subscriber.unsubscribed_at) == ("UNSUBSCRIBED", LATER)


@pytest.mark.django_db
def test_a_forged_or_outdated_link_does_nothing_and_does_not_say_so() -> None:
    subscriber = subscribe(email="ann@example.org")
    token = unsubscribe_token(subscriber)
    other = subscribe(email="bea@example.org")
    outdated = unsubscribe_token(other)
    other.delete()
    for wrong in (token[:-1] + ("a" if token[-1] != "a" else "b"), "", outdated):
        unsubscribe_by_token(token=wrong)
    subscriber.refresh_from_db()
    assert subscriber.status == "ACTIVE"


@pytest.mark.django_db
def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValidationError):
        subscribe(email="ann")
    assert not NewsletterSubscriber.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["", "ACTIVE", "UNSUBSCRIBED"])
@pytest.mark.parametrize(("too_long", "length"), [("name", 100), ("source", 50)])
def test_texts_that_are_too_long_are_refused_by_their_name(status: str, too_long: str, length: int) -> None:
    if status:
        NewsletterSubscriber.objects.create(email="ann@example.org", status=status)
    texts: dict[str, Any] = {too_long: "x" * (length + 1)}
    with pytest.raises(ValidationError) as refusal:
        subscribe(email="ann@example.org", **texts)
    assert set(refusal.value.message_dict) == {too_long}


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_two_sign_ups_at_the_same_moment_are_one() -> None:
    rows = at_the_same_time(*[lambda: subscribe(email="ann@example.org", now=NOON)] * 4)
    assert {row.pk for row in rows} == {NewsletterSubscriber.objects.get().pk}
