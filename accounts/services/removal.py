"""Taking people out of the database for good."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.models import Seller, User
from accounts.services.integrations import foreign_names
from accounts.services.people import WrongState, refuse_leaving, require_super_admin
from accounts.signals import user_removing
from config.audit import announce
from config.db.removal import refuse_held

if TYPE_CHECKING:
    from collections.abc import Mapping


@transaction.atomic
def remove_user_for_good(*, user: User, actor: User | None = None) -> None:
    """Take a person out of the database, with their sellers and all that hangs on those, and with their credentials.

    Audit entries, notes, activities, comments and redemptions stay and keep the names as text. Files of pictures go
    once the transaction is committed. Raises Refused, and removes nothing, unless a super administrator does it, for
    oneself, for the last super administrator, while open leads are assigned to the person, while there is a hold on the
    person or on stock of theirs, and if somebody adds stock meanwhile.
    """
    require_super_admin(actor, "remove people for good")
    refuse_leaving(user, actor)
    # Others may go on writing down what refers to the person or a seller: they lock stock first, and these after it.
    if User.all_objects.select_for_update(no_key=True).filter(pk=user.pk).first() is None:
        raise WrongState(f"{user} is gone already.")
    refuse_held(User.all_objects.filter(pk=user.pk))
    sellers = list(Seller.all_objects.filter(owner=user).order_by("pk"))
    removed: Counter[str] = Counter(foreign_names(User, [user.pk]).delete()[1])
    removed.update(foreign_names(Seller, [seller.pk for seller in sellers]).delete()[1])
    for _, rows in user_removing.send(sender=User, user=user, sellers=sellers):
        removed.update(rows or {})
    try:
        with transaction.atomic():
            removed.update(user.delete()[1])
    except (ProtectedError, IntegrityError) as error:
        message = f"Something was added to what {user} has meanwhile: nothing was removed. Try again."
        raise WrongState(message) from error
    removed[User._meta.label] -= 1
    description = f"Removed {user} for good{_with(removed)}."
    announce("delete", user, event_type="USER_REMOVED", actor=actor, description=description)


def _with(removed: Mapping[str, int]) -> str:
    """Return in words what went along, such as ", with 1 seller and 3 cars"."""
    numbers: Counter[str] = Counter()
    singular: dict[str, str] = {}
    for label, number in removed.items():
        meta = apps.get_model(label)._meta
        numbers[str(meta.verbose_name_plural)] += number
        singular[str(meta.verbose_name_plural)] = str(meta.verbose_name)
    words = [
        f"{number} {singular[plural] if number == 1 else plural}"
        for plural, number in sorted(numbers.items())
        if number
    ]
    if not words:
        return ""
    *others, last = words
    return f", with {', '.join(others)} and {last}" if others else f", with {last}"
