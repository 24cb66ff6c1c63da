"""Plans that end, and messages of payment providers that come twice."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts import services
from accounts.models import PaymentEvent, Subscription
from accounts.services import billing
from analytics.models import AuditLog
from config.db.errors import Refused
from tests.builders import NOON, make_user
from tests.races import at_the_same_time, before_the_commit, outcome_of

pytestmark = pytest.mark.django_db


def make_subscription(**fields: Any) -> Subscription:
    return Subscription.objects.create(**{"user": make_user(), "start_date": NOON - timedelta(days=30)} | fields)


class TestExpiry:
    def test_what_is_active_and_past_its_end_expires_once(self) -> None:
        overdue = make_subscription(end_date=NOON - timedelta(seconds=1))
        others = [
            make_subscription(end_date=NOON),
            make_subscription(end_date=None),
            make_subscription(end_date=NOON - timedelta(days=1), status="cancelled"),
        ]
        before = {row.pk: row.status for row in others}
        assert services.expire_subscriptions(NOON) == 1
        overdue.refresh_from_db()
        assert overdue.status == "expired"
        assert dict(Subscription.objects.filter(pk__in=before).values_list("pk", "status")) == before
        assert services.expire_subscriptions(NOON) == 0

    def test_goes_in_batches_with_one_audit_entry_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(billing, "EXPIRY_BATCH", 2)
        rows = [make_subscription(end_date=NOON - timedelta(days=1)) for _ in range(5)]
        assert services.expire_subscriptions(NOON) == 5
        entries = AuditLog.objects.filter(event_type="SUBSCRIPTIONS_EXPIRED").order_by("id")
        assert {entry.entity_type for entry in entries} == {"accounts.subscription"}
        assert [entry.metadata for entry in entries] == [
            {"ids": [rows[0].pk, rows[1].pk]},
            {"ids": [rows[2].pk, rows[3].pk]},
            {"ids": [rows[4].pk]},
        ]

    @pytest.mark.django_db(transaction=True)
    def test_one_that_is_prolonged_meanwhile_goes_on_and_is_not_counted(self) -> None:
        prolonged, overdue = (make_subscription(end_date=NOON - timedelta(days=1)) for _ in range(2))
        number = before_the_commit(
            lambda: Subscription.objects.filter(pk=prolonged.pk).update(end_date=NOON + timedelta(days=30)),
            lambda: services.expire_subscriptions(NOON),
        )
        assert number == 1
        assert list(Subscription.objects.filter(status="expired")) == [overdue]
        entry = AuditLog.objects.get(event_type="SUBSCRIPTIONS_EXPIRED")
        assert entry.metadata == {"ids": [overdue.pk]}


class TestPaymentEvents:
    def deliver(self, effect: Any) -> bool:
        return services.record_payment_event(
            provider="stripe", event_id="evt_1", type="invoice.paid", payload={"total": 990}, effect=effect, now=NOON
        )

    def test_delivered_twice_it_has_one_effect(self) -> None:
        seen: list[PaymentEvent] = []
        assert self.deliver(seen.append)
        assert not self.deliver(seen.append)
        assert len(seen) == 1
        event = PaymentEvent.objects.get()
        assert (event.payload, event.processed_at) == ({"total": 990}, NOON)

    def test_a_name_that_is_too_long_is_refused_and_nothing_kept(self) -> None:
        with pytest.raises(ValidationError) as refusal:
            services.record_payment_event(
                provider="stripe", event_id="e" * 256, type="invoice.paid", payload={}, effect=lambda event: None
            )
        assert set(refusal.value.message_dict) == {"event_id"}
        assert not PaymentEvent.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_delivered_at_the_same_moment_it_has_one_effect(self) -> None:
        subscription = make_subscription(metadata={"paid": 0})

        def pay(event: PaymentEvent) -> None:
            row = Subscription.objects.get(pk=subscription.pk)
            row.metadata = {"paid": row.metadata["paid"] + 1}
            row.save()

        results = at_the_same_time(lambda: self.deliver(pay), times=4)
        assert sorted(results) == [False, False, False, True]
        subscription.refresh_from_db()
        assert subscription.metadata == {"paid": 1}

    @pytest.mark.django_db(transaction=True)
    def test_a_refused_one_that_comes_again_twice_at_once_has_one_effect(self) -> None:
        def refuse(event: PaymentEvent) -> None:
            raise Refused("Not yet.")

        self.deliver(refuse)
        seen: list[PaymentEvent] = []
        rivals: list[Future[Any]] = []

        def slow(event: PaymentEvent) -> None:
            seen.append(event)
            rivals.append(pool.submit(outcome_of, lambda: self.deliver(seen.append)))
            wait(rivals, timeout=1)

        with ThreadPoolExecutor(1) as pool:
            assert self.deliver(slow)
            assert rivals[0].result() is False
        assert len(seen) == 1

    def test_what_is_refused_keeps_its_reason_undoes_its_writes_and_is_tried_again(self) -> None:
        def refuse(event: PaymentEvent) -> None:
            make_subscription()
            raise Refused("There is no such subscription.")

        assert not self.deliver(refuse)
        event = PaymentEvent.objects.get()
        assert (event.error, event.processed_at) == ("There is no such subscription.", None)
        assert not Subscription.objects.exists()

        assert self.deliver(lambda event: None)
        event.refresh_from_db()
        assert (event.error, event.processed_at) == ("", NOON)

    def test_a_fault_keeps_nothing_so_that_the_provider_sends_it_again(self) -> None:
        def fail(event: PaymentEvent) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            self.deliver(fail)
        assert not PaymentEvent.objects.exists()
