"""The API's own document (OpenAPI 3.1), made of its routes, views, schemas and messages."""

import json
import re
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import current_app
from marshmallow import fields
from werkzeug.routing import Rule

from ... import rules
from ...errors import MESSAGES, Message
from ...resumes import KINDS
from ...schemas import readers, writers
from ...triage import ORDERS
from ...wording import filesize
from .operations import EVERYWHERE, JSON, OPERATIONS, UPLOAD, Operation

Json = dict[str, Any]
FRAME = json.loads(Path(__file__).with_name("frame.json").read_text())  # what neither route, view nor schema says
SCHEMAS = {
    "Submission": writers.SubmissionSchema(),
    "Lead": writers.LeadSchema(),
    "ListedLead": writers.LeadSchema(exclude=["submissions"]),
    "MarkedLead": writers.LeadSchema(only=["id", "status", "reached_out_at"]),
    "Submitted": writers.SubmittedSchema(),
    "Page": writers.PageSchema(),
    "User": writers.UserSchema(),
    "Registered": writers.RegisteredSchema(),
    "Token": writers.TokenSchema(),
    "Refusal": writers.RefusalSchema(),
    "Problem": writers.ProblemSchema(),
    "Register": readers.RegisterSchema(),
    "Status": readers.StatusSchema(),
}
HEADERS_OF = {206: "Content-Range", 401: "WWW-Authenticate", 416: "Content-Range"}
HEADERS_OF |= {429: "Retry-After", 503: "Retry-After"}
# What apispec cannot know of our kinds of field.
TYPES: list[tuple[type, Json]] = [
    (readers.Ruled, {"type": "string"}),
    (writers.Moment, {"type": "string", "format": "date-time"}),
    (fields.Function, {"type": "string", "format": "uri-reference"}),
    (fields.Constant, {"type": "string"}),
]


@cache
def problems(base_url: str, max_file_size: int) -> dict[str, Json]:
    """Give an example of every problem and refusal of the API by its code, in the order of their statuses."""
    found = {code: int(code[5:]) for code in MESSAGES if code.startswith("http_")}
    for operation in OPERATIONS.values():
        for status, codes in [*EVERYWHERE.items(), *operation.fails.items()]:
            found |= dict.fromkeys(codes, status)
        for codes in operation.refuses.values():
            found |= dict.fromkeys(codes, 422)
    limits: Json = {"email_too_long": rules.EMAIL_MAX, "page_number": readers.PAGE_MAX}
    limits |= dict.fromkeys(("resume_too_large", "http_413"), filesize(max_file_size))
    facts = {"choices": ", ".join(ORDERS), "username": "ana", "wait": "5 min"}
    return {
        code: {
            "type": f"{base_url}/redoc#{code}",
            "title": HTTPStatus(found[code]).phrase,
            "status": found[code],
            "detail": str(Message(code, limit=limits.get(code, rules.NAME_MAX), **facts)),
            "instance": "urn:request:5f0c2a9e",
            "code": code,
        }
        for code in sorted(MESSAGES, key=lambda code: found.get(code, 0))
        if code in found
    }


@cache
def build(firm: str, base_url: str, max_file_size: int) -> Json:
    """Write the document, once for the settings it speaks of; nobody may change it."""
    plugin = MarshmallowPlugin()
    spec = APISpec(f"{firm}: leads", "1", "3.1.0", [plugin], servers=[{"url": base_url}], **FRAME["openapi"])
    plugin.converter.add_attribute_function(_describe)  # type: ignore[union-attr]  # APISpec has made it
    plugin.converter.add_parameter_attribute_function(_may_be_empty)  # type: ignore[union-attr]
    _add_components(spec)
    known = problems(base_url, max_file_size)
    for rule in current_app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/"):
            _add_operation(spec, rule, current_app.view_functions[rule.endpoint].__doc__ or "", known)
    return spec.to_dict()


