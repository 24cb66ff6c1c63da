"""What people ask for: leads with their timelines, vouchers with their uses, the newsletter and the help desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from accounts.models import Translation
from accounts.models.sellers import BusinessType
from config.ops.scale import texts
from config.ops.scale.people import (
    USERS,
    Person,
    choose_before,
    choose_region,
    make_email,
    make_name,
    make_phone,
)
from leads.models import (
    Lead,
    LeadActivity,
    LeadNote,
    NewsletterSubscriber,
    SupportTicket,
    TicketComment,
    Voucher,
    VoucherClaim,
    VoucherCode,
    VoucherRedemption,
)
from leads.models.leads import CLOSED_STATUSES, ActivityType, LeadStatus
from leads.models.newsletter import SubscriberStatus
from leads.models.tickets import TicketPriority, TicketStatus, TicketType
from leads.models.vouchers import ClaimStatus, CodeType, DiscountType, VoucherState
from leads.scoring import priority_for, score_lead

if TYPE_CHECKING:
    from config.ops.scale.people import People
    from config.ops.scale.regions import Region
    from config.ops.scale.rows import Block, Row
    from config.ops.scale.stock import Stock

LEADS = 240
VOUCHERS = 16
MOST_CLAIMS = 240
SUBSCRIBERS = 110
TICKETS = 50
CLAIM_DAYS = 30

# The way of a lead up to each state, and how many of a hundred get there.
_STEPS = (LeadStatus.NEW, LeadStatus.CONTACTED, LeadStatus.QUALIFIED, LeadStatus.NEGOTIATING, LeadStatus.CONVERTED)
_SHARES = {
    LeadStatus.NEW: 10,
    LeadStatus.CONTACTED: 14,
    LeadStatus.QUALIFIED: 10,
    LeadStatus.NEGOTIATING: 8,
    LeadStatus.CONVERTED: 24,
    LeadStatus.LOST: 26,
    LeadStatus.SPAM: 8,
}
_OLD_SHARES = {LeadStatus.CONVERTED: 38, LeadStatus.LOST: 50, LeadStatus.SPAM: 12}
# After so long nobody is still negotiating.
_SETTLED_AFTER = timedelta(days=120)
_SOURCES = ("contact_form", "car_page", "part_page", "whatsapp", "phone", "newsletter")
_CONTACTS = (ActivityType.EMAIL_SENT, ActivityType.PHONE_CALL, ActivityType.PHONE_CALL, ActivityType.MEETING)


def add_demand(block: Block, people: People, stock: Stock) -> None:
    """Add everything that people asked for and what was answered."""
    for _ in range(LEADS):
        _add_lead(block, people, stock)
    for number in range(VOUCHERS):
        _add_voucher(block, people, number)
    for number in range(SUBSCRIBERS):
        _add_subscriber(block, people, number)
    for number in range(TICKETS):
        _add_ticket(block, people, number)


def _add_lead(block: Block, people: People, stock: Stock) -> None:
    rng = block.rng
    subject, is_car = (rng.choice(stock.cars), True) if block.chance(0.5) else (rng.choice(stock.parts), False)
    at = block.after(subject["created_at"], 100)
    status = _status_at(block, at)
    buyer = choose_before(block, people.buyers, at) if block.chance(0.35) else None
    name, email, phone, region = _asker(block, buyer)
    label = f"{subject['name']} {subject['year']}" if is_car else subject["name"]
    is_spam = status == LeadStatus.SPAM
    message = rng.choice(texts.SPAM_MESSAGES if is_spam else texts.LEAD_MESSAGES[region.language]).format(label)
    score, factors = score_lead(name=name, email=email, phone=phone, message=message, has_car=is_car)
    assigned = status != LeadStatus.NEW or block.chance(0.3)
    row = block.add(
        Lead,
        public_id=block.public_id(at),
        name=name,
        email=email,
        phone=phone,
        message=message,
        source=rng.choice(_SOURCES),
        car_id=subject["id"] if is_car else None,
        part_id=None if is_car else subject["id"],
        seller_id=subject["seller_id"],
        user_id=buyer.key if buyer else None,
        assigned_to_id=people.admin.key if assigned else None,
        status=status,
        priority=priority_for(score),
        score=score,
        score_factors=factors,
        subject_label=label,
        ip_address=address(block),
        user_agent=rng.choice(texts.BROWSERS),
        created_at=at,
        updated_at=at,
    )
    _work_lead(block, people.admin, row, assigned=assigned)


def _status_at(block: Block, at: datetime) -> str:
    shares = _OLD_SHARES if block.now - at > _SETTLED_AFTER else _SHARES
    return block.rng.choices(tuple(shares), tuple(shares.values()))[0]


def _asker(block: Block, buyer: Person | None) -> tuple[str, str, str, Region]:
    """Return name, e-mail, telephone and region of a registered buyer or of a stranger."""
    if buyer is not None:
        return buyer.name, buyer.email, buyer.phone, buyer.region
    region = choose_region(block)
    first, last = make_name(block, region)
    phone = make_phone(block, region) if block.chance(0.35) else ""
    # Strangers have no row of their own, so their address may occur twice.
    return f"{first} {last}", make_email(block, block.rng.randrange(USERS, 1000), first, last), phone, region


def _work_lead(block: Block, admin: Person, lead: Row, *, assigned: bool) -> None:
    """Add the timeline up to the lead's state, and set the times that follow from it."""
    at = lead["created_at"]
    _note_activity(block, lead, ActivityType.CREATED, at, None, f"Came in by {lead['source'].replace('_', ' ')}")
    if assigned:
        at = block.after(at, 0.5)
        _note_activity(block, lead, ActivityType.ASSIGNED, at, admin, f"To {admin.name}")
    for old, new in _changes_to(block, lead["status"]):
        at = block.after(at, 1 if old == LeadStatus.NEW else 12)
        if new == LeadStatus.CONTACTED:
            lead["responded_at"] = at
            contact = block.rng.choice(_CONTACTS)
            _note_activity(block, lead, contact, at, admin, contact.label)
        _note_activity(
            block, lead, ActivityType.STATUS_CHANGED, at, admin, f"{old.label} to {new.label}", {"from": old, "to": new}
        )
        if new == LeadStatus.QUALIFIED and lead["car_id"] and block.chance(0.5):
            at = block.after(at, 4)
            _note_activity(block, lead, ActivityType.TEST_DRIVE, at, admin, "Test drive")
    if assigned and block.chance(0.5):
        _add_note(block, admin, lead, block.after(at, 1))
    lead["updated_at"] = at
    if lead["status"] in CLOSED_STATUSES:
        lead["closed_at"] = at


