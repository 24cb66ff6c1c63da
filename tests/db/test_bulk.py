from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, connection, transaction

from accounts.models import OneTimeToken, PaymentEvent, SellerLocation, StoredFile, UserIdentity
from analytics.models import PageView
from config.db import bulk
from inventory.models import Part, PartImage
from leads.models import LeadActivity
from tests.builders import make_lead, make_part, make_seller, make_user, make_vehicle

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 12, 30, 15, 123456, tzinfo=UTC)
PAGE_VIEW_COLUMNS = (
    "path",
    "referrer",
    "user_agent",
    "session_id",
    "is_bot",
    "load_time_ms",
    "ip_address",
    "created_at",
)


def page_view(path: str = "/", **values: Any) -> tuple[Any, ...]:
    defaults = {
        "referrer": "",
        "user_agent": "",
        "session_id": "",
        "is_bot": False,
        "load_time_ms": None,
        "ip_address": None,
        "created_at": AT,
    }
    row = {"path": path} | defaults | values
    return tuple(row[column] for column in PAGE_VIEW_COLUMNS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        r"\N",
        r"\.",
        "back\\slash",
        "tab\tand\nnew line\r\nend",
        'it\'s "quoted", {braced} and 100 %s',
        "Yrjö Íñigo 伟 🚗",
        "NULL",
    ],
)
def test_every_text_comes_back_as_it_was_given(text: str) -> None:
    bulk.load(PageView, PAGE_VIEW_COLUMNS, [page_view(referrer=text)])

    assert PageView.objects.get().referrer == text


def test_empty_numbers_booleans_addresses_and_times_keep_their_types() -> None:
    bulk.load(
        PageView,
        PAGE_VIEW_COLUMNS,
        [page_view("/a", load_time_ms=350, is_bot=True, ip_address="2001:DB8::1"), page_view("/b")],
    )

    full, empty = PageView.objects.order_by("path")
    assert (full.load_time_ms, full.is_bot, full.ip_address, full.created_at) == (350, True, "2001:db8::1", AT)
    assert (empty.load_time_ms, empty.is_bot, empty.ip_address) == (None, False, None)


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    bulk.load(PageView, PAGE_VIEW_COLUMNS, [page_view(created_at=AT.astimezone(timezone(timedelta(hours=5))))])

    assert PageView.objects.get().created_at == AT


@pytest.mark.parametrize("payload", [{}, [], {"ä": ['"', "\\", None, 1.5, True]}, "text", 7])
def test_json_comes_back_as_it_was_given(payload: Any) -> None:
    columns = ("provider", "event_id", "type", "payload", "received_at", "error")
    bulk.load(PaymentEvent, columns, [("stripe", "evt_1", "paid", payload, AT, "")])

    assert PaymentEvent.objects.get().payload == payload
    assert PaymentEvent.objects.filter(payload=payload).exists()


def test_decimals_floats_and_uuids_are_exact() -> None:
    part = make_part()
    seller = make_seller()
    bulk.load(Part, ("id", *_columns_of(part)), [(part.pk + 1000, *_values_of(part, price=Decimal("1234567890.12")))])
    bulk.load(
        SellerLocation,
        ("seller", "latitude", "longitude", "recorded_at", "source"),
        [(seller.pk, -33.92491234567, 0.1 + 0.2, AT, "gps")],
    )
    file_id = UUID("12345678-1234-5678-1234-567812345678")
    bulk.load(
        StoredFile,
        ("file_id", "file_name", "content_type", "size", "metadata", *_FILE_TEXTS, "is_public", "status", *_FILE_TIMES),
        [(file_id, "a.jpg", "image/jpeg", 2**40, {}, *[""] * len(_FILE_TEXTS), False, "uploaded", *[AT] * 3)],
    )

    assert Part.objects.get(pk=part.pk + 1000).price == Decimal("1234567890.12")
    location = SellerLocation.objects.get()
    assert (location.latitude, location.longitude) == (-33.92491234567, 0.1 + 0.2)
    assert StoredFile.objects.get(file_id=file_id).size == 2**40


_FILE_TEXTS = ("sha256", "folder", "storage_key", "url", "provider", "error_message")
_FILE_TIMES = ("uploaded_at", "created_at", "updated_at")


def _columns_of(part: Part) -> list[str]:
    return [field.attname for field in Part._meta.concrete_fields if not field.primary_key]


def _values_of(part: Part, **changes: Any) -> list[Any]:
    values = {"public_id": "copy", "part_number": None, **changes}
    return [values.get(column, getattr(part, column)) for column in _columns_of(part)]


