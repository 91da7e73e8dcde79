"""Accounts and tokens over JSON: registration, sign-in, and the tokens that open the API."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.accounts import users
from leadapp.clock import now
from leadapp.extensions import db
from leadapp.models.accounts import Login, User
from tests.clients import Client
from tests.factories import PASSWORD, LoginFactory, UserFactory

REGISTER, LOGIN, ME = "/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/me"
ANA = {"username": "Ana", "email": "Ana@example.com", "password": PASSWORD}
REALM = 'Bearer realm="leadapp"'
DONE = "User registered successfully"
DIGESTS = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}
# For each setting: status and body of a registration, and the status of a later sign-in.
REGISTRATIONS = {
    "open": (201, {"message": DONE, "username": "Ana"}, 200),
    "approval": (
        201,
        {"message": f"{DONE}; a colleague must enable the account", "username": "Ana"},
        401,  # until a colleague enables it, as for an unknown account
    ),
    "closed": (403, {"code": "registration_closed"}, 401),
}
# The changed fields (None: left out), and the error code of each.
REFUSED = [
    (
        {"username": None, "email": None, "password": None},
        "username_missing email_missing password_missing",
    ),
    (
        {"username": "a b", "email": "a@", "password": "short"},
        "username_format email_format password_length",
    ),
    (
        {"username": 5, "email": [], "password": {}},
        "text_expected text_expected text_expected",
    ),
    ({"password": "Password1"}, "password_common"),
    ({"password": "Aa1" + "x" * 70}, "password_length"),
    ({"is_active": True}, "field_unknown"),
]


def register(client: Client, **changed: object) -> TestResponse:
    account: dict[str, object] = dict(ANA)
    for name, value in changed.items():
        if value is None:
            account.pop(name, None)
        else:
            account[name] = value
    return client.post(REGISTER, json=account)


def sign_in(client: Client, username: str, password: str = PASSWORD) -> TestResponse:
    return client.post(LOGIN, data={"username": username, "password": password})


def me(client: Client, token: str) -> TestResponse:
    return client.get(ME, headers={"Authorization": f"Bearer {token}"})


def refusals(answer: TestResponse) -> list[str]:
    return [error["code"] for error in answer.get_json()["errors"]]


def base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def signed(
    app: Flask, claims: Mapping[str, object], algorithm: str = "HS256", key: str = ""
) -> str:
    """Return a handmade token (RFC 7515), by default signed with the application's key."""
    header = {"alg": algorithm, "typ": "JWT"}
    text = b".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    secret = key or app.config["SECRET_KEY"]
    seal = b""
    if algorithm in DIGESTS:
        seal = hmac.new(secret.encode(), text, DIGESTS[algorithm]).digest()
    return b".".join((text, base64url(seal))).decode()


@pytest.mark.parametrize("setting", REGISTRATIONS)
def test_registration_is_a_setting(
    app: Flask, client: Client, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setitem(app.config, "REGISTRATION", setting)
    status, body, status_of_sign_in = REGISTRATIONS[setting]
    answer = register(client)
    assert answer.status_code == status
    assert sign_in(client, "Ana").status_code == status_of_sign_in
    assert answer.get_json().items() >= body.items()


def test_a_name_and_an_address_are_taken_once(client: Client) -> None:
    UserFactory.create(username="Ana", email="Ana@example.com")
    by_name = register(client, username="ANA", email="other@example.com")
    by_email = register(client, username="other", email="ana@EXAMPLE.com")
    by_both = register(client, username="aNA", email="ANA@example.com")
    assert refusals(by_name) == ["username_taken"]
    assert refusals(by_email) == ["email_taken"]
    assert refusals(by_both) == ["username_taken", "email_taken"]
    assert len(db.session.scalars(select(User)).all()) == 1


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("changed", "codes"), REFUSED)
def test_a_registration_is_told_all_that_is_wrong(
    client: Client, changed: dict[str, Any], codes: str
) -> None:
    answer = register(client, **changed)
    assert answer.status_code == 422
    assert refusals(answer) == codes.split()
    pointers = [error["pointer"] for error in answer.get_json()["errors"]]
    assert pointers == [f"#/{name}" for name in changed]
    assert db.session.scalars(select(User)).all() == []


@pytest.mark.parametrize("field", ANA)
@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_no_character_breaks_a_registration(client: Client, field: str, character: str) -> None:
    answer = register(client, **{field: ANA[field] + character})
    assert answer.status_code in (201, 422)


@pytest.mark.parametrize("name", ["Ana", "aNA", "Ana@example.com", "ANA@EXAMPLE.COM", " ana "])
def test_a_username_or_an_email_signs_in(client: Client, name: str) -> None:
    user = UserFactory.create(username="Ana", email="Ana@example.com")
    answer = sign_in(client, name)
    body = answer.get_json()
    token = body.pop("access_token")
    assert answer.status_code == 200
    assert body == {"token_type": "bearer", "expires_in": 86400}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("Set-Cookie") is None
    who = {"id": str(user.id), "username": "Ana", "email": "Ana@example.com", "is_active": True}
    assert me(client, token).get_json() == who


