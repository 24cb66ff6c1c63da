"""Vehicles, parts and sellers in bulk: batches of 1000, a report that accounts for every row, one transaction.

Rows name other rows as people do: a seller by public id or name, a vehicle by public id or VIN, a category by public
id, slug or name, an owner by e-mail address or public id.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Seller, User
from accounts.models.sellers import ONE_SELLER_PER_USER
from accounts.provinces import south_african_province
from config.audit import announce
from config.db.letters import LowerCase
from config.db.locks import lock_keys
from inventory.cell_values import Unreadable, shown, text_of, value_of
from inventory.models import Category, Part, Vehicle
from inventory.models.base import engine_cc
from inventory.models.parts import PartStatus, normalize_part_number
from inventory.services.changes import obstacle_of
from inventory.services.refusals import NotAllowed
from inventory.stock_files import StockRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

BATCH_ROWS = 1000
# A report stays readable and small; the counts are of all rows.
MOST_FINDINGS = 1000
MOST_IDS = 1000

_PUBLIC_ID = re.compile(r"[0-9A-Za-z_-]{1,36}")

ModelT = TypeVar("ModelT", Vehicle, Part, Seller)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was said about one row; `outcome` is skipped, failed or note, the last about a row that was created."""

    row: int
    outcome: str
    reason: str


@dataclass(slots=True)
class BulkReport:
    """What became of the rows: processed = created + skipped + failed."""

    processed: int = 0
    created: int = 0
    skipped: int = 0
    failed: int = 0
    findings: list[Finding] = field(default_factory=list)
    findings_left_out: int = 0

    def add(self, row: int, outcome: str, reason: str) -> None:
        """Note something about a row, and count the row unless it was created all the same."""
        self.skipped += outcome == "skipped"
        self.failed += outcome == "failed"
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(row, outcome, reason))
        else:
            self.findings_left_out += 1

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class RowFailed(Exception):
    """A row cannot be stored; the text is the reason."""


class RowSkipped(Exception):
    """A row is there already; the text says so."""


def create_vehicles(
    rows: Iterable[Mapping[str, Any]],
    *,
    visible_to: User | None = None,
    actor: User | None = None,
    now: datetime | None = None,
) -> BulkReport:
    """Create donor vehicles; one whose VIN a live vehicle has is skipped.

    Rows that cannot be stored are reported and the others created. Without `visible_to` rows may name any seller, else
    only that person's. Raises NotAllowed if that person may not add vehicles.
    """
    return load_rows("vehicles", _numbered(rows), visible_to=visible_to, actor=actor, now=now)


def create_parts(
    rows: Iterable[Mapping[str, Any]],
    *,
    visible_to: User | None = None,
    actor: User | None = None,
    now: datetime | None = None,
) -> BulkReport:
    """Create parts; see `create_vehicles`. Sold ones count for their seller."""
    return load_rows("parts", _numbered(rows), visible_to=visible_to, actor=actor, now=now)


def create_sellers(
    rows: Iterable[Mapping[str, Any]],
    *,
    visible_to: User | None = None,
    actor: User | None = None,
    now: datetime | None = None,
) -> BulkReport:
    """Create sellers, unverified; see `create_vehicles`. A seller whose owner has one of that name is skipped."""
    return load_rows("sellers", _numbered(rows), visible_to=visible_to, actor=actor, now=now)


def _numbered(rows: Iterable[Mapping[str, Any]]) -> Iterator[StockRow]:
    for number, row in enumerate(rows, start=1):
        yield StockRow(number, dict(row))


@transaction.atomic
def load_rows(
    kind: str,
    rows: Iterable[StockRow],
    *,
    visible_to: User | None = None,
    actor: User | None = None,
    now: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> BulkReport:
    """Create rows of a kind; see `create_vehicles`. `progress` is told after each batch how many rows were read."""
    loader = LOADERS[kind](visible_to, now or timezone.now())
    report = BulkReport()
    ids: list[int] = []
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH_ROWS)):
        ids += _load_batch(loader, batch, report)[: MOST_IDS - len(ids)]
        if progress:
            progress(report.processed)
    if report.created or report.failed:
        counts = {"created": report.created, "skipped": report.skipped, "failed": report.failed}
        announce(
            "create",
            event_type=f"{kind.upper()}_IMPORTED",
            actor=actor or visible_to,
            metadata=counts | {"ids": ids},
            success=not report.failed,
            error_message=f"{report.failed} rows were rejected." if report.failed else "",
        )
    return report


