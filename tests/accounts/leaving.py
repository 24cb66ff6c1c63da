"""A person whose rows lie in every table, for tests of what goes with a person and what stays."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from io import BytesIO

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import SellerLocation, StoredFile, Subscription, User, UserIdentity
from accounts.models.credentials import TokenPurpose
from accounts.models.users import Role
from accounts.services import issue_token
from analytics.models import AuditLog
from inventory.models import CarFeature, CarImage, CarSlugHistory, CarSpecification, PartImage, SellerCategory
from inventory.services import attach_image, delete_car
from leads.models import LeadActivity, LeadNote, TicketComment, VoucherClaim, VoucherCode, VoucherRedemption
from tests.builders import (
    NOON,
    make_car,
    make_category,
    make_event,
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


def busy_person(name: str) -> User:
    """Return a person who is staff and a seller at once, with a row in every table that knows people or sellers.

    The pictures are kept in the storage, so a test must have one of its own.
    """
    person = make_user(Role.ADMIN, name=name)
    seller = make_seller(owner=person, name=f"{name}'s yard")
    SellerLocation.objects.create(seller=seller, latitude=1.0, longitude=2.0, recorded_at=NOON)
    Subscription.objects.create(user=person, seller=seller, start_date=NOON)
    UserIdentity.objects.create(user=person, provider="clerk", provider_account_id=f"of {name}")
    issue_token(purpose=TokenPurpose.MAGIC_LINK, email=person.email, user=person)
    person.sessions.create(kind="api", access_token_hash=f"of {name}", expires_at=NOON + timedelta(days=1))
    _stock(person, name)
    _vouchers(person, name)
    _work(person)
    return person


def _stock(person: User, name: str) -> None:
    seller = person.sellers.get()
    cars = [make_car(seller=seller, slug=f"{name.lower().replace(' ', '-')}-{place}") for place in range(3)]
    delete_car(car=cars[2])
    CarImage.objects.create(car=cars[1], url="https://example.org/car.png")
    attach_image(row=cars[0], upload=picture(), actor=person)
    CarFeature.objects.create(car=cars[0], text="Towbar")
    CarSpecification.objects.create(car=cars[0], label="Doors", value="5")
    CarSlugHistory.objects.create(car=cars[0], slug=f"once-{cars[0].slug}")
    vehicle = make_vehicle(seller=seller, source_car=cars[1])
    category = make_category(created_by=person)
    part = make_part(vehicle=vehicle, category=category)
    make_part(vehicle=vehicle)
    attach_image(row=part, upload=picture(), actor=person)
    PartImage.objects.create(part=part, url="https://example.org/part.png")
    SellerCategory.objects.create(seller=seller, category=category)
    for fields in ({"car": cars[0], "seller": seller}, {"part": part, "seller": seller}, {"user": person}):
        make_lead(**fields)
        make_event(**fields)


def _vouchers(person: User, name: str) -> None:
    visitor = make_user(name=f"Visitor of {name}")
    voucher = make_voucher(seller=person.sellers.get(), redemption_count=1, claim_count=2)
    make_language("en", is_default=True)
    make_translation(voucher.title_key, f"Brakes at {name}'s")
    make_voucher(seller=person.sellers.get())
    for place, customer in enumerate((visitor, person)):
        VoucherClaim.objects.create(voucher=voucher, user=customer, expires_at=NOON + timedelta(days=place + 1))
    VoucherCode.objects.create(voucher=voucher, code=f"CODE{voucher.pk}", type="static")
    used = VoucherClaim.objects.create(
        voucher=voucher, user=visitor, status="redeemed", expires_at=NOON, redeemed_at=NOON
    )
    VoucherRedemption.objects.create(voucher=voucher, user=visitor, claim=used, discount_amount="12.50")
    elsewhere = make_voucher(redemption_count=1, max_redemptions=5)
    # As a bulk load writes it, without the name.
    VoucherRedemption.objects.bulk_create([VoucherRedemption(voucher=elsewhere, user=person)])


def _work(person: User) -> None:
    lead = make_lead()
    LeadNote.objects.bulk_create([LeadNote(lead=lead, author=person, text="Called.")])
    LeadActivity.objects.create(lead=lead, type="PHONE_CALL", actor=person)
    TicketComment.objects.create(ticket=make_ticket(), author=person, text="We look into it.")
    TicketComment.objects.create(ticket=make_ticket(user=person), author=make_user(Role.ADMIN), text="Solved.")
    AuditLog.objects.create(actor=person, actor_label=person.name, action="update", entity_type="leads.lead")
    StoredFile.objects.create(owner=person, file_name="terms.pdf", content_type="application/pdf", size=1)


def picture() -> SimpleUploadedFile:
    """Return an upload that is a picture."""
    content = BytesIO()
    Image.new("RGB", (4, 3), "red").save(content, format="PNG")
    return SimpleUploadedFile("front.png", content.getvalue(), content_type="image/png")


def row_counts() -> Counter[str]:
    """Return the number of rows of every model, hidden ones included."""
    return Counter({model._meta.label: model._base_manager.count() for model in apps.get_models()})
