"""Bringing in vehicles and parts from a file: first the report of what would happen, then the import."""

from __future__ import annotations

import base64
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from config.db.errors import Refused
from config.staff.actions import counted
from config.staff.admin import StaffAdmin
from config.staff.forms import dress
from config.staff.site import person
from inventory.stock_import import optional_columns, plan_import, required_columns, run_import

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

LARGEST_FILE = 5 * 1024 * 1024  # bytes
FINDINGS_SHOWN = 50
KEPT_FOR = 60 * 60  # seconds between the report and the import
_SALT = "inventory.admin.imports"


class ImportForm(forms.Form):
    file = forms.FileField(label="CSV or JSON file", help_text="At most 5 MB.")

    def clean_file(self) -> Any:
        """Return the file. Refuses one that is too large to be worked through within a request."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError("The file is larger than 5 MB: split it, or have it imported by the command.")
        return file


class ImportsStock(StaffAdmin):
    """Adds the import to a list; `import_kind` is what `inventory.stock_import` calls the rows."""

    import_kind = ""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_import"), *super().get_urls()]

    def list_tools(self, request: HttpRequest) -> list[dict[str, str]]:
        tools = super().list_tools(request)
        if self.has_add_permission(request):
            tools.append({"title": "Import", "icon": "upload", "link": self._address("import")})
        return tools

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file, report what it would do, and do it once that is confirmed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "kept" in request.POST:
            return self._import(request)
        form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
        dress(form)
        if not (form.is_bound and form.is_valid()):
            return self._page(request, form=form)
        content = form.cleaned_data["file"].read()
        try:
            report = plan_import(self.import_kind, BytesIO(content), visible_to=person(request))
        except Refused as error:
            form.add_error("file", str(error))
            return self._page(request, form=form)
        return self._page(request, report=report, kept=_keep(content, person(request)) if report.rows.created else "")

    def _import(self, request: HttpRequest) -> HttpResponse:
        store = _kept(request.POST["kept"], person(request))
        if store is None:
            messages.error(request, "Nothing was imported: too much time has passed, or it was done already.")
            return HttpResponseRedirect(self._address("import"))
        content = base64.b64decode(store["content"])
        # Taken away first, so that pressing twice imports once.
        store.delete()
        try:
            report = run_import(self.import_kind, BytesIO(content), visible_to=person(request), actor=person(request))
        except Refused as error:
            messages.error(request, f"Nothing was imported: {error}")
            return HttpResponseRedirect(self._address("import"))
        messages.success(request, f"{counted(self, report.rows.created)} imported.")
        if not report.rows.findings:
            return HttpResponseRedirect(self._address("changelist"))
        return self._page(request, report=report)

    def _page(self, request: HttpRequest, **shown: Any) -> HttpResponse:
        report = shown.get("report")
        findings = report.rows.findings[:FINDINGS_SHOWN] if report else []
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import {self.opts.verbose_name_plural}",
            "opts": self.opts,
            "media": self.media,
            "kind": self.import_kind,
            "created": counted(self, report.rows.created) if report else "",
            "required": required_columns(self.import_kind),
            "optional": optional_columns(self.import_kind),
            "findings": findings,
            "more": len(report.rows.findings) - len(findings) + report.rows.findings_left_out if report else 0,
            "back": self._address("changelist"),
            "again": self._address("import"),
            **shown,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "staff/import.html", context)

    def _address(self, page: str) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}")


def _sessions() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _keep(content: bytes, user: Any) -> str:
    """Keep a file until it is confirmed, where every server process finds it, and return its sealed name."""
    store = _sessions()()
    store["content"], store["user"] = base64.b64encode(content).decode(), user.pk
    store.set_expiry(KEPT_FOR)
    store.create()
    return signing.dumps(store.session_key, salt=_SALT)


def _kept(name: str, user: Any) -> Any:
    """Return what was kept under a name for this person, or None."""
    try:
        key = signing.loads(name, salt=_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return None
    store = _sessions()(key)
    return store if store.get("user") == user.pk and "content" in store else None