def _changes_to(block: Block, status: LeadStatus) -> list[tuple[LeadStatus, LeadStatus]]:
    """Return the steps, each from one state to the next, that led to `status`."""
    if status in _STEPS:
        path = list(_STEPS[: _STEPS.index(status) + 1])
    elif status == LeadStatus.LOST:
        path = [*_STEPS[: block.rng.randrange(2, 5)], status]
    else:
        path = [LeadStatus.NEW, status]
    return list(pairwise(path))


def _note_activity(
    block: Block,
    lead: Row,
    kind: ActivityType,
    at: datetime,
    actor: Person | None,
    description: str,
    metadata: dict[str, Any] | None = None,
) -> None:
    block.add(
        LeadActivity,
        lead_id=lead["id"],
        type=kind,
        description=description,
        metadata=metadata,
        actor_id=actor.key if actor else None,
        created_at=at,
    )


def _add_note(block: Block, admin: Person, lead: Row, at: datetime) -> None:
    text = block.rng.choice(texts.LEAD_NOTES)
    block.add(LeadNote, lead_id=lead["id"], author_id=admin.key, author_label=admin.name, text=text, created_at=at)
    _note_activity(block, lead, ActivityType.NOTE_ADDED, at, admin, text[:80])


def _add_voucher(block: Block, people: People, number: int) -> None:
    rng = block.rng
    business = rng.choice(people.of_type(BusinessType.SERVICE, BusinessType.DEALER, BusinessType.MOBILE_VENDOR))
    at = block.after(business.created_at, 120)
    expires_at = at + timedelta(days=rng.choice((30, 60, 90, 180)))
    state = _voucher_state(block, expires_at)
    code = block.code(number)
    discount_type, value, label = _discount(block, business.region)
    keys = {part: f"voucher.{code.lower()}.{part}" for part in ("title", "description", "terms")}
    _add_translations(block, keys["title"], texts.VOUCHER_TITLES, label, at)
    _add_translations(block, keys["description"], texts.VOUCHER_DESCRIPTIONS, label, at)
    _add_translations(block, keys["terms"], texts.VOUCHER_TERMS, label, at)
    row = block.add(
        Voucher,
        public_id=block.public_id(at),
        seller_id=business.key,
        title_key=keys["title"],
        description_key=keys["description"],
        terms_key=keys["terms"],
        discount_type=discount_type,
        discount_value=value,
        currency=business.region.currency,
        valid_from=at,
        expires_at=expires_at,
        max_redemptions=rng.choice((None, 50, 100, 200)),
        latitude=business.row["latitude"],
        longitude=business.row["longitude"],
        state=state,
        created_at=at,
        updated_at=min(expires_at, block.now) if state == VoucherState.EXPIRED else at,
    )
    for type_, text_of_code in ((CodeType.SHORT, code), (CodeType.QR, f"https://forecourt.example.org/v/{code}")):
        block.add(
            VoucherCode,
            voucher_id=row["id"],
            code=text_of_code,
            type=type_,
            is_active=state == VoucherState.PUBLISHED,
            created_at=at,
        )
    if state != VoucherState.DRAFT:
        _use_voucher(block, people, row, code)


