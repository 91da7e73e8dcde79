"""Every path requires a sign-in unless it is listed here; every answer has its headers."""

import itertools
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp import log, tokens
from leadapp.api.headers import RESPONSE
from leadapp.extensions import db
from leadapp.models.leads import Event, LeadStatus
from tests.clients import Client, new_client
from tests.factories import LeadFactory
from tests.pages import hidden_fields
from tests.production import PRODUCTION

# The routes open to strangers. All others require a sign-in.
PUBLIC = {
    "GET /",
    "POST /",
    "GET /submitted/<token>",
    "GET /theme.css",
    "GET /receipt/<token>",
    "POST /receipt/<token>",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/<name>",
    "GET /redoc",
    "GET /static/<path:filename>",
    "GET /health",
    "GET /ready",
    "GET /metrics",  # requires its own token
    "GET /auth/login",
    "POST /auth/login",
    "GET /auth/forgot",
    "POST /auth/forgot",
    "GET /auth/reset/<token>",
    "POST /auth/reset/<token>",
    "GET /dev/outbox",  # in development only
    "POST /api/v1/leads",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/login",
}
ORIGIN = "http://localhost:3000"
FOREIGN = "https://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization",
}
INLINE = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|javascript:", re.IGNORECASE)
ELSEWHERE = re.compile(r"\s(?:src|action|href|srcset)=[\"']?(?:https?:)?//", re.IGNORECASE)
pytestmark = pytest.mark.databases("sqlite")


def addresses(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Yield the name, method and a matching path of each route."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<uuid:\w+>", str(uuid.uuid4()), rule.rule)
        path = re.sub(r"<\w+>|<path:\w+>", "x", path)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule}", method, path


def guarded(app: Flask, under: str = "/") -> list[tuple[str, str]]:
    return [
        (method, path)
        for name, method, path in addresses(app)
        if name not in PUBLIC and path.startswith(under)
    ]


def policy(answer: TestResponse) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


