"""What cars and parts there are: models with prices when new, parts with the share of the car's price, categories."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.models.base import Drivetrain, FuelType
from inventory.models.cars import Segment


@dataclass(frozen=True, slots=True)
class Engine:
    size: str
    fuel: str
    power_hp: int


@dataclass(frozen=True, slots=True)
class CarModel:
    """A model as it was sold: price in euros when new, what it keeps of it per year, and from when to when it was made."""

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


_PETROL_10 = Engine("1.0L", FuelType.PETROL, 95)
_PETROL_12 = Engine("1.2L", FuelType.PETROL, 86)
_PETROL_14 = Engine("1.4L", FuelType.PETROL, 122)
_PETROL_15 = Engine("1.5L", FuelType.PETROL, 150)
_PETROL_16 = Engine("1.6L", FuelType.PETROL, 110)
_PETROL_20 = Engine("2.0L", FuelType.PETROL, 190)
_PETROL_30 = Engine("3.0L", FuelType.PETROL, 340)
_DIESEL_15 = Engine("1.5L", FuelType.DIESEL, 110)
_DIESEL_20 = Engine("2.0L", FuelType.DIESEL, 150)
_DIESEL_24 = Engine("2.4L", FuelType.DIESEL, 150)
_DIESEL_30 = Engine("3.0L", FuelType.DIESEL, 230)
_HYBRID_18 = Engine("1.8L", FuelType.HYBRID, 122)
_HYBRID_25 = Engine("2.5L", FuelType.HYBRID, 218)
_PLUGIN_20 = Engine("2.0L", FuelType.PLUGIN_HYBRID, 252)
_ELECTRIC_150 = Engine("", FuelType.ELECTRIC, 150)
_ELECTRIC_283 = Engine("", FuelType.ELECTRIC, 283)

_FRONT = (Drivetrain.FWD,)
_REAR = (Drivetrain.RWD,)
_FRONT_OR_ALL = (Drivetrain.FWD, Drivetrain.FWD, Drivetrain.AWD)
_REAR_OR_ALL = (Drivetrain.RWD, Drivetrain.AWD)
_PICKUP = (Drivetrain.RWD, Drivetrain.FOUR_WD)

_SMALL = (_PETROL_10, _PETROL_12, _PETROL_14)
_MIDDLE = (_PETROL_14, _PETROL_15, _PETROL_16, _DIESEL_20)
_LARGE = (_PETROL_20, _DIESEL_20, _PLUGIN_20)

_PLAIN = ("", "Comfort", "Style", "Active")
_GERMAN = ("", "Advance", "Business", "M Sport", "AMG Line", "S line")

CAR_MODELS = (
    CarModel("Toyota", "Hilux", Segment.SUV, 42000, 0.91, (2008, 2026), "AHT", _PICKUP, (_DIESEL_24,), _PLAIN, 9),
    CarModel("Toyota", "Corolla", Segment.FAMILY, 27000, 0.89, (2007, 2026), "SB1", _FRONT, (_PETROL_16, _HYBRID_18), _PLAIN, 9),
    CarModel("Toyota", "Yaris", Segment.COMPACT, 20000, 0.88, (2008, 2026), "VNK", _FRONT, (_PETROL_10, _PETROL_15), _PLAIN, 6),
    CarModel("Toyota", "RAV4", Segment.SUV, 41000, 0.89, (2009, 2026), "JTM", _FRONT_OR_ALL, (_PETROL_20, _HYBRID_25), _PLAIN, 5),
    CarModel("Volkswagen", "Polo", Segment.COMPACT, 19500, 0.88, (2006, 2026), "AAV", _FRONT, _SMALL, _PLAIN, 12),
    CarModel("Volkswagen", "Golf", Segment.FAMILY, 29000, 0.87, (2006, 2026), "WVW", _FRONT, _MIDDLE, ("", "Comfortline", "Highline", "GTI"), 10),
    CarModel("Volkswagen", "Tiguan", Segment.SUV, 40000, 0.87, (2008, 2026), "WVG", _FRONT_OR_ALL, _LARGE, _PLAIN, 6),
    CarModel("Volkswagen", "Passat", Segment.FAMILY, 38000, 0.85, (2006, 2024), "WVW", _FRONT_OR_ALL, _LARGE, _PLAIN, 5),
    CarModel("Volkswagen", "ID.3", Segment.ELECTRIC, 40000, 0.82, (2020, 2026), "WVW", _REAR, (_ELECTRIC_150,), _PLAIN, 2),
    CarModel("Ford", "Ranger", Segment.SUV, 41000, 0.90, (2009, 2026), "AFA", _PICKUP, (_DIESEL_20, _DIESEL_30), ("XL", "XLT", "Wildtrak"), 8),
    CarModel("Ford", "Fiesta", Segment.COMPACT, 18500, 0.86, (2006, 2023), "WF0", _FRONT, _SMALL, ("", "Trend", "Titanium"), 6),
    CarModel("Ford", "Focus", Segment.FAMILY, 26000, 0.85, (2006, 2025), "WF0", _FRONT, _MIDDLE, ("", "Trend", "Titanium"), 6),
    CarModel("BMW", "320i", Segment.PREMIUM, 47000, 0.85, (2006, 2026), "WBA", _REAR_OR_ALL, (_PETROL_20,), _GERMAN[:4], 6),
    CarModel("BMW", "X3", Segment.SUV, 58000, 0.85, (2008, 2026), "WBX", (Drivetrain.AWD,), (*_LARGE, _DIESEL_30), _GERMAN[:4], 4),
    CarModel("BMW", "740d", Segment.LUXURY, 112000, 0.80, (2009, 2026), "WBA", _REAR_OR_ALL, (_DIESEL_30,), _GERMAN[:4], 1),
    CarModel("Mercedes-Benz", "C 200", Segment.PREMIUM, 49000, 0.85, (2007, 2026), "WDD", _REAR, (_PETROL_15, _PETROL_20), ("", "Avantgarde", "AMG Line"), 6),
    CarModel("Mercedes-Benz", "A 180", Segment.COMPACT, 34000, 0.85, (2008, 2026), "WDD", _FRONT, (_PETROL_14, _PETROL_16), ("", "Style", "AMG Line"), 4),
    CarModel("Mercedes-Benz", "S 350 d", Segment.LUXURY, 118000, 0.80, (2009, 2026), "WDD", _REAR_OR_ALL, (_DIESEL_30,), ("", "AMG Line"), 1),
    CarModel("Audi", "A4", Segment.PREMIUM, 45000, 0.85, (2006, 2025), "WAU", _FRONT_OR_ALL, _LARGE, ("", "Business", "S line"), 5),
    CarModel("Audi", "Q5", Segment.SUV, 58000, 0.85, (2009, 2026), "WAU", (Drivetrain.AWD,), _LARGE, ("", "Business", "S line"), 3),
    CarModel("Audi", "TT", Segment.SPORTS, 52000, 0.86, (2007, 2023), "TRU", _FRONT_OR_ALL, (_PETROL_20,), ("", "S line"), 1),
    CarModel("Porsche", "911 Carrera", Segment.SPORTS, 125000, 0.93, (2006, 2026), "WP0", _REAR_OR_ALL, (_PETROL_30,), ("", "S", "4S"), 1),
    CarModel("Skoda", "Octavia", Segment.FAMILY, 29000, 0.87, (2006, 2026), "TMB", _FRONT_OR_ALL, _MIDDLE, ("", "Ambition", "Style", "RS"), 9),
    CarModel("Skoda", "Fabia", Segment.COMPACT, 18000, 0.87, (2007, 2026), "TMB", _FRONT, _SMALL, ("", "Ambition", "Style"), 5),
    CarModel("Skoda", "Kodiaq", Segment.SUV, 42000, 0.88, (2017, 2026), "TMB", _FRONT_OR_ALL, _LARGE, ("", "Ambition", "Style"), 3),
    CarModel("Volvo", "V60", Segment.FAMILY, 46000, 0.85, (2010, 2026), "YV1", _FRONT_OR_ALL, _LARGE, ("", "Momentum", "Inscription"), 4),
    CarModel("Volvo", "XC60", Segment.SUV, 56000, 0.86, (2009, 2026), "YV1", _FRONT_OR_ALL, _LARGE, ("", "Momentum", "Inscription"), 4),
    CarModel("Nissan", "Qashqai", Segment.SUV, 31000, 0.86, (2007, 2026), "SJN", _FRONT_OR_ALL, (_PETROL_12, _DIESEL_15), ("Visia", "Acenta", "Tekna"), 6),
    CarModel("Nissan", "Leaf", Segment.ELECTRIC, 34000, 0.80, (2012, 2025), "SJN", _FRONT, (_ELECTRIC_150,), ("", "Acenta", "Tekna"), 2),
    CarModel("Tesla", "Model 3", Segment.ELECTRIC, 46000, 0.83, (2018, 2026), "5YJ", _REAR_OR_ALL, (_ELECTRIC_283,), ("", "Long Range"), 2),
    CarModel("Kia", "Ceed", Segment.FAMILY, 25000, 0.86, (2007, 2026), "U5Y", _FRONT, _MIDDLE, ("", "EX", "GT Line"), 5),
    CarModel("Kia", "Picanto", Segment.COMPACT, 14500, 0.87, (2008, 2026), "KNA", _FRONT, (_PETROL_10, _PETROL_12), ("", "LX", "EX"), 5),
    CarModel("Hyundai", "i20", Segment.COMPACT, 18500, 0.87, (2009, 2026), "NLH", _FRONT, _SMALL, _PLAIN, 6),
    CarModel("Hyundai", "Tucson", Segment.SUV, 35000, 0.87, (2007, 2026), "TMA", _FRONT_OR_ALL, (_PETROL_16, _DIESEL_20), _PLAIN, 5),
    CarModel("Renault", "Clio", Segment.COMPACT, 18500, 0.85, (2006, 2026), "VF1", _FRONT, (*_SMALL, _DIESEL_15), ("", "Zen", "Intens"), 6),
    CarModel("Seat", "Leon", Segment.FAMILY, 26000, 0.86, (2006, 2026), "VSS", _FRONT, _MIDDLE, ("", "Style", "FR"), 4),
    CarModel("Peugeot", "208", Segment.COMPACT, 20000, 0.85, (2012, 2026), "VF3", _FRONT, (*_SMALL, _DIESEL_15), ("", "Active", "Allure"), 4),
    CarModel("Mazda", "CX-5", Segment.SUV, 36000, 0.87, (2012, 2026), "JMZ", _FRONT_OR_ALL, (_PETROL_20,), ("", "Takumi", "Homura"), 4),
    CarModel("Suzuki", "Swift", Segment.COMPACT, 17000, 0.88, (2007, 2026), "TSM", _FRONT, (_PETROL_12, _PETROL_14), ("", "GL", "GLX"), 5),
    CarModel("Isuzu", "D-Max", Segment.SUV, 38000, 0.90, (2009, 2026), "ACV", _PICKUP, (_DIESEL_24, _DIESEL_30), ("", "LS", "V-Cross"), 4),
)  # fmt: skip

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
    PartKind("Alloy wheel 17\"", "Alloy Wheels", 0.005),
    PartKind("Steel wheel 15\"", "Steel Wheels", 0.001),
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
    *("Air conditioning", "Adaptive cruise control", "Heated seats", "Parking sensors", "Reversing camera", "LED headlights"),
    *("Leather upholstery", "Navigation", "Keyless entry", "Panoramic roof", "Tow bar", "Apple CarPlay", "Android Auto"),
    *("Lane assist", "Blind-spot warning", "Electric tailgate", "Roof rails", "Two sets of wheels", "Full service history"),
    *("Isofix", "Bluetooth", "Block heater", "Sport seats", "Head-up display", "Alloy wheels", "Dual-zone climate control"),
)
