"""The words that PostgreSQL indexes of a text are those that a search of the same text asks for."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db.models import Func, TextField, Value
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from config.db.words import Holds, Words, holds, searched_words, words_of

# Letters that combine, fold or take several bytes, beside everything that could end a word.
ASCII = "aZ09 -_.,:;@/\\'\"&|!()<>*+%$#\t\n\r"
TEXTS = st.text(st.sampled_from(ASCII), max_size=60) | st.text(
    st.sampled_from(ASCII + "Åéñßøİ\u0301½ﬁДя中한😀"), max_size=60
)


@pytest.mark.postgres_only
@pytest.mark.django_db
@settings(deadline=None, max_examples=200)
@given(TEXTS)
@example("BMW 320d (E90), 1e5 km -12.5 http://example.org/a?b=c x@example.org 06F-115_397.A")
@example("word " * 1000)
@example("Škoda" + "x" * 500)
@example("5E0413031A 7e1-941-015.J 1E5")
@example("Käsijarru 5E0413031A 7e1-941-015.J 1E5")
@example("ΑΥΤΟΣ αυτος Αὐτός שָׁלוֹם كَتَبَ")
def test_the_indexed_words_are_the_searched_words(text: str) -> None:
    assert indexed_words(text) == set(words_of(text))


NUMBERS = st.from_regex(r"\A[0-9][eE][0-9]{1,4}[A-Za-z]{0,2}\Z")


@pytest.mark.postgres_only
@pytest.mark.django_db
@settings(deadline=None, max_examples=200)
@given(st.lists(NUMBERS | TEXTS, max_size=4), st.lists(NUMBERS | TEXTS, min_size=1, max_size=2))
@example(["Kompressori", "5E0413031A"], ["5E0413031A", "kompressori"])
@example(["compressor", "5E0413031A"], ["5E0"])
@example(["Škoda", "7E1 941 015 J"], ["7E1941015J"])
@example(["a b"], ["a_b"])
def test_the_server_finds_what_holds_the_words_and_nothing_else(texts: list[str], asked: list[str]) -> None:
    text, words = " ".join(texts), searched_words(" ".join(asked))
    assume(words)
    found = Group.objects.order_by().values_list(Holds([Value(text)], words), flat=True)[:1].get()
    assert found == holds(text, " ".join(words))


@pytest.mark.postgres_only
@pytest.mark.django_db
@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_word_too_long_for_an_index_leaves_the_others_findable(letter: str) -> None:
    assert indexed_words(f"gear {letter * 5000} box") == {"box", "gear"}


def indexed_words(text: str) -> set[str]:
    vector = Func(Words(Value(text)), function="tsvector_to_array", output_field=ArrayField(TextField()))
    return set(Group.objects.order_by().values_list(vector, flat=True)[:1].get())
