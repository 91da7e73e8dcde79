"""The API's OpenAPI 3.1 document, built from the routes and the contracts on their views."""

import re
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import current_app
from marshmallow import Schema, fields
from werkzeug.routing import Rule

from ..codes import Code
from ..http.marks import is_public
from ..http.readers import Reader
from ..http.writers import ProblemSchema
from ..resumes.formats import KINDS
from . import headers, problems, schemas
from .contract import JSON, MULTIPART, Answer, Body, Contract, contract_of, failures_of, refusals_of

Json = dict[str, Any]
Problems = dict[str, Json]
AnySchema = type[Schema] | Schema
AnyField = fields.Field[Any]
Refusals = dict[str, list[Code]]

INFO = {
    "description": "Submit and triage leads. Sign in to get a bearer token. Times are in UTC "
    "(RFC 3339). Every error is a problem (RFC 9457). Its `code` never changes, although its text "
    "may. Its `type` is the URL of an explanation. A request may send `X-Request-ID` and "
    "`traceparent`; the response repeats both."
}
TAGS = [
    {
        "name": "leads",
        "description": "Anyone can submit a lead; attorneys list, read and mark leads.",
    },
    {"name": "auth", "description": "Accounts and tokens."},
]
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The `access_token` that the login returns.",
}
PATH_PARAMETERS = {
    "lead_id": "The `id` of a lead.",
    "submission_id": "The `id` of one of its submissions.",
}
# Only a problem of status 422 has `errors`, and only a page of a search has `total_is_exact`. Every
# other field of a response is always present.
OPTIONAL = {"errors", "total_is_exact"}
PROBLEM = "application/problem+json"


class Plugin(MarshmallowPlugin):
    """Describes what our schemas guarantee beyond the types of their fields."""

    def init_spec(self, spec: APISpec) -> None:
        """Add the descriptions of constants and of query parameters."""
        super().init_spec(spec)
        # The parent has set the converter.
        self.converter.add_attribute_function(_constant)  # type: ignore[union-attr]
        self.converter.add_parameter_attribute_function(_may_be_empty)  # type: ignore[union-attr]

    def schema_helper(  # type: ignore[override]
        self, name: str, definition: Json, *, schema: AnySchema, **options: Any
    ) -> Json:
        """Require every field that a response always has, and allow more fields in the future.

        Fields of a form or a JSON body declare by themselves whether they are required.
        """
        # apispec does not type this method.
        described: Json = super().schema_helper(  # type: ignore[no-untyped-call]
            name, definition, schema, **options
        )
        if not _is_a(Reader, schema):
            del described["additionalProperties"]
        if not _is_a(Reader, schema) and not _is_a(schemas.FormSchema, schema):
            described["required"] = [
                field for field in described["properties"] if field not in OPTIONAL
            ]
        return described


def _is_a(base: type[Schema], schema: AnySchema) -> bool:
    if isinstance(schema, type):
        return issubclass(schema, base)
    return isinstance(schema, base)


def _constant(_converter: Any, field: AnyField, **_options: Any) -> Json:
    if isinstance(field, fields.Constant):
        return {"type": "string", "const": str(field.constant)}
    return {}


def _may_be_empty(_converter: Any, _field: AnyField, **_options: Any) -> Json:
    # An empty value counts as not given, like an empty field of a search form.
    return {"allowEmptyValue": True}


@cache
def build(firm: str, base_url: str, max_file_size: int) -> Json:
    """Return the document for these settings; it is cached, so callers must not change it."""
    spec = APISpec(
        title=f"{firm}: leads",
        version="1",
        openapi_version="3.1.0",
        plugins=[Plugin()],
        info=INFO,
        servers=[{"url": base_url}],
        security=[{"bearer": []}],
        tags=TAGS,
    )
    _add_components(spec)
    shown = problems.examples(base_url, max_file_size)
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint.startswith("api."):
            _add_operation(spec, rule, shown)
    return spec.to_dict()