def test_a_field_keeps_its_own_spelling() -> None:
    columns = ("purpose", "token_hash", "email", "expires_at", "created_at")
    bulk.load(OneTimeToken, columns, [("magic_link", "0" * 64, " Aino@Example.ORG ", AT, AT)])

    assert OneTimeToken.objects.get().email == "aino@example.org"


def test_a_secret_is_encrypted_on_its_way() -> None:
    user = make_user()
    fields = [field for field in UserIdentity._meta.concrete_fields if not field.primary_key]
    identity = UserIdentity(user=user, provider="google", provider_account_id="1", access_token="secret")
    bulk.load(UserIdentity, [f.attname for f in fields], [[getattr(identity, f.attname) for f in fields]])

    stored = UserIdentity.objects.get()
    assert stored.access_token == "secret"
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM accounts_useridentity")
        assert "secret" not in cursor.fetchone()[0]


def test_the_number_of_rows_is_returned_and_none_is_lost_between_batches() -> None:
    count = bulk.SQLITE_BATCH_ROWS * 2 + 1

    written = bulk.load(PageView, PAGE_VIEW_COLUMNS, (page_view(f"/{number}") for number in range(count)))

    assert written == count
    assert PageView.objects.values("path").distinct().count() == count


def test_no_rows_are_no_error() -> None:
    assert bulk.load(PageView, PAGE_VIEW_COLUMNS, []) == 0


def test_a_broken_rule_is_named_and_nothing_of_the_batch_stays() -> None:
    rows = [page_view("/good"), page_view("/bad", load_time_ms=-1)]

    with pytest.raises(IntegrityError, match="load_time_ms"), transaction.atomic():
        bulk.load(PageView, PAGE_VIEW_COLUMNS, rows)

    assert PageView.objects.count() == 0


def test_a_column_that_does_not_exist_is_named() -> None:
    with pytest.raises(FieldDoesNotExist, match="colour"):
        bulk.load(PageView, ("path", "colour"), [])


def test_a_failure_while_rows_are_made_writes_none() -> None:
    def rows() -> Any:
        yield page_view("/first")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"), transaction.atomic():
        bulk.load(PageView, PAGE_VIEW_COLUMNS, rows())

    assert PageView.objects.count() == 0


def test_reserved_keys_are_consecutive_and_given_once() -> None:
    first, second = bulk.reserve_keys(PartImage, 1000), bulk.reserve_keys(PartImage, 5)

    assert len(first) == 1000
    assert second == range(first.stop, first.stop + 5)


def test_no_keys_can_be_reserved_as_well() -> None:
    assert list(bulk.reserve_keys(PartImage, 0)) == []


def test_reserved_keys_lie_beyond_those_in_use_and_the_next_row_beyond_them() -> None:
    part = make_part()
    used = PartImage.objects.create(part=part, url="/a.jpg")

    keys = bulk.reserve_keys(PartImage, 10)
    bulk.load(PartImage, _IMAGE_COLUMNS, [(key, part.pk, "/b.jpg", "", 0) for key in keys])

    assert keys.start > used.pk
    assert PartImage.objects.create(part=part, url="/c.jpg").pk > keys[-1]


_IMAGE_COLUMNS = ("id", "part_id", "url", "alt_text", "position")


def test_keys_of_ones_own_are_respected_once_the_sequence_is_advanced() -> None:
    part = make_part()
    bulk.load(PartImage, _IMAGE_COLUMNS, [(9_000_000, part.pk, "/b.jpg", "", 0)])

    bulk.advance_keys(PartImage)

    assert PartImage.objects.create(part=part, url="/c.jpg").pk == 9_000_001


def test_advancing_never_moves_a_sequence_back() -> None:
    part = make_part()
    keys = bulk.reserve_keys(PartImage, 50)

    bulk.advance_keys(PartImage)

    assert PartImage.objects.create(part=part, url="/c.jpg").pk > keys[-1]


def test_a_related_row_can_be_named_by_its_field_or_its_column() -> None:
    vehicle = make_vehicle()
    part = make_part(vehicle=vehicle)
    bulk.load(PartImage, ("part", "url", "alt_text", "position"), [(part.pk, "/a.jpg", "", 0)])
    bulk.load(PartImage, ("part_id", "url", "alt_text", "position"), [(part.pk, "/b.jpg", "", 1)])

    assert [image.url for image in part.images.all()] == ["/a.jpg", "/b.jpg"]


def test_a_missing_json_value_is_null() -> None:
    columns = ("lead_id", "type", "description", "metadata", "actor_label", "created_at")
    bulk.load(LeadActivity, columns, [(make_lead().pk, "CREATED", "", None, "", AT)])

    assert LeadActivity.objects.filter(metadata__isnull=True).count() == 1
