"""Errors in our own words, as a problem under /api and a page elsewhere; the request log."""

import errno
import html
import io
import json
import sys
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from flask import Flask, current_app
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from leadapp import log, tokens
from leadapp.codes import Code
from leadapp.errors import Message
from leadapp.leads import search, submit
from leadapp.models.accounts import User
from tests import samples
from tests.clients import Client
from tests.factories import PASSWORD, LeadFactory
from tests.faults import (
    SECRET,
    Patch,
    failing,
    full_disk,
    no_connection,
    no_database,
    no_folder,
    no_store,
    setting,
)

ANA = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
ZOE = {"first_name": "Zebedee", "last_name": "Quux", "email": "zebedee@example.com"}
RESUME = FileStorage(io.BytesIO(samples.pdf()), "zebedee.pdf")
BOUNDARY, UPLOAD = encode_multipart({**ZOE, "resume": RESUME})
FORM = {"data": UPLOAD, "content_type": f"multipart/form-data; boundary={BOUNDARY}"}
BEARER = {"WWW-Authenticate": 'Bearer realm="leadapp"'}
DOOR = {"Allow": "GET, HEAD, OPTIONS, POST"}
FULL = OSError(errno.ENOSPC, SECRET)
CLOSED, LATER = {"Connection": "close"}, {"Retry-After": "60"}
SMALL = setting("MAX_CONTENT_LENGTH", 1000)
BUG = failing(search, "search", RuntimeError(SECRET))


class Case(NamedTuple):
    """A request, its data, the fault to cause and the expected answer."""

    line: str
    status: int
    code: str
    sent: dict[str, Any] = {}
    fault: Callable[[Patch], None] | None = None
    headers: dict[str, str] = {}


REFUSALS = [
    Case("GET /api/v1/nothing", 404, "http_404"),
    Case("GET /nothing", 404, "http_404"),
    Case("DELETE /api/v1/leads", 405, "http_405", headers=DOOR),
    Case("DELETE /", 405, "http_405", headers=DOOR),
    Case("POST /auth/logout", 400, "http_400"),
    Case(
        "PATCH /api/v1/leads/{id}",
        400,
        "json_unreadable",
        {"data": "{", "content_type": "application/json"},
    ),
    Case("PATCH /api/v1/leads/{id}", 415, "json_expected", {"data": "status=REACHED_OUT"}),
    Case("PATCH /api/v1/leads/{id}", 409, "status_transition", {"json": {"status": "PENDING"}}),
    Case("POST /api/v1/leads", 415, "form_expected", {"json": ZOE}),
    Case(
        "POST /api/v1/leads", 422, "http_422", {"data": ZOE, "content_type": "multipart/form-data"}
    ),
    Case("POST /api/v1/leads", 413, "http_413", FORM, SMALL, CLOSED),
    Case("POST /", 413, "http_413", FORM, SMALL, CLOSED),
    Case("GET /dashboard/?page=x", 422, "http_422"),
    Case(
        "POST /api/v1/auth/login",
        401,
        "bad_credentials",
        {"data": {"username": "nobody"}},
        headers=BEARER,
    ),
    Case(
        "POST /api/v1/auth/register",
        403,
        "registration_closed",
        {"json": ANA},
        setting("REGISTRATION", "closed"),
    ),
]
FAILURES = [
    Case("GET /api/v1/leads", 500, "http_500", fault=BUG),
    Case("GET /dashboard/", 500, "http_500", fault=BUG),
    Case(
        "GET /api/v1/leads", 503, "storage_unavailable", {}, failing(search, "search", FULL), LATER
    ),
    Case("GET /api/v1/leads", 503, "database_unavailable", {}, no_database, LATER),
    Case("GET /api/v1/leads", 503, "database_unavailable", {}, no_connection, LATER),
    Case("POST /api/v1/leads", 503, "database_unavailable", FORM, no_database, LATER),
    Case("GET /dashboard/", 503, "database_unavailable", {}, no_database, LATER),
    Case("GET /submitted/{token}", 503, "database_unavailable", {}, no_database, LATER),
    Case("POST /api/v1/leads", 503, "storage_unavailable", FORM, no_store, LATER),
    Case("POST /api/v1/leads", 503, "storage_unavailable", FORM, no_folder, LATER),
    Case("POST /api/v1/leads", 503, "storage_unavailable", FORM, full_disk, LATER),
    Case("POST /", 503, "storage_unavailable", FORM, full_disk, LATER),
]


