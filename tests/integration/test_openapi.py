"""The OpenAPI document is valid and complete, matches the routes and explains each problem."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from leadapp import validation
from leadapp.api.openapi import OPTIONAL
from leadapp.codes import Code
from leadapp.errors import Refused
from tests.clients import Client
from tests.factories import LeadFactory
from tests.pages import ids

Json = dict[str, Any]
# Codes that only a page or a command uses, not the API.
ELSEWHERE = {
    "backup_damaged",
    "backup_kind",
    "backup_newer",
    "backup_unknown",
    "demo_production",
    "form_stale",
    "honeypot_filled",
    "letter_unknown",
    "mark_changed",
    "password_changed",
    "password_same",
    "present_password_wrong",
    "preview_none",
    "receipt_expired",
    "receipt_unknown",
    "reference_other",
    "reset_ended",
    "reset_off",
    "resume_changed",
    "sign_in_stale",
    "submission_count_missing",
    "undo_late",
    "restore_not_empty",
    "tool_failed",
    "tool_missing",
    "tool_pooled",
    "user_unknown",
}
pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture
def document(client: Client) -> Json:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return dict(answer.get_json())


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def with_references(document: Json, schema: Json) -> Json:
    whole = dict(schema)
    whole["components"] = document["components"]
    return whole


def examples(content: Json) -> list[Json]:
    """Returns the examples of a body in one media type."""
    found = [example["value"] for example in content.get("examples", {}).values()]
    if "example" in content:
        found.append(content["example"])
    return found


def test_the_document_is_valid(document: Json) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_the_document_and_the_routes_are_the_same(app: Flask, document: Json) -> None:
    routes: set[tuple[str, str, str]] = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            path = re.sub(r"<uuid:(\w+)>", r"{\1}", rule.rule)
            name = rule.endpoint.rpartition(".")[2]
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            routes.update((path, method.lower(), name) for method in methods)
    documented = [
        (path, method, operation["operationId"]) for path, method, operation in operations(document)
    ]
    assert set(documented) == routes
    assert len(documented) == len({name for _, _, name in documented})


def test_what_is_open_is_said_to_be(document: Json) -> None:
    opened = {
        operation["operationId"]
        for _, _, operation in operations(document)
        if operation.get("security") == []
    }
    assert opened == {"submit_lead", "register", "login"}
    assert document["security"] == [{"bearer": []}]


def test_every_path_names_its_parameters(document: Json) -> None:
    for path, _, operation in operations(document):
        named = {
            parameter["name"]
            for parameter in operation["parameters"]
            if parameter.get("in") == "path"
        }
        assert named == set(re.findall(r"{(\w+)}", path))
        assert operation["summary"]


def test_the_limits_are_those_of_the_rules(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for form in ("SubmitForm", "Register"):
        assert schemas[form]["properties"]["email"]["maxLength"] == validation.EMAIL_MAX
    password = schemas["Register"]["properties"]["password"]
    assert password["minLength"] == validation.PASSWORD_MIN
    assert password["maxLength"] == validation.PASSWORD_MAX_BYTES
    name = Draft202012Validator(schemas["SubmitForm"]["properties"]["first_name"])
    taken = [
        "é",
        "\u200b李 ",
        "O'Brien",
        "x" * validation.NAME_MAX,
        f" {'x' * validation.NAME_MAX}\t",
    ]
    too_long = "x" * (validation.NAME_MAX + 1)
    refused = ["", " ", "\u200b", "a\nb", "a\x85b", too_long]
    for text in taken:
        assert name.is_valid(text), text
    for text in refused:
        assert not name.is_valid(text), text


def test_the_pattern_of_a_name_agrees_with_its_rule() -> None:
    pattern = re.compile(validation.NAME_PATTERN)
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    for name in [text for character in characters for text in (character, f"x{character}x")]:
        try:
            accepted = bool(validation.first_name(name))
        except Refused:
            accepted = False
        assert (pattern.search(name) is not None) == accepted, ascii(name)


def test_every_example_fits_its_schema(document: Json) -> None:
    checked = 0
    for _, _, operation in operations(document):
        parts = list(operation["responses"].values())
        parts.append(operation.get("requestBody", {}))
        for part in parts:
            for kind, content in part.get("content", {}).items():
                schema = with_references(document, content["schema"])
                for example in examples(content):
                    value = dict(example)
                    if kind == "multipart/form-data":
                        value["resume"] = ""
                    Draft202012Validator(schema).validate(value)
                    checked += 1
    assert checked > 40


def test_every_answer_has_what_the_document_promises(
    client: Client, bearer: dict[str, str], document: Json
) -> None:
    lead = LeadFactory.create()
    paths = {"Lead": f"leads/{lead.id}", "Page": "leads?q=ana", "User": "auth/me"}
    for name, path in paths.items():
        answer = client.get(f"/api/v1/{path}", headers=bearer).get_json()
        schema = document["components"]["schemas"][name]
        Draft202012Validator(with_references(document, schema)).validate(answer)
        assert set(answer) == set(schema["properties"])
        assert set(answer) - OPTIONAL == set(schema["required"])


def test_every_code_of_the_api_is_explained(client: Client) -> None:
    anchors = ids(client.get("/redoc").text)
    assert len(anchors) == len(set(anchors))
    assert {code.key for code in Code} - set(anchors) == ELSEWHERE


def test_every_problem_leads_to_its_explanation(app: Flask, client: Client, document: Json) -> None:
    anchors = ids(client.get("/redoc").text)
    types = set(re.findall(r'"type": ?"(http[^"]+)"', json.dumps(document)))
    assert len(types) > 20
    for line in (
        "GET /api/v1/leads",
        "GET /api/v1/nothing",
        "DELETE /api/v1/leads",
        "POST /api/v1/leads",
    ):
        method, path = line.split()
        problem = client.open(path, method=method).get_json()
        types.add(problem["type"])
    for type_ in types:
        page, _, anchor = type_.partition("#")
        assert page == f"{app.config['BASE_URL']}/redoc"
        assert anchor in anchors


def test_the_document_follows_the_address(
    app: Flask, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "BASE_URL", "https://leads.example.com")
    assert client.get("/openapi.json").get_json()["servers"] == [
        {"url": "https://leads.example.com"}
    ]
    assert "https://leads.example.com/api/v1/leads" in client.get("/redoc").text


def test_only_files_of_swagger_ui_are_served(client: Client) -> None:
    assert client.get("/docs/swagger-ui.css").content_type == "text/css; charset=utf-8"
    for name in ("nothing.js", "..%2f__init__.py", "%2e%2e/__init__.py", "../flask_swagger_ui.py"):
        assert client.get(f"/docs/{name}").status_code == 404
