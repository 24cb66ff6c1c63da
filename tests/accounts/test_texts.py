"""Translated texts: which one is shown, in which language, and who vouches for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts import queries, services
from accounts.models import Translation
from accounts.models.users import Role
from analytics.models import AuditLog
from config.db.errors import Refused
from tests.builders import NOON, make_language, make_translation, make_user

pytestmark = pytest.mark.django_db


class TestResolving:
    @pytest.fixture(autouse=True)
    def languages(self) -> None:
        make_language("es", is_default=True)
        make_language("en")
        make_language("gn", is_active=False)

    def test_requested_then_default_then_given_text_then_key(self) -> None:
        make_translation("a", "A in English", "en")
        make_translation("a", "A en español", "es")
        make_translation("b", "B en español", "es")
        make_translation("b", "B guaraníme", "gn")
        keys = {"a": "given a", "b": "given b", "c": "given c", "d": ""}
        assert queries.resolve_texts(keys, "en") == {
            "a": "A in English",
            "b": "B en español",
            "c": "given c",
            "d": "d",
        }

    def test_an_inactive_language_gives_way_to_the_default(self) -> None:
        make_translation("b", "B guaraníme", "gn")
        make_translation("b", "B en español", "es")
        assert queries.resolve_texts(["b"], "gn") == {"b": "B en español"}

    def test_any_number_of_keys_takes_one_query(self) -> None:
        keys = [f"key.{number}" for number in range(150)]
        for key in keys[:50]:
            make_translation(key, f"text of {key}", "en")
        with CaptureQueriesContext(connection) as captured:
            texts = queries.resolve_texts(keys, "en")
        assert len(captured) == 1
        assert (texts["key.3"], texts["key.149"]) == ("text of key.3", "key.149")


class TestLanguageOfARequest:
    @pytest.mark.parametrize(
        ("header", "parameter", "accepted", "chosen"),
        [
            ("fi", "en", "de", "fi"),
            ("", "en", "de", "en"),
            ("", "", "de-AT,en;q=0.8", "de"),
            ("", "", "DE;q=0.5", "de"),
            ("", "", "fr-CA,en", "es"),
            ("", "", "", "es"),
            ("gn", "", "", "es"),
            ("gn", "gn", "fi", "fi"),
            ("xx", "FI", "", "fi"),
        ],
    )
    def test_header_then_parameter_then_accepted_then_default(
        self, header: str, parameter: str, accepted: str, chosen: str
    ) -> None:
        make_language("es", is_default=True)
        for code in ("en", "fi", "de"):
            make_language(code)
        make_language("gn", is_active=False)
        headers = {"X-Language": header, "Accept-Language": accepted}
        request = RequestFactory().get("/", {"lang": parameter}, headers=headers)
        with CaptureQueriesContext(connection) as captured:
            assert queries.language_for_request(request) == chosen
        assert len(captured) == 1

    def test_without_any_language_it_is_the_one_of_the_settings(self) -> None:
        assert queries.language_for_request(RequestFactory().get("/")) == "en"


class TestVerification:
    def test_is_audited_and_undone_by_other_words_whoever_saves_them(self) -> None:
        text, admin = make_translation("a", "Helo"), make_user(Role.ADMIN)
        services.verify_translation(translation=text, actor=admin, now=NOON)
        assert (text.is_verified, text.verified_by, text.verified_at) == (True, admin, NOON)
        assert AuditLog.objects.get(event_type="TRANSLATION_VERIFIED").actor == admin

        text.value = "Hello"
        text.save()
        text.refresh_from_db()
        assert (text.is_verified, text.verified_by, text.verified_at) == (False, None, None)

    def test_other_changes_leave_the_mark(self) -> None:
        text = make_translation("a", "Hello")
        services.verify_translation(translation=text)
        text.context = "A greeting."
        text.save()
        text.refresh_from_db()
        assert text.is_verified

    def test_words_that_changed_since_they_were_read_are_not_verified(self) -> None:
        text = make_translation("a", "Hello")
        Translation.objects.filter(pk=text.pk).update(value="Goodbye")
        with pytest.raises(Refused, match="read it again"):
            services.verify_translation(translation=text)
        assert not Translation.objects.get(pk=text.pk).is_verified

    def test_saving_makes_or_changes_and_unverifies(self) -> None:
        language = make_language("en")
        text = services.save_translation(key="a", language=language, value="Hello", domain="seller")
        services.verify_translation(translation=text)
        services.save_translation(key="a", language=language, value="Hello")
        assert Translation.objects.get().is_verified
        services.save_translation(key="a", language=language, value="Hello!")
        text = Translation.objects.get()
        assert (text.value, text.domain, text.is_verified) == ("Hello!", "seller", False)
        entry = AuditLog.objects.get(event_type="TRANSLATION_CHANGED")
        assert entry.changes == {"value": ["Hello", "Hello!"]}

    def test_another_domain_or_context_is_audited_too_and_nothing_new_is_not(self) -> None:
        language = make_language("en")
        services.save_translation(key="a", language=language, value="Hello", domain="seller", context="A greeting.")
        services.save_translation(key="a", language=language, value="Hello")
        services.save_translation(key="a", language=language, value="Hello", domain="voucher", context="To anybody.")
        entry = AuditLog.objects.get(event_type="TRANSLATION_CHANGED")
        assert entry.changes == {"domain": ["seller", "voucher"], "context": ["A greeting.", "To anybody."]}

    @pytest.mark.parametrize(("too_long", "length"), [("key", 255), ("domain", 50)])
    def test_a_key_or_domain_that_is_too_long_is_refused_by_its_name(self, too_long: str, length: int) -> None:
        language = make_language("en")
        texts: dict[str, Any] = {"key": "a", "domain": "seller", too_long: "x" * (length + 1)}
        with pytest.raises(ValidationError) as refusal:
            services.save_translation(language=language, value="Hello", **texts)
        assert set(refusal.value.message_dict) == {too_long}
