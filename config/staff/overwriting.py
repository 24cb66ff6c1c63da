"""Two pages of one row: the one that is saved last puts nothing back that the other changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.crypto import salted_hmac
from django.utils.text import get_text_list

from config.staff.changes import last_change

_SIGNER = signing.Signer(salt=__name__)


class OverwritingRefused(forms.BaseModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """A form that the page which shows it sends back with a mark of each value that it showed."""

    @property
    def shown_name(self) -> str:
        """The name of the hidden input with `shown_values`."""
        return self.add_prefix("shown_values")

    @property
    def shown_values(self) -> str:
        """What the page shows of a stored row, to be sent back with what was typed: a signed mark of each value."""
        if self.is_bound:
            return str(self.data.get(self.shown_name, ""))
        return "" if self.instance._state.adding else _SIGNER.sign_object(self._marks())

    def refuse_overwriting(self) -> None:
        """Raise ValidationError if saving would put back a value that was changed since the page was loaded.

        Values are compared, not `updated_at`: sales that are counted, scores and services that write columns beyond the
        form leave what was typed valid, and saving it does not undo them.
        """
        if self.instance._state.adding or not self.shown_values:
            return
        try:
            shown = _SIGNER.unsign_object(self.shown_values)
        except (signing.BadSignature, ValueError):
            raise ValidationError("This page is no longer valid. Load it again.") from None
        changed = [name for name, mark in self._marks().items() if shown.get(name, mark) != mark]
        if undone := [str(self[name].label) for name in changed if self._differs(name)]:
            when = f" ({found})" if (found := last_change(self.instance)) else ""
            raise ValidationError(
                f"Not saved: since you loaded this page, {get_text_list(undone, 'and')} changed{when}. "
                "What you typed is still here; load the page again to see the row as it is now."
            )

    def _marks(self) -> dict[str, str]:
        return {
            name: _mark(f"{self.instance.pk} {name} {_in_order(field.prepare_value(self._stored(name)))}")
            for name, field in self.fields.items()
        }

    def _stored(self, name: str) -> Any:
        return self.get_initial_for_field(self.fields[name], name)

    def _differs(self, name: str) -> bool:
        return self.fields[name].has_changed(self._stored(name), self[name].data)


def _mark(text: str) -> str:
    return salted_hmac(__name__, text, algorithm="sha256").hexdigest()[:16]


def _in_order(value: Any) -> Any:
    """Return several chosen rows in one order, whichever the database gave them in."""
    return sorted(value, key=str) if isinstance(value, list) else value