def _add_components(spec: APISpec) -> None:
    spec.components.security_scheme("bearer", BEARER)
    for name, header in headers.RESPONSE.items():
        spec.components.header(name, header)
    for name, header in headers.REQUEST.items():
        spec.components.parameter(name, "header", header)


def _add_operation(spec: APISpec, rule: Rule, shown: Problems) -> None:
    view = current_app.view_functions[rule.endpoint]
    contract = contract_of(view)
    _, tag, name = rule.endpoint.split(".")
    operation: Json = {
        "operationId": name,
        "tags": [tag],
        "summary": (view.__doc__ or "").partition("\n")[0].rstrip("."),
        "parameters": _parameters(rule, contract),
        "responses": _responses(contract, failures_of(view), refusals_of(view), shown),
    }
    if contract.body:
        operation["requestBody"] = _request_body(contract.body)
    if is_public(view):
        operation["security"] = []
    path = re.sub(r"<uuid:(\w+)>", r"{\1}", rule.rule)
    methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    for method in methods:
        spec.path(path, operations={method.lower(): operation})


def _parameters(rule: Rule, contract: Contract) -> list[Any]:
    parameters: list[Any] = []
    for name in sorted(rule.arguments):
        parameters.append(
            {
                "in": "path",
                "name": name,
                "description": PATH_PARAMETERS[name],
                "schema": {"type": "string", "format": "uuid"},
            }
        )
    if contract.query:
        parameters.append({"in": "query", "schema": contract.query})
    parameters.extend(contract.request_headers)  # apispec turns a name into a reference
    return parameters


def _request_body(body: Body) -> Json:
    example = schemas.example(body.schema())
    content: Json = {"schema": body.schema, "example": example}
    if body.media_type == MULTIPART:
        content["encoding"] = {"resume": {"contentType": ", ".join(KINDS)}}
    return {"required": True, "content": {body.media_type: content}}


def _responses(
    contract: Contract, failures: list[Code], refusals: Refusals, shown: Problems
) -> Json:
    responses: Json = {}
    for status in sorted(contract.answers):
        responses[str(status)] = _answer(status, contract.answers[status])
    for status in sorted({code.status for code in failures}):
        codes = [code.key for code in failures if code.status == status]
        responses[str(status)] = _problem(status, codes, shown)
    if refusals:
        _add_refusals(responses["422"], refusals, shown)
    return responses


def _answer(status: int, answer: Answer) -> Json:
    response: Json = {
        "description": answer.description,
        "headers": _headers(status, answer.headers),
    }
    if answer.content is None:
        return response
    if isinstance(answer.content, type):
        example = schemas.example(answer.content())
        response["content"] = {JSON: {"schema": answer.content, "example": example}}
    else:
        file = {"schema": {"type": "string", "format": "binary"}}
        response["content"] = dict.fromkeys(answer.content, file)
    return response


def _problem(status: int, codes: Iterable[str], shown: Problems) -> Json:
    examples = {}
    for code in codes:
        problem = shown[code]
        examples[code] = {"summary": problem["detail"], "value": problem}
    return {
        "description": " ".join(f"`{code}`" for code in codes),
        "headers": _headers(status),
        "content": {PROBLEM: {"schema": ProblemSchema, "examples": examples}},
    }


def _add_refusals(response: Json, refusals: Refusals, shown: Problems) -> None:
    """Add the errors of each field to a response, with the first one as an example."""
    errors = []
    codes_of_fields = {}
    for field, refused in refusals.items():
        codes = [code.key for code in refused]
        codes_of_fields[field] = codes
        detail = shown[codes[0]]["detail"]
        errors.append({"pointer": f"#/{field}", "detail": detail, "code": codes[0]})
    response["x-refusals"] = codes_of_fields
    example = response["content"][PROBLEM]["examples"]["http_422"]
    example["value"] = {**example["value"], "errors": errors[:1]}


def _headers(status: int, more: Collection[str] = ()) -> Json:
    names = ["X-Request-ID", *more]
    if status in headers.BY_STATUS:
        names.append(headers.BY_STATUS[status])
    return {name: name for name in names}  # apispec turns each value into a reference
