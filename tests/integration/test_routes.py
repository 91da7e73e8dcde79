"""Each route's guard, proof of origin and caching match docs/security.md."""

import re
import uuid

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.clients import Client
from tests.factories import LetterFactory
from tests.integration.desk import LIST
from tests.pages import hidden_fields
from tests.servers import ROOT

pytestmark = pytest.mark.databases("sqlite")
DOCUMENT = ROOT / "docs" / "security.md"
FILES = {"filename": "icon.svg", "name": "swagger-ui.css"}


def routes(app: Flask) -> list[tuple[Rule, str]]:
    rules = sorted(
        app.url_map.iter_rules(),
        key=lambda rule: (rule.rule, sorted(rule.methods or ())),
    )
    found = []
    for rule in rules:
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        found += [(rule, method) for method in sorted(methods)]
    return found


def guard(stranger: Client, method: str, path: str) -> str:
    """Return the credential that a route requires, according to its answer."""
    form = stranger.get("/auth/login").text
    data = None
    if method == "POST":
        data = hidden_fields(form, having="password")
    answer = stranger.open(path, method=method, data=data)
    if answer.status_code == 401:
        return "token"
    if answer.location and answer.location.startswith("/auth/login"):
        return "session"
    return "anybody"


def proof(app: Flask, rule: Rule, method: str) -> str:
    """Return the proof that a form comes from our own site."""
    if method == "GET":
        return ""
    if rule.rule.startswith("/api/"):
        return "no cookie counts"
    view = app.view_functions[rule.endpoint]
    exempt = f"{view.__module__}.{view.__name__}" in app.extensions["csrf"]._exempt_views
    checks_itself = rule.endpoint == "auth.login"  # its form checks the token
    if exempt and not checks_itself:
        return "signed by us"
    return "form token"


def test_every_route_is_in_the_table_as_it_is(
    app: Flask,
    client: Client,
    signed_in: Client,
    bearer: dict[str, str],
) -> None:
    letter = LetterFactory.create()
    assert letter.submission is not None
    ids = {
        "lead_id": letter.submission.lead_id,
        "submission_id": letter.submission_id,
        "letter_id": letter.id,
    }
    known = ids | FILES
    table = []

    def value(part: re.Match[str]) -> str:
        return str(known.get(part[1], "x"))

    for rule, method in routes(app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", value, rule.rule)
        asks = guard(client, method, path)
        shows = proof(app, rule, method)
        sent = None
        if method == "POST":
            # An empty body would be rejected as unreadable.
            sent = {"first_name": "Ana"}
        answer = signed_in.open(path, method=method, headers=bearer, data=sent)
        cache = answer.headers["Cache-Control"]
        if asks == "session" and method == "POST":
            without_token = signed_in.open(path, method=method)
            assert without_token.status_code == 400, path
        table.append(f"| `{method} {rule.rule}` | {asks} | {shows} | {cache} |")
    written = re.findall(r"^\| `[A-Z]+ /.*$", DOCUMENT.read_text(), re.MULTILINE)
    rows = "\n".join(table)
    assert written == table, f"the table of routes in docs/security.md must be:\n{rows}"


def test_every_test_that_the_document_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT.read_text()))
    files = (ROOT / "tests").rglob("test_*.py")
    tests = "".join(path.read_text() for path in files)
    assert len(named) > 60
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_a_button_pressed_after_the_session_has_ended_leads_to_sign_in(signed_in: Client) -> None:
    page = hidden_fields(signed_in.get(LIST).text, action="/auth/logout")
    signed_in.post("/auth/logout", data=page)
    for path in ("/auth/logout", f"/dashboard/leads/{uuid.uuid4()}/reached-out"):
        answer = signed_in.post(path, data=page)
        assert (answer.status_code, answer.location) == (303, "/auth/login")
