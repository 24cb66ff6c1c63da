"""Pictures on the forms of cars and parts: uploaded or named by address, in an order, one of them primary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ValidationError

from accounts.services import recognise_upload, store_image
from config.audit import current_context
from config.db.errors import Refused
from config.staff.columns import picture
from config.staff.forms import UploadField
from config.staff.inlines import StaffTabularInline
from inventory.admin.positions import PositionForm

if TYPE_CHECKING:
    from django.http import HttpRequest

    from inventory.models import CarImage, PartImage


class PictureForm(PositionForm):
    """One picture: either a file is uploaded, or an address given."""

    upload = UploadField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].required = False

    def clean_upload(self) -> Any:
        """Refuse what is no picture beside its own field; it is kept only once the whole page is in order."""
        upload = self.cleaned_data.get("upload")
        if upload:
            try:
                recognise_upload(upload)
            except Refused as error:
                raise ValidationError(str(error)) from error
        return upload

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("upload") and not cleaned.get("url") and not {"upload", "url"} & set(self.errors):
            raise ValidationError({"upload": "Upload a picture, or give its address."})
        return cleaned

    def save(self, commit: bool = True) -> Any:
        upload = self.cleaned_data.get("upload")
        if upload:
            folder = f"{self.owner._meta.model_name}s/{self.owner.public_id}"
            self.instance.file = store_image(upload=upload, owner=current_context().actor, folder=folder)
            self.instance.url = self.instance.file.url
        elif "url" in self.changed_data:
            # Another address is no longer that of the file.
            self.instance.file = None
        return super().save(commit)


class PictureInline(StaffTabularInline):
    form = PictureForm
    fields: tuple[str, ...] = ("preview", "upload", "url", "alt_text", "position")
    readonly_fields = ("preview",)
    verbose_name_plural = "pictures"
    ordering_field = "position"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        # To somebody who only looks, an empty box for a file says nothing.
        return fields if self.has_change_permission(request, obj) else [name for name in fields if name != "upload"]

    @admin.display(description="")
    def preview(self, image: CarImage | PartImage) -> str:
        """Return the small version where we made one."""
        small = image.file.metadata.get("thumbnail") if image.file is not None else ""
        return picture(small or image.url)
