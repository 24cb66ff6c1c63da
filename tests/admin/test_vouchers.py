from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Translation
from leads.models import Voucher
from tests.builders import make_language, make_seller, make_translation, make_voucher

pytestmark = pytest.mark.django_db


def form_data(**fields: Any) -> dict[str, Any]:
    inlines = {
        f"{prefix}-{name}": "0"
        for prefix in ("codes", "claims", "redemptions")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    voucher = {"discount_type": "percentage", "discount_value": "15", "currency": "EUR", "max_per_user": "1"}
    return {**inlines, **voucher, "metadata": "{}", **fields}


def test_staff_type_a_vouchers_texts_and_its_keys_are_made(super_admin: Client) -> None:
    language, seller = make_language("es", is_default=True), make_seller()

    texts = {"title": "Frenos", "description": "Revisión", "terms": "Una vez"}
    response = super_admin.post("/admin/leads/voucher/add/", form_data(seller=seller.pk, **texts))

    assert response.status_code == 302
    voucher = Voucher.objects.get()
    keys = [voucher.title_key, voucher.description_key, voucher.terms_key]
    assert [Translation.objects.get(key=key, language=language).value for key in keys] == list(texts.values())


def test_the_list_shows_titles_and_where_there_is_none_the_key(super_admin: Client) -> None:
    make_language("es", is_default=True)
    titled, bare = make_voucher(), make_voucher()
    make_translation(titled.title_key, "Frenos nuevos", "es")

    page = super_admin.get("/admin/leads/voucher/").content.decode()

    assert "Frenos nuevos" in page
    assert titled.title_key not in page
    assert bare.title_key in page


def test_other_words_in_the_form_change_the_text_and_not_the_key(super_admin: Client) -> None:
    make_language("es", is_default=True)
    voucher = make_voucher()
    make_translation(voucher.title_key, "Frenos", "es")
    keys = {name: getattr(voucher, name) for name in ("title_key", "description_key", "terms_key")}

    data = form_data(seller=voucher.seller_id, title="Frenos y discos", **keys)
    super_admin.post(f"/admin/leads/voucher/{voucher.pk}/change/", data)

    assert Translation.objects.get(key=voucher.title_key).value == "Frenos y discos"
