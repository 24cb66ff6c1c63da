"""Pictures on the forms of cars and parts: uploaded or named by address, in an order, one of them primary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from accounts.services import store_image
from config.audit import current_context
from config.db.errors import Refused
from config.staff.columns import picture
from config.staff.forms import StaffModelForm, UploadWidget
from config.staff.inlines import StaffTabularInline

if TYPE_CHECKING:
    from inventory.models import CarImage, PartImage


class PictureForm(StaffModelForm):
    """One picture: either a file is uploaded, or an address given."""

    upload = forms.FileField(required=False, widget=UploadWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].required = False
        self.fields["position"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        upload = cleaned.get("upload")
        if upload and "url" not in self._errors:
            self._keep(upload, cleaned)
        elif not cleaned.get("url") and "url" not in self._errors:
            raise ValidationError({"upload": "Upload a picture, or give its address."})
        if cleaned.get("position") is None:
            cleaned["position"] = self._next_position()
        return cleaned

    def _keep(self, upload: Any, cleaned: dict[str, Any]) -> None:
        # Kept now and not on saving, so that what is no picture is refused beside its own field. The file of a form
        # that is refused elsewhere stays behind without a row that shows it.
        row = self._owner()
        try:
            file = store_image(
                upload=upload,
                owner=current_context().actor,
                folder=f"{row._meta.model_name}s/{row.public_id}",
            )
        except Refused as error:
            raise ValidationError({"upload": str(error)}) from error
        self.instance.file = file
        cleaned["url"] = file.url

    def _owner(self) -> Any:
        return getattr(self.instance, "car", None) or self.instance.part

    def _next_position(self) -> int:
        row = self._owner()
        if row.pk is None:
            return 0
        last = row.images.order_by("-position").values_list("position", flat=True).first()
        return 0 if last is None else int(last) + 1


class PictureInline(StaffTabularInline):
    form = PictureForm
    fields: tuple[str, ...] = ("preview", "upload", "url", "alt_text", "position")
    readonly_fields = ("preview",)
    verbose_name_plural = "pictures"
    ordering_field = "position"

    @admin.display(description="")
    def preview(self, image: CarImage | PartImage) -> str:
        """Return the small version where we made one."""
        small = image.file.metadata.get("thumbnail") if image.file is not None else ""
        return picture(small or image.url)
