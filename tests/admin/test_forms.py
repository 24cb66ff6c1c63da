"""Adding and changing rows through their pages, and what the pages say against it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import Settings

from accounts.models import Language, Seller, StoredFile, Subscription, Translation, User, UserSession
from accounts.models.users import Role, UserStatus
from analytics.models import AuditLog, SystemSetting
from analytics.settings import get_setting, set_setting
from config.staff.forms import CHOOSE_AGAIN
from inventory.models import Car, Category, Part, Vehicle
from leads.models import Lead, NewsletterSubscriber, SupportTicket, TicketComment, Voucher
from tests.admin.conftest import said
from tests.admin.forms import Fields, add_row, address, errors_of, fields_of, picture, send
from tests.admin.rows import staff
from tests.builders import (
    NOON,
    make_car,
    make_category,
    make_language,
    make_lead,
    make_part,
    make_seller,
    make_ticket,
    make_translation,
    make_user,
    make_vehicle,
    make_voucher,
)
from tests.races import at_the_same_time

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def page_of(row: Any) -> str:
    return address(type(row), "change", row.pk)


def audited(row: Any) -> list[AuditLog]:
    key = str(getattr(row, "public_id", None) or row.pk)
    return list(AuditLog.objects.filter(entity_type=row._meta.label_lower, entity_id=key).order_by("pk"))


class TestPicturesOfACar:
    def test_one_is_uploaded_shown_small_and_becomes_the_primary_one(self, super_admin: Client, media: Path) -> None:
        car = make_car()
        response = send(super_admin, page_of(car), **add_row(super_admin, page_of(car), "images", upload=picture()))
        assert response.status_code == 302
        image: Any = car.images.get()
        assert (image.is_primary, image.position) == (True, 0)
        assert image.file.content_type == "image/png"
        assert (media / image.file.storage_key).is_file()
        assert image.file.metadata["thumbnail"] in super_admin.get(page_of(car)).content.decode()

    def test_one_is_named_by_its_address(self, super_admin: Client) -> None:
        car, url = make_car(), "https://cdn.example.org/a.jpg"
        send(super_admin, page_of(car), **add_row(super_admin, page_of(car), "images", url=url, alt_text="Front"))
        assert [(image.url, image.alt_text, image.file) for image in car.images.all()] == [(url, "Front", None)]

    def test_what_is_no_picture_is_refused_beside_its_field_and_not_kept(
        self, super_admin: Client, media: Path
    ) -> None:
        car = make_car()
        fake = SimpleUploadedFile("front.png", b"<svg onload=alert(1)>", "image/png")
        response = send(super_admin, page_of(car), **add_row(super_admin, page_of(car), "images", upload=fake))
        assert "images.upload" in errors_of(response)
        assert not StoredFile.objects.exists()
        assert list(media.rglob("*.*")) == []

    def test_a_good_picture_is_not_kept_either_while_the_page_is_refused(
        self, super_admin: Client, media: Path
    ) -> None:
        car = make_car()
        changes = add_row(super_admin, page_of(car), "images", upload=picture())
        assert "price" in errors_of(send(super_admin, page_of(car), **changes, price="-1"))
        assert not StoredFile.objects.exists()
        assert list(media.rglob("*.*")) == []

    def test_the_next_one_goes_last_among_those_that_are_there(self, super_admin: Client) -> None:
        car, url = make_car(), "https://cdn.example.org/a.jpg"
        for _ in range(3):
            send(super_admin, page_of(car), **add_row(super_admin, page_of(car), "images", url=url, position=""))
        assert list(car.images.order_by("id").values_list("position", flat=True)) == [0, 1, 2]

    def test_features_and_specifications_go_last_as_well(self, super_admin: Client) -> None:
        car = make_car()
        for number in range(2):
            rows = add_row(super_admin, page_of(car), "features", text=f"Hook {number}", position="") | add_row(
                super_admin, page_of(car), "specifications", label=f"Doors {number}", value="5", position=""
            )
            assert send(super_admin, page_of(car), **rows).status_code == 302
        assert list(car.features.values_list("text", "position")) == [("Hook 0", 0), ("Hook 1", 1)]
        assert list(car.specifications.values_list("label", "position")) == [("Doors 0", 0), ("Doors 1", 1)]

    def test_a_row_that_is_still_empty_proposes_no_position(self, super_admin: Client) -> None:
        fields = Fields(super_admin.get(page_of(make_car())).content.decode().replace("__prefix__", "new"))
        assert (fields.values["images-new-position"], fields.values["features-new-position"]) == ("", "")

    def test_one_that_came_with_a_page_that_is_shown_again_is_asked_for_and_not_forgotten(
        self, super_admin: Client
    ) -> None:
        car = make_car()
        added = add_row(super_admin, page_of(car), "images", upload=picture())
        again = send(super_admin, page_of(car), **added, year="1")
        assert CHOOSE_AGAIN in again.content.decode()
        sent = Fields(again.content.decode()).values
        refused = super_admin.post(page_of(car), {**sent, "year": car.year})
        assert errors_of(refused) == {"images.upload": [CHOOSE_AGAIN]}
        sent = Fields(refused.content.decode()).values
        assert super_admin.post(page_of(car), {**sent, "images-0-upload": picture()}).status_code == 302
        assert car.images.count() == 1

    def test_a_row_without_file_and_address_is_refused(self, super_admin: Client) -> None:
        car = make_car()
        response = send(super_admin, page_of(car), **add_row(super_admin, page_of(car), "images", alt_text="Front"))
        assert errors_of(response) == {"images.upload": ["Upload a picture, or give its address."]}

    def test_the_mark_moves_and_two_primary_ones_are_impossible(self, super_admin: Client) -> None:
        car = make_car()
        first = car.images.create(url="/media/1.jpg", is_primary=True)
        second, third = (car.images.create(url=f"/media/{n}.jpg", position=n) for n in (2, 3))
        marks = {"images-1-make_primary": "on", "images-0-make_primary": "on"}
        assert send(super_admin, page_of(car), **marks).status_code == 302
        assert set(car.images.filter(is_primary=True)) == {second}
        send(super_admin, page_of(car), **{"images-0-make_primary": "on", "images-2-make_primary": "on"})
        assert set(car.images.filter(is_primary=True)) == {third}
        send(super_admin, page_of(car), **{"images-2-DELETE": "on"})
        assert set(car.images.filter(is_primary=True)) == {first}

    def test_they_are_sorted(self, super_admin: Client) -> None:
        car = make_car()
        first, second = (car.images.create(url=f"/media/{n}.jpg", position=n) for n in (0, 1))
        send(super_admin, page_of(car), **{"images-0-position": 1, "images-1-position": 0})
        assert list(car.images.all()) == [second, first]

    def test_a_new_car_comes_with_pictures_features_and_specifications(self, super_admin: Client) -> None:
        page = address(Car, "add")
        changes = {
            "make": "Volvo",
            "model": "V60",
            "year": 2019,
            "price": "21900",
            "mileage_km": 80_000,
            "segment": "FAMILY",
            "paragraphs": "[]",
            **add_row(super_admin, page, "images", upload=picture()),
            **add_row(super_admin, page, "features", text="Tow bar", position=0),
            **add_row(super_admin, page, "specifications", label="Doors", value="5", position=0),
        }
        assert send(super_admin, page, **changes).status_code == 302
        car = Car.objects.get()
        assert (car.slug, car.status) == ("volvo-v60-2019", "AVAILABLE")
        assert car.images.get().is_primary
        assert (car.features.get().text, str(car.specifications.get())) == ("Tow bar", "Doors: 5")
        assert len(audited(car)) == 1


# What is typed, and what the page says: model, row, changes, field and sentence.
REFUSALS: dict[str, tuple[Callable[[], Any], dict[str, Any], str, str]] = {
    "percentage above 100": (
        make_voucher, {"discount_value": "150"}, "__all__", "A percentage is at most 100."
    ),
    "expiry before the start": (
        make_voucher,
        {"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"},
        "__all__",
        "A voucher cannot expire before it is valid.",
    ),
    "a time that no other zone can show": (
        make_voucher,
        {"expires_at_0": "9999-12-31", "expires_at_1": "23:59:59"},
        "expires_at",
        "Give a year between 1900 and 2200.",
    ),
    "a day before all calendars": (
        make_user, {"date_of_birth": "0001-01-01"}, "date_of_birth", "Give a year between 1900 and 2200."
    ),
    "latitude alone": (
        make_seller, {"latitude": "1"}, "__all__", "Give both latitude and longitude, or neither."
    ),
    "latitude beyond the pole": (
        make_seller, {"latitude": "91", "longitude": "1"}, "__all__", "Latitude lies between -90 and 90 degrees."
    ),
    "rating above 5": (make_seller, {"rating": "7"}, "__all__", "A rating lies between 0 and 5."),
    "rating with too many digits": (
        make_seller, {"rating": "70"}, "rating", "Ensure that there are no more than 1 digit before the decimal point."
    ),
    "unknown country": (make_seller, {"country": "XX"}, "country", "XX"),
    "no mileage": (make_car, {"mileage_km": ""}, "mileage_km", "This field is required."),
    "letters in a VIN": (make_car, {"vin": "IIIIIIIIIIIIIIIII"}, "vin", "I, O and Q"),
    "a year to come": (make_car, {"year": "2199"}, "year", "The year lies between 1900"),
    "price of nothing": (make_part, {"price": "0"}, "price", "greater than or equal to 0.01"),
    "unknown currency": (make_part, {"currency": "ZZZ"}, "currency", "ZZZ"),
    "an e-mail address that is none": (make_user, {"email": "nobody"}, "email", "valid email"),
    "no limit of redemptions": (
        make_voucher, {"max_redemptions": "0"}, "__all__", "The limit of redemptions is at least 1."
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(REFUSALS))
def test_what_breaks_a_rule_is_told_on_the_form(case: str, super_admin: Client) -> None:
    make, changes, field, sentence = REFUSALS[case]
    row = make()
    before = type(row)._base_manager.values().get(pk=row.pk)
    errors = errors_of(send(super_admin, page_of(row), **changes))
    assert list(errors) == [field]
    assert sentence in " ".join(errors[field])
    assert type(row)._base_manager.values().get(pk=row.pk) == before
    assert audited(row) == []


# Two rows that would have the same, as the second is typed.
DUPLICATES: dict[str, tuple[Callable[[], Any], str, Callable[[str], str], str]] = {
    "VIN of a car": (make_car, "vin", str.lower, "Another one has this VIN already."),
    "VIN of a vehicle": (make_vehicle, "vin", str.lower, "Another one has this VIN already."),
    "slug of a car": (make_car, "slug", str, "Another car has this slug already."),
    "name of a category": (make_category, "name", str.upper, "Another category has this name already."),
    "slug of a category": (make_category, "slug", str, "Another category has this slug already."),
    "address of a user": (make_user, "email", str.upper, "A user with this e-mail address already exists."),
}


@pytest.mark.parametrize("case", sorted(DUPLICATES))
def test_what_must_be_unique_is_so_in_any_case(case: str, super_admin: Client) -> None:
    make, field, typed, sentence = DUPLICATES[case]
    first, second = make(), make()
    errors = errors_of(send(super_admin, page_of(second), **{field: typed(getattr(first, field))}))
    assert sentence in [each for messages in errors.values() for each in messages]


@pytest.mark.parametrize("case", [case for case in sorted(DUPLICATES) if "user" not in case])
def test_a_deleted_row_leaves_its_place_to_another(case: str, super_admin: Client) -> None:
    make, field, typed, _ = DUPLICATES[case]
    first, second = make(), make()
    first.soft_delete(timezone.now())
    assert send(super_admin, page_of(second), **{field: typed(getattr(first, field))}).status_code == 302


def test_a_part_belongs_to_the_seller_of_its_vehicle(super_admin: Client) -> None:
    part = make_part()
    errors = errors_of(send(super_admin, page_of(part), seller=make_seller().pk))
    assert errors == {"seller": ["The part must belong to the seller of its vehicle."]}


def test_a_number_that_no_column_holds_is_refused_with_the_limit(super_admin: Client) -> None:
    errors = errors_of(send(super_admin, page_of(make_car()), mileage_km=99_999_999_999))
    assert errors == {"mileage_km": ["Ensure this value is less than or equal to 2147483647."]}


@pytest.mark.parametrize("popup", [True, False])
def test_a_popup_leaves_no_message_for_the_page_that_is_opened_next(popup: bool, super_admin: Client) -> None:
    page = address(Vehicle, "add")
    more = {"_popup": "1"} if popup else {}
    vin = "1HGCM82633A004353"  # its ninth place should be a 3
    data = {"make": "Honda", "model": "Accord", "year": 2003, "vin": vin, "seller": make_seller().pk, **more}
    data |= {"acquired_at_0": "2026-03-01", "acquired_at_1": "12:00:00"}
    send(super_admin, page, **data)
    assert Vehicle.objects.filter(vin=vin).exists()
    told = [str(message) for message in super_admin.get(address(Car, "changelist")).context["messages"]]
    assert any("check" in message for message in told) is not popup


def test_a_vehicle_that_changes_hands_takes_its_parts_along(super_admin: Client) -> None:
    part, buyer = make_part(), make_seller()
    assert send(super_admin, page_of(part.vehicle), seller=buyer.pk).status_code == 302
    part.refresh_from_db()
    assert part.seller == buyer


def test_categories_cannot_form_a_ring(super_admin: Client) -> None:
    root = make_category()
    leaf = make_category(parent=make_category(parent=root))
    sentence = "A category cannot be moved under itself or one of its own descendants."
    for parent in (leaf, root):
        assert errors_of(send(super_admin, page_of(root), parent=parent.pk)) == {"parent": [sentence]}
    assert send(super_admin, page_of(leaf), parent="").status_code == 302
    assert Category.objects.get(pk=leaf.pk).level == 1


class TestDeletedRows:
    def test_the_page_of_a_deleted_row_can_only_be_looked_at(self, super_admin: Client) -> None:
        car = make_car()
        car.images.create(url="/media/1.jpg", is_primary=True)
        fields = fields_of(super_admin, page_of(car))
        car.soft_delete(timezone.now())
        assert super_admin.get(page_of(car)).status_code == 200
        assert "price" not in fields_of(super_admin, page_of(car))
        assert super_admin.post(page_of(car), {**fields, "price": "1"}).status_code == 403
        assert Car.all_objects.get(pk=car.pk).price != 1

    def test_a_row_that_is_gone_sends_back_with_a_word(self, super_admin: Client) -> None:
        feature = make_category()
        fields = fields_of(super_admin, page_of(feature))
        Category.all_objects.filter(pk=feature.pk).delete()
        response = super_admin.post(page_of(feature), fields)
        assert response.status_code == 302
        assert "is not there: perhaps it was deleted" in said(response)[0]

    def test_from_deleting_over_restoring_to_removing_for_good(
        self, super_admin: Client, superuser: User, sign_in: Callable[[User], Client]
    ) -> None:
        part = make_part(name="Door")
        listing = address(Part, "changelist")
        assert super_admin.post(address(Part, "delete", part.pk), {"post": "yes"}).status_code == 302
        deleted: Any = super_admin.get(f"{listing}?deleted=only")
        assert list(deleted.context_data["cl"].result_list) == [part]
        super_admin.post(f"{listing}{part.pk}/restore_rows/")
        assert Part.objects.filter(pk=part.pk).exists()

        chosen = {"_selected_action": [part.pk], "staff_confirmed": 1}
        response = super_admin.post(listing, {"action": "delete_for_good", **chosen})
        assert said(response)[-1:] == ["1 part not deleted for good: It is live: delete it first. (Door)"]
        admin = sign_in(staff(Role.ADMIN))
        admin.post(listing, {"action": "delete_rows", **chosen})
        assert not Part.objects.filter(pk=part.pk).exists()
        admin.post(f"{listing}?deleted=only", {"action": "delete_for_good", **chosen})
        assert Part.all_objects.filter(pk=part.pk).exists()

        asked = super_admin.post(f"{listing}{part.pk}/delete_for_good/")
        assert "This cannot be undone." in asked.content.decode()
        assert Part.all_objects.filter(pk=part.pk).exists()
        super_admin.post(f"{listing}{part.pk}/delete_for_good/", {"staff_confirmed": 1})
        assert not Part.all_objects.filter(pk=part.pk).exists()
        entries = [(entry.action, entry.event_type) for entry in audited(part)]
        assert [action for action, _ in entries] == ["delete", "update", "delete", "delete"]

    def test_a_car_that_leads_ask_about_is_only_hidden(self, super_admin: Client) -> None:
        car = make_car()
        make_lead(car=car)
        super_admin.post(address(Car, "delete", car.pk), {"post": "yes"})
        response = super_admin.post(f"{address(Car, 'changelist')}{car.pk}/delete_for_good/", {"staff_confirmed": 1})
        assert "1 lead" in said(response)[-1]
        assert Car.all_objects.filter(pk=car.pk).exists()

    def test_an_administrator_cannot_delete_cars_or_leads(self, sign_in: Callable[[User], Client]) -> None:
        client = sign_in(staff(Role.ADMIN))
        for row in (make_car(), make_lead()):
            assert client.post(address(type(row), "delete", row.pk), {"post": "yes"}).status_code == 403
            data = {"action": "delete_rows", "_selected_action": [row.pk], "staff_confirmed": 1}
            client.post(address(type(row), "changelist"), data)
            assert type(row)._default_manager.filter(pk=row.pk).exists()


class TestLeads:
    def test_one_is_typed_in_scored_and_told_of_once(self, super_admin: Client) -> None:
        car, page = make_car(), address(Lead, "add")
        typed = {"name": "Aino", "email": "aino@example.org", "message": "I want to buy it today", "car": car.pk}
        assert send(super_admin, page, **typed, source="telephone").status_code == 302
        lead = Lead.objects.get()
        assert (lead.car, lead.source, lead.status) == (car, "telephone", "NEW")
        assert lead.score > 0
        assert car.name in lead.subject_label
        assert lead.activities.get().type == "CREATED"
        assert [entry.event_type for entry in audited(lead)] == ["LEAD_CREATED"]

    def test_its_quality_follows_from_the_score_and_the_settings(self, super_admin: Client) -> None:
        lead, unscored = make_lead(score=72, score_factors={"full_name": 10}), make_lead()

        def quality(of: Lead) -> str:
            words = strip_tags(super_admin.get(page_of(of)).content.decode()).split()
            return words[words.index("Quality") + 1]

        assert (quality(lead), quality(unscored)) == ("high", "-")
        set_setting("leads.high_quality_from", 80)
        assert quality(lead) == "medium"

    def test_notes_are_written_on_its_page(self, super_admin: Client, superuser: User) -> None:
        lead = make_lead()
        page = page_of(lead)
        assert send(super_admin, page, **add_row(super_admin, page, "notes", text="Called back.")).status_code == 302
        note = lead.notes.get()
        assert (note.text, note.author, note.author_label) == ("Called back.", superuser, superuser.name)
        assert lead.activities.get().type == "NOTE_ADDED"
        assert [entry.event_type for entry in audited(note)] == ["NOTE_ADDED_TO_LEAD"]
        assert audited(lead) == []

    def test_notes_that_are_changed_and_deleted_on_its_page_are_told_of_each(
        self, super_admin: Client, superuser: User
    ) -> None:
        lead = make_lead()
        changed, deleted = lead.notes.create(text="Wants it."), lead.notes.create(text="Old words.")
        fields = fields_of(super_admin, page_of(lead))
        number = {fields[f"notes-{place}-id"]: place for place in (0, 1)}
        changes = {
            f"notes-{number[str(changed.pk)]}-text": "Bought it.",
            f"notes-{number[str(deleted.pk)]}-DELETE": "on",
        }
        assert send(super_admin, page_of(lead), **changes).status_code == 302
        assert lead.notes.get().text == "Bought it."
        [update], [removal] = audited(changed), audited(deleted)
        assert (update.action, update.actor, update.changes) == (
            "update", superuser, {"text": ["Wants it.", "Bought it."]},
        )  # fmt: skip
        removed = {"lead": [lead.pk, None], "text": ["Old words.", None]}
        assert (removal.action, removal.actor, removal.changes) == ("delete", superuser, removed)
        assert audited(lead) == []

    @pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
    def test_a_note_that_is_empty_or_too_long_is_refused_on_the_form(self, text: str, super_admin: Client) -> None:
        lead = make_lead()
        changes = add_row(super_admin, page_of(lead), "notes", text=text)
        response = send(super_admin, page_of(lead), **changes)
        assert lead.notes.count() == 0
        if text.strip():
            assert "notes.text" in errors_of(response)

    def test_an_administrator_adds_notes_but_alters_none(self, sign_in: Callable[[User], Client]) -> None:
        lead = make_lead()
        note = lead.notes.create(text="Old.", author_label="Somebody")
        client = sign_in(staff(Role.ADMIN))
        page = page_of(lead)
        changes = {**add_row(client, page, "notes", text="New."), "notes-0-text": "Changed", "notes-0-id": note.pk}
        send(client, page, **changes, **{"notes-0-DELETE": "on"})
        assert set(lead.notes.values_list("text", flat=True)) >= {"Old."}


def test_comments_are_written_on_the_page_of_their_ticket(super_admin: Client, superuser: User) -> None:
    ticket = make_ticket()
    page = page_of(ticket)
    changes = add_row(super_admin, page, "comments", text="On its way.", is_internal="on")
    assert send(super_admin, page, **changes).status_code == 302
    comment = TicketComment.objects.get()
    assert (comment.author, comment.is_internal, comment.ticket) == (superuser, True, ticket)
    assert len(audited(comment)) == 1


def test_a_comment_that_is_changed_or_deleted_on_the_page_of_its_ticket_is_told_of(
    super_admin: Client, superuser: User
) -> None:
    ticket = make_ticket()
    comment = ticket.comments.create(text="Between us.", is_internal=True)
    assert send(super_admin, page_of(ticket), **{"comments-0-is_internal": None}).status_code == 302
    assert send(super_admin, page_of(ticket), **{"comments-0-DELETE": "on"}).status_code == 302
    update, removal = audited(comment)
    assert (update.action, update.actor, update.changes) == ("update", superuser, {"is_internal": [True, False]})
    removed = {"ticket": [ticket.pk, None], "text": ["Between us.", None], "is_internal": [False, None]}
    assert (removal.action, removal.changes) == ("delete", removed)
    assert audited(ticket) == []


def test_a_ticket_is_opened_for_a_person(super_admin: Client) -> None:
    asker = make_user()
    typed = {"user": asker.pk, "title": "Refund", "description": "Please."}
    assert send(super_admin, address(SupportTicket, "add"), **typed).status_code == 302
    assert SupportTicket.objects.get().user == asker


def test_a_ticket_has_a_number_once_it_is_saved(super_admin: Client) -> None:
    ticket = make_ticket()
    shown = super_admin.get(address(SupportTicket, "add")).content.decode()
    assert "field-number" not in shown
    assert not re.search(r"T-[0-9A-Z]{8}", shown)
    assert ticket.number in super_admin.get(page_of(ticket)).content.decode()


class TestSettings:
    def test_one_is_added_with_its_default_from_those_that_are_missing(self, super_admin: Client) -> None:
        set_setting("leads.scoring", False)
        page = address(SystemSetting, "add")
        shown = super_admin.get(page).content.decode()
        assert "Failed sign-ins after which an account is locked for a while." in shown
        assert 'value="leads.scoring"' not in shown
        assert fields_of(super_admin, page)["value"] == ""
        assert send(super_admin, page, key="security.login_attempts").status_code == 302
        row = SystemSetting.objects.get(key="security.login_attempts")
        assert (row.value, row.description) == (5, "Failed sign-ins after which an account is locked for a while.")
        assert "Security.login_attempts" not in super_admin.get(page_of(row)).content.decode()

    def test_one_is_added_with_another_value_than_its_default(self, super_admin: Client) -> None:
        page = address(SystemSetting, "add")
        assert errors_of(send(super_admin, page, key="security.login_attempts", value="99")) == {
            "value": ["Write a whole number from 3 to 20."]
        }
        assert send(super_admin, page, key="security.login_attempts", value="7").status_code == 302
        assert get_setting("security.login_attempts") == 7

    def test_a_value_of_the_wrong_type_is_refused_in_words(self, super_admin: Client) -> None:
        set_setting("leads.scoring", True)
        row = SystemSetting.objects.get()
        assert errors_of(send(super_admin, page_of(row), value='"perhaps"')) == {"value": ["Write true or false."]}
        assert "value" in errors_of(send(super_admin, page_of(row), value="{"))
        assert send(super_admin, page_of(row), value="false").status_code == 302
        assert get_setting("leads.scoring") is False

    def test_a_secret_is_masked_everywhere_and_survives_a_save_of_its_mask(self, super_admin: Client) -> None:
        set_setting("mail.api_key", "sk-very-secret-4242")
        row = SystemSetting.objects.get()
        assert "very-secret" not in super_admin.get(page_of(row)).content.decode()
        assert send(super_admin, page_of(row)).status_code == 302
        assert get_setting("mail.api_key") == "sk-very-secret-4242"
        assert send(super_admin, page_of(row), value='"sk-another-secret-77"').status_code == 302
        assert get_setting("mail.api_key") == "sk-another-secret-77"
        row.refresh_from_db()
        listing = super_admin.get(address(SystemSetting, "changelist")).content.decode()
        download: Any = super_admin.get(f"{address(SystemSetting, 'export')}?format=csv&column=key&column=value")
        exported = b"".join(download.streaming_content).decode()
        logged = " ".join(str(entry.changes) for entry in AuditLog.objects.all())
        for shown in (listing, exported, logged):
            assert "secret" not in shown
            assert next(iter(row.value.values())) not in shown

    def test_a_secret_that_cannot_be_decrypted_takes_no_page_down(
        self, super_admin: Client, settings: Settings
    ) -> None:
        set_setting("mail.api_key", "sk-very-secret-4242")
        row = SystemSetting.objects.get()
        settings.FIELD_ENCRYPTION_KEYS = ["another-key-than-that-which-sealed-the-secret"]
        for page in (address(SystemSetting, "changelist"), page_of(row)):
            assert "(cannot be decrypted)" in super_admin.get(page).content.decode()
        assert send(super_admin, page_of(row), value='"sk-another-secret-77"').status_code == 302
        assert get_setting("mail.api_key") == "sk-another-secret-77"

    def test_an_administrator_reads_the_mask_only(self, sign_in: Callable[[User], Client]) -> None:
        set_setting("mail.api_key", "sk-very-secret-4242")
        row = SystemSetting.objects.get()
        page = sign_in(staff(Role.ADMIN)).get(page_of(row)).content.decode()
        assert "very-secret" not in page
        assert next(iter(row.value.values())) not in page

    def test_a_setting_that_the_program_no_longer_knows_is_told_of(self, super_admin: Client) -> None:
        row = SystemSetting.objects.create(key="gone", value=1)
        assert "There is no setting gone." in errors_of(send(super_admin, page_of(row)))["__all__"]


class TestPeople:
    def test_one_is_added_with_a_password_and_can_sign_in(self, super_admin: Client, client: Client) -> None:
        typed = {"name": "Aino Virta", "email": "Aino@Example.org", "role": Role.VIEWER, "usable_password": "true"}
        words = {"password1": "Correct-horse-7", "password2": "Correct-horse-7"}
        assert send(super_admin, address(User, "add"), **typed, **words).status_code == 302
        user = User.objects.get(email="aino@example.org")
        assert (user.role, user.is_staff, user.name) == (Role.VIEWER, True, "Aino Virta")
        assert user.status == UserStatus.ACTIVE
        assert client.login(username="aino@example.org", password="Correct-horse-7")
        entries = [entry for entry in audited(user) if entry.action != "login"]
        assert [entry.action for entry in entries] == ["create"]
        assert user.password not in str(entries[0].changes)

    @pytest.mark.parametrize("phone", ["abc", "+", "12", "+358 40 1234567; call", "٣٤٥٦٧٨", "--------"])
    def test_what_is_no_telephone_number_is_refused(self, phone: str, super_admin: Client) -> None:
        (told,) = errors_of(send(super_admin, page_of(make_user()), phone=phone))["phone"]
        assert told == f"“{phone}” is not a telephone number, such as +358 40 1234567."

    @pytest.mark.parametrize(
        "phone", ["+358 40 1234567", "(021) 555-0123", "021.555.0123 ext. 7", "040/1234567", "112"]
    )
    def test_telephone_numbers_are_taken_as_they_are_written(self, phone: str, super_admin: Client) -> None:
        user = make_user()
        assert send(super_admin, page_of(user), phone=phone).status_code == 302
        user.refresh_from_db()
        assert user.phone == phone

    def test_nobody_was_born_tomorrow(self, super_admin: Client) -> None:
        user, today = make_user(), timezone.localdate()
        errors = errors_of(send(super_admin, page_of(user), date_of_birth=today + timedelta(days=1)))
        assert errors == {"date_of_birth": ["A date of birth cannot be in the future."]}
        assert send(super_admin, page_of(user), date_of_birth=today).status_code == 302

    def test_one_is_added_without_a_password_and_cannot(self, super_admin: Client) -> None:
        typed = {"name": "Aino", "email": "aino@example.org", "role": Role.SELLER, "usable_password": "false"}
        response = send(super_admin, address(User, "add"), **typed, password1="", password2="")
        assert response.status_code == 302
        assert not User.objects.get(email="aino@example.org").has_usable_password()

    @pytest.mark.parametrize("password", ["12345678", "short", "aino@example.org"])
    def test_a_weak_password_is_refused(self, password: str, super_admin: Client) -> None:
        typed = {"name": "Aino", "email": "aino@example.org", "role": Role.BUYER, "usable_password": "true"}
        response = send(super_admin, address(User, "add"), **typed, password1=password, password2=password)
        assert {"password1", "password2"} & set(errors_of(response))
        assert not User.objects.filter(email="aino@example.org").exists()

    def test_a_new_password_ends_sessions_and_is_logged_without_it(
        self, super_admin: Client, sign_in: Callable[[User], Client]
    ) -> None:
        user = staff(Role.VIEWER)
        theirs = sign_in(user)
        session = UserSession.objects.create(user=user, access_token_hash="1" * 64, expires_at=NOON)
        action = f"{address(User, 'changelist')}{user.pk}/set_password/"
        assert action in super_admin.get(page_of(user)).content.decode()
        page = super_admin.get(action).headers["Location"]
        words = {"password1": "Another-horse-8", "password2": "Another-horse-8"}
        assert super_admin.post(page, words).status_code == 302
        user.refresh_from_db()
        session.refresh_from_db()
        assert user.check_password("Another-horse-8")
        assert theirs.get(reverse("admin:index")).status_code == 302
        assert session.revoked_at is not None
        entry, ended = audited(user)[1:]
        assert (entry.event_type, ended.event_type) == ("PASSWORD_CHANGED", "SESSIONS_ENDED")
        assert "Another-horse-8" not in f"{entry.changes}{entry.metadata}{entry.description}"

    def test_only_super_administrators_set_passwords(self, sign_in: Callable[[User], Client]) -> None:
        user = staff(Role.VIEWER)
        page = reverse("admin:auth_user_password_change", args=[user.pk])
        for role in (Role.ADMIN, Role.VIEWER, Role.SELLER):
            reader = sign_in(staff(role))
            assert reader.get(page).status_code in {302, 403, 404}
            assert "set_password" not in reader.get(page_of(user)).content.decode()

    def test_who_sets_the_own_password_stays_signed_in(self, super_admin: Client, superuser: User) -> None:
        page = reverse("admin:auth_user_password_change", args=[superuser.pk])
        words = {"password1": "Another-horse-8", "password2": "Another-horse-8"}
        assert super_admin.post(page, words).status_code == 302
        assert super_admin.get(reverse("admin:index")).status_code == 200

    def test_a_change_is_logged_with_before_and_after(self, super_admin: Client, superuser: User) -> None:
        user = make_user(name="Old name")
        send(super_admin, page_of(user), name="New name")
        entry = audited(user)[0]
        assert (entry.actor, entry.action, entry.changes) == (superuser, "update", {"name": ["Old name", "New name"]})

    def test_a_save_without_a_change_leaves_no_entry(self, super_admin: Client) -> None:
        for row in (make_user(), make_car(), make_part(), make_lead(), make_voucher(), make_seller()):
            assert send(super_admin, page_of(row)).status_code == 302
            assert audited(row) == []


class TestSellers:
    def test_one_is_added_and_told_of_once(self, super_admin: Client) -> None:
        owner = make_user(Role.SELLER)
        assert send(super_admin, address(Seller, "add"), name="Karoo Spares", owner=owner.pk).status_code == 302
        seller = Seller.objects.get()
        assert (seller.owner, seller.is_verified, seller.country) == (owner, False, "ZA")
        assert [entry.action for entry in audited(seller)] == ["create"]

    def test_hours_that_are_unknown_are_an_empty_field_beside_an_example_that_is_taken(
        self, super_admin: Client
    ) -> None:
        seller = make_seller(business_hours=None)
        assert fields_of(super_admin, page_of(seller))["business_hours"] == ""
        assert send(super_admin, page_of(seller), name="Other").status_code == 302
        seller.refresh_from_db()
        assert seller.business_hours is None
        page = unescape(super_admin.get(page_of(seller)).content.decode())
        example = re.search(r"such as (\{\"monday\".*\}\})", page)
        assert example is not None
        assert send(super_admin, page_of(seller), business_hours=example[1]).status_code == 302
        kept: Any = Seller.objects.get().business_hours
        assert kept["sunday"] == {"isOpen": False}

    def test_each_person_owns_one_only_where_the_setting_says_so(self, super_admin: Client, settings: Settings) -> None:
        settings.ACCOUNTS_ONE_SELLER_PER_USER = True
        seller, other = make_seller(), make_seller()
        response = send(super_admin, address(Seller, "add"), name="Second", owner=seller.owner_id)
        assert "owner" in errors_of(response)
        assert "owner" in errors_of(send(super_admin, page_of(other), owner=seller.owner_id))
        assert Seller.objects.count() == 2

    def test_each_person_may_own_several_otherwise(self, super_admin: Client, settings: Settings) -> None:
        settings.ACCOUNTS_ONE_SELLER_PER_USER = False
        owner = make_seller().owner
        assert send(super_admin, address(Seller, "add"), name="Second", owner=owner.pk).status_code == 302


def test_the_code_of_a_language_is_its_key_and_stays(super_admin: Client) -> None:
    language = make_language("fi")
    super_admin.post(page_of(language), {"code": "sv", "name": "Suomi", "direction": "ltr", "is_active": "on"})
    assert list(Language.objects.values_list("code", "name")) == [("fi", "Suomi")]


def test_no_code_of_a_language_holds_a_nul(super_admin: Client) -> None:
    assert super_admin.get(address(Language, "change", "%00").replace("%25", "%")).status_code == 302


def test_only_one_language_is_the_default(super_admin: Client) -> None:
    make_language("en", is_default=True)
    errors = errors_of(send(super_admin, page_of(make_language("fi")), is_default="on"))
    assert errors == {"__all__": ["Another language is the default already."]}


def test_a_verified_text_that_is_reworded_is_unverified(super_admin: Client) -> None:
    text = make_translation("a.b", "Hello", is_verified=True, verified_at=timezone.now())
    send(super_admin, page_of(text), value="Hi")
    assert not Translation.objects.get().is_verified


def test_a_person_has_one_running_subscription_at_a_provider(super_admin: Client) -> None:
    first = Subscription.objects.create(user=make_user(), provider="stripe", start_date=timezone.now())
    second = Subscription.objects.create(
        user=first.user, provider="stripe", start_date=timezone.now(), status="cancelled"
    )
    errors = errors_of(send(super_admin, page_of(second), status="active"))
    assert errors == {"__all__": ["This user has a running subscription at this provider already."]}


def test_the_period_of_a_subscription_does_not_end_before_it_starts(super_admin: Client) -> None:
    now = timezone.now()
    row = Subscription.objects.create(user=make_user(), start_date=now, current_period_start=now)
    day = {"current_period_end_0": f"{now - timedelta(days=2):%Y-%m-%d}", "current_period_end_1": "12:00:00"}
    errors = errors_of(send(super_admin, page_of(row), **day))
    assert errors == {"__all__": ["The current period cannot end before it starts."]}


def test_an_address_is_on_the_newsletters_list_once(super_admin: Client) -> None:
    NewsletterSubscriber.objects.create(email="a@example.org")
    response = send(super_admin, address(NewsletterSubscriber, "add"), email="A@Example.org")
    assert "This address is on the list already." in str(errors_of(response))


def test_a_used_up_voucher_is_left_as_it_was(super_admin: Client) -> None:
    voucher = make_voucher(state="expired")
    assert super_admin.get(page_of(voucher)).status_code == 200
    assert super_admin.post(page_of(voucher), {"discount_value": "99"}).status_code == 403
    assert Voucher.objects.get().discount_value == 15


def test_a_form_does_not_write_back_what_a_service_changed_since_it_was_opened(super_admin: Client) -> None:
    part = make_part()
    page = page_of(part)
    typed = fields_of(super_admin, page)
    Part.objects.filter(pk=part.pk).update(status="SOLD", sold_at=timezone.now())
    assert super_admin.post(page, {**typed, "name": "Renamed"}).status_code == 302
    part.refresh_from_db()
    assert (part.status, part.name) == ("SOLD", "Renamed")


class TestTwoPagesOfOneRow:
    def test_the_older_one_puts_no_value_back_and_says_who_changed_it(
        self, super_admin: Client, superuser: User, sign_in: Callable[[User], Client]
    ) -> None:
        car = make_car(price=9000)
        typed = fields_of(super_admin, page_of(car))
        colleague = staff(Role.ADMIN)
        assert send(sign_in(colleague), page_of(car), price="8500").status_code == 302
        response = super_admin.post(page_of(car), {**typed, "description": "One owner."})
        (told,) = errors_of(response)["__all__"]
        assert told.startswith("Not saved: since you loaded this page, Price changed (last saved ")
        assert f" by {colleague}). What you typed is still here" in told
        assert "One owner." in response.content.decode()
        car.refresh_from_db()
        assert (car.price, car.description) == (8500, "")
        assert [entry.actor for entry in audited(car)] == [colleague]

        again = Fields(response.content.decode()).values
        assert "__all__" in errors_of(super_admin.post(page_of(car), again)), "the page still shows the old price"
        assert send(super_admin, page_of(car), description="One owner.").status_code == 302
        car.refresh_from_db()
        assert (car.price, car.description) == (8500, "One owner.")

    def test_a_row_within_the_form_is_guarded_as_the_form_itself(
        self, super_admin: Client, sign_in: Callable[[User], Client]
    ) -> None:
        car = make_car()
        doors, seats = (car.specifications.create(label=label, value="4") for label in ("Doors", "Seats"))
        typed = fields_of(super_admin, page_of(car))
        (prefix,) = {name.rpartition("-")[0] for name, value in typed.items() if value == "Doors"}
        colleague = sign_in(staff(Role.ADMIN))
        assert send(colleague, page_of(car), **{f"{prefix}-value": "5"}).status_code == 302

        response = super_admin.post(page_of(car), {**typed, "description": "One owner."})

        (told,) = [error for errors in errors_of(response).values() for error in errors]
        assert told.startswith("Not saved: since you loaded this page, Value changed")
        assert told in unescape(response.content.decode())
        assert [(row.label, row.value) for row in car.specifications.order_by("pk")] == [("Doors", "5"), ("Seats", "4")]
        car.refresh_from_db()
        assert car.description == ""
        assert send(super_admin, page_of(car), description="One owner.").status_code == 302
        assert {doors.pk, seats.pk} == set(car.specifications.values_list("pk", flat=True))

    @pytest.mark.django_db(transaction=True)
    def test_of_two_that_are_saved_at_once_one_is_refused(self, sign_in: Callable[[User], Client]) -> None:
        car = make_car(price=9000)
        clients = [sign_in(staff(Role.SUPER_ADMIN)), sign_in(staff(Role.SUPER_ADMIN))]
        typed = [fields_of(client, page_of(car)) | {"price": f"{8001 + nth}.00"} for nth, client in enumerate(clients)]
        answers = at_the_same_time(
            lambda: clients[0].post(page_of(car), typed[0]), lambda: clients[1].post(page_of(car), typed[1])
        )
        codes = [answer.status_code for answer in answers]
        assert sorted(codes) == [200, 302]
        car.refresh_from_db()
        assert car.price == 8001 + codes.index(302)

    def test_a_form_that_is_sent_twice_is_no_error(self, super_admin: Client) -> None:
        part = make_part()
        typed = fields_of(super_admin, page_of(part)) | {"name": "Renamed"}
        for _ in range(2):
            assert super_admin.post(page_of(part), typed).status_code == 302
        assert len(audited(part)) == 1

    def test_what_is_counted_meanwhile_neither_refuses_the_form_nor_is_undone(self, super_admin: Client) -> None:
        seller = make_seller()
        typed = fields_of(super_admin, page_of(seller))
        Seller.objects.filter(pk=seller.pk).update(total_sales=7)
        assert super_admin.post(page_of(seller), {**typed, "description": "Spares"}).status_code == 302
        seller.refresh_from_db()
        assert (seller.total_sales, seller.description) == (7, "Spares")

    def test_what_a_service_changed_is_not_put_back_and_said_without_a_name(self, super_admin: Client) -> None:
        lead = make_lead()
        typed = fields_of(super_admin, page_of(lead))
        Lead.objects.filter(pk=lead.pk).update(name="Aino")
        (told,) = errors_of(super_admin.post(page_of(lead), typed))["__all__"]
        assert "Name changed (last saved " in told
        assert " by " not in told

    def test_rows_without_times_are_guarded_alike(self, super_admin: Client) -> None:
        subscriber = NewsletterSubscriber.objects.create(email="a@example.org")
        typed = fields_of(super_admin, page_of(subscriber))
        NewsletterSubscriber.objects.update(email="b@example.org")
        (told,) = errors_of(super_admin.post(page_of(subscriber), typed))["__all__"]
        assert told.startswith("Not saved: since you loaded this page, E-mail changed. What")

    @pytest.mark.parametrize("marks", ["made up", "e30:made-up"])
    def test_what_the_page_never_showed_is_refused(self, marks: str, super_admin: Client) -> None:
        response = send(super_admin, page_of(make_part()), shown_values=marks)
        assert errors_of(response) == {"__all__": ["This page is no longer valid. Load it again."]}


@pytest.mark.parametrize("field", ["name", "message", "phone"])
def test_what_visitors_typed_is_shown_and_never_run(field: str, super_admin: Client) -> None:
    nasty = "<script>alert(1)</script>"
    lead = make_lead(**{field: nasty})
    for page in (page_of(lead), address(Lead, "changelist"), reverse("admin:index")):
        assert nasty not in super_admin.get(page).content.decode()


def test_rows_saved_within_the_same_moment_of_a_deletion_stay_deleted(super_admin: Client) -> None:
    vehicle = make_vehicle(acquired_at=timezone.now() - timedelta(days=1))
    typed = fields_of(super_admin, page_of(vehicle))
    vehicle.soft_delete(timezone.now())
    assert super_admin.post(page_of(vehicle), typed).status_code == 403
    assert Vehicle.all_objects.get().deleted_at is not None
    assert connection.is_usable()
