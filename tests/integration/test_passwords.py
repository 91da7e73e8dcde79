"""Users change their password, first of all if it is required, and other sessions end."""

import threading
import unicodedata
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp import validation
from leadapp.accounts import passwords, users
from leadapp.codes import Code
from leadapp.errors import NotSignedIn, Unavailable
from leadapp.extensions import db
from leadapp.models.accounts import Login, User
from tests.clients import Client, new_client
from tests.factories import PASSWORD, UserFactory
from tests.integration.test_api_auth import me
from tests.integration.test_api_auth import sign_in as token_for
from tests.integration.test_commands import run
from tests.integration.test_sign_in import HOME, copied, is_in, session_of, sign_in, sign_out
from tests.pages import hidden_fields

CHANGE, NEW, ACCENTED = "/auth/password", "Correct-horse-8", "Señor-Åké-1"


def change(client: Client, present: str = PASSWORD, password: str = NEW) -> TestResponse:
    fields = hidden_fields(client.get(CHANGE).text, having="present")
    fields.update(present=present, password=password)
    return client.post(CHANGE, data=fields)


def access_token(client: Client, username: str, password: str = PASSWORD) -> str:
    answer = token_for(client, username, password)
    return str(answer.get_json()["access_token"])


@pytest.fixture
def production(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "ENVIRONMENT", "production")


def test_a_change_ends_every_other_session_and_token(
    app: Flask, attorney: User, signed_in: Client, bearer: dict[str, str]
) -> None:
    other = new_client(app)
    sign_in(other, attorney.username)
    before = session_of(signed_in)
    answer = change(signed_in)
    assert (answer.status_code, answer.location) == (303, HOME)
    assert "Your password was changed" in signed_in.get(HOME).text
    assert not is_in(other)
    assert not is_in(copied(app, before))
    assert app.test_client().get("/api/v1/auth/me", headers=bearer).status_code == 401
    user_ids = db.session.scalars(select(Login.user_id)).all()
    assert user_ids == [attorney.id]
    sign_out(signed_in)
    assert sign_in(signed_in, attorney.username).status_code == 422
    assert sign_in(signed_in, attorney.username, NEW).status_code == 303


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("present", "password", "code"),
    [
        ("Wrong-horse-7", NEW, "present_password_wrong"),
        ("", NEW, "present_password_wrong"),
        (PASSWORD, PASSWORD, "password_same"),
        (PASSWORD, "short", "password_length"),
        (PASSWORD, "Password1", "password_common"),
        (PASSWORD, "", "password_missing"),
    ],
)
def test_a_refused_change_says_why_and_ends_nothing(
    signed_in: Client, present: str, password: str, code: str
) -> None:
    answer = change(signed_in, present, password)
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    words = Code[code.upper()].words
    assert answer.text.count(words) == 2
    assert not password or f'value="{password}"' not in answer.text
    assert is_in(signed_in)


