"""What each step of maintenance changes, what it leaves, and from which date it counts."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db.models import F
from django.utils import timezone

from accounts.models import (
    Integration,
    OneTimeToken,
    Seller,
    SellerLocation,
    User,
    UserIdentity,
    UserPreference,
    UserSession,
)
from accounts.services import delete_user
from analytics.daily_metrics import rolled_up
from analytics.models import AuditLog, DailyMetric, Event, PageView, WebVital
from analytics.settings import set_setting
from inventory.models import Part, PartImage, Vehicle
from inventory.services import overdue_reservations
from leads.models import LeadNote, Voucher, VoucherClaim
from tests.builders import (
    make_car,
    make_event,
    make_language,
    make_lead,
    make_part,
    make_seller,
    make_user,
    make_vehicle,
    make_voucher,
)
from tests.many_rows import many_rows, repeat
from tests.ops.maintenance.running import rows_of, run

pytestmark = pytest.mark.django_db

YEARS = 2555
_numbers = count(1)


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def ahead(**span: float) -> Any:
    return timezone.now() + timedelta(**span)


def once(step: str, rows: int) -> None:
    """The preview counts what the run changes, and the second run changes nothing."""
    assert rows_of(step, "--dry-run") == rows
    assert rows_of(step) == rows
    assert rows_of(step) == 0


class TestVouchers:
    def test_open_ones_past_their_end_expire_with_their_claims(self) -> None:
        old = {
            state: make_voucher(state=state, valid_from=None, expires_at=ago(hours=1))
            for state in ("draft", "published", "claimed", "redeemed", "suspended")
        }
        running = make_voucher(state="published", valid_from=None, expires_at=ahead(hours=1))
        endless = make_voucher(state="published", valid_from=None, expires_at=None)
        held = VoucherClaim.objects.create(voucher=old["claimed"], user=make_user(), expires_at=ahead(days=1))
        other = VoucherClaim.objects.create(voucher=running, user=make_user(), expires_at=ahead(minutes=1))
        once("vouchers", 3)
        states = dict(Voucher.objects.values_list("pk", "state"))
        assert {name: states[voucher.pk] for name, voucher in old.items()} == {
            "draft": "draft", "published": "expired", "claimed": "expired", "redeemed": "redeemed",
            "suspended": "expired",
        }  # fmt: skip
        assert states[running.pk] == states[endless.pk] == "published"
        held.refresh_from_db()
        other.refresh_from_db()
        assert (held.status, other.status) == ("expired", "claimed")
        assert AuditLog.objects.filter(event_type="VOUCHERS_EXPIRED").count() == 1

    def test_any_number_of_them_goes_in_batches(self) -> None:
        one = make_voucher(state="published", valid_from=None, expires_at=ago(hours=1))
        fields = {f.attname: getattr(one, f.attname) for f in Voucher._meta.concrete_fields if f.attname != "id"}
        Voucher.objects.bulk_create(Voucher(**{**fields, "public_id": f"v{i}"}) for i in range(2500))
        once("vouchers", 2501)
        entries = AuditLog.objects.filter(event_type="VOUCHERS_EXPIRED").order_by("pk")
        assert [len((entry.metadata or {})["ids"]) for entry in entries] == [1000, 1000, 501]

    def test_a_claim_may_run_out_before_its_voucher(self) -> None:
        voucher = make_voucher(state="published", valid_from=None, expires_at=None)
        late = VoucherClaim.objects.create(voucher=voucher, user=make_user(), expires_at=ago(minutes=1))
        VoucherClaim.objects.create(voucher=voucher, user=make_user(), expires_at=ahead(minutes=1))
        once("voucher-claims", 1)
        late.refresh_from_db()
        assert late.status == "expired"
        entry = AuditLog.objects.get(event_type="VOUCHER_CLAIMS_EXPIRED")
        assert (entry.action, entry.entity_type) == ("status_change", "leads.voucherclaim")
        assert entry.metadata == {"ids": [late.pk]}


class TestCredentials:
    def token(self, **fields: Any) -> OneTimeToken:
        defaults = {"purpose": "magic_link", "email": "a@example.org", "token_hash": f"{next(_numbers):064}"}
        return OneTimeToken.objects.create(**defaults | fields)

    def session(self, **fields: Any) -> UserSession:
        defaults = {"user": make_user(), "access_token_hash": f"{next(_numbers):064}", "expires_at": ahead(days=1)}
        return UserSession.objects.create(**defaults | fields)

    def test_used_and_expired_one_time_tokens_go_at_once(self) -> None:
        kept = self.token(expires_at=ahead(hours=1))
        self.token(expires_at=ago(minutes=1))
        self.token(expires_at=ahead(hours=1), used_at=ago(minutes=1))
        once("one-time-tokens", 2)
        assert OneTimeToken.objects.get() == kept

    def test_sessions_go_ninety_days_after_their_expiry_however_old_they_are(self) -> None:
        kept = [
            self.session(expires_at=ago(days=89), created_at=ago(days=900)),
            self.session(kind="refresh", expires_at=ahead(days=1), created_at=ago(days=900)),
        ]
        self.session(expires_at=ago(days=91), created_at=ago(days=92))
        self.session(kind="refresh", expires_at=ago(days=91))
        once("sessions", 2)
        assert set(UserSession.objects.all()) == set(kept)

    def test_the_days_are_a_setting(self) -> None:
        self.session(expires_at=ago(days=11))
        self.session(expires_at=ago(days=9))
        set_setting("retention.session_days", 10)
        once("sessions", 1)

    def test_expired_sessions_of_browsers_go(self) -> None:
        Session.objects.create(session_key="a", expire_date=ago(minutes=1))
        Session.objects.create(session_key="b", expire_date=ahead(minutes=1))
        once("browser-sessions", 1)
        assert Session.objects.get().session_key == "b"

    def test_a_session_loses_its_traces_thirty_days_after_its_last_activity(self) -> None:
        traces = {"ip_address": "203.0.113.9", "user_agent": "Browser"}
        active = self.session(created_at=ago(days=90), last_seen_at=ago(days=29), **traces)
        idle = self.session(created_at=ago(days=90), last_seen_at=ago(days=31), **traces)
        never_seen = self.session(created_at=ago(days=31), **traces)
        fresh = self.session(created_at=ago(days=29), **traces)
        once("session-traces", 2)
        told = dict(UserSession.objects.values_list("pk", "ip_address"))
        assert told[active.pk] == told[fresh.pk] == "203.0.113.9"
        assert told[idle.pk] is told[never_seen.pk] is None
        idle.refresh_from_db()
        assert idle.user_agent == ""

    def test_a_lead_loses_its_traces_after_ninety_days_and_does_not_count_as_changed(self) -> None:
        old = make_lead(created_at=ago(days=91), ip_address="203.0.113.9", user_agent="Browser")
        new = make_lead(created_at=ago(days=89), ip_address="203.0.113.9")
        before = old.updated_at
        once("lead-traces", 1)
        old.refresh_from_db()
        new.refresh_from_db()
        assert (old.ip_address, old.user_agent, old.updated_at) == (None, "", before)
        assert new.ip_address == "203.0.113.9"


class TestReservations:
    def reserved(self, until: Any, **fields: Any) -> Part:
        return make_part(status="RESERVED", reserved_until=until, **fields)

    def test_a_part_is_available_again_once_its_reservation_has_ended(self) -> None:
        ended = self.reserved(ago(days=30), is_listed=True)
        kept = [
            self.reserved(ahead(minutes=1)),
            self.reserved(None),
            self.reserved(ago(days=1), deleted_at=ago(days=2)),
        ]
        assert not Part.objects.public().exists()

        once("reservations", 1)

        assert Part.objects.public().get() == ended
        ended.refresh_from_db()
        assert (ended.status, ended.reserved_until) == ("AVAILABLE", None)
        assert set(Part.all_objects.filter(status="RESERVED")) == set(kept)

    def test_each_part_that_is_released_has_an_entry_in_the_audit_log(self) -> None:
        parts = [self.reserved(ago(days=1)) for _ in range(2)]
        once("reservations", 2)
        entries = AuditLog.objects.filter(event_type="PART_RELEASED")
        assert {entry.entity_id for entry in entries} == {part.public_id for part in parts}
        assert {tuple((entry.changes or {})["status"]) for entry in entries} == {("RESERVED", "AVAILABLE")}

    def test_any_number_of_them_is_released_in_batches(self) -> None:
        one = self.reserved(ago(days=1))
        fields = {f.attname: getattr(one, f.attname) for f in Part._meta.concrete_fields if f.attname != "id"}
        Part.objects.bulk_create(Part(**{**fields, "public_id": f"p{i}"}) for i in range(150))
        once("reservations", 151)

    @pytest.mark.postgres_only
    def test_those_that_are_due_are_found_by_their_index(self) -> None:
        due, free, later = self.reserved(ago(days=1)), make_part(), self.reserved(ahead(days=1))
        with many_rows():
            for start, (part, times) in enumerate(((due, 50), (free, 50_000), (later, 20_000)), start=1):
                key = f"{start}000000 + number"
                repeat(Part, part, times, id=key, public_id=f"'part-' || ({key})")
        plan = overdue_reservations(timezone.now()).order_by("pk")[:100].explain()
        assert "part_reserved_until" in plan


class TestParts:
    def sold(self, days: float, **fields: Any) -> Part:
        return make_part(status="SOLD", sold_at=ago(days=days), **fields)

    def test_they_go_seven_years_after_their_sale_whenever_they_were_made_or_changed(self) -> None:
        kept = [
            self.sold(YEARS - 1, created_at=ago(days=4000), updated_at=ago(days=4000)),
            make_part(created_at=ago(days=4000)),
        ]
        self.sold(YEARS + 1, created_at=ago(days=1), updated_at=ago(days=1))
        self.sold(YEARS + 1, deleted_at=ago(days=1))
        once("parts", 2)
        assert set(Part.all_objects.all()) == set(kept)

    @pytest.mark.parametrize("hold", ["legal_hold", "dispute"])
    def test_a_hold_keeps_them(self, hold: str) -> None:
        self.sold(YEARS + 1, hold=hold)
        once("parts", 0)
        assert Part.objects.count() == 1

    def test_pictures_and_names_in_other_services_go_along_and_links_are_emptied(self) -> None:
        part, other = self.sold(YEARS + 1), make_part()
        PartImage.objects.create(part=part, url="https://example.org/a.jpg")
        for number, target in enumerate((part, other)):
            Integration.objects.create(service="search", external_id=str(number), target=target)
        lead, event = make_lead(part=part), make_event(part=part, occurred_at=timezone.now())
        once("parts", 1)
        assert not PartImage.objects.exists()
        assert Integration.objects.get().target == other
        lead.refresh_from_db()
        event.refresh_from_db()
        assert (lead.part, event.part) == (None, None)

    def test_the_seller_keeps_the_count_of_sales(self) -> None:
        seller = make_seller(total_sales=3)
        for days in (YEARS + 2, YEARS + 1, 5):
            self.sold(days, seller=seller)
        once("parts", 2)
        seller.refresh_from_db()
        assert (seller.total_sales, seller.archived_sales) == (3, 2)


class TestVehicles:
    def old(self, **fields: Any) -> Vehicle:
        return make_vehicle(**{"acquired_at": ago(days=YEARS + 1), "created_at": ago(days=YEARS + 1)} | fields)

    def test_the_latest_of_acquisition_entry_and_deletion_counts(self) -> None:
        kept = [
            self.old(acquired_at=ago(days=YEARS - 1)),
            self.old(created_at=ago(days=1)),
            self.old(deleted_at=ago(days=1)),
        ]
        self.old()
        self.old(deleted_at=ago(days=YEARS + 1))
        once("vehicles", 2)
        assert set(Vehicle.all_objects.all()) == set(kept)

    def test_parts_that_are_needed_keep_it(self) -> None:
        for part in (
            {},
            {"deleted_at": ago(days=1)},
            {"status": "SOLD", "sold_at": ago(days=5)},
            {"status": "SOLD", "sold_at": ago(days=5), "deleted_at": ago(days=YEARS + 1)},
            {"deleted_at": ago(days=YEARS + 1), "hold": "dispute"},
        ):
            make_part(vehicle=self.old(), **part)
        once("vehicles", 0)
        assert Vehicle.objects.count() == 5

    def test_parts_deleted_long_ago_go_along(self) -> None:
        part = make_part(vehicle=self.old(), deleted_at=ago(days=YEARS + 1))
        PartImage.objects.create(part=part, url="https://example.org/a.jpg")
        once("vehicles", 1)
        assert not Part.all_objects.exists()
        assert not PartImage.objects.exists()

    def test_a_hold_keeps_it(self) -> None:
        self.old(hold="legal_hold")
        once("vehicles", 0)

    def test_it_goes_in_the_same_run_as_its_last_part(self) -> None:
        make_part(vehicle=self.old(), status="SOLD", sold_at=ago(days=YEARS + 1))
        assert (rows_of("parts"), rows_of("vehicles")) == (1, 1)
        assert not Vehicle.all_objects.exists()


class TestPeople:
    def gone(self, days: float = YEARS + 1, **fields: Any) -> User:
        user = make_user("SELLER", name="Ann Example", phone="+27 1", date_of_birth="1990-01-01", **fields)
        Seller.objects.create(owner=user, name="Ann's yard", description="Come in", phone="+27 2", city="Paarl")
        delete_user(user=user, now=ago(days=days))
        user.refresh_from_db(from_queryset=User.all_objects.all())
        return user

    def test_nothing_tells_any_more_who_they_were(self) -> None:
        user = self.gone(first_name="Ann", last_name="Example", avatar_url="https://example.org/ann.png")
        UserIdentity.objects.create(user=user, provider="google", provider_account_id="1")
        UserPreference.objects.create(user=user, language=make_language())
        OneTimeToken.objects.create(
            purpose="magic_link", email=user.email_before_delete, token_hash="1" * 64, expires_at=ahead(days=1)
        )
        SellerLocation.objects.create(seller=Seller.all_objects.get(), latitude=1, longitude=1)
        note = LeadNote.objects.create(lead=make_lead(), author=user, author_label="Ann Example", text="Called.")
        once("users", 1)
        user.refresh_from_db(from_queryset=User.all_objects.all())
        seller = Seller.all_objects.get()
        note.refresh_from_db()
        assert user.email == f"anonymous-{user.pk}@anonymous.invalid"
        assert (user.name, user.first_name, user.last_name, user.phone, user.avatar_url, user.email_before_delete) == (
            "Anonymous User", "", "", "", "", "",
        )  # fmt: skip
        assert user.date_of_birth is None
        assert user.anonymized_at is not None
        assert not user.has_usable_password()
        assert (seller.name, seller.description, seller.phone, seller.city) == ("Anonymous Business", "", "", "Paarl")
        assert note.author_label == "Anonymous User"
        for model in (UserIdentity, UserPreference, UserSession, OneTimeToken, SellerLocation):
            assert not model.objects.exists()

    def test_deletion_counts_and_not_when_they_came(self) -> None:
        self.gone(YEARS - 1, created_at=ago(days=9000))
        make_user(created_at=ago(days=9000))
        once("users", 0)

    def test_a_hold_or_an_active_seller_keeps_them(self) -> None:
        User.all_objects.filter(pk=self.gone().pk).update(hold="legal_hold")
        active = self.gone()
        Seller.all_objects.filter(owner=active).update(deleted_at=None)
        once("users", 0)
        Seller.all_objects.filter(owner=active).update(deleted_at=F("created_at"))
        once("users", 1)

    def test_many_who_were_made_in_one_moment_get_addresses_of_their_own(self) -> None:
        for number in range(3):
            self.gone(public_id=f"clx0000000000{number}")
        once("users", 3)
        assert User.all_objects.filter(name="Anonymous User").values("email").distinct().count() == 3


class TestThePast:
    @pytest.mark.parametrize(
        ("step", "make", "days"),
        [
            ("audit", lambda at: AuditLog.objects.create(action="other", created_at=at), 90),
            ("events", lambda at: make_event(occurred_at=at, created_at=timezone.now()), YEARS),
            ("page-views", lambda at: PageView.objects.create(path="/", created_at=at), YEARS),
            (
                "web-vitals",
                lambda at: WebVital.objects.create(name="LCP", value=1, rating="good", path="/", created_at=at),
                YEARS,
            ),
        ],
    )
    def test_what_is_older_than_its_setting_goes(self, step: str, make: Any, days: int) -> None:
        kept, gone = make(ago(days=days - 1)), make(ago(days=days + 1))
        once(step, 1)
        assert type(kept).objects.filter(pk=kept.pk).exists()
        assert not type(kept).objects.filter(pk=gone.pk).exists()

    def test_an_event_goes_by_when_it_occurred_and_not_by_when_it_was_written_down(self) -> None:
        make_event(occurred_at=timezone.now(), created_at=ago(days=YEARS + 1))
        once("events", 0)
        assert Event.objects.count() == 1


class TestDailyMetrics:
    def test_days_that_are_over_are_rolled_up_and_today_is_not(self) -> None:
        now = timezone.now()
        for days in (0, 2, 2, 3, 40):
            make_event(occurred_at=now - timedelta(days=days))
        once("daily-metrics", 3)
        assert sorted(rolled_up().values_list("value", flat=True)) == [1, 1, 2]

    def test_late_traces_are_for_the_next_run(self) -> None:
        at = ago(days=2)
        make_event(occurred_at=at)
        once("daily-metrics", 1)
        make_event(occurred_at=at)
        once("daily-metrics", 1)
        assert rolled_up().get().value == 2

    @pytest.mark.parametrize("step", ["", "events", "page-views"])
    def test_nothing_is_archived_that_is_not_rolled_up(self, step: str) -> None:
        car, at = make_car(), ago(days=YEARS + 2)
        for _ in range(2):
            make_event(event_type="CAR_VIEW", car=car, occurred_at=at)
        PageView.objects.create(path="/", created_at=at)
        done = run(*(["--only", step] if step else []))
        assert done.code == 0, done.output
        numbers = {(row.metric, row.object_id): row.value for row in DailyMetric.objects.all()}
        assert (numbers["CAR_VIEW", car.pk], numbers["events", None], numbers["page_views", None]) == (2, 2, 1)
        left = (Event.objects.count(), PageView.objects.count())
        assert left == {"": (0, 0), "events": (0, 1), "page-views": (2, 0)}[step]

    def test_what_retention_takes_of_a_day_stays_in_its_numbers(self) -> None:
        for hours in (49, 72):
            make_event(occurred_at=timezone.now().replace(hour=12) - timedelta(hours=hours))
        set_setting("retention.event_days", 1)
        run()
        numbers = list(rolled_up().order_by("day").values_list("value", flat=True))
        assert (Event.objects.count(), sum(numbers)) == (0, 2)
        assert (rows_of("daily-metrics", "--dry-run"), rows_of("daily-metrics")) == (0, 0)
        assert list(rolled_up().order_by("day").values_list("value", flat=True)) == numbers
