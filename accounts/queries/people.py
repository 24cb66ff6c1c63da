"""What is asked about people."""

from __future__ import annotations

from django.contrib.auth.hashers import check_password

from accounts.models import User
from accounts.models.users import Role

# What the seed data of older systems gave to every administrator, and every reader of it knows.
KNOWN_PASSWORDS = ("admin123",)


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
