"""What leads must do when something happens in an app below, and what writes to its own tables end in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.signals import user_leaving, user_removing, users_anonymized
from config.cache import watch
from config.db.errors import Refused
from leads.models import Lead, Voucher, VoucherCode
from leads.models.leads import WORKING_ROLES
from leads.services.leads import lock_person
from leads.services.removal import keep_name, remove_claims, remove_vouchers, replace_names

if TYPE_CHECKING:
    from collections import Counter

    from accounts.models import Seller, User
    from accounts.models.users import Role


def refuse_while_leads_are_open(*, user: User, role: Role | None, **kwargs: Any) -> None:
    """Refuse to let a person go, or into a role without leads, whose open ones nobody would work.

    Raises Refused with their number.
    """
    if role in WORKING_ROLES:
        return
    # Whoever assigns a lead takes the same lock, so none can slip in before the person is gone.
    lock_person(user).first()
    number = Lead.objects.filter(assigned_to=user).open().count()
    if number:
        leads = "1 open lead is" if number == 1 else f"{number} open leads are"
        raise Refused(f"{leads} assigned to {user}: assign them to somebody else first.")


def remove_vouchers_and_keep_names(*, user: User, sellers: list[Seller], **kwargs: Any) -> Counter[str]:
    """Remove the vouchers of a person who goes for good; what stays of them keeps the name."""
    keep_name(user=user)
    removed = remove_claims(user=user)
    removed.update(remove_vouchers(sellers=sellers))
    return removed


def replace_names_of_anonymized_people(*, users: list[int], name: str, **kwargs: Any) -> None:
    """Replace the names of people beside what they wrote, did and redeemed."""
    replace_names(users=users, name=name)


def connect() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    watch(Lead, lists=("contacts",))
    watch(Voucher, lists=("vouchers",))
    watch(VoucherCode, lists=("vouchers",))
    user_leaving.connect(refuse_while_leads_are_open, dispatch_uid="leads.refuse_while_leads_are_open")
    users_anonymized.connect(
        replace_names_of_anonymized_people, dispatch_uid="leads.replace_names_of_anonymized_people"
    )
    user_removing.connect(remove_vouchers_and_keep_names, dispatch_uid="leads.remove_vouchers_and_keep_names")
