"""Attacks on the real server that docs/security.md promises to withstand."""

import json
import re
import socket
import time
from collections.abc import Iterator

import httpx
import jwt
import pytest

from leadapp.codes import Code
from tests import samples
from tests.factories import PASSWORD
from tests.pages import forms, hidden_fields
from tests.servers.gunicorn import SECRET_KEY
from tests.site import Site

ME, HOME, LOGIN = "/api/v1/auth/me", "/dashboard/", "/auth/login"
FORWARDED = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}


@pytest.fixture
def signed_in(site: Site) -> Iterator[httpx.Client]:
    """An HTTP client that is signed in as `ana`."""
    with site.client() as client:
        assert sign_in(client).headers["Location"] == HOME
        yield client


def sign_in(client: httpx.Client, username: str = "ana", **more: str) -> httpx.Response:
    fields = hidden_fields(client.get(LOGIN).text, having="password")
    fields.update(username=username, password=PASSWORD)
    fields.update(more)
    return client.post(LOGIN, data=fields)


def read_to_end(line: socket.socket) -> bytes:
    return b"".join(iter(lambda: line.recv(4096), b""))


def me(site: Site, token: str) -> int:
    return httpx.get(f"{site.url}{ME}", headers={"Authorization": f"Bearer {token}"}).status_code


def test_no_forged_token_opens_the_api(site: Site) -> None:
    token = site.token("ana", PASSWORD)
    good = jwt.decode(token, options={"verify_signature": False})
    assert me(site, token) == 200
    assert me(site, jwt.encode(good, SECRET_KEY, "HS256")) == 200
    late, early = dict(good), dict(good)
    late["exp"] = int(time.time()) - 11
    early["nbf"] = int(time.time()) + 60
    forged = {
        "alg=none": jwt.encode(good, "", "none"),
        "another algorithm": jwt.encode(good, SECRET_KEY, "HS384"),
        "a foreign key": jwt.encode(good, "f" * 40, "HS256"),
        "a key of its own": jwt.encode(
            good, "f" * 40, "HS256", headers={"jwk": {"kty": "oct", "k": "Zm"}}
        ),
        "expired": jwt.encode(late, SECRET_KEY, "HS256"),
        "not yet": jwt.encode(early, SECRET_KEY, "HS256"),
    }
    for claim in ("jti", "exp", "sub", "iat"):
        lacking = dict(good)
        del lacking[claim]
        forged[f"no {claim}"] = jwt.encode(lacking, SECRET_KEY, "HS256")
    for name, token in forged.items():
        assert me(site, token) == 401, name


def test_a_cookie_is_nothing_to_the_api_and_a_token_nothing_to_pages(
    site: Site, signed_in: httpx.Client
) -> None:
    assert signed_in.get(HOME).status_code == 200
    assert signed_in.get(ME).status_code == 401
    bearer = {"Authorization": f"Bearer {site.token('ana', PASSWORD)}"}
    assert httpx.get(f"{site.url}{ME}", headers=bearer).status_code == 200
    page = httpx.get(f"{site.url}{HOME}", headers=bearer)
    assert page.headers["Location"].startswith(LOGIN)


def test_a_planted_session_stays_a_strangers(site: Site) -> None:
    with site.client() as thief, site.client() as victim:
        thief.get(LOGIN)
        victim.cookies = httpx.Cookies(thief.cookies)
        sign_in(victim)
        assert victim.get(HOME).status_code == 200
        assert thief.get(HOME).status_code == 303


def test_a_copied_cookie_ends_with_the_sign_out(site: Site, signed_in: httpx.Client) -> None:
    with site.client() as thief:
        thief.cookies = httpx.Cookies(signed_in.cookies)
        assert thief.get(HOME).status_code == 200
        page = signed_in.get(HOME).text
        fields = hidden_fields(page, action="/auth/logout")
        assert signed_in.post("/auth/logout", data=fields).status_code == 303
        assert thief.get(HOME).status_code == 303


def test_a_disabled_user_is_out_at_once(site: Site, signed_in: httpx.Client) -> None:
    token = site.token("ana", PASSWORD)
    assert site.server.flask("user", "disable", "ana").returncode == 0
    assert signed_in.get(HOME).status_code == 303
    assert me(site, token) == 401
    site.server.flask("user", "enable", "ana")
    assert signed_in.get(HOME).status_code == 303
    assert me(site, token) == 401


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"]
)
def test_nobody_is_led_elsewhere(site: Site, wanted: str) -> None:
    with site.client() as client:
        assert sign_in(client, next=wanted).headers["Location"] == HOME


