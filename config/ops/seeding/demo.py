"""What makes the demo a running business: people, more stock, vouchers, the help desk and a month of demand."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from accounts.models import (
    Integration,
    Language,
    OneTimeToken,
    Translation,
    User,
    UserPreference,
    UserSession,
)
from accounts.models.credentials import SessionKind, TokenPurpose
from analytics.models import SystemSetting
from analytics.setting_keys import SETTINGS
from config.ops.seeding.fixtures import read_fixture
from config.ops.seeding.leads import ensure_leads
from config.ops.seeding.people import ensure_user
from config.ops.seeding.profiles import Stock, load_kroi, load_partpal, load_seller, load_venta
from config.ops.seeding.run import made, seed_id
from config.ops.seeding.stock import ensure_car, ensure_part, ensure_vehicle
from config.ops.seeding.traffic import ensure_traffic
from leads.models import (
    NewsletterSubscriber,
    SupportTicket,
    TicketComment,
    Voucher,
    VoucherClaim,
    VoucherCode,
    VoucherRedemption,
)
from leads.models.newsletter import SubscriberStatus
from leads.models.vouchers import ClaimStatus

if TYPE_CHECKING:
    from config.ops.seeding.run import SeedRun

CLAIM_DAYS = 30


def load_demo(run: SeedRun, stock: Stock) -> None:
    """Load every other profile and what turns them into one marketplace."""
    load_partpal(run, stock)
    load_kroi(run, stock)
    load_venta(run, stock)
    run.say("Loading people, more stock, vouchers and tickets")
    fixture = read_fixture("demo")
    people = _ensure_people(run, fixture["people"])
    _load_stock(run, stock, fixture)
    for facts in fixture["vouchers"]:
        stock.vouchers[facts["key"]] = _ensure_voucher(run, facts, stock, people)
    for facts in fixture["tickets"]:
        _ensure_ticket(run, facts, people)
    _ensure_subscribers(run, fixture["newsletter"]["subscribers"])
    _ensure_settings(run, fixture["settings"], people["laura"])
    run.say("Loading a month of leads and traffic")
    leads = read_fixture("leads")["leads"]
    stock.leads |= ensure_leads(run, leads, cars=stock.cars, parts=stock.parts, people=people)
    # The mark of the first run: traffic has no keys of its own, and comes with this row alone.
    known = {"service": "forecourt", "external_id": "demo"}
    mark, is_first = run.ensure(
        Integration, Q(**known), **known, metadata={"loaded_at": run.now.isoformat()}, **made(run.now)
    )
    loaded_at = datetime.fromisoformat((mark.metadata or {}).get("loaded_at", run.now.isoformat()))
    ensure_traffic(run, stock, people, is_first=is_first, loaded_at=loaded_at)


def _ensure_settings(run: SeedRun, fixture: list[dict[str, Any]], changed_by: User) -> None:
    for facts in fixture:
        key, setting = facts["key"], SETTINGS[facts["key"]]
        value = setting.clean(facts["value"])
        values = {"key": key, "value": value, "description": setting.help, "updated_by": changed_by}
        run.ensure(SystemSetting, Q(key=key), **values, **made(run.moment(20)))


def _ensure_people(run: SeedRun, fixture: list[dict[str, Any]]) -> dict[str, User]:
    people = {}
    for facts in fixture:
        at = run.moment(facts["days_ago"])
        values = {name: value for name, value in facts.items() if name not in {"key", "days_ago", "language"}}
        if not facts.get("is_verified", True):
            values["email_verified_at"] = None
        user, _ = ensure_user(run, at=at, **values)
        language = Language.objects.get(code=facts.get("language", "en"))
        run.ensure(UserPreference, Q(user=user), user=user, language=language, **made(at))
        people[facts["key"]] = user
    _ensure_credentials(run, people)
    return people


def _ensure_credentials(run: SeedRun, people: dict[str, User]) -> None:
    """Sessions and links of the past. Nobody knows a token for these hashes, so they open nothing."""
    sessions = [("laura", 12, 0.2, False), ("sipho", 6, 1.1, False), ("ana", 20, 13.4, True)]
    for key, began, last_seen, is_revoked in sessions:
        at, token_hash = run.moment(began), _hash_of(f"session/{key}")
        run.ensure(
            UserSession,
            Q(access_token_hash=token_hash),
            public_id=seed_id("session", key),
            user=people[key],
            kind=SessionKind.API,
            access_token_hash=token_hash,
            expires_at=at + timedelta(days=30),
            last_seen_at=run.moment(last_seen),
            revoked_at=run.moment(last_seen) if is_revoked else None,
            ip_address="192.0.2.24",
            user_agent="Forecourt desk client",
            created_at=at,
        )
    tokens = [("hanna", TokenPurpose.VERIFY_EMAIL, 60, True), ("juha", TokenPurpose.VERIFY_EMAIL, 3, False)]
    for key, purpose, days_ago, is_used in tokens:
        at, token_hash = run.moment(days_ago), _hash_of(f"token/{key}")
        run.ensure(
            OneTimeToken,
            Q(token_hash=token_hash),
            purpose=purpose,
            token_hash=token_hash,
            email=people[key].email,
            user=people[key],
            expires_at=at + timedelta(days=1),
            used_at=at + timedelta(minutes=7) if is_used else None,
            created_at=at,
        )


def _hash_of(key: str) -> str:
    return hashlib.sha256(seed_id("hash", key).encode()).hexdigest()


def _load_stock(run: SeedRun, stock: Stock, fixture: dict[str, Any]) -> None:
    for facts in fixture["sellers"]:
        load_seller(run, stock, facts, at=run.moment(facts["days_ago"]))
    for facts in fixture["cars"]:
        stock.cars[facts["slug"]] = ensure_car(run, facts, seller=stock.sellers["kroi"])
    for facts in fixture["vehicles"]:
        stock.vehicles[facts["vin"]] = ensure_vehicle(
            run,
            facts,
            seller=stock.sellers[facts["seller"]],
            acquired_at=run.moment(facts["acquired_days_ago"]),
            source_car=stock.cars[facts["source_car"]],
        )
    for facts in fixture["parts"]:
        vehicle, at = stock.vehicles[facts["vehicle"]], run.moment(facts["days_ago"])
        stock.parts[facts["part_number"]] = ensure_part(run, facts, vehicle=vehicle, categories=stock.categories, at=at)


# Vouchers


def _ensure_voucher(run: SeedRun, facts: dict[str, Any], stock: Stock, people: dict[str, User]) -> Voucher:
    at, claims = run.moment(facts["days_ago"]), facts.get("claims", [])
    expires_at = at + timedelta(days=facts["valid_days"])
    texts = ("title", "description", "terms")
    public_id = seed_id("voucher", facts["key"])
    voucher, is_new = run.ensure(
        Voucher,
        Q(public_id=public_id),
        public_id=public_id,
        seller=stock.sellers[facts["seller"]],
        category=stock.categories[facts["category"]] if "category" in facts else None,
        **{f"{text}_key": f"voucher.{facts['key']}.{text}" for text in texts},
        discount_type=facts["discount_type"],
        discount_value=Decimal(facts["discount_value"]),
        currency=facts["currency"],
        valid_from=at,
        expires_at=expires_at,
        max_redemptions=facts.get("max_redemptions"),
        max_per_user=facts.get("max_per_user", 1),
        state=facts["state"],
        claim_count=len(claims),
        redemption_count=sum("redeemed_days_ago" in claim for claim in claims),
        scan_count=facts.get("scan_count", 0),
        **made(at),
    )
    for text in texts:
        _ensure_texts(run, f"voucher.{facts['key']}.{text}", facts[text], at)
    codes = [VoucherCode(voucher=voucher, type=kind, code=code, created_at=at) for kind, code in facts["codes"]]
    run.ensure_children(voucher, is_new, "codes", codes)
    _ensure_claims(run, voucher, is_new, claims, people)
    return voucher


def _ensure_texts(run: SeedRun, key: str, texts: dict[str, str], at: datetime) -> None:
    for language, value in texts.items():
        known = {"key": key, "language_id": language}
        # The Finnish texts wait for somebody to read them over.
        checked = {} if language == "fi" else {"is_verified": True, "verified_at": at + timedelta(hours=3)}
        run.ensure(Translation, Q(**known), **known, value=value, domain="voucher", **checked, **made(at))


def _ensure_claims(
    run: SeedRun, voucher: Voucher, is_new: bool, fixture: list[dict[str, Any]], people: dict[str, User]
) -> None:
    claims = [_claim(run, voucher, people[facts["user"]], facts) for facts in fixture]
    run.ensure_children(voucher, is_new, "claims", claims)
    redemptions = [
        VoucherRedemption(
            voucher=voucher,
            user=claim.user,
            user_label=str(claim.user),
            claim=claim,
            code_used=facts["code"],
            discount_amount=Decimal(facts["discount"]),
            currency=voucher.currency,
            redeemed_at=claim.redeemed_at,
        )
        for claim, facts in zip(claims, fixture, strict=True)
        if claim.redeemed_at is not None
    ]
    run.ensure_children(voucher, is_new, "redemptions", redemptions)


def _claim(run: SeedRun, voucher: Voucher, user: User, facts: dict[str, Any]) -> VoucherClaim:
    at = run.moment(facts["days_ago"])
    is_redeemed = "redeemed_days_ago" in facts
    ends = at + timedelta(days=CLAIM_DAYS)
    return VoucherClaim(
        voucher=voucher,
        user=user,
        status=ClaimStatus.REDEEMED if is_redeemed else ClaimStatus.CLAIMED,
        claimed_at=at,
        expires_at=min(ends, voucher.expires_at) if voucher.expires_at else ends,
        redeemed_at=run.moment(facts["redeemed_days_ago"]) if is_redeemed else None,
    )


# Help desk and newsletter


def _ensure_ticket(run: SeedRun, facts: dict[str, Any], people: dict[str, User]) -> None:
    at = run.moment(facts["days_ago"])
    assignee = people.get(facts.get("assignee", ""))
    comments = facts.get("comments", [])
    answers = [comment for comment in comments if comment["author"] != facts["user"] and not comment.get("is_internal")]
    resolved_at = at + timedelta(hours=facts["resolved_hours"]) if "resolved_hours" in facts else None
    last = resolved_at or at + timedelta(hours=max((comment["hours"] for comment in comments), default=0))
    ticket, is_new = run.ensure(
        SupportTicket,
        Q(number=facts["number"]),
        number=facts["number"],
        user=people[facts["user"]],
        title=facts["title"],
        description=facts["description"],
        type=facts["type"],
        priority=facts["priority"],
        status=facts["status"],
        assignee=assignee,
        due_at=at + timedelta(hours=72),
        first_response_at=at + timedelta(hours=answers[0]["hours"]) if answers else None,
        resolved_at=resolved_at,
        created_at=at,
        updated_at=last,
    )
    rows = [
        TicketComment(
            ticket=ticket,
            author=people[comment["author"]],
            text=comment["text"],
            is_internal=comment.get("is_internal", False),
            **made(at + timedelta(hours=comment["hours"])),
        )
        for comment in comments
    ]
    run.ensure_children(ticket, is_new, "comments", rows)


def _ensure_subscribers(run: SeedRun, fixture: list[list[Any]]) -> None:
    rows = []
    for email, name, source, status, days_ago in fixture:
        at = run.moment(days_ago)
        left_at = at + timedelta(days=days_ago / 2) if status == SubscriberStatus.UNSUBSCRIBED else None
        rows.append(
            NewsletterSubscriber(
                email=email,
                name=name,
                source=source,
                status=status,
                subscribed_at=at,
                confirmed_at=at + timedelta(minutes=4),
                unsubscribed_at=left_at,
                last_email_at=run.moment(7) if days_ago > 7 and left_at is None else None,
            )
        )
    run.ensure_many(NewsletterSubscriber, rows, key="email")