def test_a_change_says_nothing_of_the_password_if_the_account_was_disabled_meanwhile(
    signed_in: Client, attorney: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_user = users.sign_in

    def sign_in_after_disabling(user: User) -> Login:
        users.enable(user.username, active=False)
        return sign_in_user(user)

    monkeypatch.setattr(users, "sign_in", sign_in_after_disabling)
    answer = change(signed_in)
    assert answer.status_code == 401
    assert Code.PRESENT_PASSWORD_WRONG.words not in answer.text


def test_a_stolen_session_does_not_guess_the_password(signed_in: Client) -> None:
    answers = [change(signed_in, "Wrong-horse-7") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert change(signed_in).status_code == 429


# An accented letter as one character (NFC), and as a letter and an accent (NFD).
NFC = unicodedata.normalize("NFC", ACCENTED)
NFD = unicodedata.normalize("NFD", ACCENTED)
SPELLINGS = [(NFC, NFD), (NFD, NFC)]


@pytest.mark.parametrize(("typed", "other"), SPELLINGS)
def test_a_password_is_the_same_in_any_spelling_of_its_accents(
    app: Flask,
    client: Client,
    attorney: User,
    signed_in: Client,
    typed: str,
    other: str,
) -> None:
    assert change(signed_in, password=typed).status_code == 303
    for spelling in (typed, other):
        assert token_for(client, attorney.username, spelling).status_code == 200
        assert sign_in(new_client(app), attorney.username, spelling).status_code == 303
    answer = change(signed_in, other, typed)
    assert answer.status_code == 422
    assert Code.PASSWORD_SAME.words in answer.text
    assert change(signed_in, other).status_code == 303
    name = attorney.username
    done = run(app, "user", "set-password", name, "--password-file", "-", stdin=typed)
    assert done.exit_code == 0
    assert token_for(client, attorney.username, other).status_code == 200
    body = {"username": "joe", "email": "joe@example.com", "password": typed}
    assert client.post("/api/v1/auth/register", json=body).status_code == 201
    assert token_for(client, "joe", other).status_code == 200


def test_the_length_of_a_password_is_that_of_its_shorter_spelling(client: Client) -> None:
    longest = "Aa1" + "é" * 34
    user = UserFactory.create(password=longest)
    apart = unicodedata.normalize("NFD", longest)
    assert len(longest.encode()) == 71
    assert len(apart.encode()) == 105
    assert validation.password(apart) == longest
    assert token_for(client, user.username, apart).status_code == 200
    assert token_for(client, user.username, apart + "é" * 300).status_code == 401


@pytest.mark.usefixtures("production")
def test_a_password_that_was_made_for_somebody_is_changed_first(client: Client) -> None:
    user = UserFactory.create(must_change_password=True)
    answer = sign_in(client, user.username, next="/dashboard/?page=2")
    assert (answer.status_code, answer.location) == (303, "/dashboard/?page=2")
    for path in (HOME, answer.location, "/dashboard/leads/00000000-0000-4000-8000-000000000000"):
        redirect = client.get(path)
        assert redirect.status_code == 303
        assert redirect.location == CHANGE
    assert "Choose your own" in client.get(CHANGE).text
    assert client.get("/nothing").status_code == 404
    refused = me(client, access_token(client, user.username))
    assert refused.status_code == 403
    assert refused.get_json()["code"] == "password_change_required"
    assert change(client).status_code == 303
    assert is_in(client)
    token = access_token(client, user.username, NEW)
    assert me(client, token).status_code == 200


@pytest.mark.usefixtures("production")
@pytest.mark.databases("sqlite")
def test_whoever_must_change_a_password_may_sign_out(client: Client) -> None:
    sign_in(client, UserFactory.create(must_change_password=True).username)
    fields = hidden_fields(client.get(CHANGE).text, action="/auth/logout")
    assert client.post("/auth/logout", data=fields).location == "/auth/login"
    assert client.get(CHANGE).location == "/auth/login?next=/auth/password"


@pytest.mark.databases("sqlite")
def test_development_forces_no_change(client: Client) -> None:
    user = UserFactory.create(must_change_password=True)
    sign_in(client, user.username)
    assert is_in(client)
    token = access_token(client, user.username)
    assert me(client, token).status_code == 200


def test_a_sign_in_that_was_under_way_does_not_outlive_a_change(app: Flask, attorney: User) -> None:
    checked = users.authenticate(attorney.username, PASSWORD, "127.0.0.1")
    db.session.expunge(checked)  # the other request has its own session

    def elsewhere() -> None:
        with app.app_context():
            users.set_password(users.get_by_username(attorney.username), NEW)

    other = threading.Thread(target=elsewhere)
    other.start()
    other.join()
    with pytest.raises(NotSignedIn):
        users.sign_in(checked)
    assert db.session.scalars(select(Login)).all() == []


def test_disabling_ends_everything_and_enabling_brings_nothing_back(
    attorney: User, signed_in: Client, client: Client, token: str
) -> None:
    users.enable(attorney.username, active=False)
    assert not is_in(signed_in)
    assert me(client, token).status_code == 401
    users.enable(attorney.username)
    assert not is_in(signed_in)
    assert me(client, token).status_code == 401
    assert sign_in(client, attorney.username).status_code == 303


@pytest.mark.databases("sqlite")
def test_few_wait_for_their_turn_to_hash(client: Client, attorney: User) -> None:
    for _ in range(16):
        passwords._waiting.acquire()
    try:
        answer = token_for(client, attorney.username)
        with pytest.raises(Unavailable):
            passwords.hash_password(NEW)
    finally:
        passwords._waiting.release(16)
    assert answer.status_code == 503
    assert answer.get_json()["code"] == "sign_in_busy"
    assert answer.headers["Retry-After"] == "60"
    assert token_for(client, attorney.username).status_code == 200
    login = users.sign_in(attorney, timedelta(hours=1))
    assert login.user_id == attorney.id
