"""Who may do what in the back office: one table, from which the groups are made and against which tests compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

READ = ("view",)
EDIT = ("view", "add", "change")
FULL = ("view", "add", "change", "delete")
UPDATE = ("view", "change")

# What each role may do with each model; a model that is not named is closed to the role. SUPER_ADMIN is Django's
# superuser and may do everything but alter append-only tables; its group repeats that for people who read groups.
# BUYER has no back office.
ROLE_PERMISSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "ADMIN": {
        "accounts.user": READ,
        "accounts.userpreference": READ,
        "accounts.language": READ,
        "accounts.translation": EDIT,
        "accounts.seller": EDIT,
        "accounts.sellerlocation": READ,
        "accounts.subscription": READ,
        "accounts.storedfile": READ,
        "accounts.integration": READ,
        "inventory.category": FULL,
        "inventory.sellercategory": FULL,
        "inventory.vehicle": FULL,
        "inventory.part": FULL,
        "inventory.partimage": FULL,
        "inventory.car": EDIT,
        "inventory.carimage": FULL,
        "inventory.carfeature": FULL,
        "inventory.carspecification": FULL,
        "inventory.carslughistory": READ,
        "leads.lead": EDIT,
        "leads.leadnote": ("view", "add"),
        "leads.leadactivity": ("view", "add"),
        "leads.newslettersubscriber": FULL,
        "leads.voucher": FULL,
        "leads.vouchercode": FULL,
        "leads.voucherclaim": READ,
        "leads.voucherredemption": READ,
        "leads.supportticket": EDIT,
        "leads.ticketcomment": ("view", "add"),
        "analytics.event": READ,
        "analytics.pageview": READ,
        "analytics.webvital": READ,
        "analytics.dailymetric": READ,
        "analytics.auditlog": READ,
        "analytics.systemsetting": READ,
    },
    "VIEWER": {
        "accounts.user": READ,
        "accounts.userpreference": READ,
        "accounts.language": READ,
        "accounts.translation": READ,
        "accounts.seller": READ,
        "accounts.sellerlocation": READ,
        "accounts.subscription": READ,
        "accounts.storedfile": READ,
        "accounts.integration": READ,
        "inventory.category": READ,
        "inventory.sellercategory": READ,
        "inventory.vehicle": READ,
        "inventory.part": READ,
        "inventory.partimage": READ,
        "inventory.car": READ,
        "inventory.carimage": READ,
        "inventory.carfeature": READ,
        "inventory.carspecification": READ,
        "inventory.carslughistory": READ,
        "leads.lead": READ,
        "leads.leadnote": READ,
        "leads.leadactivity": READ,
        "leads.newslettersubscriber": READ,
        "leads.voucher": READ,
        "leads.vouchercode": READ,
        "leads.voucherclaim": READ,
        "leads.voucherredemption": READ,
        "leads.supportticket": READ,
        "leads.ticketcomment": READ,
        "analytics.event": READ,
        "analytics.pageview": READ,
        "analytics.webvital": READ,
        "analytics.dailymetric": READ,
        "analytics.auditlog": READ,
    },
    "SELLER": {
        "accounts.seller": UPDATE,
        "inventory.category": READ,
        "inventory.vehicle": FULL,
        "inventory.part": FULL,
        "inventory.partimage": FULL,
        "leads.voucher": FULL,
        "leads.vouchercode": FULL,
        "leads.voucherclaim": READ,
        "leads.voucherredemption": READ,
    },
    "BUYER": {},
}

# Rows of these tables are written by the program and never altered by anybody in the back office.
APPEND_ONLY = frozenset(
    {"accounts.paymentevent", "analytics.auditlog", "leads.leadactivity", "leads.voucherredemption"}
)

APP_LABELS = ("accounts", "inventory", "leads", "analytics")

STAFF_ROLES = ("SUPER_ADMIN", "ADMIN", "VIEWER", "SELLER")


def install_roles(apps: Apps, using: str = "default") -> None:
    """Give the five groups exactly the permissions of `ROLE_PERMISSIONS`, making them first; again, nothing changes.

    `apps` is the registry of a migration or the real one.
    """
    group_model: Any = apps.get_model("auth", "Group")
    permission_model: Any = apps.get_model("auth", "Permission")
    everything = permission_model.objects.using(using).select_related("content_type")
    by_name = {f"{p.content_type.app_label}.{p.codename}": p for p in everything}
    names = {role: set(_codenames(table)) for role, table in ROLE_PERMISSIONS.items()}
    names["SUPER_ADMIN"] = {name for name in by_name if _is_ours(name)}
    for role, wanted in names.items():
        group, _ = group_model.objects.using(using).get_or_create(name=role)
        # In a migration the registry is that of its moment: a model that comes later has no permissions yet.
        group.permissions.set([by_name[name] for name in sorted(wanted) if name in by_name])


def grant_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Bring the groups up to `ROLE_PERMISSIONS` from a migration; a migration that adds a model is followed by one."""
    # Not at the top: the user model imports this module, and permissions are models.
    from django.contrib.auth.management import create_permissions

    using = schema_editor.connection.alias
    for label in APP_LABELS:
        app_config: Any = apps.get_app_config(label)
        # Permissions come after a whole `migrate`; the groups need them now.
        app_config.models_module = True
        create_permissions(app_config, apps=apps, verbosity=0, using=using)
        app_config.models_module = None
    install_roles(apps, using)


def _codenames(table: dict[str, tuple[str, ...]]) -> list[str]:
    names = []
    for model, actions in table.items():
        app_label, model_name = model.split(".")
        names += [f"{app_label}.{action}_{model_name}" for action in actions]
    return names


def _is_ours(permission: str) -> bool:
    app_label, codename = permission.split(".")
    action, _, model_name = codename.partition("_")
    if app_label not in APP_LABELS:
        return False
    return f"{app_label}.{model_name}" not in APPEND_ONLY or action in {"view", "add"}
