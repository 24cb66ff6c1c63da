"""PartPal's users and refresh tokens."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from accounts.models import User, UserSession
from accounts.models.credentials import SessionKind
from accounts.models.users import Role, UserStatus
from accounts.roles import STAFF_ROLES
from accounts.tokens import hash_token
from config.ops.transfer.layout import Finding, Move, Target
from config.ops.transfer.partpal.checking import RowCheck
from config.ops.transfer.partpal.duplicates import duplicates, unchanged
from config.ops.transfer.values import FALSE, NULL, TRUE, boolean_cell, moment_cell, text_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.ops.transfer.layout import Context, SourceRow
    from config.ops.transfer.partpal.duplicates import Keeper

LONGEST_EMAIL = 254
LONGEST_NAME = 200
LONGEST_NAME_PART = 150

BCRYPT = re.compile(r"\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}")
# What PartPal's removal of a person leaves in place of the password.
ANONYMIZED = ("[REDACTED]", "[DELETED]")
UNUSABLE_LENGTH = 40

USERS = Target(
    User,
    (
        *("id", "public_id", "email", "name", "first_name", "last_name", "password", "role", "status", "is_active"),
        *("is_staff", "is_superuser", "is_verified", "email_verified_at", "anonymized_at", "created_at", "updated_at"),
        *("phone", "phone_verified", "avatar_url", "email_before_delete"),
    ),
    defaulted=frozenset({"phone", "phone_verified", "avatar_url", "email_before_delete"}),
)
SESSIONS = Target(
    UserSession,
    ("id", "public_id", "user_id", "kind", "refresh_token_hash", "expires_at", "created_at", "user_agent"),
    defaulted=frozenset({"user_agent"}),
)


def normal_email(text: str) -> str:
    """Return an e-mail address as accounts are found by it."""
    return text.strip().lower()


def users(context: Context) -> Move:
    """Return how users are moved."""
    select = (
        'SELECT t.rowid, t.id, t.email, t.name, t.password, t.role, t."isVerified", t."emailVerified",'
        ' t."createdAt", t."updatedAt" FROM users t'
    )
    people = _People(context)
    return Move("users", USERS, select, people.convert)


class _People:
    def __init__(self, context: Context) -> None:
        self.check = RowCheck(context, "users")
        self.same_email = duplicates(context.source, "users", "email", normal_email)

    def convert(self, row: SourceRow, _children: Sequence[list[str]]) -> str | None:
        rowid, public_id, email, name, password, role, verified, verified_at, created_at, updated_at = row
        check = self.check
        check.begin(rowid, public_id)
        first_name, last_name = self._name_parts(name)
        created = check.time("createdAt", created_at)
        updated = check.last_change("updatedAt", updated_at, created)
        is_verified = check.boolean("isVerified", verified)
        confirmed = check.time("emailVerified", verified_at, optional=True)
        status = self._status(is_verified, confirmed)
        code = check.code("role", role, "role")
        stored, is_anonymized = self._password(public_id, password)
        return check.finish(
            str(rowid),
            check.identifier("id", public_id),
            self._email(rowid, email, self.same_email.get(rowid)),
            check.text("name", name, LONGEST_NAME),
            first_name,
            last_name,
            stored,
            code,
            status,
            boolean_cell(not is_anonymized),
            boolean_cell(code in STAFF_ROLES),
            boolean_cell(code == Role.SUPER_ADMIN),
            is_verified,
            confirmed,
            updated if is_anonymized else NULL,
            created,
            updated,
            *("", FALSE, "", ""),
        )

    def _email(self, rowid: int, email: Any, keeper: Keeper | None) -> str:
        check = self.check
        raw = check.plain("email", email)
        kept = normal_email(raw)
        if not kept and not isinstance(email, bytes):
            check.bad("email", "missing", "an account is found by its address, and there is none", email)
        check.single("email", email, "email", keeper)
        return check.changed("email", raw, kept, "trimmed and in lower case, as addresses are compared", LONGEST_EMAIL)

    def _name_parts(self, name: Any) -> tuple[str, str]:
        """Return first and last name, split at the first blank; parts too long for that stay in the name alone."""
        first, _, last = (name if isinstance(name, str) else "").partition(" ")
        if max(len(first), len(last)) > LONGEST_NAME_PART:
            return "", ""
        return text_cell(first), text_cell(last)

    def _status(self, is_verified: str, confirmed: str) -> str:
        """Return the status. Who confirmed the address and is not verified may have been shut out on purpose."""
        if is_verified == TRUE:
            return str(UserStatus.ACTIVE)
        if confirmed != NULL:
            message = (
                "the address was confirmed, so the account may have been disabled: look at it, and suspend it if so"
            )
            self.check.note("isVerified", "maybe_disabled", message, 0, str(UserStatus.UNCONFIRMED))
        return str(UserStatus.UNCONFIRMED)

    def _password(self, public_id: Any, password: Any) -> tuple[str, bool]:
        """Return the cell of the password, and whether the person was anonymized."""
        check = self.check
        raw = check.plain("password", password)
        is_anonymized = raw in ANONYMIZED
        if BCRYPT.fullmatch(raw):
            return f"bcrypt${raw}", False
        if is_anonymized:
            message = "the person was anonymized: the account is closed"
            check.note("password", "anonymized", message, password, "no usable password")
        else:
            message = "it is no bcrypt hash: the person has to ask for a new password"
            check.note("password", "no_password", message, password, "no usable password")
            check.keep_secret("password")
        # Django's mark of an unusable password; what follows only has to differ from person to person.
        seed = f"{public_id}\n{raw}".encode("utf-8", "surrogatepass")
        return "!" + hashlib.sha256(seed).hexdigest()[:UNUSABLE_LENGTH], is_anonymized


def refresh_tokens(context: Context) -> Move:
    """Return how refresh tokens are moved: as sessions, by their hash; those that are over stay behind."""
    select = (
        'SELECT t.rowid, t.id, t.token, t."userId", u.rowid, t."expiresAt", t."createdAt"'
        ' FROM refresh_tokens t LEFT JOIN users u ON u.id = t."userId"'
    )
    return Move("refresh_tokens", SESSIONS, select, _Tokens(context).convert)


class _Tokens:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.check = RowCheck(context, "refresh_tokens")
        self.same_token = duplicates(context.source, "refresh_tokens", "token", unchanged)
        self.now = moment_cell(context.now)

    def convert(self, row: SourceRow, _children: Sequence[list[str]]) -> str | None:
        rowid, public_id, token, user_id, user, expires_at, created_at = row
        check = self.check
        check.begin(rowid, public_id)
        cells = [str(rowid), check.identifier("id", public_id)]
        raw = check.plain("token", token)
        if not raw and not isinstance(token, bytes):
            check.bad("token", "missing", "it is empty, and the rule is that it is given", token)
        check.single("token", token, "token", self.same_token.get(rowid))
        check.keep_secret("token")
        expires = check.time("expiresAt", expires_at)
        created = check.time("createdAt", created_at)
        # Cells of times in UTC sort as the times do.
        if not check.is_bad and expires <= self.now and not self.context.keep_expired:
            message = "it is over and was left out; --keep-expired moves it"
            self.context.report(
                Finding("note", "refresh_tokens", check.id, "expiresAt", "expired", message, expires_at)
            )
            return None
        owner = check.parent("userId", "users", user_id, user)
        token_hash = hash_token(raw) if not check.is_bad else ""
        return check.finish(*cells, owner, str(SessionKind.REFRESH), token_hash, expires, created, "")
