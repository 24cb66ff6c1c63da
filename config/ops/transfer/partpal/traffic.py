"""PartPal's analytics events and activity log. Their rows name others without a foreign key, and often in vain."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from analytics.models import AuditLog, Event
from config.ops.transfer.cells import address_cell
from config.ops.transfer.layout import Move, Target
from config.ops.transfer.partpal.checking import LONGEST_ID, RowCheck, decoded_json
from config.ops.transfer.partpal.quick import UNUSUAL, Unusual, quick_text, quick_time
from config.ops.transfer.partpal.words import action_of
from config.ops.transfer.values import (
    FALSE,
    NULL,
    TRUE,
    JSONProblem,
    UnstorableJSON,
    is_storable,
    json_cell,
    parse_json,
    text_cell,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.ops.transfer.layout import Context, SourceRow

LONGEST_EVENT_TYPE = 40
LONGEST_SESSION = 128
LONGEST_ACTIVITY = 64
LONGEST_ENTITY_ID = 64
LONGEST_LABEL = 254
LEGACY = "legacy"

# What an activity's metadata may name, the more telling first.
ENTITIES = {"partId": "inventory.part", "vehicleId": "inventory.vehicle"}

EVENTS = Target(
    Event,
    (
        *("id", "public_id", "event_type", "occurred_at", "user_id", "seller_id", "part_id", "session_id"),
        *("ip_address", "user_agent", "metadata", "created_at", "referrer", "is_bot"),
    ),
    defaulted=frozenset({"referrer", "is_bot"}),
)
EVENTS_SELECT = (
    'SELECT t.rowid, t.id, t."eventType", t."partId", p.rowid, t."sellerId", s.rowid, t."userId", u.rowid,'
    ' t."sessionId", t."userAgent", t.metadata, t.timestamp, t."createdAt" FROM analytics_events t'
    ' LEFT JOIN parts p ON p.id = t."partId" LEFT JOIN sellers s ON s.id = t."sellerId"'
    ' LEFT JOIN users u ON u.id = t."userId"'
)
ACTIVITIES = Target(
    AuditLog,
    (
        *("id", "public_id", "actor_id", "actor_label", "seller_id", "action", "event_type", "entity_type"),
        *("entity_id", "description", "metadata", "ip_address", "created_at"),
        *("entity_label", "user_agent", "request_id", "success", "error_message"),
    ),
    defaulted=frozenset({"entity_label", "user_agent", "request_id", "success", "error_message"}),
)
ACTIVITIES_SELECT = (
    'SELECT t.rowid, t.id, t."sellerId", s.rowid, t."userId", u.rowid, t.type, t.description, t.metadata, t.timestamp'
    ' FROM activity_logs t LEFT JOIN sellers s ON s.id = t."sellerId" LEFT JOIN users u ON u.id = t."userId"'
)


def events(context: Context) -> Move:
    """Return how analytics events are moved."""
    return Move("analytics_events", EVENTS, EVENTS_SELECT, _Events(context).convert)


def activities(context: Context) -> Move:
    """Return how the activity log is moved, into the audit log."""
    return Move("activity_logs", ACTIVITIES, ACTIVITIES_SELECT, _Activities(context).convert)


class _Events:
    def __init__(self, context: Context) -> None:
        self.check = RowCheck(context, "analytics_events")
        self.is_refused = context.keys.is_refused

    def convert(self, row: SourceRow, children: Sequence[list[str]]) -> str | None:
        try:
            return self._quickly(row)
        except UNUSUAL:
            return self.with_care(row, children)

    def _quickly(self, row: SourceRow) -> str:
        (rowid, public_id, event_type, part_id, part, seller_id, seller, user_id, user, session, agent, metadata) = row[
            :12
        ]
        is_refused = self.is_refused
        if (
            (part_id is not None if part is None else is_refused("parts", part))
            or (seller_id is not None if seller is None else is_refused("sellers", seller))
            or (user_id is not None if user is None else is_refused("users", user))
            or (not 1 <= len(public_id) <= LONGEST_ID or len(event_type) > LONGEST_EVENT_TYPE)
        ):
            raise Unusual
        session, agent = session or "", agent or ""
        texts = "".join((public_id, event_type, session, agent))
        if len(session) > LONGEST_SESSION:
            raise Unusual
        if not texts.isprintable() or "\\" in texts:
            public_id, event_type = quick_text(public_id), quick_text(event_type)
            session, agent = quick_text(session), quick_text(agent)
        occurred_at, created_at = row[12], row[13]
        occurred = quick_time(occurred_at)
        created = occurred if created_at == occurred_at else quick_time(created_at)
        return (
            f"{rowid}\t{public_id}\t{event_type}\t{occurred}\t{NULL if user is None else user}"
            f"\t{NULL if seller is None else seller}\t{NULL if part is None else part}\t{session}\t{NULL}\t{agent}"
            f"\t{_quick_metadata(metadata)}\t{created}\t\t{FALSE}"
        )

    def with_care(self, row: SourceRow, _children: Sequence[list[str]]) -> str | None:
        """Convert a row value by value, and tell what there is to tell."""
        (rowid, public_id, event_type, part_id, part, seller_id, seller, user_id, user, session, agent, metadata) = row[
            :12
        ]
        check = self.check
        check.begin(rowid, public_id)
        part_cell = check.relative("partId", "parts", part_id, part)
        seller_cell = check.relative("sellerId", "sellers", seller_id, seller)
        user_cell = check.relative("userId", "users", user_id, user)
        lost = _lost(partId=(part_id, part_cell), sellerId=(seller_id, seller_cell), userId=(user_id, user_cell))
        kept, address, _ = _metadata(check, metadata, lost)
        return check.finish(
            str(rowid),
            check.identifier("id", public_id),
            check.text("eventType", event_type, LONGEST_EVENT_TYPE),
            check.time("timestamp", row[12]),
            user_cell,
            seller_cell,
            part_cell,
            check.text("sessionId", session, LONGEST_SESSION),
            address,
            check.text("userAgent", agent),
            kept,
            check.time("createdAt", row[13]),
            *("", FALSE),
        )


class _Activities:
    def __init__(self, context: Context) -> None:
        self.check = RowCheck(context, "activity_logs")
        self.is_refused = context.keys.is_refused

    def convert(self, row: SourceRow, _children: Sequence[list[str]]) -> str | None:
        rowid, public_id, seller_id, seller, user_id, user, kind, description, metadata, timestamp = row
        check = self.check
        check.begin(rowid, public_id)
        seller_cell = check.relative("sellerId", "sellers", seller_id, seller)
        actor_cell = check.relative("userId", "users", user_id, user)
        kept, address, found = _metadata(check, metadata, _lost(sellerId=(seller_id, seller_cell)))
        entity_type, entity_id = _entity(found)
        event_type = check.plain("type", kind, LONGEST_ACTIVITY)
        return check.finish(
            str(rowid),
            check.identifier("id", public_id),
            actor_cell,
            "" if user_id is None or actor_cell != NULL else check.text("userId", user_id, LONGEST_LABEL),
            seller_cell,
            action_of(event_type),
            text_cell(event_type),
            entity_type,
            text_cell(entity_id),
            check.text("description", description),
            kept,
            address,
            check.time("timestamp", timestamp),
            *("", "", "", TRUE, ""),
        )


def _lost(**named: tuple[Any, str]) -> dict[str, str]:
    """Return the ids that lead to no row of the target, by their columns."""
    return {
        column: value
        for column, (value, cell) in named.items()
        if cell == NULL and isinstance(value, str) and value and is_storable(value)
    }


def _entity(metadata: Any) -> tuple[str, str]:
    """Return kind and id of the row that an activity's metadata names. Rows keep their old ids as public ones."""
    if isinstance(metadata, dict):
        for key, kind in ENTITIES.items():
            value = metadata.get(key)
            if type(value) is str and 1 <= len(value) <= LONGEST_ENTITY_ID and is_storable(value):
                return kind, value
    return "", ""


