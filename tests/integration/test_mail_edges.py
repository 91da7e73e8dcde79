"""E-mail at its edges: a silent server, a message that cannot be built, another lead's e-mail."""

import socket
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_mail import Message
from sqlalchemy import func, select

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.mail import smtp
from leadapp.mail.connections import Connections
from leadapp.models.letters import Letter
from tests.clients import Client
from tests.factories import LeadFactory, LetterFactory
from tests.integration.desk import address, deliver
from tests.pages import hidden_fields
from tests.servers import MailServer
from tests.servers.ports import HOST, free_port

pytestmark = pytest.mark.databases("sqlite")


def letters_stored() -> int:
    number = select(func.count()).select_from(Letter)
    return db.session.scalar(number) or 0


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts connections and never replies."""
    with socket.create_server((HOST, port := free_port())):
        yield port


def test_a_message_that_cannot_be_built_is_not_tried_again(mailbox: MailServer) -> None:
    broken = LetterFactory.create(kind="unheard-of")
    deliver()
    failed = db.session.get_one(Letter, broken.id)
    assert failed.next_at is None
    assert failed.sent_at is None
    assert failed.attempts == 1


def test_a_silent_mail_server_is_given_up_on(
    app: Flask, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert smtp.TIMEOUT == 10
    monkeypatch.setitem(app.config, "SMTP_HOST", HOST)
    monkeypatch.setitem(app.config, "SMTP_PORT", silent)
    monkeypatch.setattr(smtp, "TIMEOUT", 0.2)
    waiting = LetterFactory.create()
    start = time.monotonic()
    deliver()
    assert time.monotonic() - start < 8
    db.session.expire_all()
    assert db.session.get_one(Letter, waiting.id).next_at is not None


def test_a_full_disk_under_the_outbox_is_named(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMTP_HOST", "")
    waiting = LetterFactory.create()
    smtp.outbox().mkdir(exist_ok=True)
    draft = smtp.outbox() / f"{waiting.id}.part"
    draft.symlink_to("/dev/full")
    deliver()
    stored = db.session.get_one(Letter, waiting.id)
    file = smtp.outbox() / f"{waiting.id}.eml"
    assert stored.reason == f"{file} cannot be written: No space left on device"
    assert stored.next_at is not None


def test_an_unexpected_error_while_sending_ends_the_attempt(
    mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_self: Connections, _message: Message) -> None:
        raise RuntimeError

    monkeypatch.setattr(Connections, "send", break_down)
    waiting = LetterFactory.create()
    deliver()
    stored = db.session.get_one(Letter, waiting.id)
    assert stored.reason == "RuntimeError while sending the e-mail"
    assert stored.next_at is not None


def test_a_message_is_sent_again_under_its_own_lead_only(signed_in: Client) -> None:
    sent = LetterFactory.create(sent_at=now(), next_at=None)
    assert sent.submission is not None
    own = address(sent.submission.lead)
    other = address(LeadFactory.create())
    send = f"/letters/{sent.id}/send"
    form = hidden_fields(signed_in.get(own).text, action="/send")
    assert signed_in.post(other + send, data=form).status_code == 404
    assert letters_stored() == 1
    assert signed_in.post(own + send, data=form).status_code == 303
    assert letters_stored() == 2
