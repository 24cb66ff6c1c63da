"""Rows of all kinds, sensible and strange: each has one outcome, and PostgreSQL takes whatever is let through."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transfer.carrying import carry, load
from tests.transfer.partpal_file import TABLES, PartPalFile, Raw

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]

IDS = [f"id{number}" for number in range(4)]

strange = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=20),
    st.binary(max_size=20).map(Raw),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["", " ", "x" * 50, "Ä" * 300, "y" * 1100, "nul\0byte", "back\\slash\ttab\nline", "\\N", "🚗"]),
    st.sampled_from(
        [Raw(b"H\xe4m\xe4l\xe4inen"), Raw(b"half \xed\xa0\xbd pair"), b"bytes", 2**31, 32_768, 1e300, -1e-300]
    ),
)
times = st.one_of(
    st.integers(0, 4 * 10**12),
    st.integers(-(10**15), 10**15),
    st.sampled_from(
        [
            *("2024-01-02 03:04:05", "2024-01-02T03:04:05.120Z", "2024-01-02T03:04:05.123456789+02:00", "2024-02-30"),
            *("2024-01-02", "0000-00-00 00:00:00", "not a date", "", 0, 1_704_164_645, 1.5, 253_402_300_800_000),
            *("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", 2**63 - 1, -(2**63)),
        ]
    ),
)
words = st.sampled_from(
    [
        *(
            "ADMIN",
            "SUPER_ADMIN",
            "SELLER",
            "buyer",
            "customer",
            "VIEWER",
            "wizard",
            "SCRAP_YARD",
            "scrap yard",
            "STARTER",
        ),
        *(
            "PETROL",
            "Bensiini",
            "gasoline",
            "Automatic",
            "CVT",
            "NEW",
            "needs work",
            "SOLD",
            "AVAILABLE",
            "RESERVED",
            "",
        ),
    ]
)
truths = st.sampled_from([0, 1, "true", "FALSE", "t", "f", 2, "yes", ""])
numbers = st.one_of(
    st.floats(-10, 2e10), st.integers(-10, 2**31 + 10), st.sampled_from(["12.50", "R 1 999,99", "", 0.005])
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ip", "partId", "legacy", "url", "alt", "é", "b"]), inner, max_size=4)
    ),
    max_leaves=8,
)
addresses = st.sampled_from(
    [
        "https://example.org/1.jpg",
        "/uploads/a b.jpg",
        "uploads/1.jpg",
        "ftp://x",
        "http://x/" + "y" * 1000,
        "javascript:x",
    ]
)
json_texts = st.one_of(
    json_values.map(json.dumps),
    json_values.map(lambda value: json.dumps(json.dumps(value))),
    json_values.map(lambda value: json.dumps(value, ensure_ascii=False)),
    st.lists(addresses | st.fixed_dictionaries({"url": addresses, "alt": st.text(max_size=5)}), max_size=3).map(
        json.dumps
    ),
    st.lists(addresses, max_size=3).map(lambda urls: json.dumps(urls, separators=(",", ":"))),
    addresses,
    st.sampled_from(
        ["{", "NaN", '["\\ud83d"]', '{"a": "\\u0000"}', '{"ip": "10.0.0.1"}', '{"ip": "::FFFF:10.0.0.1"}', "1e999999"]
    ),
)
ids = st.sampled_from(IDS)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)

# What the columns of one kind hold when nothing is strange; what is not named here holds a text.
KINDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["id", "userId", "sellerId", "vehicleId", "partId", "categoryId", "parentId"], ids),
    **dict.fromkeys(["createdAt", "updatedAt", "emailVerified", "expiresAt", "acquisitionDate", "timestamp"], times),
    **dict.fromkeys(["isVerified", "isActive", "isListedOnMarketplace"], truths),
    **dict.fromkeys(
        ["role", "businessType", "subscriptionPlan", "condition", "status", "fuelType", "transmission"], words
    ),
    **dict.fromkeys(["rating", "price", "latitude", "longitude", "totalSales", "mileage"], numbers),
    **dict.fromkeys(["businessHours", "images", "metadata"], json_texts),
    "year": st.integers(1880, 2210),
    "email": st.sampled_from(["a@b.fi", "A@B.fi", " a@b.fi", "ÄÄ@b.fi", "ää@b.fi", "İ@x", "x" * 260]),
    "vin": st.sampled_from(
        ["WTST0000012345678", "wtst0000012345678", "1HGBH41JXMN109186", "1HGBH41JXMN109187", "short", ""]
    ),
    "name": texts | st.sampled_from(["Doors", "DOORS", "李", "李明", "Engine Parts"]),
    "country": st.sampled_from(["South Africa", "Suomi", "ESPAÑA", "za", "Atlantis"]),
    "province": st.sampled_from(["WC", "Gauteng", "Uusimaa"]),
    "phone": st.sampled_from(["+27 21 555 0123", "021 555 0123", "call me", "+27215550123"]),
    "website": st.sampled_from(["www.example.org", "https://example.org/", "javascript:alert(1)", "none"]),
    "currency": st.sampled_from(["ZAR", "eur", " ZAR", "R"]),
    "partNumber": texts | st.sampled_from(["A-1", "a-1", "ß", "", "--"]),
    "password": st.sampled_from(["$2b$10$" + "a" * 53, "[DELETED]", "plain"]),
}


@st.composite
def files(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Rows of a file: most values are sensible, some are not."""
    rows = []
    for table, columns in TABLES.items():
        for number in range(draw(st.integers(0, 3))):
            values: dict[str, Any] = {}
            for column in draw(st.lists(st.sampled_from(list(columns)), max_size=4, unique=True)):
                kind = KINDS.get(column, texts)
                values[column] = draw(kind | strange if draw(st.integers(0, 3)) == 0 else kind)
            values["id"] = IDS[number]
            for column in columns:
                if KINDS.get(column) is ids and column not in values:
                    values[column] = draw(ids)
            rows.append((table, values))
    return rows


def written(rows: list[tuple[str, dict[str, Any]]], folder: str) -> Path:
    file = PartPalFile(Path(folder) / "dev.db", loose=True)
    for table, values in rows:
        file.add(table, **values)
    return file.write()


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(files())
def test_a_row_has_one_outcome_and_postgresql_takes_what_is_let_through(rows: list[tuple[str, dict[str, Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        carried = carry(written(rows, folder))
        load(carried)
        transaction.set_rollback(True)
    tables = [table for table, _ in rows]
    assert {table: len(outcomes) for table, outcomes in carried.outcomes.items()} == {
        t: tables.count(t) for t in TABLES
    }
    assert carried.unlike == []
