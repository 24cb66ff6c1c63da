"""What the HTTP API answers with: JSON that caches may keep, and one shape for every error.

An answer carries an ETag, so that who asks again for the same is told that nothing changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from pydantic_core import to_json

from config.audit import current_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponseBase

# How long browsers and proxies may keep an answer, in seconds; afterwards the ETag saves the sending.
FRESH_SECONDS = 60


class Missing(Exception):
    """There is nothing public of this name; ``str()`` is a sentence for people."""


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What was wrong: a word for programs, a sentence for people, and sentences about single fields."""

    code: str
    message: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The body of every answer that is no success."""

    error: ErrorDetails


def answer(request: HttpRequest, value: Any, *, translated: bool = False) -> HttpResponseBase:
    """Answer with a value made of data classes, or with 304 where the caller has it already.

    `translated` tells caches that the language of the request made a difference.
    """
    body = to_json(value)
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={FRESH_SECONDS}"}
    response = HttpResponse(body, content_type="application/json", headers=headers)
    # Short ones are never compressed; caches want to hear the same of each answer, and of 304.
    patch_vary_headers(response, ("Accept-Encoding", *(("Accept-Language", "X-Language") if translated else ())))
    # None only where there is no response to begin with.
    return get_conditional_response(request, etag=etag, response=response) or response


def problem(
    status: HTTPStatus,
    code: str,
    message: str,
    *,
    fields: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return an error's answer, which no cache keeps."""
    details = ErrorDetails(code, message, dict(fields or {}), current_context().request_id)
    response = HttpResponse(to_json(asdict(ErrorAnswer(details))), content_type="application/json", status=status)
    for name, value in {"Cache-Control": "no-store", **(headers or {})}.items():
        response.headers[name] = value
    return response
