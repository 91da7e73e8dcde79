"""Forgotten passwords: the e-mailed link works once, for an hour; strangers learn nothing."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.accounts import passwords
from leadapp.clock import now
from leadapp.codes import Code
from leadapp.extensions import db
from leadapp.mail import queue
from leadapp.models.accounts import User
from leadapp.models.letters import Letter
from leadapp.operations import maintenance
from tests.clients import Client
from tests.factories import PASSWORD, UserFactory
from tests.integration.desk import deliver
from tests.integration.test_sign_in import LOGIN, is_in, sign_in
from tests.pages import hidden_fields
from tests.servers import MailServer

FORGOT, NEW, OTHER = "/auth/forgot", "Correct-horse-8", "Counsel4Others"


def ask(client: Client, email: str) -> TestResponse:
    fields = hidden_fields(client.get(FORGOT).text, having="email")
    fields["email"] = email
    return client.post(FORGOT, data=fields)


@pytest.fixture
def link(client: Client, attorney: User, mailbox: MailServer, app: Flask) -> str:
    """Returns the path of a password-reset link for `attorney`."""
    ask(client, attorney.email)
    deliver()
    [sent] = mailbox.to(attorney.email)
    base_url = app.config["BASE_URL"]
    found = re.search(rf"{base_url}(/auth/reset/\S+)", sent.text)
    assert found
    return found[1]


def set_password(client: Client, link: str, password: str = NEW) -> TestResponse:
    fields = hidden_fields(client.get(link).text, having="password")
    fields["password"] = password
    return client.post(link, data=fields)


def test_a_link_sets_a_password_once(
    app: Flask,
    client: Client,
    link: str,
    attorney: User,
    signed_in: Client,
    bearer: dict[str, str],
) -> None:
    assert attorney.username in client.get(link).text
    assert is_in(signed_in)  # opening the link changed nothing
    # A form of another site has no CSRF token.
    assert client.post(link, data={"password": NEW}).status_code == 400
    answer = set_password(client, link)
    assert (answer.status_code, answer.location) == (303, LOGIN)
    assert "Your password was changed" in client.get(LOGIN).text
    assert not is_in(signed_in)
    assert client.get("/api/v1/auth/me", headers=bearer).status_code == 401
    assert not is_in(client)
    assert client.get(link).status_code == 410
    assert sign_in(client, attorney.username).status_code == 422
    assert sign_in(client, attorney.username, NEW).status_code == 303


def test_a_link_works_for_an_hour_while_the_account_is_on(
    client: Client, link: str, attorney: User
) -> None:
    start = now()
    with time_machine.travel(start + timedelta(minutes=59), tick=False):
        assert client.get(link).status_code == 200
    with time_machine.travel(start + timedelta(minutes=61), tick=False):
        assert Code.RESET_ENDED.words in client.get(link).text
    db.session.get_one(User, attorney.id).is_active = False
    db.session.commit()
    for path in (link, link[:-1], "/auth/reset/x"):
        assert client.get(path).status_code == 410


@pytest.mark.databases("sqlite")
def test_a_weak_password_is_refused_and_the_link_still_works(client: Client, link: str) -> None:
    answer = set_password(client, link, "short")
    assert answer.status_code == 422
    assert answer.text.count(Code.PASSWORD_LENGTH.words) == 2
    assert set_password(client, link).status_code == 303


def test_of_two_who_use_a_link_at_once_one_does(
    app: Flask,
    client: Client,
    attorney: User,
    link: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed = passwords.hash_password
    other = app.test_client()
    theirs = hidden_fields(other.get(link).text, having="password")
    theirs["password"] = OTHER

    def meanwhile(password: str) -> str:
        monkeypatch.setattr(passwords, "hash_password", hashed)
        first = threading.Thread(target=other.post, args=[link], kwargs={"data": theirs})
        first.start()
        first.join()
        return hashed(password)

    ours = hidden_fields(client.get(link).text, having="password")
    ours["password"] = NEW
    monkeypatch.setattr(passwords, "hash_password", meanwhile)
    answer = client.post(link, data=ours)
    assert answer.status_code == 409
    assert Code.PASSWORD_CHANGED.words in answer.text
    assert sign_in(client, attorney.username, OTHER).status_code == 303


def test_a_stranger_learns_nothing(client: Client, attorney: User, mailbox: MailServer) -> None:
    off = UserFactory.create(is_active=False)
    asked = (attorney.email.upper(), "nobody@example.com", off.email)
    answers = [ask(client, email) for email in asked]
    for answer in answers:
        assert answer.status_code == 303
        assert answer.location == LOGIN
        assert answer.text == answers[0].text
    queued = db.session.scalars(select(Letter)).all()
    assert len(queued) == 3
    deliver()
    [sent] = mailbox.messages
    assert sent.recipients == [attorney.email]
    times = db.session.scalars(select(Letter.next_at))
    assert not any(times)


def test_no_mailbox_is_flooded(client: Client, attorney: User, mailbox: MailServer) -> None:
    with time_machine.travel("2026-11-20T10:01Z", tick=False) as clock:
        for minutes in (0, 1, 2, 9):  # only the last is in the next ten minutes
            clock.move_to(f"2026-11-20T10:{minutes + 1:02}Z")
            ask(client, attorney.email)
            deliver()
    assert len(mailbox.messages) == 2


def test_a_letter_that_failed_leaves_with_a_fresh_link(
    client: Client, attorney: User, mailbox: MailServer
) -> None:
    mailbox.refused = {attorney.email}
    ask(client, attorney.email)
    deliver()
    assert queue.read_state().failed == 1
    mailbox.reset()
    queue.retry_failed()
    deliver()
    assert len(mailbox.messages) == 1


@pytest.mark.databases("sqlite")
def test_without_a_mail_server_a_colleague_is_asked(client: Client, attorney: User) -> None:
    assert FORGOT not in client.get(LOGIN).text
    answer = client.get(FORGOT)
    assert answer.status_code == 404
    assert "Ask your administrator for a new password" in answer.text
    assert client.post(FORGOT).status_code == 400


def test_what_is_no_address_is_told(client: Client, mailbox: MailServer) -> None:
    assert FORGOT in client.get(LOGIN).text
    answer = ask(client, "ana@")
    assert answer.status_code == 422
    assert answer.text.count(Code.EMAIL_FORMAT.words) == 2
    assert db.session.scalars(select(Letter)).all() == []


def test_the_sweep_forgets_who_asked(client: Client, attorney: User, mailbox: MailServer) -> None:
    sign_in(client, "nobody", PASSWORD)
    ask(client, attorney.email)
    deliver()
    maintenance.sweep()
    kept = db.session.scalars(select(Letter)).all()
    assert len(kept) == 1
    later = now() + timedelta(hours=2, minutes=1)
    with time_machine.travel(later, tick=False):
        maintenance.sweep()
    assert db.session.scalars(select(Letter)).all() == []
