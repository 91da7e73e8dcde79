"""Signing in and out through the page: access, redirects and the end of sessions."""

import html
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp import log, tokens
from leadapp.clock import now
from leadapp.codes import Code
from leadapp.extensions import db
from leadapp.models.accounts import Login, User
from tests.clients import Client, new_client
from tests.factories import PASSWORD, UserFactory
from tests.pages import hidden_fields

LOGIN, HOME = "/auth/login", "/dashboard/"
ELSEWHERE = [
    "//evil.example",
    "https://evil.example",
    "https:evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\x00//evil.example",
    " //evil.example",
    "///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//[",
    "evil",
    "",
]
WRONG = "The username or password is incorrect"


def sign_in(client: Client, username: str, password: str = PASSWORD, **more: str) -> TestResponse:
    fields = hidden_fields(client.get(LOGIN).text, having="password")
    fields.update(username=username, password=password, **more)
    return client.post(LOGIN, data=fields)


def sign_out(client: Client) -> TestResponse:
    return client.post(
        "/auth/logout", data=hidden_fields(client.get(HOME).text, action="/auth/logout")
    )


def session_of(client: Client) -> str:
    cookie = client.get_cookie("session")
    return cookie.value if cookie else ""


def copied(app: Flask, session: str) -> Client:
    """Returns another browser with this session cookie."""
    thief = new_client(app)
    thief.set_cookie("session", session)
    return thief


def is_in(client: Client) -> bool:
    answer = client.get(HOME)
    assert answer.status_code in (200, 303)
    return answer.status_code == 200


@pytest.mark.parametrize("name", ["Ana", "aNA", "Ana@example.com", "ANA@EXAMPLE.COM", " ana "])
def test_an_attorney_signs_in_by_username_or_email(client: Client, name: str) -> None:
    UserFactory.create(username="Ana", email="Ana@example.com")
    answer = sign_in(client, name)
    assert (answer.status_code, answer.location) == (303, HOME)
    assert ">Ana<" in client.get(HOME).text


@pytest.mark.databases("sqlite")
def test_who_came_for_a_page_goes_there(client: Client, attorney: User) -> None:
    wanted = "/dashboard/?q=Jos%C3%A9&page=1"
    page = client.get(client.get(wanted).location)
    fields = hidden_fields(page.text, having="password")
    fields.update(username=attorney.username, password=PASSWORD)
    answer = client.post(LOGIN, data=fields)
    assert (answer.status_code, answer.location) == (303, wanted)
    assert client.get(answer.location).status_code == 200


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_nobody_is_sent_elsewhere(client: Client, attorney: User, wanted: str) -> None:
    assert client.get(LOGIN, query_string={"next": wanted}).status_code == 200
    answer = sign_in(client, attorney.username, next=wanted)
    assert (answer.status_code, answer.location) == (303, HOME)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ana", "Wrong-horse-7"),
        ("ana", ""),
        ("ana", "Aa1" + "x" * 70),
        ("n\0body<", PASSWORD),
    ],
)
def test_a_failed_sign_in_keeps_the_name_and_never_the_password(
    client: Client, name: str, password: str
) -> None:
    UserFactory.create(username="ana")
    answer = sign_in(client, name, password, next="/dashboard/?page=2")
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert html.unescape(answer.text).count(WRONG) == 2
    assert f'value="{html.escape(name.replace(chr(0), ""))}"' in answer.text
    assert not password or password not in answer.text
    assert hidden_fields(answer.text, having="password")["next"] == "/dashboard/?page=2"
    assert not is_in(client)


@pytest.mark.databases("sqlite")
def test_no_name_is_asked_for(client: Client) -> None:
    answer = sign_in(client, " ")
    assert answer.status_code == 422
    assert "Enter your username or e-mail address" in answer.text


def test_an_inactive_account_says_how_it_is_switched_on(client: Client) -> None:
    user = UserFactory.create(is_active=False)
    answer = sign_in(client, user.username)
    assert answer.status_code == 422
    assert "Ask your administrator to enable it" in answer.text
    assert not is_in(client)
    assert WRONG in sign_in(client, user.username, "Wrong-horse-7").text


def test_an_empty_installation_shows_the_command(client: Client) -> None:
    assert "make create-user USERNAME=" in client.get(LOGIN).text
    UserFactory.create()
    assert "create-user" not in client.get(LOGIN).text


def test_signing_out_ends_a_copied_cookie_too(app: Flask, signed_in: Client) -> None:
    thief = copied(app, session_of(signed_in))
    assert is_in(thief)
    answer = sign_out(signed_in)
    assert (answer.status_code, answer.location) == (303, LOGIN)
    assert not is_in(signed_in)
    assert not is_in(thief)
    assert db.session.scalars(select(Login)).all() == []


def test_signing_out_elsewhere_leaves_this_device_in(
    app: Flask, attorney: User, signed_in: Client
) -> None:
    other = new_client(app)
    sign_in(other, attorney.username)
    sign_out(other)
    assert is_in(signed_in)


