"""What maintenance does, step by step. A new step is one entry in `STEPS`.

A preview counts with the same selection that the run changes, so a step that ran well has nothing to do the next time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import CharField
from django.db.models.functions import Cast

from accounts.models import Integration, Seller, Subscription
from accounts.services import (
    anonymize_users,
    expire_subscriptions,
    expired_browser_sessions,
    expired_sessions,
    finished_tokens,
    forget_session_traces,
    people_to_anonymize,
    sessions_with_old_traces,
)
from analytics.daily_metrics import days_to_roll_up, roll_up
from analytics.retention import old_audit_entries, old_events, old_page_views, old_web_vitals
from config.db.removal import delete_in_batches
from config.ops.maintenance.archives import archive_root
from config.ops.maintenance.archiving import Along, Policy, archive_and_act
from config.ops.maintenance.tables import analyze, reindex, vacuum, wanted_indexes, wanted_tables
from config.ops.search_words import refresh_words, stale_words
from inventory.models import Part, PartImage, Vehicle
from inventory.services import (
    count_returned_sales,
    end_reservations,
    old_sold_parts,
    old_vehicles,
    overdue_reservations,
    remove_old_parts,
    remove_old_vehicles,
)
from leads.services import (
    expire_claims,
    expire_vouchers,
    forget_lead_traces,
    leads_with_old_traces,
    overdue_claims,
    overdue_vouchers,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model, QuerySet


def _no_progress(rows: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a step is to do: as of `now`; the rest is for the steps that look after tables."""

    now: datetime
    alias: str = DEFAULT_DB_ALIAS
    archive_folder: Path = field(default_factory=lambda: Path(settings.ARCHIVE_DIR))
    table: str = ""
    index: str = ""
    full: bool = False
    progress: Callable[[int], None] = _no_progress

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """The database's connection."""
        return connections[self.alias]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that maintenance does. `run` and `preview` return how many rows are, or would be, changed.

    A step that is `only_by_name` runs when somebody asks for it; `of` says what is counted.
    """

    name: str
    does: str
    run: Callable[[Task], int]
    preview: Callable[[Task], int]
    policy: Policy | None = None
    only_by_name: bool = False
    of: str = "rows"


def _changing(name: str, does: str, run: Callable[[datetime], int], due: Callable[[datetime], QuerySet[Any]]) -> Step:
    return Step(name, does, lambda task: run(task.now), lambda task: due(task.now).count())


def _deleting(name: str, does: str, due: Callable[[datetime], QuerySet[Any]]) -> Step:
    return _changing(name, does, lambda now: delete_in_batches(due(now)), due)


def _archiving(name: str, does: str, policy: Policy) -> Step:
    def run(task: Task) -> int:
        root = archive_root(task.archive_folder, task.connection)
        return archive_and_act(policy, step=name, root=root, now=task.now, progress=task.progress)

    return Step(name, does, run, lambda task: policy.due(task.now).count(), policy)


def _archiving_counted(name: str, does: str, policy: Policy) -> Step:
    """Return a step that archives what daily metrics count, once they have: also where it is the only one that runs."""
    step = _archiving(name, does, policy)

    def run(task: Task) -> int:
        roll_up(task.now, late_days=0)
        return step.run(task)

    return replace(step, run=run)


def _deleted(keys: list[int], model: type[Model]) -> int:
    return model._base_manager.filter(pk__in=keys).delete()[1].get(model._meta.label, 0)


def _simple(due: Callable[[datetime], QuerySet[Any]], dated: str) -> Policy:
    """Return the policy of a table on which nothing hangs."""
    return Policy(due, dated, lambda keys, now: _deleted(keys, due(now).model))


def _names(model: type[Model], of_rows: Callable[[Any], QuerySet[Any]]) -> Along:
    """Return the names that other services have for rows: they are linked by a text that holds the key."""

    def rows(keys: Any) -> QuerySet[Any]:
        kind = ContentType.objects.get_for_model(model)
        texts = of_rows(keys).order_by().annotate(text=Cast("pk", CharField())).values("text")
        return Integration.objects.filter(content_type=kind, object_id__in=texts)

    return Along(Integration, rows, "object_id")


def _parts(keys: Any) -> QuerySet[Part]:
    return Part.all_objects.filter(pk__in=keys)


def _parts_of_vehicles(keys: Any) -> QuerySet[Part]:
    return Part.all_objects.filter(vehicle__in=keys)


PART_POLICY = Policy(
    old_sold_parts,
    "sold_at",
    lambda keys, now: remove_old_parts(parts=keys),
    along=(
        Along(PartImage, lambda keys: PartImage.objects.filter(part__in=keys), "part_id"),
        _names(Part, _parts),
    ),
    returned=lambda keys: count_returned_sales(parts=keys),
)
VEHICLE_POLICY = Policy(
    old_vehicles,
    "acquired_at",
    lambda keys, now: remove_old_vehicles(vehicles=keys),
    along=(
        Along(Part, _parts_of_vehicles, "vehicle_id"),
        Along(PartImage, lambda keys: PartImage.objects.filter(part__vehicle__in=keys), "part__vehicle_id"),
        _names(Vehicle, lambda keys: Vehicle.all_objects.filter(pk__in=keys)),
    ),
)
USER_POLICY = Policy(
    people_to_anonymize,
    "deleted_at",
    lambda keys, now: anonymize_users(users=keys, now=now),
    action="anonymize",
    along=(Along(Seller, lambda keys: Seller.all_objects.filter(owner__in=keys), "owner_id"),),
    left_out=frozenset({"password"}),
)

STEPS: tuple[Step, ...] = (
    Step(
        "subscriptions",
        "set subscriptions that passed their end to expired",
        run=lambda task: expire_subscriptions(task.now),
        preview=lambda task: Subscription.objects.overdue(now=task.now).count(),
    ),
    _changing("voucher-claims", "set claims of vouchers that ran out to expired", expire_claims, overdue_claims),
    _changing("vouchers", "set vouchers that passed their end to expired", expire_vouchers, overdue_vouchers),
    _changing("reservations", "release parts whose reservation has ended", end_reservations, overdue_reservations),
    _deleting("one-time-tokens", "delete used and expired one-time tokens", finished_tokens),
    _deleting("sessions", "delete sessions and refresh tokens that expired long ago", expired_sessions),
    _deleting("browser-sessions", "delete expired sessions of browsers", expired_browser_sessions),
    _changing(
        "session-traces",
        "take address and browser from sessions without activity",
        forget_session_traces,
        sessions_with_old_traces,
    ),
    _changing("lead-traces", "take address and browser from old leads", forget_lead_traces, leads_with_old_traces),
    # Before all that removes what is counted.
    Step(
        "daily-metrics",
        "roll up events, page views and leads of days that are over",
        run=lambda task: roll_up(task.now),
        preview=lambda task: days_to_roll_up(task.now),
        of="days",
    ),
    _archiving("parts", "archive parts sold long ago, then delete them", PART_POLICY),
    # After the parts: a vehicle goes once its last part is gone.
    _archiving("vehicles", "archive old vehicles without parts, then delete them", VEHICLE_POLICY),
    _archiving("users", "archive people deleted long ago, then anonymize them", USER_POLICY),
    _archiving("audit", "archive old audit entries, then delete them", _simple(old_audit_entries, "created_at")),
    _archiving_counted("events", "archive old events, then delete them", _simple(old_events, "occurred_at")),
    _archiving_counted("page-views", "archive old page views, then delete them", _simple(old_page_views, "created_at")),
    _archiving(
        "web-vitals", "archive old measurements of pages, then delete them", _simple(old_web_vitals, "created_at")
    ),
    # After all that removes rows.
    Step(
        "search-words",
        "learn the words of new names, so that searches repair misspelled ones",
        run=lambda task: refresh_words(task.connection),
        preview=lambda task: stale_words(task.connection),
        of="words",
    ),
    Step(
        "analyze",
        "refresh the statistics from which queries are planned",
        run=lambda task: analyze(task.connection, task.table),
        preview=lambda task: len(wanted_tables(task.connection, task.table)),
        only_by_name=True,
        of="tables",
    ),
    Step(
        "vacuum",
        "give back the room of deleted rows, and refresh the statistics",
        run=lambda task: vacuum(task.connection, task.table, full=task.full),
        preview=lambda task: len(wanted_tables(task.connection, task.table)),
        only_by_name=True,
        of="tables",
    ),
    Step(
        "reindex",
        "build indexes anew",
        run=lambda task: reindex(task.connection, task.table, task.index),
        preview=lambda task: len(wanted_indexes(task.connection, task.table, task.index)),
        only_by_name=True,
        of="indexes",
    ),
)


def step_names() -> list[str]:
    """Return the names of all steps in the order in which they run."""
    return [step.name for step in STEPS]
