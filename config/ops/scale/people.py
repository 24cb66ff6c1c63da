"""People and their businesses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.utils.text import slugify

from accounts.models import Seller, SellerLocation, Subscription, User, UserPreference
from accounts.models.billing import SubscriptionStatus
from accounts.models.sellers import BusinessType, LocationSource, Plan
from accounts.models.texts import Theme
from accounts.models.users import SIGN_IN_STATUSES, Role, UserStatus
from accounts.roles import STAFF_ROLES
from accounts.validators import WEEKDAYS
from config.ops.scale.regions import REGION_WEIGHTS, REGIONS, Region, Town
from inventory.models import SellerCategory

if TYPE_CHECKING:
    from config.ops.scale.rows import Block, Row

OFFICE = (Role.ADMIN, Role.VIEWER)
# Businesses by what they do, as (type, how many in a block).
BUSINESSES = (
    (BusinessType.DISMANTLER, 9),
    (BusinessType.SCRAP_YARD, 8),
    (BusinessType.DEALER, 12),
    (BusinessType.MOBILE_VENDOR, 4),
    (BusinessType.SERVICE, 4),
    (BusinessType.PRIVATE, 3),
)
SELLERS = sum(count for _, count in BUSINESSES)
BUYERS = 298
USERS = len(OFFICE) + SELLERS + BUYERS
PREFERENCES = 160
LOCATIONS_PER_VENDOR = 30

BREAKERS = (BusinessType.DISMANTLER, BusinessType.SCRAP_YARD)
_PLANS = (Plan.STARTER, Plan.PROFESSIONAL, Plan.ENTERPRISE)
_USER_STATUSES = (UserStatus.ACTIVE, UserStatus.UNCONFIRMED, UserStatus.SUSPENDED, UserStatus.BANNED)
_PASSWORD_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"  # noqa: S105 - of no password


@dataclass(frozen=True, slots=True)
class Person:
    """What other rows need to know of a user."""

    key: int
    name: str
    email: str
    phone: str
    region: Region
    town: Town
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Business:
    """What other rows need to know of a seller; `row` can still be changed."""

    key: int
    owner: Person
    type: str
    row: Row

    @property
    def region(self) -> Region:
        return self.owner.region

    @property
    def created_at(self) -> datetime:
        created_at: datetime = self.row["created_at"]
        return created_at


@dataclass(frozen=True, slots=True)
class People:
    admin: Person
    buyers: list[Person]
    businesses: list[Business]

    def of_type(self, *types: str) -> list[Business]:
        return [business for business in self.businesses if business.type in types]


def add_people(block: Block) -> People:
    """Add users and sellers, with what belongs to them."""
    roles = [*OFFICE, *[Role.SELLER] * SELLERS, *[Role.BUYER] * BUYERS]
    # The office is there from the start, or nobody could have answered the first lead.
    moments = [block.begin] * len(OFFICE) + block.moments(SELLERS + BUYERS)
    members = roles[len(OFFICE) :]
    block.rng.shuffle(members)
    roles[len(OFFICE) :] = members
    people = [_add_user(block, number, role, at) for number, (role, at) in enumerate(zip(roles, moments, strict=True))]
    by_role = {role: [person for person, own in zip(people, roles, strict=True) if own == role] for role in set(roles)}
    types = [type_ for type_, count in BUSINESSES for _ in range(count)]
    businesses = [_add_seller(block, owner, type_) for owner, type_ in zip(by_role[Role.SELLER], types, strict=True)]
    for person in block.rng.sample(people, PREFERENCES):
        _add_preference(block, person)
    for business in businesses:
        _add_categories(block, business)
        if business.type == BusinessType.MOBILE_VENDOR:
            _add_locations(block, business)
        if business.row["plan"] != Plan.STARTER:
            _add_subscription(block, business)
    return People(by_role[Role.ADMIN][0], by_role[Role.BUYER], businesses)


def make_name(block: Block, region: Region) -> tuple[str, str]:
    """Return a first and a last name; Spanish people have two of the latter."""
    choice = block.rng.choice
    last = choice(region.last_names)
    if region.language == "es":
        last = f"{last} {choice(region.last_names)}"
    return choice(region.first_names), last


def make_email(block: Block, number: int, first: str, last: str) -> str:
    """Return an address that only this number of this block has, at a domain that delivers nothing."""
    return f"{_ascii(first)}.{_ascii(last)}.{block.code(number).lower()}@example.org"


def make_phone(block: Block, region: Region) -> str:
    return f"{block.rng.choice(region.phone_prefixes)} {block.rng.randrange(10_000):04d}"


def choose_region(block: Block) -> Region:
    return block.rng.choices(REGIONS, REGION_WEIGHTS)[0]


def choose_before(block: Block, people: list[Person], moment: datetime) -> Person | None:
    """Return somebody who was registered at `moment`, or None if the draw found nobody."""
    person = block.rng.choice(people)
    return person if person.created_at <= moment else None


def unusable_password(block: Block) -> str:
    """Return what Django stores for an account that has no password."""
    return UNUSABLE_PASSWORD_PREFIX + "".join(block.rng.choices(_PASSWORD_LETTERS, k=40))


@lru_cache(maxsize=4096)
def _ascii(name: str) -> str:
    return slugify(name)


def _add_user(block: Block, number: int, role: str, at: datetime) -> Person:
    region = choose_region(block)
    first, last = make_name(block, region)
    name = f"{first} {last}"
    status = UserStatus.ACTIVE if role != Role.BUYER else block.rng.choices(_USER_STATUSES, (90, 7, 2, 1))[0]
    confirmed = status != UserStatus.UNCONFIRMED
    row = block.add(
        User,
        public_id=block.public_id(at),
        email=make_email(block, number, first, last),
        name=name,
        first_name=first,
        last_name=last,
        phone=make_phone(block, region) if block.chance(0.8) else "",
        role=role,
        status=status,
        is_staff=role in STAFF_ROLES,
        is_active=status in SIGN_IN_STATUSES,
        is_verified=confirmed,
        email_verified_at=block.after(at, 1) if confirmed else None,
        last_login=block.after(at, 400) if confirmed else None,
        password=unusable_password(block),
        created_at=at,
        updated_at=block.after(at, 300),
    )
    return Person(row["id"], name, row["email"], row["phone"], region, block.rng.choice(region.towns), at)


def _add_preference(block: Block, person: Person) -> None:
    block.add(
        UserPreference,
        user_id=person.key,
        theme=Theme.DARK if block.chance(0.3) else Theme.LIGHT,
        language_id=person.region.language,
        notifications_enabled=block.chance(0.7),
        created_at=person.created_at,
        updated_at=person.created_at,
    )


def _add_seller(block: Block, owner: Person, type_: str) -> Business:
    region, town = owner.region, owner.town
    at = block.after(owner.created_at, 5)
    is_business = type_ != BusinessType.PRIVATE
    family = owner.name.split(" ", 1)[1].split(" ")[0] if region.language == "es" else owner.name.split(" ", 1)[1]
    verified = block.chance(0.85 if is_business else 0.4)
    rng = block.rng
    row = block.add(
        Seller,
        public_id=block.public_id(at),
        owner_id=owner.key,
        name=rng.choice(region.businesses).format(family) if is_business else owner.name,
        business_type=type_,
        plan=rng.choices(_PLANS, (50, 35, 15))[0] if is_business else Plan.STARTER,
        phone=owner.phone or make_phone(block, region),
        email=owner.email,
        whatsapp=owner.phone if region.country == "ZA" else "",
        street=f"{rng.choice(region.streets)} {rng.randrange(1, 180)}",
        city=town.name,
        province=town.province,
        postal_code=_postal_code(block, owner),
        country=region.country,
        latitude=_near(block, town.latitude),
        longitude=_near(block, town.longitude),
        business_hours=_business_hours(block) if is_business else None,
        timezone=region.timezone,
        is_open=block.chance(0.9),
        is_active=block.chance(0.96),
        is_verified=verified,
        verified_at=block.after(at, 10) if verified else None,
        rating=Decimal(rng.randrange(300, 501, 5)) / 100 if block.chance(0.7) else None,
        created_at=at,
        updated_at=block.after(at, 200),
    )
    return Business(row["id"], owner, type_, row)


def _postal_code(block: Block, person: Person) -> str:
    missing = person.region.postal_digits - len(person.town.postal_prefix)
    return f"{person.town.postal_prefix}{block.rng.randrange(1, 10**missing):0{missing}d}"


def _near(block: Block, degrees: float) -> float:
    """Return degrees within some five kilometres."""
    return round(degrees + block.rng.uniform(-0.045, 0.045), 6)


def _business_hours(block: Block) -> dict[str, dict[str, object]]:
    opens, closes = block.rng.choice((("07:30", "17:00"), ("08:00", "17:00"), ("08:00", "18:00"), ("09:00", "18:00")))
    hours: dict[str, dict[str, object]] = {
        day: {"isOpen": True, "openTime": opens, "closeTime": closes} for day in WEEKDAYS[:5]
    }
    hours["saturday"] = {"isOpen": True, "openTime": "09:00", "closeTime": "13:00"}
    hours["sunday"] = {"isOpen": False}
    return hours


def _add_categories(block: Block, business: Business) -> None:
    if business.type not in BREAKERS:
        return
    for place, name in enumerate(block.rng.sample(list(block.categories), 4)):
        block.add(SellerCategory, seller_id=business.key, category_id=block.categories[name], is_primary=place == 0)


def _add_locations(block: Block, business: Business) -> None:
    """Add a vendor's stops; the last one is also the seller's last position."""
    moments = sorted(block.after(business.created_at, 90) for _ in range(LOCATIONS_PER_VENDOR))
    last = [_add_location(block, business, at) for at in moments][-1]
    business.row["last_latitude"] = last["latitude"]
    business.row["last_longitude"] = last["longitude"]
    business.row["last_seen_at"] = last["recorded_at"]


def _add_location(block: Block, business: Business, at: datetime) -> Row:
    town = business.owner.town
    return block.add(
        SellerLocation,
        seller_id=business.key,
        latitude=_near(block, town.latitude),
        longitude=_near(block, town.longitude),
        recorded_at=at,
        accuracy_m=round(block.rng.uniform(3, 40), 1),
        source=LocationSource.GPS,
    )


def _add_subscription(block: Block, business: Business) -> None:
    begin = business.created_at
    months = max((block.now - begin).days // 30, 0)
    period_begin = begin + timedelta(days=30 * months)
    plan = business.row["plan"].lower()
    block.add(
        Subscription,
        public_id=block.public_id(begin),
        user_id=business.owner.key,
        seller_id=business.key,
        provider="stripe",
        product_id=f"forecourt-{plan}",
        external_id=f"sub_{block.public_id(begin)}",
        customer_id=f"cus_{block.public_id(begin)}",
        status=SubscriptionStatus.ACTIVE,
        start_date=begin,
        current_period_start=period_begin,
        current_period_end=period_begin + timedelta(days=30),
        created_at=begin,
        updated_at=period_begin,
    )
