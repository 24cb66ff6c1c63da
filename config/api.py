"""The root of the HTTP API: mounts each app's routes, and maps errors to answers once."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Query, Schema, Swagger
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from pydantic import TypeAdapter

from accounts.api import sellers as seller_places
from accounts.languages import TRANSLATED
from accounts.queries import SellerCard, language_for_request, sellers_named
from config.answers import ErrorAnswer, ErrorDetails, Missing, answer, problem
from config.api_examples import example
from config.cache import cached, families
from config.cursors import UnreadableCursor
from config.outage import RETRY_SECONDS, names_a_missing_table
from config.pages import Wanted
from config.parameters import Word, asked
from inventory.api import cars, categories, parts, sellers
from inventory.queries import CarCard, CarFilters, PartCard, PartFilters, car_list, part_list
from leads.api import vouchers
from leads.queries import VoucherCard, vouchers_titled

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse, HttpResponseBase

logger = logging.getLogger("forecourt.api")

SEARCH_LIMIT = 5
DESCRIPTION = """What the marketplace shows, for programs. Nobody needs to sign in, and nothing here changes anything.

Rows are named by `public_id`. Times are ISO 8601 in UTC. Money is an amount, as a text with two places, and a currency.

Lists come in pages: by `page` and `page_size`, with the `total`, or by `cursor`: begin with an empty one, and go on
with `next` and `previous`. Pages by cursor cost the same at any depth, and rows that come meanwhile shift nothing, but
for lists by relevance: these go by rank, as far as the 1,000th row.

Every answer has an `ETag`: send it as `If-None-Match` and get 304 while nothing changed. Every error has one shape.
"""

# What any route may answer besides; only those with a name in their address can miss it.
ERRORS = (HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


EXAMPLE_ERROR = asdict(
    ErrorAnswer(
        ErrorDetails(
            "validation",
            "The request cannot be understood: see page.",
            {"page": ["Input should be greater than or equal to 1"]},
            "4f0e1c7d9a2b4c3e8f5061728394a5b6",
        )
    )
)


class Api(NinjaAPI):
    """The API, whose description has an example of each answer, and tells the errors of all routes alike.

    A model of each route's errors would slow every start down.
    """

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the description."""
        schema = super().get_openapi_schema(**options)
        shapes = TypeAdapter(ErrorAnswer).json_schema(ref_template=REF_TEMPLATE)
        schema["components"]["schemas"] |= shapes.pop("$defs") | {ErrorAnswer.__name__: shapes}
        shape = {"$ref": REF_TEMPLATE.format(model=ErrorAnswer.__name__)}
        content = {"application/json": {"schema": shape, "example": EXAMPLE_ERROR}}
        for address, methods in schema["paths"].items():
            success = methods["get"]["responses"][HTTPStatus.OK.value]["content"]["application/json"]
            success["example"] = example(success["schema"], schema["components"]["schemas"])
            statuses = (*ERRORS, HTTPStatus.NOT_FOUND) if "{" in address else ERRORS
            told: dict[int, Any] = {
                status.value: {"description": status.phrase, "content": content} for status in statuses
            }
            told[HTTPStatus.NOT_MODIFIED.value] = {"description": "What If-None-Match names is still right"}
            methods["get"]["responses"] |= told
        return schema


class ApiPage(Swagger):
    """The page that shows the API, with scripts and styles of our own server; ninja need not be an app for that."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Answer the page."""
        options = {**self.settings, "url": self.get_openapi_url(api, kwargs)}
        return render(request, self.template, {"swagger_settings": json.dumps(options), "api": api})


api = Api(
    title="Forecourt",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api-v1",
    docs=ApiPage({"deepLinking": True, "validatorUrl": None}),
    docs_decorator=lambda view: csrf_exempt(require_safe(view)),
)
api.add_router("/cars", cars)
# Ahead of the routes that would take "nearby" for an id.
api.add_router("/sellers", seller_places)
api.add_router("/sellers", sellers)
api.add_router("/parts", parts)
api.add_router("/categories", categories)
api.add_router("/vouchers", vouchers)


class Words(Schema):
    """What is looked for."""

    q: Word = asked(..., "Words, a part number, or a name.", "alternator")
    limit: int = asked(SEARCH_LIMIT, "Most rows of each kind.", 5, ge=1, le=20)


