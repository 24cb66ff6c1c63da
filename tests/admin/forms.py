"""What a browser sends: the fields of a page as it shows them, with some of them changed."""

from __future__ import annotations

from html.parser import HTMLParser
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image


class Fields(HTMLParser):
    """The named fields of the page's main form and their values."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.values):
            self.values[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.values[name] = ""
        elif tag == "input" and name and "__prefix__" not in name and not name.startswith("_"):
            kind = given.get("type", "text")
            if kind in {"checkbox", "radio"} and "checked" not in given:
                return
            if kind not in {"submit", "button", "file"}:
                self.values[name] = given.get("value", "on" if kind == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data.removeprefix("\n") if not self.values[self._area] else data


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def fields_of(client: Client, page: str) -> dict[str, str]:
    """Return what the browser would send if the form of `page` were sent as it is shown."""
    response = client.get(page)
    assert response.status_code == 200, page
    return {name: value for name, value in Fields(response.content.decode()).values.items() if "__prefix__" not in name}


def send(client: Client, page: str, **changes: Any) -> Any:
    """Send the form of `page` with `changes`; None leaves a field out, as an unticked box is."""
    data: dict[str, Any] = {**fields_of(client, page), **changes}
    return client.post(page, {name: value for name, value in data.items() if value is not None})


def add_row(client: Client, page: str, prefix: str, **values: Any) -> dict[str, Any]:
    """Return the changes that add one row to the table `prefix` within the form of `page`."""
    number = int(fields_of(client, page)[f"{prefix}-TOTAL_FORMS"])
    changes: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": number + 1}
    return changes | {f"{prefix}-{number}-{name}": value for name, value in values.items()}


def errors_of(response: Any) -> dict[str, list[str]]:
    """Return what the form said beside its fields; the form was shown again."""
    assert response.status_code == 200
    found = {name: list(errors) for name, errors in response.context_data["adminform"].form.errors.items()}
    for formset in response.context_data["inline_admin_formsets"]:
        for errors in formset.formset.errors:
            found |= {f"{formset.formset.prefix}.{name}": list(each) for name, each in errors.items()}
    return found


def picture(name: str = "front.png") -> SimpleUploadedFile:
    content = BytesIO()
    Image.new("RGB", (400, 300), "teal").save(content, "PNG")
    return SimpleUploadedFile(name, content.getvalue(), "image/png")
