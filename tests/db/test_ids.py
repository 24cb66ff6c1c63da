from __future__ import annotations

from config.db.ids import CROCKFORD, encode_ulid, new_ulid


def test_a_ulid_has_26_characters_of_crockford_base_32() -> None:
    ulid = new_ulid()

    assert len(ulid) == 26
    assert set(ulid) <= set(CROCKFORD)


def test_a_ulid_encodes_its_time_and_its_randomness_as_the_published_specification_says() -> None:
    assert encode_ulid(1469918176385, 0) == "01ARYZ6S410000000000000000"
    assert encode_ulid(2**48 - 1, 2**80 - 1) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"


def test_ulids_sort_by_the_time_they_were_made() -> None:
    earlier, later = encode_ulid(1_700_000_000_000, 2**80 - 1), encode_ulid(1_700_000_000_001, 0)

    assert earlier < later


def test_ten_thousand_ulids_made_at_once_are_all_different() -> None:
    assert len({new_ulid() for _ in range(10_000)}) == 10_000
