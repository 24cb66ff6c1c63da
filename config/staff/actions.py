"""Actions that call a service for each chosen row, on lists and on a row's own page."""

from __future__ import annotations

import inspect
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, transaction
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from unfold.enums import ActionVariant

from config.db.errors import Refused
from config.staff.deletion import consequences_of
from config.staff.forms import dress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest, HttpResponse

# One request does at most so many rows; more would outlast the web server's patience.
MOST_ROWS = 1000
_NAMES_SHOWN = 3
_REASONS_SHOWN = 5


@dataclass
class Outcome:
    """How many rows were done, and the others under the reason for it: the name of each with its own sentence."""

    done: int = 0
    refused: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))


def run_service(
    service: Callable[..., Any], argument: str, rows: Iterable[Any], given: dict[str, Any], choice: str = ""
) -> Outcome:
    """Call `service` for each row, each in its own savepoint, so that a refused row undoes nothing else.

    A row whose column `choice` has the value that is given is refused: nothing would happen to it.
    """
    outcome = Outcome()
    for row in rows:
        name = str(row)
        try:
            with transaction.atomic():
                if choice:
                    _refuse_unchanged(row, choice, given[choice])
                service(**{argument: row}, **given)
        except (Refused, ValidationError, IntegrityError, DataError) as error:
            sentence = reason_in_words(error, type(row))
            # Sentences that differ by the row's name alone are one reason.
            reason = sentence.replace(name, "it") if name else sentence
            outcome.refused[reason].append((name, sentence))
        else:
            outcome.done += 1
    return outcome


def _refuse_unchanged(row: Any, name: str, chosen: Any) -> None:
    if str(getattr(row, name)) == str(chosen):
        shown = getattr(row, f"get_{name}_display")()
        raise Refused(f"{row} has the {row._meta.get_field(name).verbose_name} {shown} already.")


def reason_in_words(error: Exception, model: Any) -> str:
    """Return why a row was refused: the service's sentence, or that of the database rule which was broken."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, IntegrityError):
        for constraint in model._meta.constraints:
            if constraint.name in str(error):
                return str(constraint.get_violation_error_message())
        return "The database refused it: it contradicts another row."
    if isinstance(error, DataError):
        return "The database refused it: a value is too large for its field, or holds what cannot be stored."
    return str(error)


def service_action(
    description: str,
    service: Callable[..., Any],
    *,
    argument: str,
    done: str | Callable[[dict[str, Any]], str],
    permission: str = "change",
    ask: tuple[str, ...] = (),
    form: type[forms.Form] | None = None,
    choice: str = "",
    confirm: str = "",
    on: tuple[str, ...] = ("list", "page"),
    when: Callable[..., bool] | None = None,
    icon: str = "",
    danger: bool = False,
    takes_along: bool = False,
) -> Callable[..., Any]:
    """Return an action to be assigned in the class body of a StaffAdmin; it appears on lists and on the row's page.

    `service` is called once per row with the row as `argument`, with `actor` where it takes one, and with what was
    asked: `ask` names fields of the model, `form` is a form of further arguments. `choice` is the column that an answer
    of the same name goes into: rows that have it already are refused. `confirm` is a question put first. `done`
    completes "3 cars …", and may say it by what was given. `when` tells whether a row's page offers the action at all,
    from the row, and from the `person` who looks where it takes one. `permission` is view, add, change, delete or the
    name of a ``has_<name>_permission`` method; `takes_along` shows before the question what is deleted with the rows.
    """
    parameters = inspect.signature(service).parameters

    def action(admin: Any, request: HttpRequest, queryset: Any = None, object_id: str | None = None) -> Any:
        rows = _one_row(admin, request, object_id, permission) if object_id is not None else queryset
        if rows is None:
            return admin._get_obj_does_not_exist_redirect(request, admin.opts, object_id)
        confirmed = "staff_confirmed" in request.POST
        asked = _form_of(admin, request, ask, form, confirmed)
        must_ask = bool(confirm or asked.fields) or request.method != "POST"
        if must_ask and not (confirmed and asked.is_valid()):
            page = {"title": description, "question": confirm, "danger": danger, "form": asked}
            if takes_along:
                page["consequences"] = consequences_of(
                    rows[:MOST_ROWS], request, admin.admin_site, admin.purge_releases
                )
            return _question(admin, request, rows, page, action.__name__)
        chosen = rows if object_id is not None else list(rows[: MOST_ROWS + 1])
        if len(chosen) > MOST_ROWS:
            return refuse_number(admin, request)
        context = {"actor": request.user, "request": request, "admin": admin}
        given = {name: value for name, value in context.items() if name in parameters}
        given |= asked.cleaned_data if asked.fields else {}
        outcome = run_service(service, argument, chosen, given, choice)
        _report(admin, request, outcome, done if isinstance(done, str) else done(given))
        if object_id is None:
            return None
        return HttpResponseRedirect(_page_or_list(admin, request, object_id))

    marked: Any = action
    marked.is_service_action = True
    marked.on = on
    marked.when = _when(when)
    marked.short_description = description
    marked.allowed_permissions = (permission,)
    marked.icon = icon
    marked.variant = ActionVariant.DANGER if danger else ActionVariant.DEFAULT
    # A plain action is done at once: staff.js turns its link into a POST. Without it the link leads to a question.
    marked.attrs = {} if (confirm or ask or form) else {"data-staff-post": "1"}
    return action


def refuse_number(admin: Any, request: HttpRequest) -> None:
    """Tell that more rows were chosen than one request may do."""
    admin.message_user(request, f"Choose at most {MOST_ROWS} rows at once; nothing was changed.", messages.ERROR)


def chose_too_many(request: HttpRequest, rows: Any) -> bool:
    """Whether all rows of a list were chosen, and there are more than one request may do; they are not counted."""
    return request.POST.get("select_across") == "1" and bool(rows.values("pk")[MOST_ROWS : MOST_ROWS + 1])


def _when(when: Callable[..., bool] | None) -> Callable[[Any, Any], bool]:
    """Return the condition with the row and the person who looks, whichever of them it asks about."""
    if when is None:
        return lambda row, person: True
    if "person" in inspect.signature(when).parameters:
        return lambda row, person: when(row, person=person)
    return lambda row, person: when(row)


class CollectsActions:
    """Base class that notes the service actions of a class body: for lists and for a row's page."""

    _list_actions: ClassVar[tuple[str, ...]] = ()
    _page_actions: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if getattr(value, "is_service_action", False)}
        for name, value in own.items():
            value.__name__ = name
        # The app's own actions come before those that every table has.
        cls._list_actions = (*[name for name, value in own.items() if "list" in value.on], *cls._list_actions)
        cls._page_actions = (*[name for name, value in own.items() if "page" in value.on], *cls._page_actions)


