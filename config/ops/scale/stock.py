"""What is for sale: cars, and parts from vehicles that are being broken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils.text import slugify

from accounts.models.sellers import BusinessType
from config.ops.scale import catalogue, texts
from config.ops.scale.people import BREAKERS
from config.ops.scale.pictures import car_pictures, part_pictures
from config.ops.scale.regions import FINNISH
from inventory.models import Car, CarFeature, CarImage, CarSpecification, Part, PartImage, Vehicle
from inventory.models.base import Condition, FuelType, Transmission, engine_cc
from inventory.models.cars import CarStatus
from inventory.models.parts import PartStatus, normalize_part_number

if TYPE_CHECKING:
    from datetime import datetime

    from config.ops.scale.catalogue import CarModel, Engine, PartKind
    from config.ops.scale.people import Business, People
    from config.ops.scale.regions import Region
    from config.ops.scale.rows import Block, Row

VEHICLES = 120
PARTS = 1200
CARS = 130
FEWEST_PARTS, MOST_PARTS = 3, 22
FEATURES_PER_CAR = 4

KM_PER_YEAR = 16_000
# What a car that has run twice as far as usual is worth less.
MILEAGE_WEIGHT = 0.25
# A used part keeps this much of its value per year of the car's age, but never falls below the floor.
PART_KEPT_PER_YEAR, PART_FLOOR = 0.95, 0.35

_CONDITION_VALUE: dict[str, float] = {
    Condition.NEW: 1.15,
    Condition.EXCELLENT: 1.1,
    Condition.GOOD: 1.0,
    Condition.FAIR: 0.85,
    Condition.POOR: 0.6,
    Condition.NEEDS_WORK: 0.5,
}
_CONDITIONS = tuple(_CONDITION_VALUE)
_MODEL_WEIGHTS = tuple(model.weight for model in catalogue.CAR_MODELS)


@dataclass(frozen=True, slots=True)
class Described:
    """A physical car before it becomes a row."""

    model: CarModel
    engine: Engine
    transmission: str
    year: int
    age: float
    mileage_km: int
    condition: str


@dataclass(frozen=True, slots=True)
class Stock:
    """The rows of what people may ask about."""

    cars: list[Row]
    parts: list[Row]


def add_stock(block: Block, people: People) -> Stock:
    """Add vehicles with their parts, and cars, of the businesses that deal in them."""
    return Stock(cars=_add_cars(block, people), parts=_add_vehicles(block, people))


def _add_vehicles(block: Block, people: People) -> list[Row]:
    breakers = people.of_type(*BREAKERS)
    parts = []
    for number, count in enumerate(_parts_per_vehicle(block)):
        business = block.rng.choice(breakers)
        described = _describe(block, business.created_at, typical_age=12, oldest=24)
        vehicle = _add_vehicle(block, number, business, described)
        kinds = block.rng.sample(_kinds_of(described), count)
        parts += [_add_part(block, business, vehicle, described, kind) for kind in kinds]
    return parts


def _parts_per_vehicle(block: Block) -> list[int]:
    """Return how many parts each vehicle gives: uneven, but PARTS in sum."""
    counts = [PARTS // VEHICLES + (number < PARTS % VEHICLES) for number in range(VEHICLES)]
    for _ in range(VEHICLES * 5):
        giver, taker = block.rng.randrange(VEHICLES), block.rng.randrange(VEHICLES)
        if counts[giver] > FEWEST_PARTS and counts[taker] < MOST_PARTS:
            counts[giver] -= 1
            counts[taker] += 1
    return counts


def _describe(block: Block, at: datetime, *, typical_age: int, oldest: int) -> Described:
    """Draw a car of about the typical age at that time, with a mileage to match."""
    rng = block.rng
    model = rng.choices(catalogue.CAR_MODELS, _MODEL_WEIGHTS)[0]
    wanted = at.year - round(rng.triangular(0, oldest, typical_age))
    # What was not made yet, or no more, comes from the nearest year in which it was.
    year = min(max(wanted, model.years[0]), model.years[1], at.year)
    engine = rng.choice(model.engines)
    age = at.year - year + rng.random()
    mileage = max(round(rng.gauss(KM_PER_YEAR, KM_PER_YEAR / 4) * age), 20)
    quality = min(age / 12, 1)
    weights = (0, 30 * (1 - quality), 50, 10 + 25 * quality, 15 * quality, 8 * quality)
    return Described(
        model, engine, _transmission(block, engine), year, age, mileage, rng.choices(_CONDITIONS, weights)[0]
    )


def _transmission(block: Block, engine: Engine) -> str:
    if engine.fuel == FuelType.HYBRID:
        return Transmission.CVT
    if engine.fuel in {FuelType.ELECTRIC, FuelType.PLUGIN_HYBRID}:
        return Transmission.AUTOMATIC
    return Transmission.AUTOMATIC if block.chance(0.2 if engine.power_hp < 130 else 0.6) else Transmission.MANUAL


def _kinds_of(described: Described) -> list[PartKind]:
    kinds = list(catalogue.PART_KINDS)
    if described.engine.fuel == FuelType.ELECTRIC:
        return [*kinds, catalogue.TRACTION_BATTERY]
    is_manual = described.transmission == Transmission.MANUAL
    gearbox = catalogue.MANUAL_GEARBOX if is_manual else catalogue.AUTOMATIC_GEARBOX
    return [*kinds, *catalogue.COMBUSTION_PART_KINDS, gearbox]


def _vehicle_values(block: Block, vin_number: int, described: Described) -> Row:
    model, engine = described.model, described.engine
    return {
        "make": model.make,
        "model": model.model,
        "trim": block.rng.choice(model.trims),
        "year": described.year,
        "vin": block.vin(vin_number, manufacturer=model.manufacturer_code, year=described.year),
        "fuel_type": engine.fuel,
        "transmission": described.transmission,
        "drivetrain": block.rng.choice(model.drivetrains),
        "engine_size": engine.size,
        "engine_cc": engine_cc(engine.size),
        "power_hp": engine.power_hp,
        "color": block.rng.choices(catalogue.COLORS, catalogue.COLOR_WEIGHTS)[0],
        "mileage_km": described.mileage_km,
        "condition": described.condition,
    }


def _add_vehicle(block: Block, number: int, business: Business, described: Described) -> Row:
    acquired = block.after(business.created_at, 150)
    at = block.after(acquired, 3)
    return block.add(
        Vehicle,
        **_vehicle_values(block, number, described),
        public_id=block.public_id(at),
        seller_id=business.key,
        acquired_at=acquired,
        description=block.rng.choice(texts.VEHICLE_NOTES[business.region.language]),
        created_at=at,
        updated_at=block.after(at, 30),
    )


def _add_part(block: Block, business: Business, vehicle: Row, described: Described, kind: PartKind) -> Row:
    rng = block.rng
    at = block.after(vehicle["created_at"], 45)
    condition = rng.choices(_CONDITIONS, (0, 20, 45, 22, 9, 4))[0]
    number = _part_number(block, vehicle["make"]) if block.chance(0.85) else None
    status, sold_at, reserved_until = _part_state(block, at)
    row = block.add(
        Part,
        public_id=block.public_id(at),
        vehicle_id=vehicle["id"],
        seller_id=business.key,
        category_id=block.categories[kind.category],
        name=f"{kind.name} {vehicle['make']} {vehicle['model']}",
        part_number=number,
        part_number_norm=normalize_part_number(number),
        description=rng.choice(texts.PART_DESCRIPTIONS[business.region.language]),
        condition=condition,
        price=_part_price(block, described, kind, condition, business.region),
        currency=business.region.currency,
        yard_location=f"{rng.choice(texts.YARD_PLACES)} {rng.choice('ABCDEFGH')}-{rng.randrange(1, 60)}",
        status=status,
        is_listed=status != PartStatus.SOLD and block.chance(0.85),
        reserved_until=reserved_until,
        sold_at=sold_at,
        created_at=at,
        updated_at=sold_at or block.after(at, 60),
    )
    if status == PartStatus.SOLD:
        business.row["total_sales"] += 1
    for place, address in enumerate(part_pictures(row["name"])):
        block.add(PartImage, part_id=row["id"], url=address, alt_text=row["name"], position=place)
    return row


def _part_state(block: Block, at: datetime) -> tuple[str, datetime | None, datetime | None]:
    """Return status, time of sale and end of reservation: the longer a part was there, the likelier it is sold."""
    days_here = (block.now - at) / timedelta(days=1)
    if block.chance(min(days_here / 900, 0.7)):
        return PartStatus.SOLD, block.after(at, 400), None
    if block.chance(0.05):
        return PartStatus.RESERVED, None, block.now + timedelta(hours=block.rng.randrange(2, 240))
    return PartStatus.AVAILABLE, None, None


def _part_price(block: Block, described: Described, kind: PartKind, condition: str, region: Region) -> Decimal:
    kept = max(PART_KEPT_PER_YEAR**described.age, PART_FLOOR)
    euros = described.model.new_price * kind.share * kept * _CONDITION_VALUE[condition] * block.rng.uniform(0.8, 1.25)
    return _price_tag(euros, region, step=5, ending=0)


def _price_tag(euros: float, region: Region, *, step: int, ending: int) -> Decimal:
    """Return a price as people write it: a multiple of the step in euros less the ending, in the region's currency."""
    steps = max(round(euros / step), 1)
    return Decimal(round((steps * step - ending) * region.per_euro)).quantize(Decimal("0.01"))


