"""What is asked about people, sellers and texts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db.models import Case, F, FloatField, Q, When

from accounts.geo import boxes_around, boxes_between, distance_km, in_polygon
from accounts.languages import LANGUAGE_HEADER, LANGUAGE_PARAMETER, choose_language, first_tag
from accounts.models import Language, Seller, Translation, User
from accounts.models.sellers import BusinessType
from accounts.models.users import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

    from accounts.geo import Box
    from accounts.models.sellers import SellerQuerySet

NEARBY_RADIUS_KM = 10.0
NEARBY_LIMIT = 20

# What the seed data of older systems gave to every administrator, and every reader of it knows.
KNOWN_PASSWORDS = ("admin123",)

# Long values that a list never shows.
LONG_FIELDS = ("description", "service_area", "business_hours")

# A mobile vendor who has been seen is where it was seen last; everybody else is at the fixed position.
_ON_THE_MOVE = Q(business_type=BusinessType.MOBILE_VENDOR, last_latitude__isnull=False)


def public_sellers(
    *, province: str = "", city: str = "", business_type: str = "", verified: bool | None = None
) -> SellerQuerySet:
    """Return the public list of sellers, narrowed as asked: verified ones first, then by rating, then by sales."""
    sellers = Seller.objects.filter(is_active=True).defer(*LONG_FIELDS)
    if province:
        sellers = sellers.filter(province=province)
    if city:
        sellers = sellers.filter(city=city)
    if business_type:
        sellers = sellers.filter(business_type=business_type)
    if verified is not None:
        sellers = sellers.filter(is_verified=verified)
    return sellers.order_by("-is_verified", F("rating").desc(nulls_last=True), "-total_sales", "-id")


def provinces() -> list[str]:
    """Return the provinces where verified sellers are, in order."""
    found = Seller.objects.public().exclude(province="").order_by("province")
    return list(found.values_list("province", flat=True).distinct())


def cities(*, province: str = "") -> list[str]:
    """Return the cities where verified sellers are, in order; of one province if it is given."""
    found = Seller.objects.public().exclude(city="").order_by("city")
    if province:
        found = found.filter(province=province)
    return list(found.values_list("city", flat=True).distinct())


def sellers_near(
    latitude: float, longitude: float, radius_km: float = NEARBY_RADIUS_KM, limit: int = NEARBY_LIMIT
) -> SellerQuerySet:
    """Return the public sellers within `radius_km` of a point, nearest first, each with `distance_km`.

    Raises ValueError for a point that is not on Earth.
    """
    _require_position(latitude, longitude)
    nearby = _within(boxes_around(latitude, longitude, radius_km)).annotate(
        distance_km=distance_km(latitude, longitude, _effective("latitude"), _effective("longitude"))
    )
    return nearby.filter(distance_km__lte=radius_km).order_by("distance_km", "id")[:limit]


def sellers_in_rectangle(
    *, north: float, east: float, south: float, west: float, limit: int = NEARBY_LIMIT
) -> SellerQuerySet:
    """Return the public sellers between two corners; with west > east the rectangle crosses the 180th meridian.

    Raises ValueError if a corner is not on Earth or south lies north of north.
    """
    _require_position(north, east)
    _require_position(south, west)
    if south > north:
        raise ValueError("The southern edge lies north of the northern one.")
    return _within(boxes_between(north=north, east=east, south=south, west=west)).order_by("id")[:limit]


def sellers_serving(latitude: float, longitude: float, limit: int = NEARBY_LIMIT) -> list[Seller]:
    """Return public sellers whose service area holds the point, read one by one until `limit` are found.

    Raises ValueError for a point that is not on Earth.
    """
    _require_position(latitude, longitude)
    with_area = Seller.objects.public().filter(service_area__isnull=False).defer("description").order_by("id")
    serving = (
        seller for seller in with_area.iterator(chunk_size=500) if in_polygon(seller.service_area, latitude, longitude)
    )
    return list(islice(serving, limit))


def _require_position(latitude: float, longitude: float) -> None:
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(f"({latitude}, {longitude}) is not a position: latitude -90 to 90, longitude -180 to 180.")


def _effective(field: str) -> Case:
    return Case(When(_ON_THE_MOVE, then=F(f"last_{field}")), default=F(field), output_field=FloatField())


def _within(boxes: list[Box]) -> SellerQuerySet:
    """Return the public sellers in any of the boxes. Written as plain ranges, so that the position indexes serve."""
    inside = Q()
    for box in boxes:
        inside |= ~_ON_THE_MOVE & _range("", box)
        inside |= _ON_THE_MOVE & _range("last_", box)
    return Seller.objects.public().filter(inside).defer(*LONG_FIELDS)


def _range(prefix: str, box: Box) -> Q:
    return Q(
        **{
            f"{prefix}latitude__range": (box.south, box.north),
            f"{prefix}longitude__range": (box.west, box.east),
        }
    )


def resolve_texts(keys: Iterable[str] | Mapping[str, str], language: str) -> dict[str, str]:
    """Return the text of every key, with one query.

    In `language` if that is active, else in the default language, else what the mapping `keys` gives for the key
    (a plain iterable gives nothing), else the key itself.
    """
    wanted = dict(keys) if isinstance(keys, Mapping) else dict.fromkeys(keys, "")
    in_language = Q(language=language, language__is_active=True)
    rows = Translation.objects.filter(in_language | Q(language__is_default=True), key__in=list(wanted))
    found: dict[str, str] = {}
    for key, code, value in rows.values_list("key", "language", "value"):
        if code == language or key not in found:
            found[key] = value
    return {key: found.get(key) or fallback or key for key, fallback in wanted.items()}


def active_languages() -> tuple[list[str], str]:
    """Return the codes of the active languages and the default one, with one query."""
    rows = list(Language.objects.filter(is_active=True).values_list("code", "is_default"))
    default = next((code for code, is_default in rows if is_default), settings.LANGUAGE_CODE)
    return [code for code, _ in rows], default


def language_for_request(request: HttpRequest) -> str:
    """Return the active language that X-Language, `lang` or Accept-Language names, in this order, else the default."""
    active, default = active_languages()
    wishes = (
        request.headers.get(LANGUAGE_HEADER, ""),
        request.GET.get(LANGUAGE_PARAMETER, ""),
        first_tag(request.headers.get("Accept-Language", "")),
    )
    return choose_language(wishes, active=active, default=default)


def user_by_identity(provider: str, account_id: str) -> User | None:
    """Return the person of an account at an identity provider, with one indexed query."""
    found: User | None = User.objects.filter(
        identities__provider=provider, identities__provider_account_id=account_id
    ).first()
    return found


def administrators_with_known_password(*, using: str = "default") -> list[User]:
    """Return the administrators who can sign in with a password that everybody knows; they must change it.

    Tries each password against each hash, which takes a good part of a second per person, and changes nothing. `using`
    is a database alias.
    """
    administrators = User.objects.using(using).filter(role__in=(Role.SUPER_ADMIN, Role.ADMIN), is_active=True)
    return [
        user
        for user in administrators.order_by("pk")
        if any(check_password(known, user.password) for known in KNOWN_PASSWORDS)
    ]


def known_password_warnings(*, using: str = "default") -> list[str]:
    """Return a sentence for an operator about each administrator whose password everybody knows."""
    return [
        f"{user.email} can sign in with a password that everybody knows: "
        f"change it with `manage.py changepassword {user.email}`."
        for user in administrators_with_known_password(using=using)
    ]
