"""A colleague approves registrations; a stranger learns nothing, the operator sees all."""

import json
from datetime import timedelta

import bcrypt
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.models.accounts import Login, RefusedRegistration, User
from leadapp.models.letters import Letter
from leadapp.operations import maintenance
from tests.clients import Client, new_client
from tests.factories import PASSWORD, LeadFactory, LoginFactory, UserFactory
from tests.integration.desk import deliver
from tests.integration.test_api_auth import register
from tests.integration.test_api_auth import sign_in as token_for
from tests.integration.test_commands import run
from tests.integration.together import together
from tests.servers import MailServer

TAKEN = {
    "the name": {"username": "ANA", "email": "other@example.com"},
    "the address": {"username": "other", "email": "ana@EXAMPLE.com"},
    "both": {"username": "aNA", "email": "ANA@example.com"},
}


@pytest.fixture(autouse=True)
def approval(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "REGISTRATION", "approval")


@pytest.fixture
def ana(app: Flask) -> User:
    return UserFactory.create(username="Ana", email="Ana@example.com")


def names() -> list[str]:
    usernames = select(User.username).order_by(User.username_key)
    return list(db.session.scalars(usernames))


def told(answer: TestResponse) -> tuple[object, ...]:
    """Returns the parts of an answer that a stranger sees, without their own input."""
    headers = {name: value for name, value in answer.headers if name != "X-Request-ID"}
    headers["Content-Length"] = ""
    body = dict(answer.get_json())
    body.update(username="", instance="")
    return answer.status_code, headers, body


