from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Translation
from analytics.models import AuditLog
from leads.models import Voucher, VoucherClaim, VoucherCode, VoucherRedemption
from tests.admin.conftest import said
from tests.builders import NOON, make_language, make_seller, make_translation, make_user, make_voucher

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


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
    assert ">Frenos</a>” was added" in said(response)[0]
    entry = AuditLog.objects.get(entity_type="leads.voucher", action="create")
    assert (entry.entity_label, entry.description) == ("Frenos", "Frenos")


@pytest.mark.parametrize("wrong", ["status__exact=zzz", "expires_at__year=2026", "foo=bar"])
def test_what_the_list_cannot_be_asked_is_said_on_the_whole_list(wrong: str, super_admin: Client) -> None:
    response = super_admin.get(f"/admin/leads/voucher/?{wrong}", follow=True)
    assert response.status_code == 200
    assert said(response) == [f"The address of the list was not understood: {wrong}. Here are all rows."]


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


def held_voucher(title: str) -> tuple[Voucher, VoucherClaim, VoucherRedemption]:
    make_language("es", is_default=True)
    voucher = make_voucher()
    make_translation(voucher.title_key, title, "es")
    VoucherCode.objects.create(voucher=voucher, code=f"CODE{voucher.pk}", type="static")
    claim = VoucherClaim.objects.create(voucher=voucher, user=make_user(), expires_at=NOON)
    return voucher, claim, VoucherRedemption.objects.create(voucher=voucher, user=claim.user, claim=claim)


def test_no_page_shows_the_key_of_a_title_where_there_is_a_title(super_admin: Client) -> None:
    voucher, claim, redemption = held_voucher("Frenos nuevos")
    code = voucher.codes.get()
    delete = {"action": "delete_rows", "index": 0, "_selected_action": [voucher.pk]}
    pages = [
        super_admin.get(f"/admin/leads/{address}").content.decode()
        for address in (
            "voucherclaim/",
            "vouchercode/",
            "voucherredemption/",
            f"voucherclaim/{claim.pk}/change/",
            f"vouchercode/{code.pk}/change/",
            f"voucherredemption/{redemption.pk}/change/",
            f"voucher/{voucher.pk}/delete/",
            f"vouchercode/?f=voucher:is:{voucher.pk}",
            f"vouchercode/?q=nothing&f=voucher:is:{voucher.pk}",
        )
    ]
    pages.append(super_admin.post("/admin/leads/voucher/", delete).content.decode())
    for page in pages:
        assert "Frenos nuevos" in page
        assert voucher.title_key not in page
    # The form shows the key in its own field, and nowhere else.
    form = super_admin.get(f"/admin/leads/voucher/{voucher.pk}/change/").content.decode()
    assert form.count(voucher.title_key) == 1


def test_short_codes_are_shown_in_two_groups_and_others_as_they_are(super_admin: Client) -> None:
    voucher = make_voucher()
    VoucherCode.objects.create(voucher=voucher, code="ABCDEFGH", type="short")
    VoucherCode.objects.create(voucher=voucher, code="SPRING2026", type="static")
    for page in ("/admin/leads/vouchercode/", f"/admin/leads/voucher/{voucher.pk}/change/"):
        content = super_admin.get(page).content.decode()
        assert "ABCD-EFGH" in content
        assert "SPRING2026" in content


def test_vouchers_are_found_by_their_titles(super_admin: Client) -> None:
    voucher, *_ = held_voucher("Frenos nuevos")
    make_voucher()
    response = super_admin.get("/admin/leads/voucher/", {"q": "frenos"})
    assert list(response.context["cl"].result_list) == [voucher]


def test_searching_selects_offer_titles(super_admin: Client) -> None:
    voucher, *_ = held_voucher("Frenos nuevos")
    field = {"app_label": "leads", "model_name": "voucherclaim", "field_name": "voucher"}
    found = super_admin.get("/admin/autocomplete/", {**field, "term": "Frenos"}).json()["results"]
    assert found == [{"id": str(voucher.pk), "text": "Frenos nuevos"}]


def test_exports_and_messages_name_vouchers_by_their_titles(super_admin: Client) -> None:
    voucher, *_ = held_voucher("Frenos nuevos")
    query = {"column": ["voucher", "code"], "format": "csv"}
    exported: Any = super_admin.get("/admin/leads/vouchercode/export/", query)
    assert "Frenos nuevos" in b"".join(exported.streaming_content).decode()
    response = super_admin.post(f"/admin/leads/voucher/{voucher.pk}/suspend/")
    assert "Frenos nuevos is draft" in said(response)[0]