@pytest.fixture
def ask(
    app: Flask,
    signed_in: Client,
    bearer: dict[str, str],
) -> Callable[[Case], TestResponse]:
    """Returns a function that sends a case as an attorney, with cookie and token.

    In the path, `{id}` is the id of a lead and `{token}` the token of a confirmation page.
    """
    lead_id = LeadFactory.create().id
    token = tokens.sign_page("submitted", uuid.uuid4())

    def send(case: Case) -> TestResponse:
        method, path = case.line.format(id=lead_id, token=token).split()
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
            if case.fault:
                case.fault(patch)
            return signed_in.open(path, method=method, headers=bearer, **case.sent)

    return send


def check(case: Case, answer: TestResponse) -> None:
    """Checks that the answer explains the error in our own words and reveals no internals."""
    words = Message(Code[case.code.upper()], limit="5 MB")
    request_id = answer.headers["X-Request-ID"]
    assert answer.status_code == case.status
    assert SECRET not in answer.text
    headers = dict(answer.headers)
    headers["Allow"] = ", ".join(sorted(answer.allow))
    assert headers.items() >= case.headers.items()
    if "/api/" not in case.line:
        page = html.unescape(answer.text)
        assert answer.content_type == "text/html; charset=utf-8"
        for part in (words, request_id, current_app.config["CONTACT_TEXT"]):
            assert part in page
        return
    problem = answer.get_json()
    errors = problem.pop("errors", [])
    assert answer.content_type == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "instance", "code"}
    assert problem["status"] == case.status
    assert problem["code"] == case.code
    assert problem["detail"] == words
    assert problem["instance"] == f"urn:request:{request_id}"
    for error in errors:
        assert set(error) == {"pointer", "detail", "code"}
    assert bool(errors) == (case.status == 422)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case.line} {case.code}")
def test_what_cannot_be_answered_is_told(ask: Callable[[Case], TestResponse], case: Case) -> None:
    check(case, ask(case))


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: f"{case.line} {case.code}")
def test_what_failed_on_our_side_is_told(ask: Callable[[Case], TestResponse], case: Case) -> None:
    check(case, ask(case))


@pytest.mark.databases("sqlite")
def test_a_request_keeps_the_id_it_came_with(client: Client) -> None:
    for theirs in ("abc-1.2_X", "x" * 64):
        kept = client.get("/health", headers={"X-Request-ID": theirs})
        assert kept.headers["X-Request-ID"] == theirs
    for theirs in ("", "a b", "x" * 65, '"><script>', "é"):
        ours = client.get("/nothing", headers={"X-Request-ID": theirs})
        request_id = ours.headers["X-Request-ID"]
        assert request_id == uuid.UUID(request_id).hex


@pytest.fixture
def written(
    app: Flask,
    bearer: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> io.StringIO:
    """Returns the log of the test."""
    monkeypatch.setattr(log.logger, "handlers", [])
    # import-linter disables the loggers that it finds.
    monkeypatch.setattr(log.logger, "disabled", False)
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    log.configure("INFO")
    return lines


def test_a_request_is_a_line_that_names_no_person(
    client: Client,
    attorney: User,
    bearer: dict[str, str],
    written: io.StringIO,
) -> None:
    answer = client.post("/api/v1/leads", **FORM)
    token = tokens.sign_page("submitted", uuid.UUID(answer.get_json()["id"]))
    headers = {"X-Request-ID": "abc", **bearer}
    client.get("/api/v1/leads?q=Zebedee", headers=headers)
    client.get(f"/submitted/{token}")
    lines = written.getvalue().splitlines()
    sent, listed, seen = map(json.loads, lines)
    facts = {
        "request_id": "abc",
        "method": "GET",
        "route": "/api/v1/leads",
        "status": 200,
        "user": str(attorney.id),
    }
    assert listed.items() >= facts.items()
    assert sent["user"] is None
    assert listed["duration_ms"] > 0
    assert seen["route"] == "/submitted/<token>"
    for private in (
        "zebedee",
        "quux",
        "example.com",
        token,
        bearer["Authorization"][7:],
        attorney.username,
    ):
        assert private.lower() not in written.getvalue().lower()


def test_a_bug_is_logged_with_where_it_is_and_without_the_token(
    app: Flask, client: Client, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    failing(submit, "read_receipt", RuntimeError("a bug"))(monkeypatch)
    token = tokens.sign_page("submitted", uuid.uuid4())
    assert client.get(f"/submitted/{token}").status_code == 500
    line = json.loads(written.getvalue().splitlines()[0])
    assert "RuntimeError" in line["traceback"]
    assert token not in written.getvalue()
