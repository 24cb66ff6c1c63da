"""Where each column of PartPal's file lands, and what is said when a value could not stay as it was."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Seller, User, UserSession
from analytics.models import AuditLog, Event
from config.db.errors import Refused
from config.ops.transfer.partpal import COLUMNS, PartPal
from config.ops.transfer.partpal.checking import time_cell
from config.ops.transfer.partpal.contacts import country_code, international_phone, web_address
from config.ops.transfer.partpal.quick import UNUSUAL, quick_time
from inventory.models import Category, Part, PartImage, Vehicle
from tests.transfer.carrying import NOW, Carried, carry, load
from tests.transfer.partpal_file import NOON, PASSWORD, PASSWORD_HASH, TABLES, PartPalFile, Raw, layout

needs_postgresql = [pytest.mark.django_db, pytest.mark.postgres_only]

AT_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = AT_NOON + timedelta(milliseconds=1500)


@pytest.fixture
def file(tmp_path: Path) -> PartPalFile:
    return PartPalFile(tmp_path / "dev.db")


def moved(file: PartPalFile, **options: Any) -> Carried:
    """Carry the file and load what came out of it into the database under test."""
    carried = carry(file.write(), **options)
    load(carried)
    assert carried.unlike == []
    return carried


def only(file: PartPalFile, table: str, **values: Any) -> list[tuple[str, str]]:
    """Return column and reason of what is found in one row with these values."""
    name = file.add(table, **values)
    return [(column, reason) for row, column, reason in carry(file.write()).found(table) if row == name]


class TestUsers:
    pytestmark = needs_postgresql

    def test_every_column_lands(self, file: PartPalFile) -> None:
        name = file.add(
            "users",
            email="aino@posti.fi",
            name="Aino Inkeri Virtanen",
            role="ADMIN",
            emailVerified="2026-03-01 08:00:00",
        )
        assert moved(file).findings == []
        user = User.objects.get(public_id=name)
        assert (user.email, user.name, user.first_name, user.last_name) == (
            *("aino@posti.fi", "Aino Inkeri Virtanen"),
            *("Aino", "Inkeri Virtanen"),
        )
        assert (user.role, user.is_staff, user.is_superuser, user.is_active) == ("ADMIN", True, False, True)
        assert (user.status, user.is_verified) == ("active", True)
        assert user.email_verified_at == datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        assert (user.created_at, user.updated_at) == (AT_NOON, LATER)
        assert (user.anonymized_at, user.deleted_at, user.last_login) == (None, None, None)

    def test_the_password_keeps_working(self, file: PartPalFile) -> None:
        file.add("users", email="aino@posti.fi", password=PASSWORD_HASH)
        moved(file)
        assert User.objects.get().password == f"bcrypt${PASSWORD_HASH}"
        assert authenticate(username="aino@posti.fi", password="wrong") is None
        assert authenticate(username="Aino@Posti.fi", password=PASSWORD) == User.objects.get()

    @pytest.mark.parametrize("mark", ["[REDACTED]", "[DELETED]"])
    def test_an_anonymized_person_is_closed(self, file: PartPalFile, mark: str) -> None:
        name = file.add("users", password=mark)
        assert moved(file).found() == [(name, "password", "anonymized")]
        user = User.objects.get()
        assert (user.is_active, user.anonymized_at, user.has_usable_password()) == (False, LATER, False)

    def test_what_is_no_bcrypt_hash_is_no_password_and_is_shown_to_nobody(self, file: PartPalFile) -> None:
        name = file.add("users", password="md5$abc")
        carried = moved(file)
        assert carried.found() == [(name, "password", "no_password")]
        assert carried.findings[0].secret
        user = User.objects.get()
        assert (user.is_active, user.has_usable_password()) == (True, False)

    def test_two_runs_give_the_same_unusable_password(self, file: PartPalFile) -> None:
        file.add("users", password="md5$abc")
        path = file.write()
        assert carry(path).lines == carry(path).lines

    @pytest.mark.parametrize(
        ("word", "role"),
        [
            *(("SUPER_ADMIN", "SUPER_ADMIN"), ("admin", "ADMIN"), ("business", "SELLER"), ("customer", "BUYER")),
            *(("USER", "BUYER"), ("VIEWER", "VIEWER"), ("Seller", "SELLER")),
        ],
    )
    def test_a_role_is_known_by_its_words(self, file: PartPalFile, word: str, role: str) -> None:
        file.add("users", role=word)
        assert moved(file).findings == []
        assert User.objects.get().role == role

    def test_an_unknown_role_is_a_buyer_and_noted(self, file: PartPalFile) -> None:
        name = file.add("users", role="wizard")
        assert moved(file).found() == [(name, "role", "unknown_word")]
        assert User.objects.get().role == "BUYER"

    def test_who_confirmed_the_address_and_is_not_verified_may_have_been_shut_out(self, file: PartPalFile) -> None:
        file.add("users", isVerified=0)
        name = file.add("users", isVerified=0, emailVerified=NOON)
        assert moved(file).found() == [(name, "isVerified", "maybe_disabled")]
        assert set(User.objects.values_list("status", "is_verified")) == {("unconfirmed", False)}

    def test_an_address_is_kept_as_it_is_compared(self, file: PartPalFile) -> None:
        name = file.add("users", email=" Käyttäjä@Posti.FI ")
        assert moved(file).found() == [(name, "email", "normalized")]
        assert User.objects.get().email == "käyttäjä@posti.fi"

    @pytest.mark.parametrize(
        ("emails", "keeper"),
        [
            (["AINO@posti.fi", "aino@posti.fi"], 1),
            (["AINO@POSTI.FI", "Aino@posti.fi", "AiNo@Posti.fi"], 1),
            (["Aino@posti.fi", "aIno@posti.fi"], 0),
        ],
    )
    def test_of_addresses_that_differ_in_case_one_stays(
        self, file: PartPalFile, emails: list[str], keeper: int
    ) -> None:
        names = [file.add("users", email=email) for email in emails]
        carried = moved(file)
        others = [(name, "email", "duplicate_email") for place, name in enumerate(names) if place != keeper]
        assert carried.found("users", "bad") == others
        assert all(names[keeper] in finding.message for finding in carried.findings if finding.outcome == "bad")
        assert User.objects.get().public_id == names[keeper]

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            *(("email", "  ", "missing"), ("email", "x" * 260, "too_long"), ("name", "Ä" * 201, "too_long")),
            *(("name", "before\0after", "nul_byte"), ("name", Raw(b"H\xe4m\xe4l\xe4inen"), "invalid_utf8")),
            *(("name", Raw(b"broken \xed\xa0\xbd emoji"), "invalid_utf8"), ("name", b"bytes", "wrong_type")),
            *(("isVerified", "maybe", "not_a_boolean"), ("isVerified", 2, "not_a_boolean")),
            *(("createdAt", "not a date", "not_a_time"), ("createdAt", 253_402_300_800_000, "out_of_range")),
            *(("emailVerified", "0000-00-00 00:00:00", "not_a_time"), ("emailVerified", -(2**63), "out_of_range")),
            *(("updatedAt", Raw(b"\xff"), "invalid_utf8"), ("role", "AD\0MIN", "nul_byte")),
        ],
    )
    def test_a_row_that_would_need_an_invention_stays_behind(
        self, file: PartPalFile, column: str, value: Any, reason: str
    ) -> None:
        name = file.add("users", **{column: value})
        carried = moved(file)
        assert (name, column, reason) in carried.found("users", "bad")
        assert carried.outcomes["users"] == {1: "bad"}

    def test_an_id_longer_than_ids_are_stays_behind(self, file: PartPalFile) -> None:
        assert only(file, "users", id="x" * 37) == [("id", "too_long")]
        assert only(file, "users", id="") == [("id", "missing")]

    def test_a_name_without_a_blank_or_with_endless_parts_is_only_a_name(self, file: PartPalFile) -> None:
        file.add("users", name="Madonna")
        file.add("users", name="x" * 160 + " y")
        assert moved(file).findings == []
        names = User.objects.order_by("id").values_list("first_name", "last_name")
        assert list(names) == [("Madonna", ""), ("", "")]

    def test_all_truths_are_understood(self, file: PartPalFile) -> None:
        for truth in ("true", "T", 1, "false", "f", 0):
            file.add("users", isVerified=truth)
        assert moved(file).findings == []
        assert list(User.objects.order_by("id").values_list("is_verified", flat=True)) == [True] * 3 + [False] * 3


class TestTimes:
    @pytest.mark.parametrize(
        ("value", "cell"),
        [
            (1_704_164_645_120, "2024-01-02 03:04:05.12+00"),
            (1_704_164_645, "2024-01-02 03:04:05+00"),
            (99_999_999_999, "5138-11-16 09:46:39+00"),
            (100_000_000_000, "1973-03-03 09:46:40+00"),
            (-100_000_000_000, "1966-10-31 14:13:20+00"),
            (0, "1970-01-01 00:00:00+00"),
            (1_704_164_645_120.25, "2024-01-02 03:04:05.12025+00"),
            ("2024-01-02 03:04:05", "2024-01-02 03:04:05+00"),
            ("2024-01-02T03:04:05.120Z", "2024-01-02 03:04:05.12+00"),
            ("2024-01-02T03:04:05.120+00:00", "2024-01-02 03:04:05.12+00"),
            ("2024-01-02T03:04:05-05:30", "2024-01-02 08:34:05+00"),
            ("2024-01-02T03:04:05.123456 +02", "2024-01-02 01:04:05.123456+00"),
            ("2024-01-02 03:04", "2024-01-02 03:04:00+00"),
            (" 2024-01-02 ", "2024-01-02 00:00:00+00"),
        ],
    )
    def test_milliseconds_seconds_and_text_of_one_column_are_understood(self, value: Any, cell: str) -> None:
        assert time_cell(value) == cell

    @pytest.mark.parametrize(
        "value", ["", "not a date", "2024-02-30", "2024-01-02 25:00", "20240102", "2024-W01-1", b"x"]
    )
    def test_what_is_no_time_is_none(self, value: Any) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - who asked says what is wrong
            time_cell(value)

    @pytest.mark.parametrize(
        "value",
        [
            *(253_402_300_800_000, 253_402_300_799_000, 2**63 - 1, -(2**63), 1e300, "0001-01-01T00:00:00+01:00"),
            *("9999-12-31 23:59:59", "9999-12-31T23:59:59-10:00", "0001-01-01"),
        ],
    )
    def test_times_that_some_zone_has_outside_of_the_calendar_are_none(self, value: Any) -> None:
        with pytest.raises(OverflowError):
            time_cell(value)

    @given(
        st.integers(-(10**15), 10**15)
        | st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat(" "))
        | st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds", sep=" "))
        | st.text(st.sampled_from("0123456789-:T .Z+"), max_size=30)
    )
    def test_the_short_way_leads_where_the_careful_one_does(self, value: Any) -> None:
        try:
            quickly = quick_time(value)
        except UNUSUAL:
            return
        assert quickly == time_cell(value)

    @pytest.mark.parametrize("value", [0, "", "later", -(2**63)])
    @pytest.mark.django_db
    @pytest.mark.postgres_only
    def test_an_unreadable_last_change_is_the_time_of_creation(self, file: PartPalFile, value: Any) -> None:
        name = file.add("users", updatedAt=value)
        assert moved(file).found() == [(name, "updatedAt", "no_time")]
        assert User.objects.get().updated_at == AT_NOON

    def test_what_is_finer_than_a_microsecond_is_cut_and_noted(self, file: PartPalFile) -> None:
        assert only(file, "users", createdAt="2024-01-02T03:04:05.1234567Z") == [("createdAt", "rounded")]
        assert only(file, "users", createdAt="2024-01-02T03:04:05.1234560Z") == []


class TestRefreshTokens:
    pytestmark = needs_postgresql

    def test_a_token_is_kept_as_its_hash(self, file: PartPalFile) -> None:
        name = file.add("refresh_tokens", token="eyJhbGciOi")
        moved(file)
        session = UserSession.objects.get()
        assert (session.public_id, session.kind, session.user_id) == (name, "refresh", User.objects.get().pk)
        assert session.refresh_token_hash == hashlib.sha256(b"eyJhbGciOi").hexdigest()
        assert session.access_token_hash is None
        assert session.expires_at == AT_NOON + timedelta(milliseconds=10**12)
        assert session.created_at == AT_NOON

    def test_those_that_are_over_are_left_out_unless_asked_for(self, file: PartPalFile) -> None:
        name = file.add("refresh_tokens", expiresAt=int(NOW.timestamp() * 1000))
        carried = carry(file.write())
        assert carried.found() == [(name, "expiresAt", "expired")]
        assert carried.outcomes["refresh_tokens"] == {1: "left out"}
        assert carry(file.path, keep_expired=True).outcomes["refresh_tokens"] == {1: "moved"}

    def test_a_token_of_a_bad_user_hangs_on_that_user(self, file: PartPalFile) -> None:
        user = file.add("users", name="x" * 300)
        file.add("refresh_tokens", userId=user)
        carried = moved(file)
        assert carried.outcomes["refresh_tokens"] == {1: "hanging"}
        assert carried.findings[-1].because_of == f"users {user}"

    def test_a_bad_token_is_shown_to_nobody(self, file: PartPalFile) -> None:
        file.add("refresh_tokens", token="se\0cret")
        (finding,) = moved(file).findings
        assert (finding.column, finding.reason, finding.secret) == ("token", "nul_byte", True)

    def test_an_orphan_stays_behind(self, file: PartPalFile) -> None:
        assert only(file, "refresh_tokens", userId="nobody") == [("userId", "orphan")]


class TestCategories:
    pytestmark = needs_postgresql

    def test_children_may_come_before_their_parents(self, file: PartPalFile) -> None:
        file.add("categories", id="c", name="Front doors", parentId="b", description="Of all cars")
        file.add("categories", id="b", name="Doors", parentId="a", isActive="false")
        file.add("categories", id="a", name="Körper & Teile")
        assert moved(file).findings == []
        rows = Category.objects.order_by("level").values_list("public_id", "slug", "level", "path", "parent__public_id")
        assert list(rows) == [
            ("a", "korper-teile", 1, "korper-teile/", None),
            ("b", "doors", 2, "korper-teile/doors/", "a"),
            ("c", "front-doors", 3, "korper-teile/doors/front-doors/", "b"),
        ]
        assert Category.objects.get(public_id="c").description == "Of all cars"
        assert [category.is_active for category in Category.objects.order_by("level")] == [True, False, True]
        assert {category.created_at for category in Category.objects.all()} == {NOW}

    def test_slugs_are_told_apart(self, file: PartPalFile) -> None:
        for name in ("Doors", "Doors!", "门", "窗"):
            file.add("categories", name=name)
        moved(file)
        assert set(Category.objects.values_list("slug", flat=True)) == {"doors", "doors-1", "category", "category-1"}

    def test_a_ring_is_cut_at_its_first_row(self, file: PartPalFile) -> None:
        for name, parent in (("a", "d"), ("b", "c"), ("c", "d"), ("d", "b"), ("e", "e")):
            file.add("categories", id=name, name=name, parentId=parent)
        carried = moved(file)
        assert carried.found() == [("b", "parentId", "cycle"), ("e", "parentId", "cycle")]
        assert set(Category.objects.values_list("public_id", "path")) == {
            *(("a", "b/d/a/"), ("b", "b/"), ("c", "b/d/c/"), ("d", "b/d/"), ("e", "e/")),
        }

    def test_a_missing_or_bad_parent_makes_a_root(self, file: PartPalFile) -> None:
        file.add("categories", id="a", name="x" * 101)
        file.add("categories", id="b", name="b", parentId="a")
        file.add("categories", id="c", name="c", parentId="nowhere")
        carried = moved(file)
        assert carried.found("categories", "bad") == [("a", "name", "too_long")]
        assert carried.found("categories", "note") == [
            ("b", "parentId", "hangs_on_bad_row"),
            ("c", "parentId", "unresolved"),
        ]
        assert set(Category.objects.values_list("path", flat=True)) == {"b/", "c/"}

    def test_of_names_that_differ_in_case_one_stays(self, file: PartPalFile) -> None:
        file.add("categories", id="a", name="ÖLJY")
        file.add("categories", id="b", name="öljy")
        assert moved(file).found() == [("a", "name", "duplicate_name")]

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [("name", " ", "missing"), ("parentId", Raw(b"\xff"), "invalid_utf8"), ("isActive", 7, "not_a_boolean")],
    )
    def test_a_bad_category_makes_roots_of_its_children(
        self, file: PartPalFile, column: str, value: Any, reason: str
    ) -> None:
        file.add("categories", id="b", name="b", parentId="a")
        file.add("categories", id="a", **{"name": "a", column: value})
        assert moved(file).found() == [("b", "parentId", "hangs_on_bad_row"), ("a", column, reason)]
        assert Category.objects.get().path == "b/"

    def test_a_path_that_does_not_fit_keeps_its_category_behind(self, file: PartPalFile) -> None:
        parent = None
        for number in range(12):
            parent = file.add("categories", id=f"c{number}", name=f"{number:x<98}", parentId=parent)
        carried = moved(file)
        assert carried.found() == [("c10", "parentId", "too_long"), ("c11", "parentId", "hangs_on_bad_row")]
        assert Category.objects.get(public_id="c11").level == 1


class TestSellers:
    pytestmark = needs_postgresql

    def test_every_column_lands(self, file: PartPalFile) -> None:
        hours = {"monday": {"isOpen": True, "openTime": "08:00", "closeTime": "17:00"}}
        name = file.add(
            "sellers",
            businessName="Autopurkamo Öhman",
            businessType="DISMANTLER",
            description="All makes",
            isVerified=1,
            rating=4.8,
            totalSales=0,
            subscriptionPlan="ENTERPRISE",
            street="Mäkelänkatu 1",
            city="Helsinki",
            province="Uusimaa",
            postalCode="00100",
            country="Suomi",
            latitude=0.0,
            longitude=-18.4241,
            phone="+358401234567",
            whatsapp="+358401234568",
            website="https://example.org/",
            businessHours=json.dumps(hours),
            email="shop@example.org",
        )
        assert moved(file).findings == []
        seller = Seller.objects.get()
        assert (seller.public_id, seller.owner) == (name, User.objects.get())
        assert (seller.name, seller.business_type, seller.description) == (
            "Autopurkamo Öhman",
            "DISMANTLER",
            "All makes",
        )
        assert (seller.is_verified, seller.rating, seller.total_sales) == (True, Decimal("4.80"), 0)
        assert (seller.plan, seller.street, seller.city) == ("ENTERPRISE", "Mäkelänkatu 1", "Helsinki")
        assert (seller.province, seller.postal_code, seller.country) == ("Uusimaa", "00100", "FI")
        assert (seller.latitude, seller.longitude) == (0.0, -18.4241)
        assert (seller.phone, seller.whatsapp) == ("+358401234567", "+358401234568")
        assert (seller.website, seller.email) == ("https://example.org/", "shop@example.org")
        assert seller.business_hours == hours
        assert (seller.created_at, seller.updated_at) == (AT_NOON, LATER)
        assert (seller.is_open, seller.is_active, seller.timezone) == (True, True, "Africa/Johannesburg")

    def test_contacts_are_brought_into_form_and_noted(self, file: PartPalFile) -> None:
        name = file.add(
            "sellers",
            phone="021 555 0123",
            whatsapp="ring the bell",
            website="www.example.co.za/parts",
            email="Shop@Example.co.za",
            province="WC",
        )
        assert sorted(moved(file).found()) == [
            (name, "email", "normalized"),
            (name, "phone", "normalized"),
            (name, "province", "normalized"),
            (name, "website", "normalized"),
            (name, "whatsapp", "unreadable"),
        ]
        seller = Seller.objects.get()
        assert (seller.phone, seller.whatsapp) == ("+27215550123", "ring the bell")
        assert (seller.website, seller.email) == ("https://www.example.co.za/parts", "shop@example.co.za")
        assert seller.province == "Western Cape"

    def test_nothing_is_said_of_what_is_not_there(self, file: PartPalFile) -> None:
        assert only(file, "sellers", description=None, rating=None, latitude=None, longitude=None, whatsapp=None) == []
        assert only(file, "sellers", phone="", website="", email="", businessHours="null", province="") == []

    def test_the_total_is_compared_with_the_sold_parts_and_not_corrected(self, file: PartPalFile) -> None:
        right, wrong = file.add("sellers", totalSales=2), file.add("sellers", totalSales=7)
        for seller in (right, wrong):
            vehicle = file.add("vehicles", sellerId=seller)
            for status in ("SOLD", "Sold", "AVAILABLE"):
                file.add("parts", vehicleId=vehicle, status=status)
        carried = moved(file)
        assert carried.found("sellers") == [(wrong, "totalSales", "differs")]
        assert "2 sold parts" in next(f.message for f in carried.findings if f.table == "sellers")
        assert Seller.objects.get(public_id=wrong).total_sales == 7

    @pytest.mark.parametrize(
        ("values", "found", "kept"),
        [
            ({"businessHours": "{"}, ("businessHours", "invalid_json"), {"business_hours": None}),
            ({"businessHours": ""}, ("businessHours", "invalid_json"), {"business_hours": None}),
            ({"businessHours": "[1]"}, ("businessHours", "invalid_json"), {"business_hours": None}),
            ({"businessHours": '"{\\"a\\": 1}"'}, ("businessHours", "decoded"), {"business_hours": {"a": 1}}),
            ({"businessType": "circus"}, ("businessType", "unknown_word"), {"business_type": "PRIVATE"}),
            ({"subscriptionPlan": "gold"}, ("subscriptionPlan", "unknown_word"), {"plan": "STARTER"}),
            ({"country": "Atlantis"}, ("country", "unknown_word"), {"country": "ZA"}),
            ({"latitude": 60.1}, ("latitude", "incomplete"), {"latitude": None, "longitude": None}),
            ({"latitude": "", "longitude": None}, ("latitude", "empty_text"), {"latitude": None}),
            ({"rating": 4.567}, ("rating", "rounded"), {"rating": Decimal("4.57")}),
            ({"website": "javascript:alert(1)"}, ("website", "not_an_address"), {"website": ""}),
        ],
    )
    def test_a_documented_default_is_noted(
        self, file: PartPalFile, values: dict[str, Any], found: tuple[str, str], kept: dict[str, Any]
    ) -> None:
        name = file.add("sellers", **values)
        assert moved(file).found() == [(name, *found)]
        seller = Seller.objects.get()
        assert {column: getattr(seller, column) for column in kept} == kept

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            *(
                ("rating", 5.01, "out_of_range"),
                ("rating", "good", "not_a_number"),
                ("rating", float("inf"), "out_of_range"),
            ),
            *(("totalSales", "unknown", "not_an_integer"), ("totalSales", "", "not_an_integer")),
            *(
                ("totalSales", -1, "out_of_range"),
                ("totalSales", 2**31, "out_of_range"),
                ("totalSales", 1.5, "not_an_integer"),
            ),
            *(
                ("latitude", 90.1, "out_of_range"),
                ("longitude", "east", "not_a_number"),
                ("city", "Ä" * 101, "too_long"),
            ),
            *(
                ("phone", "1" * 51, "too_long"),
                ("website", "https://" + "x" * 250, "too_long"),
                ("userId", "no", "orphan"),
            ),
            *(("businessName", Raw(b"\xe4"), "invalid_utf8"), ("businessHours", '"\\ud83d"', "unstorable_json")),
            ("businessHours", '{"a": "\\u0000"}', "unstorable_json"),
        ],
    )
    def test_a_row_that_would_need_an_invention_stays_behind(
        self, file: PartPalFile, column: str, value: Any, reason: str
    ) -> None:
        name = file.add("sellers", **{column: value})
        assert (name, column, reason) in moved(file).found("sellers", "bad")


class TestContacts:
    @pytest.mark.parametrize(
        ("text", "country", "number"),
        [
            *(("+27 82 555 0123", "ZA", "+27825550123"), ("(021) 555-0123", "ZA", "+27215550123")),
            *(("040 1234567", "FI", "+358401234567"), ("00358 40 1234567", "FI", "+358401234567")),
            *(("082 555 0123 ext 4", "ZA", None), ("0800-FLOWERS", "ZA", None), ("12", "ZA", None), ("", "ZA", None)),
            ("+" + "9" * 39, "ZA", None),
        ],
    )
    def test_a_phone_number_is_read_by_the_rules_of_its_country(
        self, text: str, country: str, number: str | None
    ) -> None:
        assert international_phone(text, country) == number

    @pytest.mark.parametrize(
        ("text", "address"),
        [
            *((" www.example.org ", "https://www.example.org"), ("http://a.fi/x?y=1", "http://a.fi/x?y=1")),
            *(("HTTPS://A.fi", "HTTPS://A.fi"), ("öljy.fi:8080/a", "https://öljy.fi:8080/a"), ("none", None)),
            *(("ftp://a.fi", None), ("javascript:alert(1)", None), ("a b.fi", None), ("", None), ("https://", None)),
        ],
    )
    def test_a_website_gets_a_scheme(self, text: str, address: str | None) -> None:
        assert web_address(text) == address

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            *(("South Africa", "ZA"), ("south africa ", "ZA"), ("RSA", "ZA"), ("Suid-Afrika", "ZA"), ("za", "ZA")),
            *(("Suomi", "FI"), ("España", "ES"), ("espana", "ES"), ("The Netherlands", "NL"), ("USA", "US")),
            *(("Россия", "RU"), ("Côte d'Ivoire", "CI"), ("United Kingdom", "GB"), ("Atlantis", None), ("", None)),
        ],
    )
    def test_a_country_is_known_by_its_names(self, name: str, code: str | None) -> None:
        assert country_code(name) == code


class TestVehicles:
    pytestmark = needs_postgresql

    def test_every_column_lands(self, file: PartPalFile) -> None:
        name = file.add(
            "vehicles",
            vin="WTST0000012345678",
            year=2018,
            make="Škoda",
            model="Octavia",
            variant="Légende",
            engineSize="2,0 TDI",
            fuelType="Diesel",
            transmission="Automatic",
            color="Sininen",
            mileage=85_000,
            condition="FAIR",
            acquisitionDate="2024-01-15T00:00:00.000Z",
        )
        assert moved(file).findings == []
        vehicle = Vehicle.objects.get()
        assert (vehicle.public_id, vehicle.seller, vehicle.vin) == (name, Seller.objects.get(), "WTST0000012345678")
        assert (vehicle.year, vehicle.make, vehicle.model, vehicle.trim) == (2018, "Škoda", "Octavia", "Légende")
        assert (vehicle.engine_size, vehicle.engine_cc, vehicle.color) == ("2,0 TDI", 2000, "Sininen")
        assert (vehicle.fuel_type, vehicle.transmission, vehicle.condition) == ("DIESEL", "AUTOMATIC", "FAIR")
        assert (vehicle.mileage_km, vehicle.acquired_at) == (85_000, datetime(2024, 1, 15, tzinfo=UTC))
        assert (vehicle.created_at, vehicle.updated_at) == (AT_NOON, LATER)
        assert (vehicle.drivetrain, vehicle.description, vehicle.power_hp) == ("", "", None)

    def test_what_is_not_there_is_nothing(self, file: PartPalFile) -> None:
        file.add("vehicles")
        assert moved(file).findings == []
        vehicle = Vehicle.objects.get()
        assert (vehicle.trim, vehicle.engine_size, vehicle.engine_cc) == ("", "", None)
        assert (vehicle.fuel_type, vehicle.transmission, vehicle.color, vehicle.mileage_km) == ("", "", "", None)

    @pytest.mark.parametrize(
        ("values", "found", "kept"),
        [
            ({"vin": " wtst0000012345678"}, ("vin", "normalized"), {"vin": "WTST0000012345678"}),
            ({"vin": ""}, ("vin", "empty_text"), {"vin": None}),
            ({"vin": "3VW2K7AJ9EM123456"}, ("vin", "check_digit"), {"vin": "3VW2K7AJ9EM123456"}),
            ({"fuelType": "steam"}, ("fuelType", "unknown_word"), {"fuel_type": "OTHER"}),
            ({"transmission": "magic"}, ("transmission", "unknown_word"), {"transmission": ""}),
            ({"condition": "so-so"}, ("condition", "unknown_word"), {"condition": "GOOD"}),
            ({"mileage": -5}, ("mileage", "negative"), {"mileage_km": None}),
            ({"mileage": ""}, ("mileage", "empty_text"), {"mileage_km": None}),
        ],
    )
    def test_what_was_changed_is_noted(
        self, file: PartPalFile, values: dict[str, Any], found: tuple[str, str], kept: dict[str, Any]
    ) -> None:
        name = file.add("vehicles", **values)
        assert moved(file).found() == [(name, *found)]
        vehicle = Vehicle.objects.get()
        assert {column: getattr(vehicle, column) for column in kept} == kept

    def test_a_right_check_digit_and_a_european_vin_are_no_news(self, file: PartPalFile) -> None:
        assert only(file, "vehicles", vin="1M8GDM9AXKP042788") == []
        assert only(file, "vehicles", vin="WVWZZZ1JZXW000001") == []

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            *(
                ("vin", "SHORT", "not_a_vin"),
                ("vin", "WTST00000I2345678", "not_a_vin"),
                ("year", "1998/99", "not_an_integer"),
            ),
            *(("year", "", "not_an_integer"), ("year", 1885, "out_of_range"), ("year", 2201, "out_of_range")),
            *(
                ("mileage", "12 500 km", "not_an_integer"),
                ("mileage", 2**31, "out_of_range"),
                ("mileage", 0.5, "not_an_integer"),
            ),
            *(("engineSize", "x" * 21, "too_long"), ("acquisitionDate", 2**63 - 1, "out_of_range")),
            *(
                ("acquisitionDate", "", "not_a_time"),
                ("sellerId", "cmissing", "orphan"),
                ("make", b"BMW", "wrong_type"),
            ),
        ],
    )
    def test_a_row_that_would_need_an_invention_stays_behind(
        self, file: PartPalFile, column: str, value: Any, reason: str
    ) -> None:
        name = file.add("vehicles", **{column: value})
        assert moved(file).found("vehicles", "bad") == [(name, column, reason)]

    def test_of_vins_that_differ_in_case_one_stays(self, file: PartPalFile) -> None:
        lower = file.add("vehicles", vin="wtst0000012345678")
        upper = file.add("vehicles", vin="WTST0000012345678")
        carried = moved(file)
        assert carried.found(outcome="bad") == [(lower, "vin", "duplicate_vin")]
        assert upper in carried.findings[0].message

    def test_endless_digits_are_no_engine(self, file: PartPalFile) -> None:
        assert only(file, "vehicles", engineSize="9" * 20) == []
        load(carry(file.path))
        assert Vehicle.objects.get().engine_cc is None


class TestParts:
    pytestmark = needs_postgresql

    def test_every_column_lands(self, file: PartPalFile) -> None:
        category = file.add("categories", name="Lights")
        name = file.add(
            "parts",
            name="Left headlight",
            partNumber="BMW-11/0022 A",
            description='Tested.\n"As new"\tC:\\parts \\N 🔧',
            condition="EXCELLENT",
            price=1234.5,
            currency="EUR",
            status="RESERVED",
            location="Bay A-15",
            images='["https://example.org/1.jpg","https://example.org/2.jpg"]',
            isListedOnMarketplace=1,
            categoryId=category,
        )
        assert moved(file).findings == []
        part = Part.objects.get()
        assert (part.public_id, part.name) == (name, "Left headlight")
        assert (part.vehicle, part.seller, part.category) == (
            Vehicle.objects.get(),
            Seller.objects.get(),
            Category.objects.get(),
        )
        assert (part.part_number, part.part_number_norm) == ("BMW-11/0022 A", "BMW110022A")
        assert part.description == 'Tested.\n"As new"\tC:\\parts \\N 🔧'
        assert (part.condition, part.price, part.currency, part.status) == (
            "EXCELLENT",
            Decimal("1234.50"),
            "EUR",
            "RESERVED",
        )
        assert (part.yard_location, part.is_listed, part.sold_at) == ("Bay A-15", True, None)
        assert (part.created_at, part.updated_at) == (AT_NOON, LATER)
        images = PartImage.objects.order_by("position").values_list("part_id", "url", "alt_text", "position")
        assert list(images) == [
            (part.pk, "https://example.org/1.jpg", "", 0),
            (part.pk, "https://example.org/2.jpg", "", 1),
        ]

    def test_a_sold_part_has_its_last_change_for_its_sale_and_is_not_listed(self, file: PartPalFile) -> None:
        vehicle = file.add("vehicles")
        name = file.add("parts", vehicleId=vehicle, status="SOLD", isListedOnMarketplace=1)
        assert moved(file).found("parts") == [(name, "isListedOnMarketplace", "not_listed")]
        part = Part.objects.get()
        assert (part.sold_at, part.is_listed) == (LATER, False)

    @pytest.mark.parametrize(
        ("value", "price", "notes"),
        [
            *((15_000.0, "15000.00", 0), (19.99, "19.99", 0), (0.1 + 0.2, "0.30", 0), (2.675, "2.68", 1)),
            *((1234.5678, "1234.57", 1), (0.01, "0.01", 0), (0.005, "0.01", 1), (9_999_999_999.99, "9999999999.99", 0)),
            *((12, "12.00", 0), (1e-3 + 19.989, "19.99", 0)),
        ],
    )
    def test_a_price_is_taken_by_its_shortest_digits(
        self, file: PartPalFile, value: float, price: str, notes: int
    ) -> None:
        name = file.add("parts", price=value)
        assert moved(file).found("parts") == [(name, "price", "rounded")] * notes
        assert Part.objects.get().price == Decimal(price)

    @pytest.mark.parametrize(
        ("values", "found", "kept"),
        [
            ({"partNumber": " a-1 "}, ("partNumber", "normalized"), {"part_number": "A-1", "part_number_norm": "A1"}),
            ({"currency": " zar"}, ("currency", "normalized"), {"currency": "ZAR"}),
            ({"categoryId": "gone"}, ("categoryId", "unresolved"), {"category": None}),
            ({"status": "scrapped"}, ("status", "unknown_word"), {"status": "AVAILABLE"}),
        ],
    )
    def test_what_was_changed_is_noted(
        self, file: PartPalFile, values: dict[str, Any], found: tuple[str, str], kept: dict[str, Any]
    ) -> None:
        name = file.add("parts", **values)
        assert moved(file).found("parts") == [(name, *found)]
        part = Part.objects.get()
        assert {column: getattr(part, column) for column in kept} == kept

    @pytest.mark.parametrize("number", [None, "", "  "])
    def test_no_part_number_is_none(self, file: PartPalFile, number: str | None) -> None:
        assert only(file, "parts", partNumber=number) == []
        load(carry(file.path))
        assert (Part.objects.get().part_number, Part.objects.get().part_number_norm) == (None, None)

    def test_the_vehicles_seller_wins(self, file: PartPalFile) -> None:
        vehicle, other = file.add("vehicles"), file.add("sellers")
        name = file.add("parts", vehicleId=vehicle, sellerId=other)
        lost = file.add("parts", vehicleId=vehicle, sellerId="gone")
        carried = moved(file)
        assert carried.found("parts") == [(name, "sellerId", "differs"), (lost, "sellerId", "orphan")]
        assert Part.objects.get().seller == Vehicle.objects.get().seller

    def test_a_part_of_a_bad_category_loses_the_category_alone(self, file: PartPalFile) -> None:
        category = file.add("categories", name="nul\0byte")
        name = file.add("parts", categoryId=category)
        carried = moved(file)
        assert carried.found("parts") == [(name, "categoryId", "hangs_on_bad_row")]
        assert carried.findings[-1].because_of == f"categories {category}"
        assert Part.objects.get().category is None

    def test_all_below_a_bad_row_hangs_on_it(self, file: PartPalFile) -> None:
        user = file.add("users", name="nul\0byte")
        seller = file.add("sellers", userId=user)
        vehicle = file.add("vehicles", sellerId=seller)
        file.add("parts", vehicleId=vehicle)
        carried = moved(file)
        hanging = {finding.table: finding.because_of for finding in carried.findings if finding.because_of}
        assert hanging == {"sellers": f"users {user}", "vehicles": f"sellers {seller}", "parts": f"vehicles {vehicle}"}
        assert [carried.count(table, "hanging") for table in ("sellers", "vehicles", "parts")] == [1, 1, 1]

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            *(("price", 0.0, "out_of_range"), ("price", -1.0, "out_of_range"), ("price", 1e10, "out_of_range")),
            *(("price", 9_999_999_999.999, "out_of_range"), ("price", float("inf"), "out_of_range")),
            *(
                ("price", "R 1 999,99", "not_a_number"),
                ("price", "9" * 9999 + "x", "not_a_number"),
                ("price", "", "not_a_number"),
            ),
            *(
                ("price", b"9" * 9999, "not_a_number"),
                ("price", 0.004, "out_of_range"),
                ("currency", "R", "unknown_currency"),
            ),
            *(("name", "Ä" * 20_000, "too_long"), ("description", "a\0b", "nul_byte"), ("vehicleId", "gone", "orphan")),
            *(("description", Raw(b"H\xe4"), "invalid_utf8"), ("images", '["\\ud83d"]', "unstorable_json")),
            *(("images", '["https://a.fi/' + "x" * 1000 + '"]', "too_long"), ("location", "x" * 101, "too_long")),
            *(
                ("images", '[{"url": "/a.jpg", "alt": "' + "x" * 256 + '"}]', "too_long"),
                ("partNumber", "x" * 101, "too_long"),
            ),
            *(
                ("createdAt", "0000-00-00 00:00:00", "not_a_time"),
                ("isListedOnMarketplace", "perhaps", "not_a_boolean"),
            ),
        ],
    )
    def test_a_row_that_would_need_an_invention_stays_behind(
        self, file: PartPalFile, column: str, value: Any, reason: str
    ) -> None:
        name = file.add("parts", **{column: value})
        carried = moved(file)
        assert (name, column, reason) in carried.found("parts", "bad")
        assert not PartImage.objects.exists()

    def test_a_row_of_more_than_a_megabyte_is_moved(self, file: PartPalFile) -> None:
        file.add("parts", description="Ää\\\n" * 500_000)
        assert moved(file).findings == []
        assert Part.objects.get().description == "Ää\\\n" * 500_000


PICTURES: list[tuple[str, str, list[tuple[str, str]], list[str]]] = [
    ("none", "[]", [], []),
    (
        "a list with blanks",
        '[ "https://a.fi/1.jpg" , "/uploads/2.jpg" ]',
        [("https://a.fi/1.jpg", ""), ("/uploads/2.jpg", "")],
        [],
    ),
    ("an object", '[{"url": "/uploads/1.jpg", "alt": "Kuva 📷"}]', [("/uploads/1.jpg", "Kuva 📷")], []),
    ("an object alone", '{"url": "/uploads/1.jpg"}', [("/uploads/1.jpg", "")], []),
    ("text in text", '"[\\"/a.jpg\\"]"', [("/a.jpg", "")], ["decoded"]),
    ("text in text in text", json.dumps(json.dumps('["/a.jpg"]')), [("/a.jpg", "")], ["decoded"]),
    ("an address", "https://a.fi/1.jpg", [("https://a.fi/1.jpg", "")], ["decoded"]),
    ("an empty text", "", [], ["invalid_json"]),
    ("broken", "[object Object]", [], ["invalid_json"]),
    ("null", "null", [], ["invalid_json"]),
    ("a number", "[7]", [], ["left_out"]),
    ("no address", '["javascript:x", {"alt": "x"}]', [], ["left_out", "left_out"]),
    ("a blank in the name", '["/a b.jpg"]', [("/a%20b.jpg", "")], ["normalized"]),
    ("a path without a slash", '["uploads/a.jpg"]', [("/uploads/a.jpg", "")], ["normalized"]),
    ("more about it", '[{"url": "/a.jpg", "width": 7}]', [("/a.jpg", "")], ["left_out"]),
    ("an escaped slash", '["https:\\/\\/a.fi\\/1.jpg"]', [("https://a.fi/1.jpg", "")], []),
]


@pytest.mark.django_db
@pytest.mark.postgres_only
@pytest.mark.parametrize(
    ("text", "pictures", "reasons"), [case[1:] for case in PICTURES], ids=[case[0] for case in PICTURES]
)
def test_pictures_are_found_in_whatever_holds_them(
    file: PartPalFile, text: str, pictures: list[tuple[str, str]], reasons: list[str]
) -> None:
    name = file.add("parts", images=text)
    assert moved(file).found("parts") == [(name, "images", reason) for reason in reasons]
    assert list(PartImage.objects.order_by("position").values_list("url", "alt_text")) == pictures


class TestEvents:
    pytestmark = needs_postgresql

    def test_every_column_lands(self, file: PartPalFile) -> None:
        part = file.add("parts")
        name = file.add(
            "analytics_events",
            eventType="PART_VIEW",
            partId=part,
            sessionId="db543bef1fb7c235",
            userAgent="Mozilla/5.0\t(X11)",
            metadata='{"price":9790.0,"referrer":"https:\\/\\/a.fi","nested":{"b":[1,null,true]}}',
            createdAt="2026-03-02 12:00:01",
        )
        assert moved(file).findings == []
        event = Event.objects.get()
        assert (event.public_id, event.event_type, event.part, event.seller, event.user) == (
            *(name, "PART_VIEW"),
            *(Part.objects.get(), None, None),
        )
        assert (event.session_id, event.user_agent, event.is_bot) == ("db543bef1fb7c235", "Mozilla/5.0\t(X11)", False)
        assert event.metadata == {"price": 9790.0, "referrer": "https://a.fi", "nested": {"b": [1, None, True]}}
        assert (event.occurred_at, event.created_at) == (AT_NOON, AT_NOON + timedelta(seconds=1))
        assert event.ip_address is None

    def test_people_and_sellers_are_found(self, file: PartPalFile) -> None:
        seller, user = file.add("sellers"), file.add("users")
        file.add("analytics_events", sellerId=seller, userId=user)
        assert moved(file).found("analytics_events") == []
        event = Event.objects.select_related("seller", "user").get()
        assert event.seller is not None
        assert event.user is not None
        assert (event.seller.public_id, event.user.public_id) == (seller, user)

    def test_ids_that_lead_nowhere_are_kept_in_the_metadata(self, file: PartPalFile) -> None:
        bad = file.add("users", name="nul\0byte")
        name = file.add("analytics_events", partId="p", sellerId="s", userId=bad, metadata='{"a": 1}')
        assert moved(file).found("analytics_events") == [
            (name, "partId", "unresolved"),
            (name, "sellerId", "unresolved"),
            (name, "userId", "hangs_on_bad_row"),
        ]
        assert Event.objects.get().metadata == {"a": 1, "legacy": {"partId": "p", "sellerId": "s", "userId": bad}}

    @pytest.mark.parametrize(
        ("metadata", "address", "kept"),
        [
            ('{"ip": "10.0.0.1", "a": 1}', "10.0.0.1", {"a": 1}),
            ('{"ip": "2001:DB8::1"}', "2001:db8::1", {}),
            ('{"ip": " ::ffff:10.0.0.1"}', "10.0.0.1", {}),
            ('{"ip": "::2"}', "::2", {}),
            ('{"ip": "unknown"}', None, {"ip": "unknown"}),
            ('{"ip": "fe80::1%eth0"}', None, {"ip": "fe80::1%eth0"}),
            ('{"ip": 7}', None, {"ip": 7}),
        ],
    )
    def test_the_address_in_the_metadata_gets_its_column(
        self, file: PartPalFile, metadata: str, address: str | None, kept: dict[str, Any]
    ) -> None:
        file.add("analytics_events", metadata=metadata)
        assert moved(file).findings == []
        assert (Event.objects.get().ip_address, Event.objects.get().metadata) == (address, kept)

    @pytest.mark.parametrize(
        ("metadata", "reason", "kept"),
        [
            ('{"a": 1,', "invalid_json", {"legacy": {"metadata": '{"a": 1,'}}),
            ("NaN", "invalid_json", {"legacy": {"metadata": "NaN"}}),
            ("1e999999", "invalid_json", {"legacy": {"metadata": "1e999999"}}),
            ("", "invalid_json", None),
            ('"{\\"a\\": 1}"', "decoded", {"a": 1}),
            ('"null"', "decoded", None),
        ],
    )
    def test_metadata_that_is_no_json_is_kept_as_text(
        self, file: PartPalFile, metadata: str, reason: str, kept: Any
    ) -> None:
        name = file.add("analytics_events", metadata=metadata)
        assert moved(file).found() == [(name, "metadata", reason)]
        assert Event.objects.get().metadata == kept

    @pytest.mark.parametrize("metadata", ['"plain words"', '"12"', "[1, 2]", "7", "null", None])
    def test_metadata_that_is_no_object_stays_what_it_is(self, file: PartPalFile, metadata: str | None) -> None:
        file.add("analytics_events", metadata=metadata)
        assert moved(file).findings == []
        assert Event.objects.get().metadata == json.loads(metadata or "null")

    def test_lost_ids_find_room_beside_any_metadata(self, file: PartPalFile) -> None:
        for metadata in ('{"legacy": 1}', "[1]", None):
            file.add("analytics_events", partId="p", metadata=metadata)
        moved(file)
        assert list(Event.objects.order_by("id").values_list("metadata", flat=True)) == [
            {"legacy": {"partId": "p", "metadata": {"legacy": 1}}},
            {"legacy": {"partId": "p", "metadata": [1]}},
            {"legacy": {"partId": "p"}},
        ]

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            *(("metadata", '{"q": "x\\u0000y"}', "unstorable_json"), ("metadata", '["\\udc00"]', "unstorable_json")),
            *(
                ("metadata", "nul\0byte", "nul_byte"),
                ("metadata", b"{}", "wrong_type"),
                ("eventType", "x" * 41, "too_long"),
            ),
            *(("sessionId", "x" * 129, "too_long"), ("userAgent", Raw(b"\xff"), "invalid_utf8")),
            *(("timestamp", "yesterday", "not_a_time"), ("partId", Raw(b"\xff"), "invalid_utf8")),
        ],
    )
    def test_a_row_that_would_need_an_invention_stays_behind(
        self, file: PartPalFile, column: str, value: Any, reason: str
    ) -> None:
        name = file.add("analytics_events", **{column: value})
        assert moved(file).found(outcome="bad") == [(name, column, reason)]


class TestActivities:
    pytestmark = needs_postgresql

    def test_every_column_lands(self, file: PartPalFile) -> None:
        seller, user = file.add("sellers"), file.add("users")
        name = file.add(
            "activity_logs",
            sellerId=seller,
            userId=user,
            type="part_listed",
            description="Part listed: Laturi",
            metadata='{"partId": "cpart", "vehicleId": "cvehicle", "ip": "10.0.0.1"}',
        )
        assert moved(file).found("activity_logs") == []
        entry = AuditLog.objects.select_related("actor", "seller").get()
        assert entry.actor is not None
        assert entry.seller is not None
        assert (entry.public_id, entry.actor.public_id, entry.seller.public_id) == (name, user, seller)
        assert (entry.action, entry.event_type, entry.description) == ("create", "part_listed", "Part listed: Laturi")
        assert (entry.entity_type, entry.entity_id, entry.actor_label) == ("inventory.part", "cpart", "")
        assert entry.metadata == {"partId": "cpart", "vehicleId": "cvehicle"}
        assert (entry.ip_address, entry.created_at, entry.success) == ("10.0.0.1", AT_NOON, True)

    @pytest.mark.parametrize(
        ("kind", "action"),
        [
            *(("part_sold", "status_change"), ("vehicle_added", "create"), ("part_listed", "create")),
            *(("marketplace_listing", "status_change"), ("tea_made", "other")),
        ],
    )
    def test_the_type_tells_the_action(self, file: PartPalFile, kind: str, action: str) -> None:
        file.add("activity_logs", type=kind)
        moved(file)
        assert (AuditLog.objects.get().action, AuditLog.objects.get().event_type) == (action, kind)

    def test_a_vehicle_is_named_too_and_text_in_text_is_read(self, file: PartPalFile) -> None:
        name = file.add("activity_logs", metadata=json.dumps('{"vehicleId": "v1"}'))
        assert moved(file).found() == [(name, "metadata", "decoded")]
        assert (AuditLog.objects.get().entity_type, AuditLog.objects.get().entity_id) == ("inventory.vehicle", "v1")

    def test_somebody_unknown_is_kept_as_a_label(self, file: PartPalFile) -> None:
        name = file.add("activity_logs", userId="gone", sellerId="lost")
        assert moved(file).found() == [(name, "sellerId", "unresolved"), (name, "userId", "unresolved")]
        entry = AuditLog.objects.get()
        assert (entry.actor, entry.actor_label, entry.metadata) == (None, "gone", {"legacy": {"sellerId": "lost"}})


class TestTheFile:
    def make(self, path: Path, statements: list[str]) -> sqlite3.Connection:
        database = sqlite3.connect(path)
        for statement in statements:
            database.execute(statement)
        return database

    def test_the_layout_is_recognised(self, tmp_path: Path) -> None:
        with closing(self.make(tmp_path / "a.db", layout(loose=False))) as source:
            assert PartPal().recognises(source)
            PartPal().refuse_unready(source)
        with closing(self.make(tmp_path / "b.db", ["CREATE TABLE users (id TEXT PRIMARY KEY)"])) as source:
            assert not PartPal().recognises(source)

    def test_an_older_schema_is_told_what_it_lacks(self, tmp_path: Path) -> None:
        statements = [
            statement for statement in layout(loose=True) if not statement.startswith('CREATE TABLE "sellers"')
        ]
        statements.append('CREATE TABLE "sellers" ("id" TEXT PRIMARY KEY)')
        with closing(self.make(tmp_path / "a.db", statements)) as source:
            assert PartPal().recognises(source)
            with pytest.raises(Refused, match=r"Missing: sellers\.businessHours, .* and 12 more"):
                PartPal().refuse_unready(source)

    def test_ids_that_need_not_be_unique_are_refused(self, tmp_path: Path) -> None:
        statements = [statement.replace("TEXT PRIMARY KEY", "TEXT") for statement in layout(loose=False)]
        with (
            closing(self.make(tmp_path / "a.db", statements)) as source,
            pytest.raises(Refused, match="primary key of users, refresh_tokens"),
        ):
            PartPal().refuse_unready(source)

    def test_every_table_and_column_is_read(self) -> None:
        assert {table: set(columns) for table, columns in COLUMNS.items()} == {t: set(c) for t, c in TABLES.items()}

    def test_a_file_without_rows_gives_none(self, file: PartPalFile) -> None:
        carried = carry(file.write())
        assert carried.findings == []
        assert set(carried.lines) == set(PartPal.models)
        assert not any(carried.lines.values())

    def test_tokens_that_lost_their_unique_rule_are_told_apart(self, tmp_path: Path) -> None:
        loose = PartPalFile(tmp_path / "loose.db", loose=True)
        loose.add("refresh_tokens", token="same")
        second = loose.add("refresh_tokens", token="same")
        assert carry(loose.write()).found("refresh_tokens") == [(second, "token", "duplicate_token")]