def _load_batch(loader: Loader[Any], batch: Sequence[StockRow], report: BulkReport) -> list[int]:
    """Create what can be created, account for the rest, and return the keys of the created rows."""
    report.processed += len(batch)
    loader.look_up(batch)
    ready: list[tuple[StockRow, Any, list[str]]] = []
    for row in batch:
        notes: list[str] = []
        try:
            instance = loader.build(row, notes)
        except RowSkipped as reason:
            report.add(row.number, "skipped", str(reason))
        except RowFailed as reason:
            report.add(row.number, "failed", str(reason))
        else:
            ready.append((row, instance, notes))
            loader.known_ids.add(instance.public_id)
    created = _insert(loader, ready, report)
    report.created += len(created)
    loader.after([instance for _, instance, _ in created])
    for row, _, notes in created:
        for note in notes:
            report.add(row.number, "note", note)
    return [instance.pk for _, instance, _ in created]


def _insert(loader: Loader[Any], ready: Sequence[Any], report: BulkReport) -> Sequence[Any]:
    """Insert the rows, at once or, where the database refuses one of them, one by one; return those that are in."""
    try:
        with transaction.atomic():
            loader.model._default_manager.bulk_create([instance for _, instance, _ in ready], batch_size=BATCH_ROWS)
    except DatabaseError:
        return [entry for entry in ready if _insert_one(loader, entry, report)]
    return ready


def _insert_one(loader: Loader[Any], entry: Any, report: BulkReport) -> bool:
    row, instance, _ = entry
    try:
        # The constraints word their refusals for people, and the database has the last word.
        instance.validate_constraints()
        with transaction.atomic():
            loader.model._default_manager.bulk_create([instance])
    except ValidationError as error:
        report.add(row.number, "failed", " ".join(error.messages))
    except DatabaseError as error:
        report.add(row.number, "failed", f"The database refuses the row: {str(error).splitlines()[0]}")
    else:
        return True
    return False


