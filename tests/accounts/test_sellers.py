"""Sellers: owners, verification, plans, addresses, hours, positions and lists."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import queries, services
from accounts.models import Seller, SellerLocation, User
from accounts.models.sellers import BusinessType, Plan
from accounts.models.users import Role
from accounts.provinces import PROVINCES, south_african_province
from accounts.validators import WEEKDAYS, validate_business_hours, validate_polygon
from analytics.models import AuditLog
from analytics.settings import set_setting
from config.db.errors import Refused
from tests.builders import NOON, make_seller, make_user
from tests.races import at_the_same_time, before_the_commit

pytestmark = pytest.mark.django_db

CAPE_TOWN = (-33.9249, 18.4241)
# GeoJSON is [longitude, latitude]; 18 east, 34 south is in South Africa, 34 south read as a longitude is at sea.
AREA: dict[str, Any] = {
    "type": "Polygon",
    "coordinates": [
        [[18.0, -34.5], [19.0, -34.5], [19.0, -33.5], [18.0, -33.5], [18.0, -34.5]],
        [[18.4, -34.1], [18.6, -34.1], [18.6, -33.8], [18.4, -33.8], [18.4, -34.1]],
    ],
}


@pytest.fixture
def admin() -> User:
    return make_user(Role.ADMIN)


class TestOwners:
    def test_a_person_may_own_several(self) -> None:
        owner = make_user()
        services.create_seller(owner=owner, name="One")
        services.create_seller(owner=owner, name="Two")
        assert Seller.objects.filter(owner=owner).count() == 2

    def test_or_only_one_if_the_setting_says_so(self, settings: Settings) -> None:
        settings.ACCOUNTS_ONE_SELLER_PER_USER = True
        owner = make_user()
        seller = services.create_seller(owner=owner, name="One")
        with pytest.raises(Refused, match="one only"):
            services.create_seller(owner=owner, name="Two")
        with pytest.raises(ValidationError, match="one only"):
            Seller(owner=owner, name="Two").full_clean()
        seller.full_clean()
        services.delete_seller(seller=seller)
        services.create_seller(owner=owner, name="Two")

    def test_one_that_was_deleted_does_not_come_back_beside_another(self, settings: Settings) -> None:
        settings.ACCOUNTS_ONE_SELLER_PER_USER = True
        first = make_seller()
        services.delete_seller(seller=first)
        second = services.create_seller(owner=first.owner, name="Two")
        with pytest.raises(Refused, match="one only"):
            services.restore_seller(seller=first)
        services.delete_seller(seller=second)
        services.restore_seller(seller=first)
        assert list(Seller.objects.filter(owner=first.owner)) == [first]

    @pytest.mark.django_db(transaction=True)
    def test_of_two_that_come_back_at_once_one_does(self, settings: Settings) -> None:
        settings.ACCOUNTS_ONE_SELLER_PER_USER = True
        first = make_seller()
        second = make_seller(owner=first.owner)
        for seller in (first, second):
            services.delete_seller(seller=seller)
        result = before_the_commit(
            lambda: services.restore_seller(seller=first), lambda: services.restore_seller(seller=second)
        )
        assert isinstance(result, Refused)
        assert list(Seller.objects.all()) == [first]

    def test_a_text_that_is_too_long_is_refused_by_the_name_of_its_field(self) -> None:
        with pytest.raises(ValidationError) as refusal:
            services.create_seller(owner=make_user(), name="x" * 201)
        assert set(refusal.value.message_dict) == {"name"}
        assert not Seller.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_of_two_requests_at_once_one_makes_it(self, settings: Settings) -> None:
        settings.ACCOUNTS_ONE_SELLER_PER_USER = True
        owner = make_user()
        at_the_same_time(lambda: services.create_seller(owner=owner, name="Yard"), times=3)
        assert Seller.objects.filter(owner=owner).count() == 1


class TestVerification:
    def test_is_audited_and_told_to_the_owner_after_commit(
        self, admin: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        seller = make_seller(is_verified=False, name="Karoo Spares")
        with django_capture_on_commit_callbacks(execute=True):
            services.verify_seller(seller=seller, actor=admin, now=NOON)
            assert mail.outbox == []
        assert (seller.is_verified, seller.verified_at) == (True, NOON)
        (message,) = mail.outbox
        assert message.to == [seller.owner.email]
        assert "Karoo Spares" in message.body
        entry = AuditLog.objects.get(event_type="SELLER_VERIFIED")
        assert (entry.actor, entry.seller, entry.changes) == (admin, seller, {"is_verified": [False, True]})

        with django_capture_on_commit_callbacks(execute=True):
            services.unverify_seller(seller=seller, actor=admin)
        assert (seller.is_verified, seller.verified_at) == (False, None)
        assert len(mail.outbox) == 2

    def test_mails_have_the_sender_that_staff_have_set(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        def verify() -> mail.EmailMessage:
            with django_capture_on_commit_callbacks(execute=True):
                services.verify_seller(seller=make_seller(is_verified=False))
            message: mail.EmailMessage = mail.outbox.pop()
            return message

        before = verify()
        assert (before.from_email, before.reply_to) == (django_settings.DEFAULT_FROM_EMAIL, [])
        set_setting("mail.from_address", "desk@example.org")
        set_setting("mail.reply_to", "answers@example.org")
        after = verify()
        assert (after.from_email, after.reply_to) == ("desk@example.org", ["answers@example.org"])

    def test_a_mail_server_that_is_down_costs_the_mail_only(
        self, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        seller = make_seller(is_verified=False)
        with django_capture_on_commit_callbacks(execute=True):
            services.verify_seller(seller=seller)
        assert Seller.objects.get(pk=seller.pk).is_verified

    def test_a_state_that_is_there_already_is_refused_and_sends_no_mail(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        seller = make_seller(is_verified=True)
        with django_capture_on_commit_callbacks(execute=True), pytest.raises(Refused, match="verified already"):
            services.verify_seller(seller=seller)
        assert mail.outbox == []
        assert not AuditLog.objects.exists()


class TestPlan:
    def test_changes_are_audited(self, admin: User) -> None:
        seller = make_seller()
        services.change_plan(seller=seller, plan=Plan.ENTERPRISE, actor=admin)
        assert AuditLog.objects.get(event_type="SELLER_PLAN_CHANGED").changes == {"plan": ["STARTER", "ENTERPRISE"]}
        with pytest.raises(Refused, match="already"):
            services.change_plan(seller=seller, plan=Plan.ENTERPRISE, actor=admin)

    def test_only_an_administrator_may(self) -> None:
        seller = make_seller()
        with pytest.raises(Refused, match="administrator"):
            services.change_plan(seller=seller, plan=Plan.ENTERPRISE, actor=seller.owner)
        seller.refresh_from_db()
        assert seller.plan == Plan.STARTER


class TestOpening:
    def test_the_flag_is_audited_when_it_changes(self) -> None:
        seller = make_seller()
        assert seller.is_open
        services.set_seller_open(seller=seller, is_open=False)
        services.set_seller_open(seller=seller, is_open=False)
        assert not seller.is_open
        assert list(AuditLog.objects.values_list("event_type", flat=True)) == ["SELLER_CLOSED"]


class TestDeleting:
    def test_hides_and_restores(self) -> None:
        seller = make_seller()
        services.delete_seller(seller=seller, now=NOON)
        assert not Seller.objects.exists()
        with pytest.raises(Refused, match="deleted already"):
            services.delete_seller(seller=seller)
        services.restore_seller(seller=seller)
        assert list(Seller.objects.all()) == [seller]
        with pytest.raises(Refused, match="not deleted"):
            services.restore_seller(seller=seller)

    def test_the_translation_key_is_free_meanwhile_and_then_blocks_the_return(self) -> None:
        seller = make_seller(name_key="seller.karoo")
        services.delete_seller(seller=seller)
        make_seller(name_key="seller.karoo")
        with pytest.raises(Refused, match=r"seller\.karoo"):
            services.restore_seller(seller=seller)

    @pytest.mark.parametrize(
        "change",
        [
            services.verify_seller,
            services.unverify_seller,
            lambda seller: services.change_plan(seller=seller, plan=Plan.STARTER),
            lambda seller: services.change_plan(seller=seller, plan=Plan.ENTERPRISE),
            lambda seller: services.set_seller_open(seller=seller, is_open=False),
            lambda seller: services.record_position(seller=seller, latitude=1.0, longitude=1.0),
        ],
        ids=["verify", "unverify", "same plan", "another plan", "close", "position"],
    )
    def test_nothing_is_changed_about_a_deleted_one(self, change: Any) -> None:
        seller = make_seller()
        services.delete_seller(seller=seller)
        before = Seller.all_objects.filter(pk=seller.pk).values().get()
        with pytest.raises(Refused, match="is deleted"):
            change(seller=seller)
        assert Seller.all_objects.filter(pk=seller.pk).values().get() == before
        assert not SellerLocation.objects.exists()

    def test_a_seller_of_a_deleted_person_stays_hidden(self) -> None:
        seller = make_seller()
        services.delete_user(user=seller.owner)
        seller = Seller.all_objects.get(pk=seller.pk)
        with pytest.raises(Refused, match="deleted person"):
            services.restore_seller(seller=seller)


class TestProvinces:
    @pytest.mark.parametrize(
        ("written", "official"),
        [
            ("WC", "Western Cape"),
            ("w. cape", "Western Cape"),
            (" western cape ", "Western Cape"),
            ("KZN", "KwaZulu-Natal"),
            ("Kwazulu Natal", "KwaZulu-Natal"),
            ("GP", "Gauteng"),
            ("E.C.", "Eastern Cape"),
            ("N/West", "North West"),
            ("Vrystaat", "Free State"),
            ("Limpopo Province", "Limpopo"),
            ("MP", "Mpumalanga"),
            ("nc", "Northern Cape"),
            ("Uusimaa", "Uusimaa"),
            ("", ""),
        ],
    )
    def test_get_their_official_names(self, written: str, official: str) -> None:
        assert south_african_province(written) == official

    def test_official_names_stay(self) -> None:
        assert [south_african_province(name) for name in PROVINCES] == list(PROVINCES)
        assert len(PROVINCES) == 9

    def test_whoever_saves_a_south_african_seller_normalises(self) -> None:
        assert make_seller(province="wc").province == "Western Cape"
        assert make_seller(province="wc", country="FI").province == "wc"


class TestBusinessHours:
    CLOSED = {day: {"isOpen": False} for day in WEEKDAYS}

    def test_a_week_is_accepted(self) -> None:
        validate_business_hours(self.CLOSED | {"monday": {"isOpen": True, "openTime": "08:00", "closeTime": "17:30"}})

    @pytest.mark.parametrize(
        "monday",
        [
            {"isOpen": True},
            {"isOpen": True, "openTime": "08:00"},
            {"isOpen": True, "openTime": "17:00", "closeTime": "08:00"},
            {"isOpen": True, "openTime": "08:00", "closeTime": "08:00"},
            {"isOpen": True, "openTime": "8:00", "closeTime": "17:00"},
            {"isOpen": True, "openTime": "08:00", "closeTime": "24:00"},
            {"isOpen": True, "openTime": "08:00", "closeTime": "17:00\n"},
            {"isOpen": "yes"},
            {},
            None,
            "closed",
        ],
    )
    def test_a_day_that_cannot_be_is_refused(self, monday: Any) -> None:
        with pytest.raises(ValidationError, match="monday"):
            validate_business_hours(self.CLOSED | {"monday": monday})

    @pytest.mark.parametrize(
        "week", [{}, {"monday": {"isOpen": False}}, CLOSED | {"holiday": {"isOpen": False}}, [], 7]
    )
    def test_other_than_seven_days_are_refused(self, week: Any) -> None:
        with pytest.raises(ValidationError, match="seven days"):
            validate_business_hours(week)


class TestPositions:
    def test_the_newest_fix_is_the_last_known_one_in_whichever_order_they_come(self) -> None:
        seller = make_seller()
        services.record_position(seller=seller, latitude=1.0, longitude=2.0, recorded_at=NOON, now=NOON)
        services.record_position(
            seller=seller, latitude=3.0, longitude=4.0, recorded_at=NOON - timedelta(minutes=1), now=NOON
        )
        assert (seller.last_latitude, seller.last_longitude, seller.last_seen_at) == (1.0, 2.0, NOON)
        assert SellerLocation.objects.filter(seller=seller).count() == 2

    def test_zero_is_a_position(self) -> None:
        seller = make_seller()
        services.record_position(seller=seller, latitude=0.0, longitude=0.0, recorded_at=NOON, now=NOON)
        assert (seller.last_latitude, seller.last_longitude) == (0.0, 0.0)

    def test_a_fix_from_the_future_is_refused(self) -> None:
        seller = make_seller()
        with pytest.raises(Refused, match="future"):
            services.record_position(
                seller=seller, latitude=1.0, longitude=2.0, recorded_at=NOON + timedelta(hours=1), now=NOON
            )
        assert not SellerLocation.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_of_fixes_that_arrive_together_the_newest_stays(self) -> None:
        seller = make_seller()

        def fix(minute: int) -> Any:
            return lambda: services.record_position(
                seller=Seller.objects.get(pk=seller.pk),
                latitude=float(minute),
                longitude=0.0,
                recorded_at=NOON + timedelta(minutes=minute),
                now=NOON + timedelta(hours=1),
            )

        at_the_same_time(fix(2), fix(3), fix(1))
        seller.refresh_from_db()
        assert (seller.last_latitude, seller.last_seen_at) == (3.0, NOON + timedelta(minutes=3))


def nearest(latitude: float, longitude: float) -> list[Seller]:
    """Return the sellers around a point, nearest first."""
    return [Seller.objects.get(public_id=near.public_id) for near in queries.nearby_sellers(latitude, longitude)]


class TestNearby:
    def test_nearest_first_with_the_distance(self) -> None:
        far = make_seller(latitude=-33.9249, longitude=18.5241)
        near = make_seller(latitude=-33.9249, longitude=18.4341)
        make_seller(latitude=-33.9249, longitude=18.6241)
        found = queries.nearby_sellers(*CAPE_TOWN)
        assert [seller.public_id for seller in found] == [near.public_id, far.public_id]
        # One degree of longitude at this latitude is 92.27 km.
        assert [round(seller.distance_km, 2) for seller in found] == [0.92, 9.23]

    def test_the_box_is_as_wide_as_the_circle_far_from_the_equator(self) -> None:
        # At 60 degrees a degree of longitude is half as long: 9.9 km east are 0.178 degrees, not 0.09.
        seller = make_seller(latitude=60.0, longitude=25.178)
        assert nearest(60.0, 25.0) == [seller]

    def test_across_the_180th_meridian(self) -> None:
        east, west = make_seller(latitude=-17.0, longitude=-179.97), make_seller(latitude=-17.0, longitude=179.96)
        assert nearest(-17.0, 179.99) == [west, east]

    def test_around_a_pole_and_at_zero(self) -> None:
        pole = make_seller(latitude=89.95, longitude=-120.0)
        zero = make_seller(latitude=0.0, longitude=0.0)
        assert nearest(89.99, 60.0) == [pole]
        (found,) = queries.nearby_sellers(0.0, 0.0)
        assert (found.public_id, found.distance_km) == (zero.public_id, 0)

    @pytest.mark.parametrize("degrees", [5e-324, -1e-200, 1e-12])
    def test_numbers_too_small_to_be_squared_are_zero_degrees(self, degrees: float) -> None:
        stored = make_seller(latitude=degrees, longitude=-degrees)
        for place in ((0.0, 0.0), (-degrees, degrees)):
            (found,) = queries.nearby_sellers(*place)
            assert (found.public_id, found.distance_km) == (stored.public_id, 0)

    def test_the_corner_of_the_box_is_outside_the_circle(self) -> None:
        make_seller(latitude=0.08, longitude=0.08)
        assert not queries.nearby_sellers(0.0, 0.0)

    def test_only_what_the_public_may_see_and_at_most_the_limit(self) -> None:
        make_seller(latitude=0.0, longitude=0.0, is_verified=False)
        make_seller(latitude=0.0, longitude=0.0, is_active=False)
        services.delete_seller(seller=make_seller(latitude=0.0, longitude=0.0))
        make_seller()
        assert not queries.nearby_sellers(0.0, 0.0)
        for _ in range(3):
            make_seller(latitude=0.0, longitude=0.0)
        assert len(queries.nearby_sellers(0.0, 0.0, limit=2)) == 2

    def test_a_mobile_vendor_is_where_it_was_seen_last(self) -> None:
        vendor = make_seller(business_type="MOBILE_VENDOR", latitude=0.0, longitude=0.0)
        assert nearest(0.0, 0.0) == [vendor]
        services.record_position(seller=vendor, latitude=5.0, longitude=5.0, recorded_at=NOON, now=NOON)
        assert not queries.nearby_sellers(0.0, 0.0)
        assert nearest(5.0, 5.0) == [vendor]

    def test_takes_one_query(self) -> None:
        make_seller(latitude=0.0, longitude=0.0)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            queries.nearby_sellers(0.0, 0.0)
        assert len(captured) == 1

    @pytest.mark.parametrize(("latitude", "longitude"), [(90.1, 0), (0, 180.1), (float("nan"), 0)])
    def test_a_point_that_is_nowhere_is_an_error(self, latitude: float, longitude: float) -> None:
        with pytest.raises(ValueError, match="not a position"):
            queries.nearby_sellers(latitude, longitude)

    def test_a_rectangle_also_across_the_180th_meridian(self) -> None:
        inside, outside = make_seller(latitude=-17.0, longitude=-179.0), make_seller(latitude=-17.0, longitude=0.0)
        assert list(queries.sellers_in_rectangle(north=-10, east=-170, south=-20, west=170)) == [inside]
        assert list(queries.sellers_in_rectangle(north=-10, east=10, south=-20, west=-10)) == [outside]
        with pytest.raises(ValueError, match="north"):
            queries.sellers_in_rectangle(north=-20, east=10, south=-10, west=-10)


class TestServiceArea:
    @pytest.mark.parametrize(
        ("latitude", "longitude", "served"),
        [
            (-34.3, 18.2, True),
            (-34.5, 18.5, True),  # on the outer edge
            (-33.9, 18.5, False),  # in the hole
            (-33.9, 18.4, True),  # on the hole's edge
            (-33.0, 18.5, False),
            (18.5, -34.0, False),  # longitude and latitude swapped
        ],
    )
    def test_serves_what_lies_in_the_ring_and_not_in_a_hole(
        self, latitude: float, longitude: float, served: bool
    ) -> None:
        seller = make_seller(service_area=AREA)
        make_seller()
        assert queries.sellers_serving(latitude, longitude) == ([seller] if served else [])

    def test_stops_at_the_limit(self) -> None:
        for _ in range(3):
            make_seller(service_area=AREA)
        assert len(queries.sellers_serving(-34.3, 18.2, limit=2)) == 2

    def test_a_polygon_is_accepted(self) -> None:
        validate_polygon(AREA)

    @pytest.mark.parametrize(
        "area",
        [
            {"type": "Point", "coordinates": [18.0, -34.0]},
            {"type": "Polygon"},
            {"type": "Polygon", "coordinates": 5},
            {"type": "Polygon", "coordinates": []},
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0], [0, 0]]]},
            {"type": "Polygon", "coordinates": [[[0, 0], [-33.9, 181], [1, 1], [0, 0]]]},
            {"type": "Polygon", "coordinates": [[[0, 0], ["1", 0], [1, 1], [0, 0]]]},
            {"type": "Polygon", "coordinates": [[[0, 0, nan], [1, 0], [1, 1], [0, 0, nan]]]},
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 0, inf], [1, 1], [0, 0]]]},
            "POLYGON((0 0, 1 0, 1 1, 0 0))",
        ],
    )
    def test_what_is_no_polygon_is_refused(self, area: Any) -> None:
        with pytest.raises(ValidationError):
            validate_polygon(area)


class TestLists:
    def test_verified_first_then_rating_then_sales(self) -> None:
        expected = [
            make_seller(rating=Decimal("4.5"), total_sales=9),
            make_seller(rating=Decimal("4.5"), total_sales=2),
            make_seller(rating=Decimal("0.00")),
            make_seller(rating=None, total_sales=99),
            make_seller(is_verified=False, rating=Decimal("5.00")),
        ]
        make_seller(is_active=False)
        assert list(queries.public_sellers()) == expected

    def test_narrowed_by_place_type_and_verification(self) -> None:
        seller = make_seller(province="WC", city="Cape Town", business_type="DEALER")
        make_seller(province="GP", city="Soweto", business_type="DISMANTLER", is_verified=False)
        for narrowing in (
            {"province": "Western Cape"},
            {"city": "Cape Town"},
            {"business_type": "DEALER"},
            {"verified": True},
        ):
            assert list(queries.public_sellers(queries.SellerFilters(**narrowing))) == [seller]

    def test_a_list_loads_no_long_texts(self) -> None:
        make_seller(description="x" * 1000)
        with CaptureQueriesContext(connection) as captured:
            list(queries.public_sellers())
        assert 'description"' not in captured[0]["sql"]
        assert len(captured) == 1

    def test_places_of_verified_sellers_in_order_and_once(self) -> None:
        make_seller(province="WC", city="Paarl")
        make_seller(province="WC", city="Cape Town")
        make_seller(province="GP", city="Soweto")
        make_seller(province="GP", city="")
        make_seller(province="LP", city="Polokwane", is_verified=False)
        assert queries.provinces() == ["Gauteng", "Western Cape"]
        assert queries.cities() == ["Cape Town", "Paarl", "Soweto"]
        assert queries.cities(province="Western Cape") == ["Cape Town", "Paarl"]


@pytest.mark.parametrize("business_type", BusinessType.values)
@pytest.mark.parametrize("fixed", [(None, None), (60.0, 24.0)])
@pytest.mark.parametrize("last", [(None, None), (61.0, 25.0)])
def test_a_seller_is_at_the_same_place_on_its_page_in_lists_and_in_searches_by_place(
    business_type: str, fixed: tuple[Any, Any], last: tuple[Any, Any]
) -> None:
    seller = make_seller(
        business_type=business_type,
        latitude=fixed[0],
        longitude=fixed[1],
        last_latitude=last[0],
        last_longitude=last[1],
        last_seen_at=NOON if last[0] else None,
    )
    page = queries.seller_by_id(seller.public_id)
    assert page is not None
    place = (page.latitude, page.longitude)

    assert place == (last if business_type == BusinessType.MOBILE_VENDOR and last[0] else fixed)
    for card in (*queries.seller_list().items, *queries.seller_cards([seller.pk])):
        assert (card.latitude, card.longitude) == place
    for point in (fixed, last):
        if point[0] is not None:
            near = queries.nearby_sellers(*point, radius_km=1)
            assert [(each.latitude, each.longitude) for each in near] == ([place] if place == point else [])