@dataclass(frozen=True, slots=True)
class Finds:
    """What a text finds of each kind, best first.

    `searched_for` are the words that a text with a typing error was taken for, where nothing at all has it as typed.
    """

    cars: list[CarCard] = field(default_factory=list)
    parts: list[PartCard] = field(default_factory=list)
    sellers: list[SellerCard] = field(default_factory=list)
    vouchers: list[VoucherCard] = field(default_factory=list)
    searched_for: str | None = None


@api.get("/search", response=Finds, tags=["search"], summary="Everything that a text finds", openapi_extra=TRANSLATED)
def search(request: HttpRequest, words: Query[Words]) -> HttpResponseBase:
    """Cars, parts, sellers and vouchers that a text finds."""
    asked_for = (words.q, words.limit, language_for_request(request))
    finds = cached(families.SEARCH, asked_for, lambda: _finds(*asked_for, now=timezone.now())) if words.q else Finds()
    return answer(request, finds, translated=True)


def _finds(text: str, limit: int, language: str, *, now: datetime) -> Finds:
    first = Wanted(page_size=limit, cursor="")
    pages: list[Any] = [
        car_list(CarFilters(text=text), now=now, wanted=first),
        part_list(PartFilters(text=text), wanted=first),
        sellers_named(text, limit=limit, language=language),
    ]
    vouchers = vouchers_titled(text, now=now, limit=limit, language=language)
    # What repaired words find counts where nothing is found as it was typed.
    if vouchers or any(page.items and not page.searched_for for page in pages):
        cars, parts, sellers = ([] if page.searched_for else page.items for page in pages)
        return Finds(cars, parts, sellers, vouchers)
    cars, parts, sellers = (page.items for page in pages)
    return Finds(cars, parts, sellers, searched_for=next((page.searched_for for page in pages if page.items), None))


@api.exception_handler(ValidationError)
def _refuse_parameters(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields: dict[str, list[str]] = {}
    for each in error.errors:
        # A place in a list follows the name of its parameter.
        name = next(str(step) for step in reversed(each["loc"]) if not isinstance(step, int))
        fields.setdefault(name, []).append(each["msg"])
    return _refuse_fields(fields)


@api.exception_handler(ModelValidationError)
def _refuse_values(request: HttpRequest, error: ModelValidationError) -> HttpResponse:
    return _refuse_fields(error.message_dict if hasattr(error, "error_dict") else {"": error.messages})


@api.exception_handler(UnreadableCursor)
def _refuse_cursor(request: HttpRequest, error: UnreadableCursor) -> HttpResponse:
    return _refuse_fields({"cursor": [str(error)]})


def _refuse_fields(fields: dict[str, list[str]]) -> HttpResponse:
    message = f"The request cannot be understood: see {', '.join(fields)}."
    return problem(HTTPStatus.BAD_REQUEST, "validation", message, fields=fields)


@api.exception_handler(Missing)
@api.exception_handler(Http404)
def _miss(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(HTTPStatus.NOT_FOUND, "not_found", str(error) or "There is nothing here.")


@api.exception_handler(HttpError)
def _refuse(request: HttpRequest, error: HttpError) -> HttpResponse:
    status = HTTPStatus(error.status_code)
    return problem(status, status.phrase.lower().replace(" ", "_"), str(error))


@api.exception_handler(SuspiciousOperation)
@api.exception_handler(BadRequest)
def _refuse_request(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(HTTPStatus.BAD_REQUEST, "bad_request", str(error) or "The request cannot be understood.")


@api.exception_handler(IntegrityError)
def _conflict(request: HttpRequest, error: IntegrityError) -> HttpResponse:
    logger.warning("A request contradicts what is stored", exc_info=error)
    return problem(HTTPStatus.CONFLICT, "conflict", "This contradicts what is stored already.")


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(ProgrammingError)
def _no_database(request: HttpRequest, error: DatabaseError) -> HttpResponse:
    if names_a_missing_table(error):
        logger.error("A table is missing: apply the migrations", exc_info=error)
        return _later("schema", "The database is not up to date: the operator has to apply migrations.")
    if isinstance(error, ProgrammingError):
        return _fail(request, error)
    logger.error("The database did not answer", exc_info=error)
    return _later("no_database", "The database does not answer at the moment: try again in a few seconds.")


def _later(code: str, message: str) -> HttpResponse:
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, code, message, headers={"Retry-After": RETRY_SECONDS})


@api.exception_handler(Exception)
def _fail(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("A request failed: %s", request.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong here; it was written down.")