def test_each_sign_in_is_a_new_session(app: Flask, client: Client, attorney: User) -> None:
    before = hidden_fields(client.get(LOGIN).text, having="password")
    sign_in(client, attorney.username)
    assert client.post("/auth/logout", data=before).status_code == 400
    first = session_of(client)
    sign_out(client)
    sign_in(client, attorney.username)
    assert not is_in(copied(app, first))
    assert is_in(client)
    assert len(db.session.scalars(select(Login)).all()) == 1


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("wanted", ["/dashboard/?q=Ana", "", "//evil.example"])
def test_sign_in_leads_on_if_another_tab_has_signed_in(
    client: Client, attorney: User, wanted: str
) -> None:
    page = client.get(LOGIN, query_string={"next": wanted})
    other_tab = hidden_fields(page.text, having="password")
    sign_in(client, attorney.username)
    right = {"username": attorney.username, "password": PASSWORD}
    wrong = {"username": attorney.username, "password": "Wrong-horse-7"}
    answers = [
        client.get(LOGIN, query_string={"next": wanted}),
        client.post(LOGIN, data=other_tab | right),
        client.post(LOGIN, data=other_tab | wrong),
    ]
    expected = HOME
    if wanted.startswith("/dashboard"):
        expected = wanted
    for answer in answers:
        assert answer.status_code == 303
        assert answer.location == expected
    assert len(db.session.scalars(select(Login)).all()) == 1


@pytest.mark.databases("sqlite")
def test_a_colleague_who_signs_in_at_a_stale_page_is_not_the_one_before(
    client: Client, attorney: User
) -> None:
    other_tab = hidden_fields(client.get(LOGIN).text, having="password")
    sign_in(client, attorney.username)
    colleague = UserFactory.create()
    typed = {"username": colleague.username, "password": PASSWORD}
    stale = client.post(LOGIN, data=other_tab | typed)
    assert stale.status_code == 400
    fresh = hidden_fields(stale.text, having="password")
    assert client.post(LOGIN, data=fresh | typed).status_code == 303
    assert colleague.username in client.get(HOME).text
    assert attorney.username not in client.get(HOME).text


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    "stale",
    [{}, {"csrf_token": "x"}, {"csrf_token": tokens.sign_form_id}],
)
def test_a_stale_sign_in_page_comes_back_with_what_to_do(
    client: Client, attorney: User, stale: dict[str, Any]
) -> None:
    token = dict(stale)
    if callable(token.get("csrf_token")):
        token["csrf_token"] = token["csrf_token"]()
    typed = {"username": attorney.username, "password": PASSWORD, "next": "/dashboard/?page=2"}
    answer = client.post(LOGIN, data=token | typed)
    assert answer.status_code == 400
    page = html.unescape(answer.text)
    assert page.count(Code.SIGN_IN_STALE.words) == 1
    assert PASSWORD not in answer.text
    assert f'value="{attorney.username}"' in answer.text
    assert not is_in(client)
    fields = hidden_fields(answer.text, having="password")
    answer = client.post(LOGIN, data=typed | fields)
    assert (answer.status_code, answer.location) == (303, typed["next"])


@pytest.mark.databases("sqlite")
def test_a_sign_in_page_from_before_a_sign_out_comes_back(client: Client, attorney: User) -> None:
    other_tab = hidden_fields(client.get(LOGIN).text, having="password")
    sign_in(client, attorney.username)
    sign_out(client)
    typed = {"username": attorney.username, "password": PASSWORD}
    stale = client.post(LOGIN, data=other_tab | typed)
    assert Code.SIGN_IN_STALE.words in stale.text
    assert not is_in(client)


@pytest.mark.databases("sqlite")
def test_the_cookie_is_for_this_site_and_no_script(
    app: Flask, client: Client, attorney: User
) -> None:
    cookie = sign_in(client, attorney.username).headers["Set-Cookie"]
    assert cookie.startswith("session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.databases("sqlite")
def test_the_cookie_is_secure_where_the_site_is(
    tmp_path: Path, new_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log.logger, "handlers", [])
    site = new_app({"BASE_URL": "https://leads.example.com", "INSTANCE_PATH": str(tmp_path)})
    monkeypatch.setattr("leadapp.accounts.users.no_users_exist", lambda: False)
    page = site.test_client().get(LOGIN, base_url="https://leads.example.com")
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    attributes = set(cookie.split("; "))
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= attributes


def test_eight_idle_hours_end_a_session_and_use_renews_it(signed_in: Client) -> None:
    start = now()
    for hours in (7, 14, 21):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            assert is_in(signed_in)
    end = start + timedelta(hours=21 + 8, minutes=1)
    with time_machine.travel(end, tick=False):
        assert not is_in(signed_in)


def test_a_week_ends_a_session_however_busy(signed_in: Client) -> None:
    start = now()
    for hours in range(7, 7 * 24, 7):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            assert is_in(signed_in)
    end = start + timedelta(days=7, minutes=1)
    with time_machine.travel(end, tick=False):
        assert not is_in(signed_in)


def test_a_disabled_user_is_out_on_the_next_request(attorney: User, signed_in: Client) -> None:
    db.session.get_one(User, attorney.id).is_active = False
    db.session.commit()
    assert not is_in(signed_in)