def _describe(_converter: Any, field: fields.Field[Any], **_options: Any) -> Json:
    described = {name: value for kind, known in TYPES if isinstance(field, kind) for name, value in known.items()}
    if isinstance(field, fields.Constant):
        described["const"] = str(field.constant)
    if field.name == "reached_out_at":
        described["type"] = ["string", "null"]
    return described


def _may_be_empty(_converter: Any, _field: fields.Field[Any], **_options: Any) -> Json:
    return {"allowEmptyValue": True}  # it counts as not given, as in an empty field of a search form


def _add_components(spec: APISpec) -> None:
    for name, schema in SCHEMAS.items():
        spec.components.schema(name, schema=schema)
        if not isinstance(schema, readers.Reader):
            written = spec.components.schemas[name]
            del written["additionalProperties"]  # answers may grow
            written["required"] = [field for field in written["properties"] if field != "errors"]
    for name, header in FRAME["headers"].items():
        spec.components.header(name, header)
    for name, condition in FRAME["conditions"].items():
        spec.components.parameter(name, "header", condition)
    spec.components.security_scheme("bearer", FRAME["bearer"])
    for name, form in FRAME["forms"].items():
        spec.components.schema(name, form)


def _add_operation(spec: APISpec, rule: Rule, docstring: str, known: dict[str, Json]) -> None:
    _, tag, name = rule.endpoint.split(".")
    if "submission_id" in rule.arguments:
        name = "open_submission_resume"
    operation = OPERATIONS[name]
    uuid = {"type": "string", "format": "uuid"}
    ids = [
        {"in": "path", "name": word, "description": FRAME["ids"][word], "schema": uuid}
        for word in sorted(rule.arguments)
    ]
    query: list[Any] = [{"in": "query", "schema": readers.QuerySchema}] if name == "list_leads" else []
    written: Json = {
        "operationId": name,
        "tags": [tag],
        "summary": docstring.partition("\n")[0].rstrip("."),
        "parameters": ids + query + operation.conditions,
        "responses": _answers(operation, known),
    }
    if operation.body:
        written["requestBody"] = {"required": True, "content": _content(operation.body[1], [operation.body[0]])}
        if operation.body[0] == UPLOAD:
            written["requestBody"]["content"][UPLOAD]["encoding"] = {"resume": {"contentType": ", ".join(KINDS)}}
    if operation.is_open:
        written["security"] = []
    path = re.sub(r"<uuid:(\w+)>", r"{\1}", rule.rule)
    methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    spec.path(path, operations={method.lower(): written for method in methods})


def _answers(operation: Operation, known: dict[str, Json]) -> Json:
    answers: Json = {}
    for status, words in operation.gives.items():
        answers[str(status)] = {"description": words, "headers": _headers(status, operation.headers)}
        if status != 304:
            answers[str(status)]["content"] = _content(operation.schema, [JSON] if operation.schema else KINDS)
    for status in sorted({*operation.fails, *EVERYWHERE}):
        codes = operation.fails.get(status, []) + EVERYWHERE.get(status, [])
        examples = {code: {"summary": known[code]["detail"], "value": dict(known[code])} for code in codes}
        answers[str(status)] = {
            "description": " ".join(f"`{code}`" for code in codes),
            "headers": _headers(status, []),
            "content": {"application/problem+json": {"schema": "Problem", "examples": examples}},
        }
    if operation.refuses:
        field, (code, *_) = next(iter(operation.refuses.items()))
        refusal = {"pointer": f"#/{field}", "detail": known[code]["detail"], "code": code}
        [content] = answers["422"]["content"].values()
        content["examples"]["http_422"]["value"]["errors"] = [refusal]
        answers["422"]["x-refusals"] = operation.refuses
    return answers


def _content(schema: str | None, kinds: Iterable[str]) -> Json:
    file: Json = {"schema": {"type": "string", "format": "binary"}}
    content = {"schema": schema, "example": FRAME["examples"][schema]} if schema else file
    return dict.fromkeys(kinds, content)


def _headers(status: int, more: list[str]) -> Json:
    return {name: name for name in ("X-Request-ID", *more, HEADERS_OF.get(status, "X-Request-ID"))}
