"""What cars and parts there are: models with prices when new, parts with the share of the car's price, categories."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from inventory.models.base import Drivetrain, FuelType
from inventory.models.cars import Segment


@dataclass(frozen=True, slots=True)
class Engine:
    size: str
    fuel: str
    power_hp: int


@dataclass(frozen=True, slots=True)
class CarModel:
    """A model as it was sold: its price in euros when new, what it keeps of that per year, and when it was made."""

    make: str
    model: str
    segment: str
    new_price: int
    kept_per_year: float
    years: tuple[int, int]
    manufacturer_code: str
    drivetrains: tuple[str, ...]
    engines: tuple[Engine, ...]
    trims: tuple[str, ...]
    # How often it is seen, against the others.
    weight: int


@dataclass(frozen=True, slots=True)
class PartKind:
    """A part, the category it lies in, and its price used: a share of the car's price when new."""

    name: str
    category: str
    share: float


_FUELS = {
    "petrol": FuelType.PETROL,
    "diesel": FuelType.DIESEL,
    "hybrid": FuelType.HYBRID,
    "plugin": FuelType.PLUGIN_HYBRID,
    "electric": FuelType.ELECTRIC,
}
# Sets of engines that many models share.
_ENGINE_SETS = {
    "small": "petrol 1.0 95/petrol 1.2 86/petrol 1.4 122",
    "middle": "petrol 1.4 122/petrol 1.5 150/petrol 1.6 110/diesel 2.0 150",
    "large": "petrol 2.0 190/diesel 2.0 150/plugin 2.0 252",
}
_STILL_MADE = 9999


def _engines(text: str) -> tuple[Engine, ...]:
    for name, engines in _ENGINE_SETS.items():
        text = text.replace(name, engines)
    parts = (engine.split() for engine in text.split("/"))
    return tuple(
        Engine("" if litres == "-" else f"{litres}L", _FUELS[fuel], int(power)) for fuel, litres, power in parts
    )


def _car_model(line: dict[str, str]) -> CarModel:
    return CarModel(
        make=line["make"],
        model=line["model"],
        segment=Segment(line["segment"]),
        new_price=int(line["new_price"]),
        kept_per_year=float(line["kept_per_year"]),
        years=(int(line["first_year"]), int(line["last_year"] or _STILL_MADE)),
        manufacturer_code=line["manufacturer_code"],
        drivetrains=tuple(map(Drivetrain, line["drivetrains"].split("/"))),
        engines=_engines(line["engines"]),
        # Every model was also sold plain.
        trims=("", *line["trims"].split("/")),
        weight=int(line["weight"]),
    )


def _read_car_models() -> tuple[CarModel, ...]:
    """Read the models: prices in euros, engines as fuel, litres and horsepower, an empty last year when still made."""
    with Path(__file__).with_name("car_models.csv").open(encoding="utf-8", newline="") as file:
        return tuple(map(_car_model, csv.DictReader(file)))


CAR_MODELS = _read_car_models()

COLORS = ("White", "Black", "Silver", "Grey", "Blue", "Red", "Dark blue", "Green", "Bronze", "Beige")
COLOR_WEIGHTS = (24, 20, 16, 16, 9, 8, 3, 2, 1, 1)

# Three levels; leaves are where parts lie.
CATEGORY_TREE: dict[str, dict[str, tuple[str, ...]]] = {
    "Engine Components": {
        "Engine Blocks": (),
        "Pistons & Rings": (),
        "Valves": ("Intake Valves", "Exhaust Valves"),
        "Camshafts": (),
        "Fuel System": ("Fuel Pumps", "Injectors"),
        "Turbochargers": (),
    },
    "Body Parts": {
        "Doors": ("Front Doors", "Rear Doors"),
        "Bumpers": ("Front Bumpers", "Rear Bumpers"),
        "Fenders": (),
        "Hoods": (),
        "Lights": ("Headlights", "Tail Lights"),
        "Mirrors": (),
    },
    "Electrical": {"Alternators": (), "Starters": (), "ECUs": (), "Wiring Harnesses": (), "Traction Batteries": ()},
    "Transmission": {"Manual Gearboxes": (), "Automatic Gearboxes": (), "Clutches": (), "Drive Shafts": ()},
    "Suspension & Steering": {"Shock Absorbers": (), "Control Arms": (), "Steering Racks": ()},
    "Brakes": {"Brake Calipers": (), "Brake Discs": (), "ABS Units": ()},
    "Cooling & Heating": {"Radiators": (), "Air Conditioning": ("AC Compressors", "AC Condensers")},
    "Interior": {"Seats": (), "Dashboards": (), "Airbags": ()},
    "Wheels": {"Alloy Wheels": (), "Steel Wheels": ()},
}

