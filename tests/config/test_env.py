"""Variables are read strictly: what cannot be understood stops the start."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.mark.parametrize(
    ("written", "meant"), [("true", True), ("Yes", True), ("on", True), ("1", True), ("FALSE", False), ("off", False)]
)
def test_a_switch_is_read_in_any_usual_spelling(monkeypatch: pytest.MonkeyPatch, written: str, meant: bool) -> None:
    monkeypatch.setenv("SWITCH", written)
    assert env.boolean("SWITCH", not meant) is meant


@pytest.mark.parametrize("written", ["yess", "ja", "2", "tru e"])
def test_a_mistyped_switch_names_the_variable_and_what_to_write(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("SWITCH", written)
    with pytest.raises(ImproperlyConfigured, match=r"SWITCH=.*write true or false"):
        env.boolean("SWITCH", False)


@pytest.mark.parametrize("written", ["ten", "5.5", "-1", "11", "1e1"])
def test_a_number_that_cannot_be_or_is_out_of_bounds_names_the_bounds(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("COUNT", written)
    with pytest.raises(ImproperlyConfigured, match=r"COUNT=.*whole number from 0 to 10"):
        env.integer("COUNT", 3, maximum=10)


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", " ")
    assert env.text("EMPTY", "default") == "default"
    assert env.boolean("EMPTY", True) is True
    assert env.integer("EMPTY", 7) == 7
    assert env.optional_integer("EMPTY") is None
    assert env.items("EMPTY", ("a",)) == ["a"]


def test_zero_is_not_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNT", "0")
    assert env.optional_integer("COUNT") == 0


def test_a_choice_is_one_of_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "Blue")
    assert env.choice("WORD", ("red", "blue"), "red") == "blue"
    monkeypatch.setenv("WORD", "green")
    with pytest.raises(ImproperlyConfigured, match="WORD='green': write one of red, blue"):
        env.choice("WORD", ("red", "blue"), "red")


def test_networks_are_read_and_a_wrong_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWORKS", "192.0.2.0/24, 2001:db8::1")
    assert env.networks("NETWORKS") == [ip_network("192.0.2.0/24"), ip_network("2001:db8::1/128")]
    monkeypatch.setenv("NETWORKS", "192.0.2.1/24")
    with pytest.raises(ImproperlyConfigured, match=r"NETWORKS: 192\.0\.2\.1/24 has host bits set"):
        env.networks("NETWORKS")


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    monkeypatch.setenv("WORD_FILE", str(file))
    assert env.secret("WORD") == "from the file"


def test_a_secret_file_that_is_missing_or_empty_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    monkeypatch.setenv("WORD_FILE", str(file))
    with pytest.raises(ImproperlyConfigured, match=r"WORD_FILE: cannot read .*No such file"):
        env.secret("WORD", "default")
    file.touch()
    with pytest.raises(ImproperlyConfigured, match=r"WORD_FILE: .* is empty"):
        env.secret("WORD", "default")


def test_a_secret_given_twice_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORD_FILE", str(tmp_path))
    monkeypatch.setenv("WORD", "here")
    with pytest.raises(ImproperlyConfigured, match="WORD and WORD_FILE are both set"):
        env.secret("WORD")