def _part_number(block: Block, make: str) -> str:
    """Return a part number in the way of the maker's group."""
    digits = block.rng.randrange
    if make in {"Volkswagen", "Skoda", "Seat", "Audi"}:
        platform = block.rng.choice(("1K0", "5Q0", "6R0", "8K0", "3C0", "5E0"))
        return f"{platform} {digits(100, 1000)} {digits(100, 1000)} {block.rng.choice('ABCDEFG')}"
    if make == "BMW":
        return f"{digits(11, 70)} {digits(10, 100)} {digits(1, 10)} {digits(100, 1000)} {digits(100, 1000)}"
    if make == "Mercedes-Benz":
        return f"A {digits(100, 300)} {digits(100, 1000)} {digits(10, 100)} {digits(10, 100)}"
    if make in {"Toyota", "Mazda", "Suzuki", "Nissan"}:
        return f"{digits(10000, 100000)}-{block.rng.choice('0245')}{block.rng.choice('KRDN')}{digits(100, 1000)}"
    return f"{digits(1_000_000, 10_000_000)}"


def _add_cars(block: Block, people: People) -> list[Row]:
    """Add cars of dealers, of private people, and, without a seller, of the house itself."""
    dealers, private = people.of_type(BusinessType.DEALER), people.of_type(BusinessType.PRIVATE)
    sellers = [*dealers * 8, *private, *[None] * 25]
    return [_add_car(block, number, block.rng.choice(sellers)) for number in range(CARS)]