def _one_row(admin: Any, request: HttpRequest, object_id: str, permission: str) -> list[Any] | None:
    row = admin.get_object(request, unquote(object_id))
    if not getattr(admin, f"has_{permission}_permission")(request, row):
        raise PermissionDenied
    return None if row is None else [row]


def _form_of(
    admin: Any, request: HttpRequest, ask: tuple[str, ...], form: type[forms.Form] | None, confirmed: bool
) -> forms.Form:
    base = form or forms.Form
    built = base(request.POST) if confirmed else base()
    dress(built)
    for name in ask:
        built.fields[name] = admin.formfield_for_dbfield(admin.model._meta.get_field(name), request)
    return built


def _question(admin: Any, request: HttpRequest, rows: Any, page: dict[str, Any], name: str) -> HttpResponse:
    """Show what is about to happen to which rows, and what else has to be said; the answer comes by POST."""
    on_page = isinstance(rows, list)
    shown = rows if on_page else list(rows[:10])
    count = len(rows) if on_page else rows.count()
    context = {
        **admin.admin_site.each_context(request),
        **page,
        "rows": shown,
        "count": count,
        "more": count - len(shown),
        "media": admin.media + page["form"].media,
        "opts": admin.opts,
        "original": shown[0] if on_page else None,
        "hidden": []
        if on_page
        else [
            ("action", name),
            ("index", "0"),
            ("select_across", request.POST.get("select_across", "0")),
            *[(ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)],
        ],
        "back": _change_url(admin, rows[0]) if on_page else request.get_full_path(),
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "staff/action.html", context)


def _report(admin: Any, request: HttpRequest, outcome: Outcome, done: str) -> None:
    if outcome.done:
        admin.message_user(request, f"{counted(admin, outcome.done)} {done}.", messages.SUCCESS)
    if not outcome.refused:
        return
    by_number = sorted(outcome.refused.items(), key=lambda each: -len(each[1]))
    told = [_reason_told(reason, rows) for reason, rows in by_number[:_REASONS_SHOWN]]
    if len(by_number) > _REASONS_SHOWN:
        told.append(f"and {len(by_number) - _REASONS_SHOWN} more reasons.")
    count = sum(len(rows) for _, rows in by_number)
    admin.message_user(request, f"{counted(admin, count)} not {done}: {' '.join(told)}", messages.WARNING)


def _reason_told(reason: str, rows: list[tuple[str, str]]) -> str:
    """Return the sentence and whom it concerns; one row alone has its own sentence, which may begin with its name."""
    names = [name for name, _ in rows[:_NAMES_SHOWN]]
    more = f" and {len(rows) - _NAMES_SHOWN} more" if len(rows) > _NAMES_SHOWN else ""
    sentence = rows[0][1] if len(rows) == 1 else reason
    sentence = sentence if sentence.startswith(names[0]) else capfirst(sentence)
    return f"{sentence} ({', '.join(names)}{more})"


def counted(admin: Any, number: int) -> str:
    """Return so many rows in words, such as "3 cars"."""
    return f"{number} {admin.opts.verbose_name if number == 1 else admin.opts.verbose_name_plural}"


def _change_url(admin: Any, row: Any) -> str:
    return reverse(f"{admin.admin_site.name}:{admin.opts.app_label}_{admin.opts.model_name}_change", args=(row.pk,))


def _page_or_list(admin: Any, request: HttpRequest, object_id: str) -> str:
    """The row's page, or the list where the row is gone."""
    forget = getattr(admin, "forget_objects", None)
    if forget is not None:
        forget(request)
    row = admin.get_object(request, unquote(object_id))
    if row is not None:
        return _change_url(admin, row)
    return reverse(f"{admin.admin_site.name}:{admin.opts.app_label}_{admin.opts.model_name}_changelist")