# Parts that every car has.
PART_KINDS = (
    PartKind("Left front door", "Front Doors", 0.011),
    PartKind("Right front door", "Front Doors", 0.011),
    PartKind("Left rear door", "Rear Doors", 0.009),
    PartKind("Right rear door", "Rear Doors", 0.009),
    PartKind("Front bumper", "Front Bumpers", 0.009),
    PartKind("Rear bumper", "Rear Bumpers", 0.008),
    PartKind("Left fender", "Fenders", 0.005),
    PartKind("Right fender", "Fenders", 0.005),
    PartKind("Bonnet", "Hoods", 0.009),
    PartKind("Left headlight", "Headlights", 0.010),
    PartKind("Right headlight", "Headlights", 0.010),
    PartKind("Tail light", "Tail Lights", 0.004),
    PartKind("Door mirror", "Mirrors", 0.004),
    PartKind("Engine control unit", "ECUs", 0.009),
    PartKind("Wiring harness", "Wiring Harnesses", 0.008),
    PartKind("Drive shaft", "Drive Shafts", 0.005),
    PartKind("Shock absorber", "Shock Absorbers", 0.003),
    PartKind("Control arm", "Control Arms", 0.003),
    PartKind("Steering rack", "Steering Racks", 0.010),
    PartKind("Brake caliper", "Brake Calipers", 0.003),
    PartKind("Brake disc pair", "Brake Discs", 0.002),
    PartKind("ABS unit", "ABS Units", 0.007),
    PartKind("Radiator", "Radiators", 0.005),
    PartKind("Air-conditioning compressor", "AC Compressors", 0.008),
    PartKind("Air-conditioning condenser", "AC Condensers", 0.004),
    PartKind("Driver's seat", "Seats", 0.009),
    PartKind("Dashboard", "Dashboards", 0.010),
    PartKind("Steering wheel airbag", "Airbags", 0.008),
    PartKind('Alloy wheel 17"', "Alloy Wheels", 0.005),
    PartKind('Steel wheel 15"', "Steel Wheels", 0.001),
)
# Parts that only a car with a combustion engine has.
COMBUSTION_PART_KINDS = (
    PartKind("Complete engine", "Engine Blocks", 0.062),
    PartKind("Cylinder block", "Engine Blocks", 0.031),
    PartKind("Piston set", "Pistons & Rings", 0.007),
    PartKind("Intake valve set", "Intake Valves", 0.003),
    PartKind("Exhaust valve set", "Exhaust Valves", 0.003),
    PartKind("Camshaft", "Camshafts", 0.006),
    PartKind("Fuel pump", "Fuel Pumps", 0.005),
    PartKind("Injector", "Injectors", 0.004),
    PartKind("Turbocharger", "Turbochargers", 0.014),
    PartKind("Alternator", "Alternators", 0.006),
    PartKind("Starter motor", "Starters", 0.004),
    PartKind("Clutch kit", "Clutches", 0.006),
)
MANUAL_GEARBOX = PartKind("Manual gearbox", "Manual Gearboxes", 0.020)
AUTOMATIC_GEARBOX = PartKind("Automatic gearbox", "Automatic Gearboxes", 0.036)
TRACTION_BATTERY = PartKind("Traction battery", "Traction Batteries", 0.120)

CAR_FEATURES = (
    *("Air conditioning", "Adaptive cruise control", "Heated seats", "Parking sensors", "Reversing camera"),
    *("LED headlights", "Leather upholstery", "Navigation", "Keyless entry", "Panoramic roof", "Tow bar"),
    *("Apple CarPlay", "Android Auto", "Lane assist", "Blind-spot warning", "Electric tailgate", "Roof rails"),
    *("Two sets of wheels", "Full service history", "Isofix", "Bluetooth", "Block heater", "Sport seats"),
    *("Head-up display", "Alloy wheels", "Dual-zone climate control"),
)
