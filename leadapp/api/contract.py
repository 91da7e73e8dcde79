"""The contract of an endpoint, written on its view as decorators.

They go into the OpenAPI document (`openapi.py`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import Schema

from ..codes import Code
from ..http.marks import is_public

View = TypeVar("View", bound=Callable[..., Any])

JSON = "application/json"
MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

# The failures that an endpoint has because of its kind, whatever it does.
EVERY_REQUEST = [Code.HOST_UNKNOWN, Code.HTTP_500, Code.DATABASE_UNAVAILABLE]
BY_TOKEN = [Code.NOT_SIGNED_IN, Code.TOKEN_INVALID, Code.PASSWORD_CHANGE_REQUIRED]
EVERY_BODY = [Code.BODY_UNREADABLE, Code.HTTP_400, Code.BODY_TOO_LARGE]
BY_MEDIA_TYPE = {
    JSON: [Code.JSON_UNREADABLE, Code.JSON_EXPECTED],
    MULTIPART: [Code.FORM_EXPECTED],
    URLENCODED: [Code.FORM_ENCODED_EXPECTED],
}


@dataclass
class Answer:
    """A response without an error.

    `content` is the schema of a JSON object, the media types of a file, or None without a body.
    """

    content: type[Schema] | Collection[str] | None
    description: str
    headers: Collection[str] = ()


@dataclass
class Body:
    """The body of a request."""

    media_type: str
    schema: type[Schema]


@dataclass
class Contract:
    """The requests that an endpoint accepts, and the responses that it returns."""

    body: Body | None = None
    query: type[Schema] | None = None
    request_headers: Collection[str] = ()
    answers: dict[int, Answer] = field(default_factory=dict)
    own_failures: Collection[Code] = ()
    own_refusals: dict[str, list[Code]] = field(default_factory=dict)


def contract_of(view: Callable[..., Any]) -> Contract:
    """Return the contract of a view. A view without decorators has an empty one."""
    contract: Contract = vars(view).setdefault("contract", Contract())
    return contract


def failures_of(view: Callable[..., Any]) -> list[Code]:
    """Return the codes of all problems that an endpoint can return."""
    contract = contract_of(view)
    codes: list[Code] = []
    if not is_public(view):
        codes += BY_TOKEN
    if contract.body:
        codes += BY_MEDIA_TYPE[contract.body.media_type]
        codes += EVERY_BODY
    if refusals_of(view):
        codes.append(Code.HTTP_422)
    codes += EVERY_REQUEST
    codes += contract.own_failures
    return codes


def refusals_of(view: Callable[..., Any]) -> dict[str, list[Code]]:
    """Return the errors of each field: those of its rule, then those that the view declares."""
    contract = contract_of(view)
    refusals: dict[str, list[Code]] = {}
    if contract.body:
        for name, field_ in contract.body.schema().fields.items():
            codes = field_.metadata.get("refusals")
            if codes:
                refusals[name] = list(codes)
    for name, codes in contract.own_refusals.items():
        refusals[name] = refusals.get(name, []) + codes
    return refusals


def accepts(media_type: str, schema: type[Schema]) -> Callable[[View], View]:
    """Declare the body of the request."""

    def declare(view: View) -> View:
        contract_of(view).body = Body(media_type, schema)
        return view

    return declare


def accepts_query(schema: type[Schema]) -> Callable[[View], View]:
    """Declare the query parameters."""

    def declare(view: View) -> View:
        contract_of(view).query = schema
        return view

    return declare


def accepts_headers(*names: str) -> Callable[[View], View]:
    """Declare the headers that the endpoint reads, from `headers.REQUEST`."""

    def declare(view: View) -> View:
        contract_of(view).request_headers = names
        return view

    return declare


def answers(
    status: int,
    content: type[Schema] | Collection[str] | None,
    description: str,
    *,
    headers: Collection[str] = (),
) -> Callable[[View], View]:
    """Declare a response without an error. Its headers are from `headers.RESPONSE`."""

    def declare(view: View) -> View:
        contract_of(view).answers[status] = Answer(content, description, headers)
        return view

    return declare


def fails(*codes: Code) -> Callable[[View], View]:
    """Declare the failures of this endpoint, beside those that every endpoint of its kind has."""

    def declare(view: View) -> View:
        contract_of(view).own_failures = codes
        return view

    return declare


def refuses(refusals: dict[str, list[Code]]) -> Callable[[View], View]:
    """Declare the errors of each field, beside those of its rule; `*` means any other field."""

    def declare(view: View) -> View:
        contract_of(view).own_refusals = refusals
        return view

    return declare
