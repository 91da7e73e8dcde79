"""The headers of every answer, the accepted host names, and the lifetime of a session."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from werkzeug.exceptions import abort

from leadapp import errors, log
from leadapp.clock import now
from leadapp.codes import Code
from leadapp.http.marks import public
from leadapp.models.accounts import User
from tests.clients import Client, new_client
from tests.integration.test_sign_in import is_in, session_of
from tests.production import PRODUCTION

pytestmark = pytest.mark.databases("sqlite")
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A page and an endpoint: the method and the view of each path.
VIEWS = {
    "/health": ("GET", "health.health"),
    "/api/v1/auth/login": ("POST", "api.auth.login"),
}


@pytest.fixture
def production(
    app: Flask, tmp_path: Path, new_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> Client:
    """A browser at a production site behind one proxy."""
    monkeypatch.setattr(log.logger, "handlers", [])
    settings = {"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": app.config["DATABASE_URL"]}
    site = new_app(PRODUCTION | settings)
    site.test_client_class = Client
    return new_client(site)


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/health", "/static/icon.svg", "/api/v1/leads", "/openapi.json"]
)
def test_every_kind_of_answer_brings_the_same_headers(production: Client, path: str) -> None:
    answer = production.get(path, base_url="https://leads.example.com")
    assert dict(answer.headers).items() >= ALWAYS.items()
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("leads.example.com", 200),
        ("LEADS.example.com:443", 200),
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("leads.example.com.evil.example", 400),
        ("leads.example.com@evil.example", 400),
        ("leads.example.com evil.example", 400),
        ("[::1]evil.example", 400),
        ("", 400),
    ],
)
def test_a_site_answers_to_its_own_names_only(production: Client, host: str, status: int) -> None:
    answer = production.get("/auth/forgot", headers={"Host": host})
    assert answer.status_code == status
    assert (Code.HOST_UNKNOWN.words in answer.text) == (status == 400)
    # A health probe may know only the IP address, so /health accepts any host.
    assert production.get("/health", headers={"Host": host}).status_code == 200


def test_a_foreign_name_is_a_problem_of_the_api_too(client: Client) -> None:
    answer = client.get("/api/v1/leads", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.get_json()["code"] == "host_unknown"


def test_only_a_trusted_proxy_names_the_client(
    client: Client, production: Client, attorney: User
) -> None:
    def tries(browser: Client) -> list[int]:
        data = {"username": attorney.username, "password": "Wrong-horse-7"}
        statuses = []
        for number in range(11):
            named = {"X-Forwarded-For": f"192.0.2.{number}"}
            answer = browser.post("/api/v1/auth/login", data=data, headers=named)
            statuses.append(answer.status_code)
        return statuses

    assert tries(client) == [401] * 10 + [429]
    assert tries(production) == [401] * 11


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 413, 415, 422, 429, 500, 503])
@pytest.mark.parametrize("path", VIEWS)
def test_each_failure_has_a_page_and_a_problem(
    app: Flask, client: Client, path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {
        429: errors.LeadappError(Code.HTTP_429, retry_after=90, wait="2 min"),
        503: errors.Unavailable(Code.HTTP_503),
    }

    @public
    def fail() -> None:
        if status in own:
            raise own[status]
        abort(status)

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    method, view = VIEWS[path]
    monkeypatch.setitem(app.view_functions, view, fail)
    answer = client.open(path, method=method)
    words = errors.Message(Code[f"HTTP_{status}"], wait="2 min", limit="5 MB")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == {429: "90", 503: "60"}.get(status)
    if path == "/health":
        assert words in answer.text
        assert app.config["CONTACT_TEXT"] in answer.text
        assert answer.headers["X-Request-ID"] in answer.text
        assert "Go to the form" in answer.text
    else:
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["detail"] == words


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(
    app: Flask, signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = app.view_functions["dashboard.list_leads"]
    monkeypatch.setattr(view, "is_polled", True, raising=False)
    start, cookie = now(), session_of(signed_in)
    with time_machine.travel(start + timedelta(hours=7), tick=False):
        assert is_in(signed_in)
    assert session_of(signed_in) == cookie
    with time_machine.travel(start + timedelta(hours=8, minutes=1), tick=False):
        assert not is_in(signed_in)


def test_of_a_thing_said_twice_the_first_counts(client: Client, bearer: dict[str, str]) -> None:
    path = "/api/v1/leads?size=7&size=100&page=1&page=9"
    answer = client.get(path, headers=bearer).get_json()
    assert (answer["size"], answer["page"]) == (7, 1)