def _quick_metadata(text: str | None) -> str:
    """Return the cell of metadata that is kept as it is."""
    if text is None:
        return NULL
    value = parse_json(text)
    if type(value) is not dict or "ip" in value:
        raise Unusual
    return json_cell(value)


def _metadata(check: RowCheck, raw: Any, legacy: dict[str, Any]) -> tuple[str, str, Any]:
    """Return the cells of metadata and IP address, and the metadata's value.

    Ids that lead nowhere, and text that is no JSON, are kept in it under "legacy".
    """
    text = check.plain("metadata", raw)
    if raw is None or isinstance(raw, bytes) or not is_storable(text):
        return _with_legacy(check, raw, None, legacy), NULL, None
    if not text.strip():
        check.note("metadata", "invalid_json", "an empty text is no JSON, and was left out", raw)
        return _with_legacy(check, raw, None, legacy), NULL, None
    try:
        value, is_decoded = decoded_json(text)
        json_cell(value)
    except UnstorableJSON as problem:
        check.bad("metadata", "unstorable_json", str(problem), raw)
        return NULL, NULL, None
    except JSONProblem as problem:
        kept = {**legacy, "metadata": text}
        message = f"it is no JSON ({problem}); the text was kept under “{LEGACY}”"
        check.note("metadata", "invalid_json", message, raw, {LEGACY: kept})
        return _with_legacy(check, raw, None, kept), NULL, None
    if is_decoded:
        check.note("metadata", "decoded", "it was JSON in a text", raw, value)
    address = _take_address(value)
    return _with_legacy(check, raw, value, legacy), address, value


def _with_legacy(check: RowCheck, raw: Any, value: Any, legacy: dict[str, Any]) -> str:
    """Return the cell of metadata with what else is to be kept."""
    if legacy:
        if isinstance(value, dict) and LEGACY not in value:
            value = {**value, LEGACY: legacy}
        else:
            value = {LEGACY: legacy if value is None else {**legacy, "metadata": value}}
    try:
        return NULL if value is None else json_cell(value)
    except JSONProblem as problem:
        check.bad("metadata", "unstorable_json", str(problem), raw)
        return NULL


def _take_address(metadata: Any) -> str:
    """Take the IP address out of the metadata and return its cell; what is none stays where it is."""
    if not isinstance(metadata, dict) or type(metadata.get("ip")) is not str:
        return NULL
    try:
        address = ipaddress.ip_address(metadata["ip"].strip())
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        cell = address_cell(address)
    except ValueError:
        return NULL
    del metadata["ip"]
    return cell