def test_an_unknown_name_and_a_wrong_password_are_answered_alike(
    client: Client, attorney: User
) -> None:
    tries = [
        (attorney.username, "Wrong-horse-7"),
        ("nobody", PASSWORD),
        ("nobody@example.com", PASSWORD),
        (attorney.username, ""),
        ("no\0body", PASSWORD),
        (attorney.username, PASSWORD + "\0"),
    ]
    answers = [sign_in(client, name, password) for name, password in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {REALM}
    bodies = [dict(answer.get_json(), instance="") for answer in answers]
    assert bodies == [bodies[0]] * len(tries)
    assert bodies[0]["code"] == "bad_credentials"


@pytest.mark.databases("sqlite")
def test_a_password_over_72_bytes_is_wrong_even_if_its_start_is_right(client: Client) -> None:
    user = UserFactory.create(password="Aa1" + "x" * 69)
    assert sign_in(client, user.username, "Aa1" + "x" * 69).status_code == 200
    assert sign_in(client, user.username, "Aa1" + "x" * 70).status_code == 401
    assert sign_in(client, "nobody", "é" * 10_000).status_code == 401


@pytest.mark.databases("sqlite")
def test_each_body_has_its_own_kind(client: Client) -> None:
    answers = {
        "form_encoded_expected": client.post(LOGIN, json=ANA),
        "json_expected": client.post(REGISTER, data=ANA),
    }
    for code, answer in answers.items():
        assert answer.status_code == 415
        assert answer.get_json()["code"] == code
    assert refusals(sign_in(client, " ")) == ["sign_in_name_missing"]


def test_an_inactive_account_says_how_it_is_switched_on(client: Client) -> None:
    user = UserFactory.create(is_active=False)
    answer = sign_in(client, user.username)
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "account_inactive"
    assert "Ask your administrator to enable it" in answer.get_json()["detail"]
    assert sign_in(client, user.username, "Wrong-horse-7").status_code == 401
    users.enable(user.username.upper())
    assert sign_in(client, user.username).status_code == 200


@pytest.mark.databases("sqlite")
def test_who_brings_no_token_is_not_told_that_it_is_invalid(client: Client) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}):
        answer = client.get(ME, headers=headers)
        assert answer.status_code == 401
        assert answer.get_json()["code"] == "not_signed_in"
        assert answer.headers["WWW-Authenticate"] == REALM


@pytest.mark.databases("sqlite")
def test_only_a_token_of_ours_opens_the_api(app: Flask, client: Client, attorney: User) -> None:
    login = LoginFactory.create(user=attorney)
    at = now().timestamp()
    good: dict[str, object] = {
        "jti": str(login.id),
        "sub": str(attorney.id),
        "iat": int(at),
        "exp": int(at) + 600,
    }
    assert me(client, signed(app, good)).status_code == 200
    bad = []
    for claim in good:
        incomplete = dict(good)
        del incomplete[claim]
        bad.append(signed(app, incomplete))
    bad += [signed(app, good, algorithm) for algorithm in ("none", "None", "HS512")]
    bad.append(signed(app, good, key="k" * 40))
    bad.append(signed(app, dict(good, exp=int(at) - 11)))
    unknown = str(uuid.uuid4())
    bad += [signed(app, dict(good, jti=jti)) for jti in (unknown, "x", 1, ["x"])]
    bad += [
        "x",
        "a.b.c",
        "\xe9.\xe9.\xe9",
        base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.e30",
    ]
    for token in bad:
        answer = me(client, token)
        assert answer.status_code == 401, token
        assert answer.get_json()["code"] == "token_invalid", token
        assert answer.headers["WWW-Authenticate"] == f'{REALM}, error="invalid_token"'


def test_a_token_ends_after_a_day(client: Client, token: str) -> None:
    with time_machine.travel(now() + timedelta(minutes=1439), tick=False):
        assert me(client, token).status_code == 200
    with time_machine.travel(now() + timedelta(minutes=1441), tick=False):
        assert me(client, token).status_code == 401


def test_a_token_ends_with_its_login_and_its_user(
    client: Client, attorney: User, token: str
) -> None:
    login_id = db.session.scalars(select(Login.id)).one()
    other = sign_in(client, attorney.username).get_json()["access_token"]
    users.sign_out(login_id)
    assert me(client, token).status_code == 401
    assert me(client, other).status_code == 200
    db.session.get_one(User, attorney.id).is_active = False
    db.session.commit()
    assert me(client, other).status_code == 401


def test_a_cookie_never_opens_the_api_and_a_token_never_a_page(
    client: Client, signed_in: Client, bearer: dict[str, str]
) -> None:
    assert signed_in.get("/dashboard/").status_code == 200
    assert signed_in.get(ME).status_code == 401
    assert signed_in.get(ME, headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.get(ME, headers=bearer).status_code == 200
    assert client.get("/dashboard/", headers=bearer).status_code == 303
