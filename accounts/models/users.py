"""People."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.roles import STAFF_ROLES
from accounts.validators import validate_birth_date, validate_telephone
from config.db.base import (
    HeldModel,
    Hold,
    LiveManager,
    PublicIdModel,
    SoftDeleteModel,
    SoftDeleteQuerySet,
    TimestampedModel,
)
from config.db.constraints import check, choice_valid, public_id_unique, unique
from config.db.fields import LowerEmailField
from config.db.words import WordIndex, Words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# What searches look through, and what of it shows to those who may not view people.
USER_NAMES = ("name",)
USER_TEXTS = ("name", "email", "phone")


class Role(models.TextChoices):
    SUPER_ADMIN = "SUPER_ADMIN", "Super administrator"
    ADMIN = "ADMIN", "Administrator"
    VIEWER = "VIEWER", "Viewer"
    SELLER = "SELLER", "Seller"
    BUYER = "BUYER", "Buyer"


class UserStatus(models.TextChoices):
    UNCONFIRMED = "unconfirmed", "Unconfirmed"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    BANNED = "banned", "Banned"


SIGN_IN_STATUSES = (UserStatus.UNCONFIRMED, UserStatus.ACTIVE)

# What is saved along with a field, and never without it: somebody else may have changed the field meanwhile.
DERIVED = {
    "role": ("is_staff", "is_superuser"),
    "status": ("is_active",),
    "deleted_at": ("is_active",),
    "anonymized_at": ("is_active",),
    "email": ("is_verified", "email_verified_at"),
}


class UserQuerySet(SoftDeleteQuerySet["User"]):
    def visible_to(self, user: User) -> Self:
        """Rows that `user` may see in the back office: all for staff, else only the own one."""
        return self if user.sees_everything else self.filter(pk=user.pk)


class UserManager(BaseUserManager["User"], LiveManager["User"]):
    """Manager that makes users with a hashed password."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user; without `password` the account has none and cannot sign in with one."""
        user: User = self.model(email=email, password=make_password(password), **fields)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a SUPER_ADMIN who may sign in at once, with an address that counts as verified."""
        verified = {"is_verified": True, "email_verified_at": timezone.now()}
        fields = {"role": Role.SUPER_ADMIN, "status": UserStatus.ACTIVE} | verified | fields
        return self.create_user(email, password, **fields)


class User(PublicIdModel, TimestampedModel, SoftDeleteModel, HeldModel, AbstractBaseUser, PermissionsMixin):
    """A person who signs in, buys, sells or works the back office. The e-mail address is the login name."""

    email = LowerEmailField(
        "e-mail",
        max_length=254,
        unique=True,
        error_messages={"unique": "A user with this e-mail address already exists."},
    )
    name = models.CharField("full name", max_length=200, blank=True, default="")
    first_name = models.CharField(max_length=150, blank=True, default="")
    last_name = models.CharField(max_length=150, blank=True, default="")
    phone = models.CharField(
        max_length=50,
        blank=True,
        default="",
        validators=[validate_telephone],
        help_text="With country code, such as +358 40 1234567.",
    )
    phone_verified = models.BooleanField(default=False)
    avatar_url = models.URLField("avatar", max_length=1000, blank=True, default="")
    date_of_birth = models.DateField(null=True, blank=True, validators=[validate_birth_date])
    role = models.CharField(
        max_length=16,
        choices=Role,
        default=Role.BUYER,
        help_text="Decides what the person may see and do in the back office.",
    )
    status = models.CharField(
        max_length=16,
        choices=UserStatus,
        default=UserStatus.UNCONFIRMED,
        help_text="Suspended and banned people cannot sign in, and their open sessions end at once.",
    )
    is_verified = models.BooleanField("verified", default=False, editable=False)
    email_verified_at = models.DateTimeField("e-mail verified", null=True, blank=True, editable=False)

    is_active = models.BooleanField("may sign in", default=True, editable=False)
    is_staff = models.BooleanField("back office", default=False, editable=False)
    email_before_delete = LowerEmailField(
        "e-mail before deletion", max_length=254, blank=True, default="", editable=False
    )
    anonymized_at = models.DateTimeField("anonymized", null=True, blank=True, editable=False)
    sessions_ended_at = models.DateTimeField("sessions ended", null=True, blank=True, editable=False)

    objects = UserManager.from_queryset(UserQuerySet)()
    all_objects = models.Manager.from_queryset(UserQuerySet)()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            public_id_unique(),
            unique("email_any_case_unique", Lower("email"), message="A user with this e-mail address already exists."),
            choice_valid("role", Role),
            choice_valid("status", UserStatus),
            choice_valid("hold", Hold, blank=True),
            check(
                "staff_follows_role",
                Q(is_staff=True, role__in=STAFF_ROLES) | (Q(is_staff=False) & ~Q(role__in=STAFF_ROLES)),
                "Only people with a back office role are staff.",
            ),
            check(
                "superuser_follows_role",
                Q(is_superuser=True, role=Role.SUPER_ADMIN) | (Q(is_superuser=False) & ~Q(role=Role.SUPER_ADMIN)),
                "Exactly the super administrators are superusers.",
            ),
            check(
                "inactive_when_closed",
                Q(is_active=False)
                | Q(status__in=SIGN_IN_STATUSES, deleted_at__isnull=True, anonymized_at__isnull=True),
                "A suspended, banned, deleted or anonymized person cannot be active.",
            ),
        ]
        indexes = [
            # The back office lists: one value, newest first, or all in the order of the column.
            models.Index(name="user_role", fields=["role", "created_at", "id"]),
            models.Index(name="user_status", fields=["status", "created_at", "id"]),
            models.Index(name="user_verified", fields=["is_verified", "created_at", "id"]),
            models.Index(name="user_last_login", fields=["last_login"]),
            models.Index(name="user_phone", fields=["phone"]),
            models.Index(name="user_created", fields=["-created_at"]),
            WordIndex(Words(*USER_TEXTS), name="user_words"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def sees_everything(self) -> bool:
        """Whether row isolation leaves this person all rows of the tables that the role may enter."""
        return self.role in {Role.SUPER_ADMIN, Role.ADMIN, Role.VIEWER}

    def get_full_name(self) -> str:
        return self.name or f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name or self.get_full_name().split(" ")[0]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.is_staff = self.role in STAFF_ROLES
        self.is_superuser = self.role == Role.SUPER_ADMIN
        self.is_active = self.status in SIGN_IN_STATUSES and self.deleted_at is None and self.anonymized_at is None
        if not self.name:
            self.name = self.get_full_name()
        if self._email_is_new(update_fields):
            self.is_verified, self.email_verified_at = False, None
        if update_fields is not None:
            named = set(update_fields)
            update_fields = named.union(*(derived for field, derived in DERIVED.items() if field in named))
        super().save(*args, update_fields=update_fields, **kwargs)

    def _email_is_new(self, update_fields: Iterable[str] | None) -> bool:
        """Whether this save gives the person another address, and not just hides or shows the old one."""
        if self._state.adding or (update_fields is not None and "email" not in update_fields):
            return False
        stored = type(self).all_objects.filter(pk=self.pk).values_list("email", "deleted_at").first()
        if stored is None:
            return False
        email, deleted_at = stored
        return bool(email != self.email.strip().lower() and deleted_at == self.deleted_at)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Tie browser sessions to the password and to the last time that all of them were ended."""
        key_salt = "accounts.User.session_auth_hash"
        ended = self.sessions_ended_at.timestamp() if self.sessions_ended_at else ""
        return salted_hmac(key_salt, f"{self.password}{ended}", secret=secret, algorithm="sha256").hexdigest()

    def soft_delete(self, at: datetime) -> None:
        """Hide the person and free the e-mail address, so that it can register again."""
        self.email_before_delete, self.email = self.email, f"deleted-{self.public_id.lower()}@invalid"
        self.deleted_at = at
        self.save(update_fields=["email", "email_before_delete", "deleted_at"])

    def restore(self) -> None:
        """Show the person again under the old address. Raises IntegrityError if somebody else has it now."""
        self.email, self.email_before_delete = self.email_before_delete or self.email, ""
        self.deleted_at = None
        self.save(update_fields=["email", "email_before_delete", "deleted_at"])
