"""The model reference: one Markdown page made from the models, so that it cannot tell anything else than they do."""

from __future__ import annotations

import inspect
import json
from enum import Enum
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import (
    NOT_PROVIDED,
    CheckConstraint,
    F,
    Field,
    ForeignKey,
    Index,
    ManyToManyField,
    UniqueConstraint,
    Value,
)
from django.db.models.expressions import OrderBy

from config.db.composite_keys import CompositeForeignKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Model

DOCUMENTED_APPS = ("accounts", "inventory", "leads", "analytics")
MOST_CHOICES = 12
ON_DELETE = {
    "CASCADE": "removed with it",
    "SET_NULL": "emptied when it goes",
    "PROTECT": "keeps it from being removed",
}
# Django's own columns of a user, described here because their texts are not ours.
INHERITED_HELP = {
    "password": "The hash; never a password.",
    "is_superuser": "May do everything.",
    "groups": "Beyond the one of the role.",
    "user_permissions": "Beyond those of the role.",
}
HEADER = """# Models

Made from the models by `manage.py document_models`; change those, not this page. Every table has a big integer key
`id` unless a field is marked as the key. What the rows mean for people stands in the admin's help texts, which are the
same as here. A diagram shows the tables of one app and, without their columns, those of other apps that they point to.
"""


def model_reference() -> str:
    """Return the whole page."""
    return "\n".join([HEADER, _contents(), *(_app(label) for label in DOCUMENTED_APPS)])


def _models(label: str) -> list[type[Model]]:
    return list(apps.get_app_config(label).get_models())


def _contents() -> str:
    lines = []
    for label in DOCUMENTED_APPS:
        names = ", ".join(f"[{model.__name__}](#{_anchor(model)})" for model in _models(label))
        lines.append(f"- [{label}](#{label}): {names}")
    return "\n".join(lines) + "\n"


def _anchor(model: type[Model]) -> str:
    return model.__name__.lower()


def _app(label: str) -> str:
    return "\n".join([f"## {label}\n", _diagram(label), *(_model(model) for model in _models(label))])


def _diagram(label: str) -> str:
    lines = ["```mermaid", "erDiagram"]
    for model in _models(label):
        for field in _forward_relations(model):
            target = _related(field)
            many = isinstance(field, ManyToManyField)
            left = "}o" if many else "|o" if field.null else "||"
            right = "o|" if field.one_to_one else "o{"
            lines.append(f"    {target.__name__} {left}--{right} {model.__name__} : {field.name}")
    return "\n".join([*dict.fromkeys(lines), "```\n"])


def _forward_relations(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.get_fields() if isinstance(field, ForeignKey | ManyToManyField)]


def _related(field: Any) -> type[Model]:
    related: type[Model] = field.remote_field.model
    return related


def _model(model: type[Model]) -> str:
    parts = [f"### {model.__name__}\n\n{inspect.getdoc(model)}\n\nTable `{model._meta.db_table}`.\n", _fields(model)]
    parts += [_list("Constraints", map(_constraint, model._meta.constraints))]
    parts += [_list("Indexes", map(_index, _indexes(model)))]
    parts += [_list("Related rows", _relations(model))]
    return "\n".join(part for part in parts if part)


def _fields(model: type[Model]) -> str:
    rows = ["| field | type | empty or default | meaning |", "|---|---|---|---|"]
    fields: list[Any] = [*model._meta.concrete_fields, *model._meta.many_to_many]
    rows += [
        f"| `{field.name}` | {_type(field)} | {_default(field)} | {_meaning(field)} |"
        for field in fields
        if field.name != "id"
    ]
    return "\n".join(rows) + "\n"


def _type(field: Any) -> str:
    if isinstance(field, ForeignKey | ManyToManyField):
        return f"{_relation_word(field)} {_related(field).__name__}"
    name = type(field).__name__.removesuffix("Field")
    if field.get_internal_type() == "DecimalField":
        name += f"({field.max_digits}, {field.decimal_places})"
    elif field.max_length and field.get_internal_type() != "UUIDField":
        name += f"({field.max_length})"
    return f"{name}, key" if field.primary_key else name


def _relation_word(field: Any) -> str:
    if isinstance(field, ManyToManyField):
        return "many"
    return "one to one" if field.one_to_one else "one"


def _default(field: Any) -> str:
    words = ["null"] if getattr(field, "null", False) else []
    default = field.default
    if isinstance(default, Enum):
        default = default.value
    if default is NOT_PROVIDED:
        if not words and not field.many_to_many:
            words.append("required")
    elif callable(default):
        words.append(_made_by(default))
    elif default is not None:
        words.append(f"`{json.dumps(default)}`")
    return ", ".join(words)


