"""What docs/http-api.md shows, asked; and its tables against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def text() -> str:
    return (Path(settings.BASE_DIR) / "docs" / "http-api.md").read_text(encoding="utf-8")


def test_every_request_that_it_shows_is_answered(text: str, client: Client) -> None:
    requests = re.findall(r"^GET (\S+)$", text, re.MULTILINE)
    assert len(requests) == 5
    assert {client.get(address).status_code for address in requests} == {200}


def test_it_lists_every_address_with_its_own_parameters(text: str, client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    rows = dict(re.findall(r"^\| `(/[^`]*)` \| (.*) \|$", text, re.MULTILINE))
    assert set(rows) == {path.removeprefix("/api/v1") for path in paths}
    for path in ("/cars", "/parts", "/sellers"):
        taken = {each["name"] for each in paths[f"/api/v1{path}"]["get"]["parameters"]}
        assert taken - {"page", "page_size", "cursor", "X-Language", "lang"} == set(re.findall(r"`(\w+)`", rows[path]))
