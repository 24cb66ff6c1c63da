"""Rows of a car or part that are shown in an order of their own."""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from config.staff.forms import StaffModelForm


class PositionForm(StaffModelForm):
    """A row that goes last where it is given no position."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "position" in self.fields:
            self.fields["position"].required = False
            if self.instance._state.adding:
                self.fields["position"].initial = None

    @property
    def owner(self) -> Any:
        """The car or part that the row belongs to."""
        return getattr(self.instance, self._owner_name)

    @property
    def _owner_name(self) -> str:
        return "part" if hasattr(self.instance, "part_id") else "car"

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data.get("position") is None and "position" in self.fields:
            beside = type(self.instance)._base_manager.filter(**{self._owner_name: self.owner})
            last = beside.exclude(pk=self.instance.pk).aggregate(last=Max("position"))["last"]
            self.instance.position = 0 if last is None else last + 1
        return super().save(commit)