def _made_by(default: Callable[[], Any]) -> str:
    names = {"now": "now", "dict": "`{}`", "list": "`[]`", "uuid4": "new UUID", "new_ulid": "new ULID"}
    return names.get(default.__name__, default.__name__.replace("_", " "))


def _meaning(field: Any) -> str:
    sentences = [str(INHERITED_HELP.get(field.name) or field.help_text)]
    if field.many_to_one or field.one_to_one:
        sentences.append(f"{ON_DELETE[field.remote_field.on_delete.__name__].capitalize()}.")
    if field.choices:
        sentences.append(f"{_choices(field)}.")
    return " ".join(filter(None, sentences)).replace("|", "\\|")


def _choices(field: Field[Any, Any]) -> str:
    return _shortened([f"`{value}`" for value, _ in field.flatchoices])


def _shortened(values: list[str]) -> str:
    if len(values) <= MOST_CHOICES:
        return ", ".join(values)
    return f"{', '.join(values[:3])} and {len(values) - 3} others"


def _constraint(constraint: Any) -> str:
    sentence = constraint.violation_error_message
    if isinstance(constraint, UniqueConstraint):
        what = ", ".join(constraint.fields) or ", ".join(map(_expression, constraint.expressions))
        where = f" where {_condition(constraint.condition)}" if constraint.condition else ""
        return f"`{constraint.name}`: unique {what}{where}. {sentence}"
    if isinstance(constraint, CheckConstraint):
        return f"`{constraint.name}`: {sentence}"
    if isinstance(constraint, CompositeForeignKey):
        here, there = ", ".join(constraint.fields), ", ".join(constraint.to_fields)
        return f"`{constraint.name}`: foreign key ({here}) to ({there}). {sentence}"
    raise TypeError(f"{constraint.name}: there are no words yet for a {type(constraint).__name__}.")


def _expression(expression: Any) -> str:
    if type(expression) is F:
        return _field_name(expression)
    if isinstance(expression, OrderBy):
        return f"{_expression(expression.expression)}{' descending' if expression.descending else ''}"
    if isinstance(expression, Value):
        return str(expression.value)
    inner = ", ".join(map(_expression, expression.get_source_expressions()))
    return f"{type(expression).__name__.lower()}({inner})"


def _field_name(reference: Any) -> str:
    return str(reference.name)


def _condition(condition: Any) -> str:
    parts = []
    for child in condition.children:
        if not isinstance(child, tuple):
            parts.append(f"({_condition(child)})")
            continue
        lookup, value = child
        name, _, operator = lookup.partition("__")
        if operator == "isnull":
            parts.append(f"{name} is {'null' if value else 'not null'}")
        elif operator == "in":
            parts.append(f"{name} is {' or '.join(str(item) for item in value)}")
        else:
            parts.append(f"{name} is {str(value).lower() if isinstance(value, bool) else value}")
    joined = f" {condition.connector.lower()} ".join(parts)
    return f"not ({joined})" if condition.negated else joined


def _indexes(model: type[Model]) -> Iterable[Any]:
    fields: list[Any] = list(model._meta.concrete_fields)
    single = [field for field in fields if field.db_index or field.unique]
    return [*(field for field in single if not field.primary_key), *model._meta.indexes]


def _index(index: Any) -> str:
    if not isinstance(index, Index):
        return f"{index.name}{', unique' if index.unique else ''}"
    columns = ", ".join(map(_column, index.fields)) or ", ".join(map(_expression, index.expressions))
    where = f" where {_condition(index.condition)}" if index.condition else ""
    return f"`{index.name}`: {columns}{where}"


def _column(name: str) -> str:
    return f"{name[1:]} descending" if name.startswith("-") else name


def _relations(model: type[Model]) -> list[str]:
    """Return the rows of other tables that point here, with the name under which they are reached."""
    lines = []
    for relation in model._meta.related_objects:
        if relation.related_model._meta.app_label not in DOCUMENTED_APPS:
            continue
        name = relation.get_accessor_name()
        reached = f"as `{name}`" if name else "with no name from here"
        lines.append(f"{relation.related_model.__name__}.{relation.field.name}, {reached}")
    return lines


def _list(title: str, lines: Iterable[str]) -> str:
    found = list(lines)
    return "\n".join([f"{title}:\n", *(f"- {line}" for line in found), ""]) if found else ""