def test_no_form_is_taken_without_its_token(site: Site, signed_in: httpx.Client) -> None:
    fields = {"first_name": "Ana", "last_name": "Ruiz", "email": "zoe@example.com"}
    made = signed_in.post("/api/v1/leads", data=fields, files=samples.upload())
    lead = made.json()["id"]
    httpx.post(f"{site.url}/auth/forgot")
    with site.client() as stranger:
        asked = hidden_fields(stranger.get("/auth/forgot").text, having="email")
        asked["email"] = "ana@example.com"
        stranger.post("/auth/forgot", data=asked)
    letter = site.smtp.wait_for_one_to("ana@example.com", 3)
    [reset] = re.findall(rf"{site.url}(/auth/reset/\S+)", letter.text)
    posts = {LOGIN}
    for path in (LOGIN, "/auth/password", "/auth/forgot", reset, HOME, f"/dashboard/leads/{lead}"):
        # A signed-in user would be redirected from the sign-in page.
        with site.client() as stranger:
            client = {LOGIN: stranger}.get(path, signed_in)
            page = client.get(path)
        assert page.status_code == 200, path
        for form in forms(page.text):
            if "csrf_token" in form.names:
                posts.add(form.action or path)
    assert {"/auth/logout", "/auth/password", "/auth/forgot", reset} < posts
    for path in posts:
        for token in ({}, {"csrf_token": "x"}):
            with site.client() as stranger:
                client = {LOGIN: stranger}.get(path, signed_in)
                assert client.post(path, data=token).status_code == 400, path
    assert signed_in.get(HOME).status_code == 200


def test_the_server_does_not_take_others_names(site: Site) -> None:
    for path in ("/", "/nothing", "/health", "/api/v1/leads"):
        answer = httpx.get(f"{site.url}{path}", headers=FORWARDED)
        assert "Strict-Transport-Security" not in answer.headers
        assert "evil.example" not in answer.text
    for host in ("evil.example", "[a:b]", "[", "127.0.0.1:x"):
        assert httpx.get(site.url, headers={"Host": host}).status_code == 400, host
    assert httpx.request("TRACE", site.url).status_code == 405


@pytest.mark.parametrize("path", ["/", "/api/v1/leads"])
@pytest.mark.parametrize(
    ("length", "body"),
    [
        ("Transfer-Encoding: chunked", b"ZZ\r\nabc"),
        ("Transfer-Encoding: chunked", b"5\r\n--x\r\n"),
        ("Content-Length: 500", b"--x\r\nContent-Disposition: form-data"),
    ],
    ids=["bad chunk", "cut chunk", "cut"],
)
def test_a_body_that_cannot_be_read_is_their_fault(
    site: Site, path: str, length: str, body: bytes
) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
    )
    with site.connect() as line:
        line.sendall(f"{head}{length}\r\n\r\n".encode() + body)
        line.shutdown(socket.SHUT_WR)
        answer = read_to_end(line)
    assert answer.startswith(b"HTTP/1.1 400")
    assert Code.BODY_UNREADABLE.words.encode() in answer


def test_two_lengths_of_one_body_are_refused(site: Site) -> None:
    head = (
        "POST /auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with site.connect() as line:
        line.sendall(f"{head}0\r\n\r\nGET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        answer = read_to_end(line).decode()
    assert answer.startswith("HTTP/1.1 400")
    assert "healthy" not in answer


@pytest.mark.parametrize(
    "lines",
    [
        "GET / HTTP/1.1\r\nX-Token planted-secret",
        "GET / HTTP/1.1\r\nAuthorization : Bearer planted-secret",
        "GET / HTTP/1.1\r\nplanted-secret, \\n: x",
        "GET / HTTP/1.1\r\nExpect: planted-secret",
        "GET /auth/reset/planted secret HTTP/1.1",
        "GET / planted-secret",
    ],
)
def test_a_malformed_request_is_logged_by_its_fault_alone(site: Site, lines: str) -> None:
    before = len(site.server.log())
    good = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-ID: the-one-before\r\n\r\n"
    with site.connect() as line:
        line.sendall(good.encode())
        assert b"the-one-before" in line.recv(4096)
        line.sendall(f"{lines}\r\n\r\n".encode())
        assert b" 4" in read_to_end(line)
    written = site.server.log()[before:]
    lines_of_json = [text for text in written.splitlines() if text.startswith("{")]
    logged = [json.loads(text) for text in lines_of_json]
    [refusal] = [entry for entry in logged if "malformed" in entry["message"]]
    assert refusal["request_id"] is None
    assert "planted" not in written
