"""PostgreSQL's own row security: a second wall behind the querysets, for people who may see their own rows only.

With ``ENABLE_ROW_SECURITY`` a request of such a person runs in one transaction that carries the person's key in a
setting of its own; policies on the tables compare with it. Where the setting is empty (staff, commands) every row is
seen. A role that owns the tables is not bound by policies, so the application must connect as another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, connections, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.http import HttpRequest, HttpResponseBase

    Page = Callable[[HttpRequest], HttpResponseBase]

SETTING = "forecourt.owner_id"
POLICY = "own_rows"

_ME = f"nullif(current_setting('{SETTING}', true), '')"
_MY_SELLERS = f"(SELECT id FROM accounts_seller WHERE owner_id = {_ME}::bigint)"
_MY_VOUCHERS = f"(SELECT id FROM leads_voucher WHERE seller_id IN {_MY_SELLERS})"

# ruff: noqa: S608  # every statement is put together from the constants of this module

# Table: which of its rows are one's own.
OWN_ROWS = {
    "accounts_seller": f"owner_id = {_ME}::bigint",
    "accounts_sellerlocation": f"seller_id IN {_MY_SELLERS}",
    "inventory_vehicle": f"seller_id IN {_MY_SELLERS}",
    "inventory_part": f"seller_id IN {_MY_SELLERS}",
    "inventory_partimage": f"part_id IN (SELECT id FROM inventory_part WHERE seller_id IN {_MY_SELLERS})",
    "leads_voucher": f"seller_id IN {_MY_SELLERS}",
    "leads_vouchercode": f"voucher_id IN {_MY_VOUCHERS}",
    "leads_voucherclaim": f"voucher_id IN {_MY_VOUCHERS}",
    "leads_voucherredemption": f"voucher_id IN {_MY_VOUCHERS}",
}


def apply_policies(*, using: str = "default", enabled: bool | None = None) -> None:
    """Make the tables' policies agree with ``ENABLE_ROW_SECURITY``; does nothing on SQLite, which has none.

    Runs after every `migrate`, as the role that owns the tables; running it again changes nothing.
    """
    database = connections[using]
    if database.vendor != "postgresql":
        return
    wanted = settings.ENABLE_ROW_SECURITY if enabled is None else enabled
    present = set(database.introspection.table_names())
    with transaction.atomic(using=using), database.cursor() as cursor:
        for table, own in OWN_ROWS.items():
            if table in present and _has_policy(cursor, table) != wanted:
                for statement in _install(table, own) if wanted else _remove(table):
                    cursor.execute(statement)


def _has_policy(cursor: Any, table: str) -> bool:
    cursor.execute(
        "SELECT EXISTS (SELECT FROM pg_policy WHERE polrelid = %s::regclass AND polname = %s)", [table, POLICY]
    )
    return bool(cursor.fetchone()[0])


def _install(table: str, own: str) -> list[str]:
    rule = f"({_ME} IS NULL OR {own})"
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'CREATE POLICY {POLICY} ON "{table}" USING {rule} WITH CHECK {rule}',
    ]


def _remove(table: str) -> list[str]:
    return [f'DROP POLICY {POLICY} ON "{table}"', f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY']


def is_bound(database: BaseDatabaseWrapper) -> bool:
    """Return whether policies bind the role that this connection uses: no superuser, no BYPASSRLS, not the owner."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT NOT (rolsuper OR rolbypassrls) AND NOT EXISTS"
            " (SELECT FROM pg_class WHERE oid = to_regclass(%s) AND pg_has_role(relowner, 'USAGE'))"
            " FROM pg_roles WHERE rolname = current_user",
            ["accounts_seller"],
        )
        return bool(cursor.fetchone()[0])


class RowSecurityMiddleware:
    """Shows the database itself who asks, where ``ENABLE_ROW_SECURITY`` is on and the person sees own rows only."""

    def __init__(self, get_response: Page) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not settings.ENABLE_ROW_SECURITY or not user.is_authenticated or user.sees_everything:
            return self.get_response(request)
        with transaction.atomic():
            with connection.cursor() as cursor:
                # Local to the transaction, so that no pool hands it on to somebody else.
                cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, str(user.pk)])
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response