@pytest.fixture
def production(
    tmp_path: Path, new_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> Client:
    """A browser at a production site that has no database yet."""
    monkeypatch.setattr(log.logger, "handlers", [])
    site = new_app(dict(PRODUCTION, INSTANCE_PATH=str(tmp_path)))
    site.test_client_class = Client
    return new_client(site)


def test_the_public_list_names_only_what_there_is(app: Flask) -> None:
    assert {name for name, _, _ in addresses(app)} >= PUBLIC


def test_a_stranger_is_asked_to_sign_in_everywhere_else(app: Flask, client: Client) -> None:
    pages = [(method, path) for method, path in guarded(app) if not path.startswith("/api/")]
    fields = hidden_fields(client.get("/auth/login").text, having="password")
    assert len(pages) >= 6
    for method, path in pages:
        answer = client.open(path, method=method, data=fields if method == "POST" else None)
        to = urlsplit(answer.location)
        assert answer.status_code == 303, path
        assert to.netloc == "", path
        assert to.path == "/auth/login", path
        assert parse_qs(to.query).get("next") == ([path] if method == "GET" else None)
    wanted = "/dashboard/?q=Jos%C3%A9&page=2"
    assert parse_qs(urlsplit(client.get(wanted).location).query)["next"] == [wanted]


def test_the_api_refuses_who_brings_no_token(app: Flask, client: Client, signed_in: Client) -> None:
    endpoints = guarded(app, "/api/")
    assert len(endpoints) >= 6
    for method, path in endpoints:
        for browser in (client, signed_in):
            answer = browser.open(path, method=method)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="leadapp"', path


def test_no_page_takes_a_form_that_is_not_its_own(app: Flask, signed_in: Client) -> None:
    lead = LeadFactory.create()
    other = {
        "POST /",  # a signed value in the form is the proof
        "POST /receipt/<token>",  # the signed address is the proof
        "POST /auth/login",  # redirects a user who is signed in
    }
    posts = [
        (name, path)
        for name, method, path in addresses(app)
        if method == "POST" and "/api/" not in path
    ]
    forms = [path for name, path in posts if name not in other]
    forms.append(f"/dashboard/leads/{lead.id}/reached-out")
    assert len(forms) >= 4
    for path in forms:
        for token in ({}, {"csrf_token": "x"}, {"csrf_token": tokens.sign_form_id()}):
            answer = signed_in.post(path, data=dict(token, submission_count=1))
            assert answer.status_code == 400, path
    assert signed_in.get("/dashboard/").status_code == 200
    db.session.refresh(lead)
    assert lead.status == LeadStatus.PENDING
    assert db.session.scalars(select(Event)).all() == []


def frame_rule(method: str, path: str) -> str:
    """Return which sites may show this page in a frame."""
    framed = path == "/" or path.startswith("/submitted/")
    if path.endswith("/preview"):
        framed = True
    if framed and method != "DELETE":
        return "'self'"
    return "'none'"


def test_every_answer_brings_its_headers(
    app: Flask, signed_in: Client, bearer: dict[str, str]
) -> None:
    lead = LeadFactory.create()
    paths = [(method, path) for _, method, path in addresses(app)]
    paths += [
        ("GET", f"/dashboard/leads/{lead.id}"),
        ("GET", f"/api/v1/leads/{lead.id}"),
        ("GET", f"/submitted/{tokens.sign_page('submitted', uuid.uuid4())}"),
        ("GET", "/nothing"),
        ("DELETE", "/"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/dashboard"),
    ]
    for method, path in paths:
        answer = signed_in.open(path, method=method, headers=bearer)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        rules = policy(answer)
        assert rules["default-src"] == ["'none'"]
        ancestors = rules.pop("frame-ancestors")
        assert ancestors == [frame_rule(method, path)], path
        allowed = set(itertools.chain.from_iterable(rules.values()))
        assert allowed == {"'none'", "'self'"}
        if path.startswith(("/dashboard", "/api/", "/submitted/")):
            assert answer.headers["Cache-Control"] == "no-store", path


def test_pages_need_nothing_that_their_policy_forbids(signed_in: Client) -> None:
    lead = LeadFactory.create(first_name="<script>alert(1)</script>", last_name="\" onclick='x'")
    for path in (
        "/",
        "/auth/login",
        "/dashboard/",
        f"/dashboard/leads/{lead.id}",
        "/nothing",
        "/dev/outbox",
    ):
        page = signed_in.get(path).text.replace("&#34; onclick=&#39;x&#39;", "")
        assert not INLINE.search(page), path
        assert not ELSEWHERE.search(page), path


def test_only_sites_of_the_firm_may_frame_the_form(
    app: Flask, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "EMBED_ORIGINS", ["https://firm.example"])
    assert policy(client.get("/"))["frame-ancestors"] == ["'self'", "https://firm.example"]
    for path in ("/auth/login", "/dashboard/", "/nothing"):
        assert policy(client.get(path))["frame-ancestors"] == ["'none'"]


def test_https_is_kept_to(client: Client, production: Client) -> None:
    assert "Strict-Transport-Security" not in client.get("/").headers
    assert production.get("/").headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_production_shows_no_letters(production: Client) -> None:
    assert production.get("/dev/outbox").status_code == 404


def get_from(client: Client, origin: str, path: str) -> TestResponse:
    """Send a GET request as a script of this site does."""
    return client.get(path, headers={"Origin": origin})


def test_scripts_of_known_sites_only_may_read_the_api(client: Client) -> None:
    path = f"/api/v1/leads/{uuid.uuid4()}"
    answers = [get_from(client, origin, path) for origin in (ORIGIN, FOREIGN, "null")]
    shared = [answer.headers.get("Access-Control-Allow-Origin") for answer in answers]
    assert shared == [ORIGIN, None, None]
    assert all("Origin" in answer.vary for answer in answers)
    ours = client.options(path, headers=dict(PREFLIGHT, Origin=ORIGIN))
    foreign = client.options(path, headers=dict(PREFLIGHT, Origin=FOREIGN))
    assert (ours.status_code, foreign.status_code) == (200, 200)
    assert ours.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = ours.headers["Access-Control-Expose-Headers"].split(", ")
    assert set(exposed) == set(RESPONSE)
    methods = ours.headers["Access-Control-Allow-Methods"].split(", ")
    assert {"PATCH", "POST", "GET"} <= set(methods)
    names = ours.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type"} <= set(names)
    assert "Access-Control-Allow-Origin" not in foreign.headers
    answers += [ours, foreign, get_from(client, ORIGIN, "/dashboard/")]
    for answer in answers:
        assert "Access-Control-Allow-Credentials" not in answer.headers
    form = get_from(client, ORIGIN, "/")
    assert "Access-Control-Allow-Origin" not in form.headers
