"""Languages, the administrator and the other people, and what they sell under."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.models import Language, Seller, User
from accounts.models.users import Role, UserStatus
from accounts.roles import install_roles
from config.db.errors import Refused
from config.ops.seeding.fixtures import opening_hours, read_fixture
from config.ops.seeding.run import SignIn, made, new_password, seed_id

if TYPE_CHECKING:
    from datetime import datetime

    from config.ops.seeding.run import SeedRun


class AdministratorRefused(Refused):
    """The administrator cannot be made as asked."""


def ensure_roles_and_languages(run: SeedRun) -> None:
    """Put the groups' permissions right and make the languages; a default that somebody chose stays the default."""
    install_roles(apps)
    has_default = Language.objects.filter(is_default=True).exists()
    for language in read_fixture("languages")["languages"]:
        is_default = language.get("is_default", False) and not has_default
        run.ensure(Language, Q(code=language["code"]), **language | {"is_default": is_default}, **made(run.now))


def ensure_administrator(run: SeedRun, *, email: str, password: str) -> User:
    """Return the super administrator with this address, made with `password` or, where it is empty, a new one.

    An existing password is never changed. Raises AdministratorRefused if the password is too weak for anything but
    development, or if the address belongs to somebody who is no super administrator.
    """
    found = User.objects.filter(email=email).first()
    if found is not None and found.role != Role.SUPER_ADMIN:
        message = (
            f"{email} belongs to a {Role(found.role).label.lower()}, and seeding makes nobody an administrator who is "
            "there already: set ADMIN_EMAIL to another address."
        )
        raise AdministratorRefused(message)
    if found is None and password and not run.debug:
        _refuse_weak_password(email, password)
    made_up = "" if password or found is not None else new_password()
    administrator, is_new = run.ensure(
        User,
        Q(email=email),
        email=email,
        name="Administrator",
        role=Role.SUPER_ADMIN,
        status=UserStatus.ACTIVE,
        is_verified=True,
        email_verified_at=run.now,
        password=make_password(password or made_up) if found is None else "",
        **made(run.now),
    )
    run.sign_ins.append(SignIn(email, Role.SUPER_ADMIN, made_up or None))
    if not is_new:
        run.notes.append(f"The password of {email} stays as it is; `manage.py changepassword {email}` sets another.")
    elif password:
        run.notes.append(f"{email} signs in with the password of ADMIN_PASSWORD.")
    return administrator


def _refuse_weak_password(email: str, password: str) -> None:
    try:
        validate_password(password, User(email=email, name="Administrator"))
    except ValidationError as error:
        message = (
            f"ADMIN_PASSWORD is not fit for a live site ({' '.join(error.messages)}) Set a stronger one, or leave it "
            "empty and one is made up and shown once."
        )
        raise AdministratorRefused(message) from error


def ensure_user(run: SeedRun, *, role: str, at: datetime, sign_in: bool = False, **values: Any) -> tuple[User, bool]:
    """Return the person with this address; a new one can sign in only where `sign_in` says so and DEBUG is on."""
    email, name = values["email"], values["name"]
    first_name, _, last_name = name.partition(" ")
    public_id = seed_id("user", email)
    known = Q(public_id=public_id) | Q(email=email) | Q(email_before_delete=email)
    is_missing = not User.all_objects.filter(known).exists()
    password = run.demo_password if sign_in and is_missing else None
    defaults = {
        "public_id": public_id,
        "first_name": first_name,
        "last_name": last_name,
        "role": role,
        "status": UserStatus.ACTIVE,
        "is_verified": True,
        "email_verified_at": at,
        "password": make_password(password) if is_missing else "",
    }
    user, is_new = run.ensure(User, known, **defaults | values | made(at))
    if sign_in and run.debug:
        run.sign_ins.append(SignIn(email, role, password))
    return user, is_new


def ensure_seller(
    run: SeedRun, facts: dict[str, Any], *, owner: User, at: datetime, **more: Any
) -> tuple[Seller, bool]:
    """Return the seller that a fixture describes; `more` are values that no fixture holds."""
    values = more | {name: value for name, value in facts.items() if name in _SELLER_FIELDS}
    # Of what was sold before, no parts are here; those that are come later.
    values["archived_sales"] = values.get("total_sales", 0)
    if "business_hours" in facts:
        values["business_hours"] = opening_hours(facts["business_hours"])
    if "rating" in facts:
        values["rating"] = Decimal(facts["rating"])
    if facts.get("is_verified"):
        values["verified_at"] = at
    public_id = seed_id("seller", facts["key"])
    return run.ensure(Seller, Q(public_id=public_id), public_id=public_id, owner=owner, **values, **made(at))


_SELLER_FIELDS = frozenset(
    {
        *("name", "business_type", "description", "phone", "whatsapp", "email", "website", "plan", "total_sales"),
        *("street", "city", "province", "postal_code", "country", "latitude", "longitude", "timezone", "is_verified"),
    }
)