@pytest.mark.parametrize("taken", TAKEN.values(), ids=TAKEN)
def test_a_taken_name_or_address_is_answered_as_a_free_one(
    client: Client,
    ana: User,
    taken: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashes: list[bytes] = []
    make = bcrypt.hashpw

    def note_and_make(secret: bytes, salt: bytes) -> bytes:
        hashes.append(secret)
        return make(secret, salt)

    monkeypatch.setattr(bcrypt, "hashpw", note_and_make)
    free = {"username": "free", "email": "free@example.com"}
    to_free = register(client, **free)
    to_taken = register(client, **taken)
    assert told(to_taken) == told(to_free)
    assert to_free.get_json()["username"] == "free"
    assert to_taken.get_json()["username"] == taken["username"]
    assert to_free.status_code == 201
    assert len(hashes) == 2
    assert names() == ["Ana", "free"]
    # A later sign-in, by name or by address, does not reveal it either.
    typed = [free["username"], free["email"], taken["username"], taken["email"]]
    tried = [told(token_for(client, name, PASSWORD + "9")) for name in typed]
    assert tried == [tried[0]] * 4
    assert token_for(client, "free").get_json()["code"] == "bad_credentials"


def test_what_is_not_well_formed_is_told_all_the_same(client: Client, ana: User) -> None:
    answer = register(client, username="ana", email="a@", password="x")
    assert answer.status_code == 422
    assert db.session.scalars(select(RefusedRegistration)).all() == []


def test_the_owner_of_a_taken_address_gets_one_e_mail_a_day(
    client: Client, ana: User, mailbox: MailServer
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for hours in (0, 1, 22.9, 0.2):
            clock.shift(timedelta(hours=hours))
            register(client, username="other", email="ana@example.com")
            deliver()
    [first, second] = mailbox.messages
    assert first.recipients == second.recipients == ["Ana@example.com"]
    text = first.text
    assert first.message["Subject"] == "Your e-mail address was used to request an account"
    assert "You have an account already, Ana, and nothing about it was changed" in text
    assert "http://127.0.0.1:8000/auth/login" in text
    assert "other" not in text


def test_nobody_else_gets_an_e_mail(client: Client, ana: User, mailbox: MailServer) -> None:
    UserFactory.create(username="gone", is_active=False)
    register(client, username="ana", email="other@example.com")
    register(client, username="new", email="new@example.com")
    # No one has proven yet that they own this address.
    register(client, username="newer", email="new@example.com")
    register(client, username="newest", email="gone@example.com")
    deliver()
    assert mailbox.messages == []
    assert db.session.scalars(select(Letter)).all() == []


def test_of_many_requests_at_once_one_sends_an_e_mail(
    app: Flask, ana: User, mailbox: MailServer
) -> None:
    def ask(number: int) -> int:
        browser = new_client(app)
        answer = register(browser, username=f"u{number}x", email="ana@example.com")
        return answer.status_code

    assert together(ask) == [201] * 8
    deliver()
    assert len(mailbox.messages) == 1
    assert names() == ["Ana"]


def test_refused_requests_are_listed_for_thirty_days(app: Flask, client: Client, ana: User) -> None:
    assert run(app, "user", "list", "--refused", "--json").stdout == "[]\n"
    with time_machine.travel("2026-11-20T10:00Z", tick=False) as clock:
        for taken in TAKEN.values():
            register(client, **taken)
            clock.shift(timedelta(minutes=1))
        lines = run(app, "user", "list", "--refused").stdout.splitlines()
        assert [" ".join(line.split()) for line in lines] == [
            "20 Nov 2026, 10:02 aNA ANA@example.com taken: username, email",
            "20 Nov 2026, 10:01 other ana@EXAMPLE.com taken: email",
            "20 Nov 2026, 10:00 ANA other@example.com taken: username",
        ]
        listed = run(app, "user", "list", "--refused", "--json")
        assert json.loads(listed.stdout)[-1] == {
            "created_at": "2026-11-20T10:00:00.000Z",
            "username": "ANA",
            "email": "other@example.com",
            "taken": ["username"],
        }
        clock.shift(timedelta(days=29, hours=23))
        maintenance.sweep()
        refused = db.session.scalars(select(RefusedRegistration)).all()
        assert len(refused) == 3
        clock.shift(timedelta(hours=2))
        assert run(app, "user", "list", "--refused").stdout == "\n"
        maintenance.sweep()
        assert db.session.scalars(select(RefusedRegistration)).all() == []


def test_an_account_that_waits_signs_in_once_it_is_enabled(app: Flask, client: Client) -> None:
    register(client)
    listed = run(app, "user", "list").stdout
    assert listed.split() == ["Ana", "Ana@example.com", "waiting"]
    done = run(app, "user", "enable", "ana")
    assert "The address Ana@example.com was not verified" in done.stderr
    assert token_for(client, "ana").status_code == 200
    run(app, "user", "disable", "ana")
    assert token_for(client, "ana").get_json()["code"] == "account_inactive"


def test_closed_tells_nothing_of_who_has_an_account(
    app: Flask, client: Client, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "REGISTRATION", "closed")
    free = register(client, username="free", email="free@example.com")
    assert free.status_code == 403
    for taken in TAKEN.values():
        answer = register(client, **taken)
        assert str(told(answer)) == str(told(free))
    assert db.session.scalars(select(RefusedRegistration)).all() == []


def test_a_deleted_account_is_gone_and_the_history_stays(
    app: Flask, client: Client, ana: User
) -> None:
    lead = LeadFactory.create(reached_out=True, marked_by=ana)
    LoginFactory.create(user=ana)
    token_for(client, "ana")
    refused = run(app, "user", "delete", "ana")
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert names() == ["Ana"]
    assert "Missing option '--yes'" in refused.stderr
    done = run(app, "user", "delete", "ANA", "--yes")
    assert done.exit_code == 0
    assert done.stdout == "Ana\n"
    assert done.stderr == "The account is deleted.\n"
    assert names() == []
    assert db.session.scalars(select(Login)).all() == []
    db.session.refresh(lead)
    assert (lead.status.name, lead.marker) == ("REACHED_OUT", None)
    assert token_for(client, "ana").status_code == 401
    assert register(client).status_code == 201
