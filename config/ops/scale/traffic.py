"""What visitors did and what was written down about changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.models import AuditLog, Event, PageView, WebVital
from analytics.models.audit import AuditAction
from analytics.models.traffic import EventType
from analytics.services import VITAL_THRESHOLDS, rate_vital
from config.ops.scale import texts
from config.ops.scale.demand import address
from config.ops.scale.people import choose_before
from inventory.models.cars import CarStatus
from inventory.models.parts import PartStatus
from leads.models import Lead, Voucher
from leads.models.leads import LeadStatus

if TYPE_CHECKING:
    from datetime import datetime

    from config.ops.scale.people import Business, People, Person
    from config.ops.scale.rows import Block, Row
    from config.ops.scale.stock import Stock

VISITS = 700
VITALS = 200
BOT_SHARE = 0.06
# How long after it was put up something is still looked at.
LOOKED_AT_DAYS = 200

_VISIT_KINDS = (EventType.PART_VIEW, EventType.CAR_VIEW, EventType.SEARCH, EventType.SELLER_CONTACT)
_VISIT_WEIGHTS = (50, 32, 13, 5)


def add_traffic(block: Block, people: People, stock: Stock, *, rows: int) -> None:
    """Add events, measurements and audit entries, and then page views until the block has so many rows.

    Raises ValueError if it has more already.
    """
    for _ in range(VISITS):
        _add_visit(block, people, stock)
    for lead in block.sheets[Lead]:
        if lead["status"] != LeadStatus.SPAM:
            _add_lead_event(block, lead)
    for voucher in block.sheets[Voucher]:
        _add_scans(block, voucher)
    for _ in range(VITALS):
        _add_vital(block)
    _add_audit_entries(block, people, stock)
    missing = rows - block.size()
    if missing < 0:
        raise ValueError(f"Block {block.number} of seed {block.seed} has {-missing} rows too many.")
    for at in block.moments(missing):
        _add_page_view(block, at)


def _add_visit(block: Block, people: People, stock: Stock) -> None:
    rng = block.rng
    kind = rng.choices(_VISIT_KINDS, _VISIT_WEIGHTS)[0]
    if kind == EventType.SEARCH:
        metadata = {"query": rng.choice(texts.SEARCHES), "results": rng.randrange(60)}
        _add_event(block, people, kind, block.between(block.begin, block.end), metadata=metadata)
        return
    if kind == EventType.SELLER_CONTACT:
        business = rng.choice(people.businesses)
        metadata = {"channel": rng.choice(("phone", "whatsapp", "email"))}
        at = block.after(business.created_at, LOOKED_AT_DAYS)
        _add_event(block, people, kind, at, metadata=metadata, seller_id=business.key)
        return
    subject = rng.choice(stock.parts if kind == EventType.PART_VIEW else stock.cars)
    column = "part_id" if kind == EventType.PART_VIEW else "car_id"
    latest = subject["sold_at"] or block.now
    at = min(block.after(subject["created_at"], LOOKED_AT_DAYS), latest)
    _add_event(block, people, kind, at, seller_id=subject["seller_id"], **{column: subject["id"]})


def _add_event(
    block: Block, people: People | None, kind: str, at: datetime, *, ip_address: str | None = None, **values: Any
) -> None:
    is_bot = people is not None and block.chance(BOT_SHARE)
    visitor = choose_before(block, people.buyers, at) if people and not is_bot and block.chance(0.25) else None
    user = {"user_id": visitor.key} if visitor else {}
    block.add(
        Event,
        public_id=block.public_id(at),
        event_type=kind,
        occurred_at=at,
        session_id="" if is_bot else block.session_id(),
        ip_address=ip_address or address(block),
        user_agent=block.rng.choice(texts.BOTS if is_bot else texts.BROWSERS),
        referrer=block.rng.choice(texts.REFERRERS),
        is_bot=is_bot,
        created_at=at,
        **{**user, **values},
    )


def _add_lead_event(block: Block, lead: Row) -> None:
    subject = {column: lead[column] for column in ("user_id", "seller_id", "part_id", "car_id")}
    ip_address = lead["ip_address"]
    _add_event(block, None, EventType.LEAD_CREATED, lead["created_at"], ip_address=ip_address, **subject)


def _add_scans(block: Block, voucher: Row) -> None:
    end = min(voucher["expires_at"], block.now)
    for _ in range(voucher["scan_count"]):
        at = block.between(voucher["valid_from"], end)
        metadata = {"voucher": voucher["public_id"]}
        _add_event(block, None, EventType.VOUCHER_SCAN, at, metadata=metadata, seller_id=voucher["seller_id"])


def _add_vital(block: Block) -> None:
    name = block.rng.choice(tuple(VITAL_THRESHOLDS))
    good, _ = VITAL_THRESHOLDS[name]
    # Most pages are fast, few are very slow.
    value = round(good * block.rng.lognormvariate(-0.5, 0.7), 3)
    block.add(
        WebVital,
        name=name,
        value=value,
        rating=rate_vital(name, value),
        path=block.rng.choice(texts.PATHS),
        user_agent=block.rng.choice(texts.BROWSERS),
        created_at=block.between(block.begin, block.end),
    )


def _add_page_view(block: Block, at: datetime) -> None:
    is_bot = block.chance(BOT_SHARE)
    block.add(
        PageView,
        path=block.rng.choice(texts.PATHS),
        referrer=block.rng.choice(texts.REFERRERS),
        load_time_ms=int(block.rng.lognormvariate(6.6, 0.6)),
        ip_address=address(block),
        user_agent=block.rng.choice(texts.BOTS if is_bot else texts.BROWSERS),
        session_id="" if is_bot else block.session_id(),
        is_bot=is_bot,
        created_at=at,
    )


def _add_audit_entries(block: Block, people: People, stock: Stock) -> None:
    """Write down who registered, who was verified, and what was sold."""
    for business in people.businesses:
        _add_seller_entries(block, people, business)
    owners = {business.key: business for business in people.businesses}
    for car in stock.cars:
        if car["status"] == CarStatus.SOLD:
            _add_sale(block, "inventory.car", "CAR_SOLD", car, owners)
    for part in stock.parts:
        # A quarter is enough to fill a page, and leaves room for traffic.
        if part["status"] == PartStatus.SOLD and block.chance(0.25):
            _add_sale(block, "inventory.part", "PART_SOLD", part, owners)


def _add_seller_entries(block: Block, people: People, business: Business) -> None:
    row, owner = business.row, business.owner
    entity = {"entity_type": "accounts.seller", "entity_id": row["public_id"], "entity_label": row["name"]}
    _add_entry(
        block,
        row["created_at"],
        AuditAction.CREATE,
        "SELLER_CREATED",
        actor_id=owner.key,
        actor_label=_actor_label(owner),
        seller_id=business.key,
        **entity,
    )
    if row["verified_at"]:
        _add_entry(
            block,
            row["verified_at"],
            AuditAction.STATUS_CHANGE,
            "SELLER_VERIFIED",
            actor_id=people.admin.key,
            actor_label=_actor_label(people.admin),
            seller_id=business.key,
            changes={"is_verified": [False, True]},
            **entity,
        )


def _add_sale(block: Block, entity_type: str, event_type: str, row: Row, owners: dict[int, Business]) -> None:
    business = owners.get(row["seller_id"])
    actor = {"actor_id": business.owner.key, "actor_label": _actor_label(business.owner)} if business else {}
    _add_entry(
        block,
        row["sold_at"],
        AuditAction.STATUS_CHANGE,
        event_type,
        seller_id=row["seller_id"],
        entity_type=entity_type,
        entity_id=row["public_id"],
        entity_label=f"{row['name']} {row['year']}" if "year" in row else row["name"],
        changes={"status": ["AVAILABLE", "SOLD"]},
        **actor,
    )


def _add_entry(block: Block, at: datetime, action: str, event_type: str, **values: Any) -> None:
    block.add(
        AuditLog,
        public_id=block.public_id(at),
        action=action,
        event_type=event_type,
        ip_address=address(block),
        user_agent=block.rng.choice(texts.BROWSERS),
        request_id=block.session_id(),
        created_at=at,
        **values,
    )


def _actor_label(person: Person) -> str:
    return f"{person.name} <{person.email}>"
