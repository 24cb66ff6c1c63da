"""Voucher codes that people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.codes import (
    SHORT_ALPHABET,
    check_character,
    grouped_code,
    has_valid_check_character,
    new_short_code,
    typed_code,
)

BODIES = st.text(alphabet=SHORT_ALPHABET, min_size=3, max_size=15)


def test_the_alphabet_has_no_characters_that_look_alike() -> None:
    assert len(SHORT_ALPHABET) == len(set(SHORT_ALPHABET)) == 32
    assert not set("IO01") & set(SHORT_ALPHABET)


@pytest.mark.parametrize("with_check_character", [False, True])
def test_a_short_code_has_eight_characters_of_the_alphabet(with_check_character: bool) -> None:
    codes = {new_short_code(with_check_character=with_check_character) for _ in range(200)}
    assert len(codes) == 200
    assert {len(code) for code in codes} == {8}
    assert set("".join(codes)) <= set(SHORT_ALPHABET)
    if with_check_character:
        assert all(has_valid_check_character(code) for code in codes)


@pytest.mark.parametrize("length", [3, 17])
def test_a_short_code_is_neither_too_short_nor_too_long(length: int) -> None:
    with pytest.raises(ValueError, match="4 to 16 characters"):
        new_short_code(length)


def test_the_check_character_is_the_one_computed_by_hand() -> None:
    # A=0, B=1, C=2; from the right: C doubled is 4, B is 1, A doubled is 0; 5 and 27 make 32; 27 is "5".
    assert check_character("ABC") == "5"


@given(body=BODIES)
def test_the_check_character_completes_any_body(body: str) -> None:
    assert has_valid_check_character(body + check_character(body))


@given(body=BODIES, place=st.integers(0, 15), other=st.sampled_from(SHORT_ALPHABET))
def test_one_wrong_character_is_always_noticed(body: str, place: int, other: str) -> None:
    code = body + check_character(body)
    place %= len(code)
    wrong = code[:place] + other + code[place + 1 :]
    assert has_valid_check_character(wrong) == (wrong == code)


@given(body=BODIES, place=st.integers(0, 14))
def test_swapped_neighbours_are_noticed_but_for_the_first_and_the_last_of_the_alphabet(body: str, place: int) -> None:
    code = body + check_character(body)
    place %= len(code) - 1
    first, second = code[place], code[place + 1]
    swapped = code[:place] + second + first + code[place + 2 :]
    blind = first == second or {first, second} == {SHORT_ALPHABET[0], SHORT_ALPHABET[-1]}
    assert has_valid_check_character(swapped) == blind


def test_a_character_from_elsewhere_is_no_code() -> None:
    assert not has_valid_check_character("ABCO")


def test_a_code_is_shown_in_groups_and_read_back_however_it_was_typed() -> None:
    assert grouped_code("ABCDEFGH") == "ABCD-EFGH"
    assert typed_code(" abcd-ef gh ") == "ABCDEFGH"
