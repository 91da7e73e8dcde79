"""The API's OpenAPI 3.1 document, built from routes, views, schemas, messages and frame.json."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import current_app
from marshmallow import Schema, fields
from werkzeug.routing import Rule

from ... import validation
from ...codes import Code
from ...errors import Message
from ...extensions import BODY_MAX
from ...formatting import filesize
from ...http import readers, writers
from ...leads.search import ORDERS
from ...resumes.formats import KINDS

Json = dict[str, Any]
# The parts that are not in routes, views and schemas: the responses, body and errors of each
# operation; headers, forms and examples.
FRAME = json.loads(Path(__file__).with_name("frame.json").read_text())
SCHEMAS: dict[str, Schema] = {
    "ListedLead": writers.LeadSchema(exclude=["submissions"]),
    "MarkedLead": writers.LeadSchema(only=["id", "status", "reached_out_at"]),
} | {
    name.removesuffix("Schema"): kind()
    for name, kind in [*vars(writers).items(), *vars(readers).items()]
    if name.endswith("Schema") and kind not in (Schema, readers.QuerySchema, readers.ArrivalsSchema)
}
# The types of our own fields, which apispec does not know.
TYPES: list[tuple[type, Json]] = [
    (readers.Ruled, {"type": "string"}),
    (writers.Moment, {"type": "string", "format": "date-time"}),
    (fields.Function, {"type": "string", "format": "uri-reference"}),
]


@cache
def problems(base_url: str, max_file_size: int) -> dict[str, Json]:
    """Return an example of each problem and refusal by its code, ordered by status."""
    found = {code.key: code.key[5:] for code in Code if code.name.startswith("HTTP_")}
    for operation in FRAME["operations"].values():
        for status, codes in [
            *_fails(operation),
            *(("422", codes) for codes in operation.get("refuses", {}).values()),
        ]:
            found |= dict.fromkeys(codes, status)
    limits: Json = {"email_too_long": validation.EMAIL_MAX, "page_number": readers.PAGE_MAX}
    limits |= dict.fromkeys(("resume_too_large", "http_413"), filesize(max_file_size))
    limits["body_too_large"] = filesize(BODY_MAX)
    facts = {"choices": ", ".join(ORDERS), "username": "ana", "wait": "5 min"}
    facts.update(filename="cv.doc", kind="DOCX", renamed="cv.docx")
    return {
        code: {
            "type": f"{base_url}/redoc#{code}",
            "title": HTTPStatus(int(found[code])).phrase,
            "status": int(found[code]),
            "detail": str(
                Message(Code[code.upper()], limit=limits.get(code, validation.NAME_MAX), **facts)
            ),
            "instance": "urn:request:5f0c2a9e",
            "code": code,
        }
        for code in sorted((code.key for code in Code if code.key in found), key=found.__getitem__)
    }


@cache
def build(firm: str, base_url: str, max_file_size: int) -> Json:
    """Return the document for these settings; it is cached, so callers must not change it."""
    plugin = MarshmallowPlugin()
    spec = APISpec(
        f"{firm}: leads", "1", "3.1.0", [plugin], servers=[{"url": base_url}], **FRAME["openapi"]
    )
    # APISpec has set the converter.
    plugin.converter.add_attribute_function(_describe)  # type: ignore[union-attr]
    plugin.converter.add_parameter_attribute_function(_may_be_empty)  # type: ignore[union-attr]
    _add_components(spec)
    known = problems(base_url, max_file_size)
    for rule in current_app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/"):
            _add_operation(
                spec, rule, current_app.view_functions[rule.endpoint].__doc__ or "", known
            )
    return spec.to_dict()


def _describe(_converter: Any, field: fields.Field[Any], **_options: Any) -> Json:
    if isinstance(field, fields.Constant):
        return {"type": "string", "const": str(field.constant)}
    known = next((described for kind, described in TYPES if isinstance(field, kind)), {})
    return known | ({"type": [known["type"], "null"]} if known and field.allow_none else {})


def _may_be_empty(_converter: Any, _field: fields.Field[Any], **_options: Any) -> Json:
    # An empty value counts as not given, like an empty field of a search form.
    return {"allowEmptyValue": True}


def _add_components(spec: APISpec) -> None:
    for name, schema in SCHEMAS.items():
        spec.components.schema(name, schema=schema)
        if not isinstance(schema, readers.Reader):
            written = spec.components.schemas[name]
            del written["additionalProperties"]  # responses may get more fields later
            written["required"] = [field for field in written["properties"] if field != "errors"]
    for name, form in FRAME["forms"].items():
        spec.components.schema(name, form)
    for name, header in FRAME["headers"].items():
        spec.components.header(name, header)
    for name, condition in FRAME["conditions"].items():
        spec.components.parameter(name, "header", condition)
    spec.components.security_scheme("bearer", FRAME["bearer"])


def _add_operation(spec: APISpec, rule: Rule, docstring: str, known: dict[str, Json]) -> None:
    _, tag, view = rule.endpoint.split(".")
    name = "open_submission_resume" if "submission_id" in rule.arguments else view
    operation = FRAME["operations"][name]
    ids = [{"in": "path", "name": word, **FRAME["ids"][word]} for word in sorted(rule.arguments)]
    query: list[Any] = (
        [{"in": "query", "schema": readers.QuerySchema}] if name == "list_leads" else []
    )
    written: Json = {
        "operationId": name,
        "tags": [tag],
        "summary": operation.get("summary", docstring.partition("\n")[0].rstrip(".")),
        "parameters": ids + query + operation.get("conditions", []),
        "responses": _answers(operation, known),
    }
    if "body" in operation:
        kind, schema = operation["body"]
        written["requestBody"] = {"required": True, "content": _content(schema, [kind])}
        if kind == "multipart/form-data":
            written["requestBody"]["content"][kind]["encoding"] = {
                "resume": {"contentType": ", ".join(KINDS)}
            }
    if "token" not in operation["shares"]:
        written["security"] = []
    methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    path = re.sub(r"<uuid:(\w+)>", r"{\1}", rule.rule)
    spec.path(path, operations={method.lower(): written for method in methods})


def _fails(operation: Json) -> Iterator[tuple[str, list[str]]]:
    """Yield each status of an operation with its problem codes, its own and the shared ones."""
    tables = [FRAME["shared"][name] for name in (*operation["shares"], "all")] + [
        operation.get("fails", {})
    ]
    for status in sorted({status for table in tables for status in table}):
        yield status, [code for table in tables for code in table.get(status, [])]


def _answers(operation: Json, known: dict[str, Json]) -> Json:
    answers: Json = {}
    schema = operation.get("answer")
    for status, words in operation["gives"].items():
        answers[status] = {
            "description": words,
            "headers": _headers(status, operation.get("headers", [])),
        }
        if status != "304":
            answers[status]["content"] = _content(schema, ["application/json"] if schema else KINDS)
    for status, codes in _fails(operation):
        examples = {
            code: {"summary": known[code]["detail"], "value": dict(known[code])} for code in codes
        }
        answers[status] = {
            "description": " ".join(f"`{code}`" for code in codes),
            "headers": _headers(status, []),
            "content": {"application/problem+json": {"schema": "Problem", "examples": examples}},
        }
    if refuses := operation.get("refuses"):
        field, (code, *_) = next(iter(refuses.items()))
        refusal = {"pointer": f"#/{field}", "detail": known[code]["detail"], "code": code}
        examples = answers["422"]["content"]["application/problem+json"]["examples"]
        examples["http_422"]["value"]["errors"] = [refusal]
        answers["422"]["x-refusals"] = refuses
    return answers


def _content(schema: str | None, kinds: Iterable[str]) -> Json:
    file: Json = {"schema": {"type": "string", "format": "binary"}}
    return dict.fromkeys(
        kinds, {"schema": schema, "example": FRAME["examples"][schema]} if schema else file
    )


def _headers(status: str, more: list[str]) -> Json:
    return {
        name: name
        for name in ("X-Request-ID", *more, FRAME["headers_of"].get(status, "X-Request-ID"))
    }