def _voucher_state(block: Block, expires_at: datetime) -> str:
    if expires_at <= block.now:
        return VoucherState.EXPIRED
    return block.rng.choices((VoucherState.PUBLISHED, VoucherState.DRAFT, VoucherState.SUSPENDED), (80, 14, 6))[0]


def _discount(block: Block, region: Region) -> tuple[str, Decimal, str]:
    """Return type, value and label of a discount."""
    if block.chance(0.6):
        value = Decimal(block.rng.choice((5, 10, 15, 20, 25)))
        return DiscountType.PERCENTAGE, value, f"{value} %"
    value = Decimal(round(block.rng.choice((10, 20, 50)) * region.per_euro))
    return DiscountType.FIXED, value, f"{value} {region.currency}"


def _add_translations(block: Block, key: str, words: dict[str, str], label: str, at: datetime) -> None:
    for language, text in words.items():
        value = text.format(label)
        block.add(
            Translation,
            key=key,
            language_id=language,
            value=value,
            domain="voucher",
            created_at=at,
            updated_at=at,
        )


def _use_voucher(block: Block, people: People, voucher: Row, code: str) -> None:
    """Let people claim the voucher while it is valid, and half of them use it."""
    end = min(voucher["expires_at"], block.now)
    for person in block.rng.sample(people.buyers, block.rng.randrange(MOST_CLAIMS // VOUCHERS)):
        begin = max(voucher["valid_from"], person.created_at)
        if begin >= end:
            continue
        claimed_at = block.between(begin, end)
        expires_at = min(claimed_at + timedelta(days=CLAIM_DAYS), voucher["expires_at"])
        redeemed_at = block.between(claimed_at, min(expires_at, block.now)) if block.chance(0.5) else None
        open_or_over = ClaimStatus.CLAIMED if expires_at > block.now else ClaimStatus.EXPIRED
        claim = block.add(
            VoucherClaim,
            voucher_id=voucher["id"],
            user_id=person.key,
            status=ClaimStatus.REDEEMED if redeemed_at else open_or_over,
            claimed_at=claimed_at,
            expires_at=expires_at,
            redeemed_at=redeemed_at,
        )
        voucher["claim_count"] += 1
        voucher["scan_count"] += block.rng.randrange(1, 4)
        if redeemed_at:
            _redeem(block, voucher, person, claim, code)


def _redeem(block: Block, voucher: Row, person: Person, claim: Row, code: str) -> None:
    voucher["redemption_count"] += 1
    is_fixed = voucher["discount_type"] == DiscountType.FIXED
    bill = block.rng.randrange(50, 600) * (20 if voucher["currency"] == "ZAR" else 1)
    discount = voucher["discount_value"] if is_fixed else bill * voucher["discount_value"] / 100
    block.add(
        VoucherRedemption,
        voucher_id=voucher["id"],
        user_id=person.key,
        user_label=person.name,
        claim_id=claim["id"],
        code_used=code,
        discount_amount=discount.quantize(Decimal("0.01")),
        currency=voucher["currency"],
        latitude=voucher["latitude"],
        longitude=voucher["longitude"],
        idempotency_key=block.public_id(claim["redeemed_at"]),
        redeemed_at=claim["redeemed_at"],
    )


def _add_subscriber(block: Block, people: People, number: int) -> None:
    if number < SUBSCRIBERS // 2:
        person = people.buyers[number]
        email, name, at, region = person.email, person.name, block.after(person.created_at, 30), person.region
    else:
        region = choose_region(block)
        first, last = make_name(block, region)
        email, name = make_email(block, USERS + number, first, last), f"{first} {last}"
        at = block.between(block.begin, block.end)
    status = block.rng.choices(SubscriberStatus.values, (88, 9, 3))[0]
    block.add(
        NewsletterSubscriber,
        email=email,
        name=name[:100],
        source=block.rng.choice(("footer", "checkout", "event")),
        preferences={"language": region.language},
        status=status,
        subscribed_at=at,
        confirmed_at=block.after(at, 2),
        unsubscribed_at=block.after(at, 400) if status == SubscriberStatus.UNSUBSCRIBED else None,
    )


def _add_ticket(block: Block, people: People, number: int) -> None:
    rng = block.rng
    person = rng.choice([*people.buyers, *(business.owner for business in people.businesses)])
    at = block.after(person.created_at, 300)
    kind = rng.choice(TicketType.values)
    title, description = texts.TICKETS[kind]
    is_old = block.now - at > timedelta(days=30)
    status = rng.choice((TicketStatus.RESOLVED, TicketStatus.CLOSED) if is_old else tuple(TicketStatus))
    is_answered = status != TicketStatus.OPEN
    answered_at = block.after(at, 1) if is_answered else None
    is_resolved = status in {TicketStatus.RESOLVED, TicketStatus.CLOSED}
    resolved_at = block.after(answered_at, 6) if answered_at and is_resolved else None
    ticket = block.add(
        SupportTicket,
        number=f"T-{block.code(number)}",
        user_id=person.key,
        title=title,
        description=description,
        type=kind,
        priority=rng.choices(TicketPriority.values, (20, 50, 20, 8, 2))[0],
        assignee_id=people.admin.key if is_answered else None,
        status=status,
        first_response_at=answered_at,
        resolved_at=resolved_at,
        created_at=at,
        updated_at=resolved_at or answered_at or at,
    )
    if answered_at is None:
        return
    _add_comment(block, ticket, people.admin.key, answered_at, rng.choice(texts.TICKET_ANSWERS))
    if block.chance(0.4):
        remark = rng.choice(texts.TICKET_REMARKS)
        _add_comment(block, ticket, people.admin.key, block.after(answered_at, 1), remark, is_internal=True)


def _add_comment(block: Block, ticket: Row, author: int, at: datetime, text: str, *, is_internal: bool = False) -> None:
    block.add(
        TicketComment,
        ticket_id=ticket["id"],
        author_id=author,
        text=text,
        is_internal=is_internal,
        created_at=at,
        updated_at=at,
    )


def address(block: Block) -> str:
    """Return an IP address out of the ranges that are kept for examples (RFC 5737)."""
    return f"{block.rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{block.rng.randrange(1, 255)}"