def _add_car(block: Block, number: int, business: Business | None) -> Row:
    region = business.region if business else FINNISH
    at = block.after(business.created_at if business else block.between(block.begin, block.end), 200)
    described = _describe(block, at, typical_age=6, oldest=16)
    model = described.model
    name = f"{model.make} {model.model}"
    status, sold_at = _car_state(block, at)
    row = block.add(
        Car,
        # Vehicles have the numbers below.
        **_vehicle_values(block, VEHICLES + number, described),
        public_id=block.public_id(at),
        name=name,
        slug=f"{_slug(name)}-{described.year}-{block.code(number).lower()}",
        seller_id=business.key if business else None,
        price=_car_price(block, described, region),
        currency=region.currency,
        segment=model.segment,
        is_featured=status == CarStatus.AVAILABLE and block.chance(0.06),
        description=block.rng.choice(texts.CAR_DESCRIPTIONS[region.language]),
        paragraphs=block.rng.sample(texts.CAR_PARAGRAPHS[region.language], 2),
        status=status,
        published_at=None if status == CarStatus.COMING_SOON else block.after(at, 2),
        sold_at=sold_at,
        created_at=at,
        updated_at=sold_at or block.after(at, 60),
    )
    _add_car_details(block, row, described)
    return row


@lru_cache(maxsize=256)
def _slug(name: str) -> str:
    return slugify(name)


def _car_state(block: Block, at: datetime) -> tuple[str, datetime | None]:
    days_here = (block.now - at) / timedelta(days=1)
    # Most cars are sold within four months.
    if block.chance(min(days_here / 120, 0.93)):
        return CarStatus.SOLD, block.after(at, 120)
    others = (CarStatus.AVAILABLE, CarStatus.RESERVED, CarStatus.COMING_SOON, CarStatus.UNDER_MAINTENANCE)
    return block.rng.choices(others, (78, 10, 6, 6))[0], None


def _car_price(block: Block, described: Described, region: Region) -> Decimal:
    model = described.model
    usual = KM_PER_YEAR * max(described.age, 0.5)
    worn = 1 - MILEAGE_WEIGHT * max(min(described.mileage_km / usual - 1, 1), -1)
    euros = model.new_price * model.kept_per_year**described.age * worn * block.rng.uniform(0.92, 1.08)
    return _price_tag(euros * _CONDITION_VALUE[described.condition], region, step=100, ending=10)


def _add_car_details(block: Block, car: Row, described: Described) -> None:
    for place, address in enumerate(car_pictures(car["segment"], car["color"])):
        block.add(
            CarImage,
            car_id=car["id"],
            url=address,
            alt_text=f"{car['name']} {car['year']}, {texts.CAR_VIEWS[place]}",
            position=place,
            is_primary=place == 0,
            created_at=car["created_at"],
        )
    for place, feature in enumerate(block.rng.sample(catalogue.CAR_FEATURES, FEATURES_PER_CAR)):
        block.add(CarFeature, car_id=car["id"], text=feature, position=place)
    seats = "2" if described.model.segment == "SPORTS" else "5"
    owners = str(1 + min(int(described.age / 4), 4))
    values = {"Engine": described.engine.size, "Seats": seats, "Previous owners": owners, "Colour": car["color"]}
    for place, (label, value) in enumerate((label, value) for label, value in values.items() if value):
        block.add(CarSpecification, car_id=car["id"], label=label, value=value, position=place)
