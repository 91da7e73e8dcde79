"""Each reply of a mail server makes the e-mail wait or fail."""

import re
import socket

import pytest
from flask import Flask
from sqlalchemy import select

from leadapp.extensions import db
from leadapp.models.letters import Letter
from tests.factories import LetterFactory
from tests.integration.desk import deliver
from tests.servers import MailServer

pytestmark = pytest.mark.databases("sqlite")


def one() -> Letter:
    return db.session.scalars(select(Letter)).one()


FINAL_TO_RCPT = [
    "550 5.1.1 No such user",
    "550 #5.1.0 Address rejected",
    "552 5.2.2 Mailbox full",
    "550 No such user",
    "553 5.1.10 Takes no mail",
]
WAITS_AT_RCPT = [
    "450 5.1.1 Later",
    "550 5.7.1 Relaying denied",
    "550 5.4.5 Daily sending quota exceeded",
    "550 5.1.8 Sender's domain not found",
    "550 5.1.7 Sender's address is odd",
    "550 5.6.7 Odd",
    "554 5.0.0 No reason",
    "530 Sign in first",
    "503 Sign in first",
    "552 4.2.2 Mailbox full for now",
]
FINAL_TO_DATA = ["552 5.3.4 Too big", "552 5.2.3 Too big", "554 5.6.0 Bad content", "554 Content"]
WAITS_AT_DATA = [
    "554 5.7.1 Spam",
    "550 5.7.26 Unauthenticated sender",
    "550 5.4.5 Daily user sending limit exceeded",
    "530 Sign in first",
    "550 5.1.8 Sender's domain not found",
    "554 5.3.0 Out of order",
    "451 Greylisted",
]
REPLIES = [("RCPT", answer, True) for answer in FINAL_TO_RCPT]
REPLIES += [("RCPT", answer, False) for answer in WAITS_AT_RCPT]
REPLIES += [("DATA", answer, True) for answer in FINAL_TO_DATA]
REPLIES += [("DATA", answer, False) for answer in WAITS_AT_DATA]
REPLIES += [
    ("MAIL", "550 5.1.1 Unknown sender", False),
    ("MAIL", "550 Sender refused", False),
    ("EHLO", "550 5.1.1 Unknown host", False),
]


@pytest.mark.parametrize(("command", "answer", "final"), REPLIES)
def test_only_a_refusal_of_this_recipient_or_content_is_final(
    mailbox: MailServer, command: str, answer: str, final: bool
) -> None:
    if command == "DATA":
        mailbox.answer = answer
    else:
        mailbox.replies[command] = answer
    LetterFactory.create()
    deliver()
    letter = one()
    assert (letter.next_at is None) == final
    assert letter.sent_at is None
    assert letter.reason == answer


@pytest.mark.parametrize(
    "error",
    [UnicodeError("label empty or too long"), RuntimeError("odd")],
)
def test_a_failure_outside_smtplib_keeps_letters_waiting(
    mailbox: MailServer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    LetterFactory.create()
    deliver()
    assert one().next_at is not None
    assert one().reason == f"{type(error).__name__}: {error}"


def test_a_host_with_an_empty_label_keeps_letters_waiting(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SMTP_HOST", "smtp..example.com")
    LetterFactory.create()
    deliver()
    assert one().next_at is not None
    assert re.match("Unicode(Encode)?Error: .*label empty", one().reason or "")


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_a_password_may_have_any_letters(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    mailbox.accounts = {"Zoë": "Passwört"}
    mailbox.methods = {method}
    monkeypatch.setitem(app.config, "SMTP_USERNAME", "Zoë")
    monkeypatch.setitem(app.config, "SMTP_PASSWORD", "Passwört")
    LetterFactory.create()
    deliver()
    assert one().reason is None
    assert len(mailbox.messages) == 1


def test_a_refused_sign_in_is_told_in_the_words_of_a_server_that_hangs_up(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.accounts = {}
    mailbox.replies["AUTH"] = "535 5.7.8 Use an app password"
    monkeypatch.setitem(app.config, "SMTP_USERNAME", "leadapp")
    monkeypatch.setitem(app.config, "SMTP_PASSWORD", "right")
    LetterFactory.create()
    deliver()
    assert one().next_at is not None
    assert one().reason == "535 5.7.8 Use an app password"


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://leads.example.com", "leads.example.com"),
        ("http://127.0.0.1:8000", "[127.0.0.1]"),
        ("http://[::1]:8000", "[IPv6:::1]"),
        ("https://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_mail_server_is_greeted_by_the_name_of_the_site(
    app: Flask,
    mailbox: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    base_url: str,
    name: str,
) -> None:
    monkeypatch.setitem(app.config, "BASE_URL", base_url)
    LetterFactory.create()
    deliver()
    assert set(mailbox.names) == {name}


def test_a_letter_that_cannot_be_composed_is_final(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "FIRM_NAME", "M\ud83dller")
    LetterFactory.create()
    deliver()
    letter = one()
    assert letter.next_at is None
    assert letter.sent_at is None
    assert letter.reason == "UnicodeEncodeError while composing the e-mail"
    assert mailbox.names == []