class Loader(Generic[ModelT]):
    """Makes rows of one kind. For each batch `look_up` finds what the rows name, with one query per kind of thing."""

    model: type[ModelT]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    references: tuple[str, ...]
    permission: str

    def __init__(self, visible_to: User | None, now: datetime) -> None:
        if visible_to is not None and not visible_to.has_perm(self.permission):
            raise NotAllowed(f"{visible_to} may not add {self.model._meta.verbose_name_plural}.")
        self.visible_to = visible_to
        self.now = now
        self.known_ids: set[str] = set()

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        return (*cls.required, *cls.optional, "public_id")

    def look_up(self, batch: Sequence[StockRow]) -> None:
        """Find what the rows of a batch name. What parts hang on cannot be deleted before they are in."""
        ids = _named(batch, "public_id")
        found = self.model.all_objects.filter(public_id__in=ids)
        self.known_ids = set(found.values_list("public_id", flat=True))

    def build(self, row: StockRow, notes: list[str]) -> ModelT:
        """Return the unsaved instance. Raises RowFailed or RowSkipped."""
        raise NotImplementedError

    def after(self, created: list[ModelT]) -> None:
        """Do what creating them entails."""

    def values(self, row: StockRow, notes: list[str]) -> dict[str, Any]:
        """Return the row's plain values by field: checked, and without the empty ones."""
        if row.problem:
            raise RowFailed(row.problem)
        problems = []
        values: dict[str, Any] = {}
        for name in self.columns():
            try:
                value = self._value(name, row.cells.get(name), notes)
            except Unreadable as reason:
                problems.append(f"{name}: {reason}")
                continue
            if value not in {None, ""}:
                values[name] = value
            elif name in self.required:
                problems.append(f"{name} is missing.")
        if problems:
            raise RowFailed(" ".join(problems))
        self._look_at_public_id(values.get("public_id", ""))
        return {name: value for name, value in values.items() if name not in self.references}

    def _value(self, name: str, raw: Any, notes: list[str]) -> Any:
        return text_of(raw) if name in self.references else value_of(_field(self.model, name), raw, notes)

    def _look_at_public_id(self, public_id: str) -> None:
        if public_id and not _PUBLIC_ID.fullmatch(public_id):
            raise RowFailed("public_id: at most 36 letters, digits, dashes and underscores.")
        if public_id in self.known_ids:
            raise RowSkipped(f"The public id {public_id} is in use already.")

    def checked(self, instance: ModelT, values: Mapping[str, Any]) -> ModelT:
        """Return the instance if its values keep the rules of their fields. Raises RowFailed."""
        others = {f.name for f in self.model._meta.fields if f.name not in values or f.is_relation}
        try:
            instance.clean_fields(exclude=others)
        except ValidationError as error:
            words = [f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
            raise RowFailed(" ".join(words)) from error
        return instance


class VehicleLoader(Loader[Vehicle]):
    model = Vehicle
    required = ("vin", "year", "make", "model", "seller")
    optional = (
        *("trim", "fuel_type", "transmission", "drivetrain", "engine_size", "power_hp", "color", "mileage_km"),
        *("condition", "acquired_at", "description"),
    )
    references = ("seller",)
    permission = "inventory.add_vehicle"

    def look_up(self, batch: Sequence[StockRow]) -> None:
        super().look_up(batch)
        self.sellers = _sellers(batch, self.visible_to)
        vins = [vin.upper() for vin in _named(batch, "vin")]
        self.vins = set(Vehicle.objects.filter(vin__in=vins).values_list("vin", flat=True))

    def build(self, row: StockRow, notes: list[str]) -> Vehicle:
        values = self.values(row, notes)
        seller = self.sellers.of(row)
        if "acquired_at" in values:
            values["acquired_at"] = _in_zone_of(seller, values["acquired_at"])
        instance = Vehicle(**{"acquired_at": self.now} | values, seller=seller)
        instance.engine_cc = engine_cc(instance.engine_size)
        self.checked(instance, values)
        if instance.vin in self.vins:
            raise RowSkipped(f"A vehicle with the VIN {instance.vin} exists already.")
        self.vins.add(instance.vin)
        return instance


class PartLoader(Loader[Part]):
    model = Part
    required = ("name", "description", "price", "vehicle", "seller")
    optional = (
        *("part_number", "condition", "currency", "status", "category", "yard_location", "is_listed", "sold_at"),
        "reserved_until",
    )
    references = ("vehicle", "seller", "category")
    permission = "inventory.add_part"

    def look_up(self, batch: Sequence[StockRow]) -> None:
        super().look_up(batch)
        self.sellers = _sellers(batch, self.visible_to)
        self.vehicles = _vehicles(batch, self.visible_to)
        self.categories = _categories(batch)

    def build(self, row: StockRow, notes: list[str]) -> Part:
        values = self.values(row, notes)
        seller, vehicle = self.sellers.of(row), self.vehicles.of(row)
        if vehicle.seller_id != seller.pk:
            raise RowFailed(f"seller: {seller} is not the seller of the vehicle {vehicle}.")
        category = self.categories.of(row) if text_of(row.cells.get("category")) else None
        if category is not None and not category.is_active:
            raise RowFailed(f"category: {category} is inactive and not offered for new parts.")
        for name in ("sold_at", "reserved_until"):
            if name in values:
                values[name] = _in_zone_of(seller, values[name])
        instance = Part(**values, seller=seller, vehicle=vehicle, category=category)
        self._list_if_possible(instance, notes)
        instance.part_number_norm = normalize_part_number(instance.part_number)
        return self.checked(instance, values)

    def _list_if_possible(self, part: Part, notes: list[str]) -> None:
        if not part.is_listed:
            return
        if part.status != PartStatus.AVAILABLE:
            obstacle = f"the part is {str(part.get_status_display()).lower()}."
        else:
            obstacle = obstacle_of(part.seller)
        if obstacle:
            part.is_listed = False
            notes.append(f"Not listed: {obstacle}")

    def after(self, created: list[Part]) -> None:
        sold = Counter(part.seller_id for part in created if part.status == PartStatus.SOLD)
        for seller_id, number in sorted(sold.items()):
            Seller.objects.filter(pk=seller_id).update(total_sales=F("total_sales") + number)


class SellerLoader(Loader[Seller]):
    model = Seller
    required = ("name", "street", "city", "province", "phone", "owner")
    optional = (
        *("description", "business_type", "email", "whatsapp", "website", "postal_code", "country", "latitude"),
        *("longitude", "timezone"),
    )
    references = ("owner",)
    permission = "accounts.add_seller"

    def look_up(self, batch: Sequence[StockRow]) -> None:
        super().look_up(batch)
        self.owners = _owners(batch)
        owned = Seller.objects.filter(owner__in=self.owners.everything()).values_list("owner", "name")
        self.owned = set(owned)
        self.with_seller = {owner for owner, _ in self.owned}

    def build(self, row: StockRow, notes: list[str]) -> Seller:
        values = self.values(row, notes)
        owner = self.owners.of(row)
        website = values.get("website", "")
        if website and "://" not in website:
            values["website"] = f"https://{website}"
            notes.append(f"website: {shown(website)} was stored with https:// before it.")
        instance = self.checked(Seller(**values, owner=owner), values)
        if instance.country.upper() == "ZA":
            instance.province = south_african_province(instance.province)
        if instance.province != values["province"]:
            notes.append(f"province: {shown(values['province'])} was stored as {instance.province}.")
        if (owner.pk, instance.name) in self.owned:
            raise RowSkipped(f"{owner} has a seller with the name {shown(instance.name)} already.")
        if settings.ACCOUNTS_ONE_SELLER_PER_USER and owner.pk in self.with_seller:
            raise RowFailed(f"owner: {ONE_SELLER_PER_USER}")
        self.owned.add((owner.pk, instance.name))
        self.with_seller.add(owner.pk)
        return instance


LOADERS: dict[str, type[Loader[Any]]] = {"vehicles": VehicleLoader, "parts": PartLoader, "sellers": SellerLoader}

FoundT = TypeVar("FoundT", Seller, Vehicle, Category, User)


class References(Generic[FoundT]):
    """What the rows of a batch name in one column; a public id comes before a name."""

    def __init__(self, column: str, found: Iterable[FoundT], names: Callable[[FoundT], Iterable[str]]) -> None:
        self._column = column
        self._by_id: dict[str, FoundT] = {}
        self._by_name: dict[str, dict[int, FoundT]] = {}
        for one in found:
            self._by_id[one.public_id] = one
            for name in names(one):
                self._by_name.setdefault(name.lower(), {})[one.pk] = one

    def of(self, row: StockRow) -> FoundT:
        """Return what the row names. Raises RowFailed if there is no such thing or more than one."""
        text = text_of(row.cells.get(self._column))
        if text in self._by_id:
            return self._by_id[text]
        found = list(self._by_name.get(text.lower(), {}).values())
        if not found:
            raise RowFailed(f"{self._column}: {shown(text)} is unknown.")
        if len(found) > 1:
            raise RowFailed(f"{self._column}: {shown(text)} is the name of several: give the public id.")
        return found[0]

    def everything(self) -> list[FoundT]:
        return list(self._by_id.values())


def _sellers(batch: Sequence[StockRow], visible_to: User | None) -> References[Seller]:
    named = _named(batch, "seller")
    sellers = Seller.objects.filter(Q(public_id__in=named) | Q(name__in=named))
    if visible_to is not None:
        sellers = sellers.visible_to(visible_to)
    return References("seller", sellers.defer("service_area", "business_hours", "description"), lambda one: [one.name])


def _vehicles(batch: Sequence[StockRow], visible_to: User | None) -> References[Vehicle]:
    named = _named(batch, "vehicle")
    vehicles = Vehicle.objects.filter(Q(public_id__in=named) | Q(vin__in=named))
    if visible_to is not None:
        vehicles = vehicles.visible_to(visible_to)
    found = Vehicle.objects.filter(pk__in=lock_keys(vehicles))
    return References("vehicle", found.defer("description"), lambda one: [one.vin or one.public_id])


def _categories(batch: Sequence[StockRow]) -> References[Category]:
    named = _named(batch, "category")
    lowered = [name.lower() for name in named]
    categories = Category.objects.annotate(lower_name=LowerCase("name"))
    wanted = categories.filter(Q(public_id__in=named) | Q(slug__in=lowered) | Q(lower_name__in=lowered))
    found = Category.objects.filter(pk__in=lock_keys(wanted))
    return References("category", found.defer("description"), lambda one: {one.name, one.slug})


def _owners(batch: Sequence[StockRow]) -> References[User]:
    named = _named(batch, "owner")
    found = User.objects.filter(Q(public_id__in=named) | Q(email__in=named))
    return References("owner", found, lambda one: [one.email])


def _named(batch: Sequence[StockRow], column: str) -> list[str]:
    """Return the different texts in a column, without those that no short column can hold."""
    texts: dict[str, None] = {}
    for row in batch:
        try:
            text = text_of(row.cells.get(column))
        except Unreadable:
            continue
        if 0 < len(text) <= 300:
            texts[text] = None
    return list(texts)


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    found: Any = model._meta.get_field(name)
    assert isinstance(found, models.Field)  # noqa: S101 - the columns above are fields
    return found


def _in_zone_of(seller: Seller, moment: datetime) -> datetime:
    """Return an aware time: what was written without a zone is the seller's own time."""
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=ZoneInfo(seller.timezone))
