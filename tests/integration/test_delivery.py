"""E-mails are retried until they are sent, once each, over verified connections."""

import re
import ssl
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
import trustme
from flask import Flask
from sqlalchemy import event, select, text, update

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.mail import messages, queue, smtp
from leadapp.mail.queue import Outcome
from leadapp.mail.replies import NotSent
from leadapp.models.letters import Letter
from tests.clients import Client
from tests.crowd import gather
from tests.factories import LetterFactory
from tests.integration.desk import attached, deliver
from tests.servers import MailServer


def submit(client: Client) -> None:
    fields = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}
    sent = client.post("/api/v1/leads", data=dict(fields, resume=attached()))
    assert sent.status_code == 201


def one() -> Letter:
    return db.session.scalars(select(Letter)).one()


def test_the_same_answer_with_the_mail_server_down_and_both_arrive_later(
    client: Client, mailbox: MailServer
) -> None:
    mailbox.stop()
    submit(client)
    deliver()
    letters = db.session.scalars(select(Letter)).all()
    assert [letter.sent_at for letter in letters] == [None, None]
    mailbox.start()
    with time_machine.travel(now() + timedelta(minutes=1, seconds=1), tick=True):
        deliver()
    assert len(mailbox.messages) == 2
    for letter in db.session.scalars(select(Letter)):
        assert letter.sent_at
        assert letter.next_at is None


@pytest.mark.databases("sqlite")
def test_a_letter_is_tried_again_ever_later_and_fails_after_five_days(mailbox: MailServer) -> None:
    mailbox.answer = "451 4.3.0 Later"
    start = LetterFactory.create().created_at
    waits = []
    with time_machine.travel(start, tick=False) as clock:
        while (due := one().next_at) is not None:
            clock.move_to(due)
            deliver()
            if (again := one().next_at) is not None:
                waits.append(again - due)
    minutes = [wait / timedelta(minutes=1) for wait in waits]
    assert minutes[:5] == [1, 5, 30, 120, 360]
    assert set(minutes[5:]) == {360}
    total = sum(waits, timedelta())
    assert timedelta(days=4, hours=18) <= total <= timedelta(days=5)
    assert one().sent_at is None
    assert one().reason == "451 4.3.0 Later"


@pytest.mark.databases("sqlite")
def test_a_refusal_of_this_recipient_is_final_for_it_alone(
    app: Flask, client: Client, mailbox: MailServer
) -> None:
    mailbox.refused = {"ana@example.com"}
    submit(client)
    deliver()
    confirmations = select(Letter).where(Letter.kind == "confirmation")
    failed = db.session.scalars(confirmations).one()
    assert failed.next_at is None
    assert (failed.reason or "").startswith("550")
    assert [sent.recipients for sent in mailbox.messages] == [app.config["ATTORNEY_EMAIL"]]


@pytest.mark.databases("sqlite")
@pytest.mark.usefixtures("wrong_password")
def test_a_refused_sign_in_keeps_letters_waiting(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    LetterFactory.create()
    deliver()
    assert one().next_at is not None
    assert (one().reason or "").startswith("535")
    monkeypatch.setitem(app.config, "SMTP_PASSWORD", "right")
    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        deliver()
    assert one().sent_at is not None


@pytest.mark.databases("sqlite")
def test_a_letter_that_cannot_be_written_fails_and_the_others_leave(mailbox: MailServer) -> None:
    broken, good = LetterFactory.create(kind="unheard-of"), LetterFactory.create()
    deliver()
    assert db.session.get_one(Letter, broken.id).reason == "KeyError while composing the e-mail"
    assert db.session.get_one(Letter, good.id).sent_at is not None


def test_a_letter_waits_when_the_database_fails_while_it_is_written(
    mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Letter) -> None:
        db.session.execute(text("SELECT 1 FROM nowhere"))

    monkeypatch.setattr(messages, "compose", fail)
    LetterFactory.create()
    deliver()
    assert (one().reason or "").endswith("Error while composing the e-mail")
    assert one().next_at is not None


def test_a_crashed_deliverer_is_followed_by_another(mailbox: MailServer) -> None:
    LetterFactory.create()
    assert len(queue.claim(1)) == 1
    deliver()
    assert mailbox.messages == [], "somebody holds it"
    with time_machine.travel(now() + queue.LEASE + timedelta(seconds=1), tick=True):
        deliver()
    assert len(mailbox.messages) == 1


def test_a_deliverer_that_lost_its_lease_changes_nothing(mailbox: MailServer) -> None:
    LetterFactory.create()
    [slow] = queue.claim(1)
    with time_machine.travel(now() + queue.LEASE + timedelta(seconds=1), tick=True):
        deliver()
    queue.close([Outcome(slow, NotSent("too late", final=True))])
    db.session.expire_all()
    assert one().reason is None
    assert one().sent_at is not None


def test_an_e_mail_that_another_deliverer_has_claimed_meanwhile_stays_its(
    mailbox: MailServer,
) -> None:
    LetterFactory.create()
    [slow] = queue.claim(1)
    theirs = uuid.uuid4()
    db.session.execute(update(Letter).values(token=theirs))
    db.session.commit()
    db.session.rollback()  # as after an error of the database
    queue.close([Outcome(slow, None)])
    db.session.expire_all()
    assert one().token == theirs
    assert one().sent_at is None


class Encrypted:
    """A certificate authority, and the TLS context of a mail server with its certificate.

    127.0.0.1 counts as a host on the network here.
    """

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.monkeypatch = app, monkeypatch
        self.authority = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1").configure_cert(self.context)
        monkeypatch.setattr(smtp, "LOOPBACK", ())

    def speak_to(self, server: MailServer) -> None:
        self.monkeypatch.setitem(self.app.config, "SMTP_HOST", server.host)
        self.monkeypatch.setitem(self.app.config, "SMTP_PORT", server.port)

    def trust(self) -> None:
        trusting = ssl.create_default_context()
        self.authority.configure_trust(trusting)
        self.monkeypatch.setattr(smtp, "trusting", lambda: trusting)


@pytest.fixture
def encrypted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Encrypted:
    return Encrypted(app, monkeypatch)


@pytest.fixture(params=["starttls", "tls"])
def locked_server(
    request: pytest.FixtureRequest, encrypted: Encrypted, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MailServer]:
    """A server that encrypts after STARTTLS, or from the start as on port 465."""
    server = MailServer(**{request.param: encrypted.context})
    if request.param == "tls":
        monkeypatch.setattr(smtp, "TLS_PORT", server.port)
    encrypted.speak_to(server)
    yield server
    server.close()


@pytest.mark.databases("sqlite")
def test_an_encrypted_server_is_written_to_only_if_its_certificate_is_trusted(
    encrypted: Encrypted, locked_server: MailServer
) -> None:
    LetterFactory.create()
    deliver()
    assert locked_server.messages == []
    assert "certificate verify failed" in (one().reason or "")
    encrypted.trust()
    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        deliver()
    assert len(locked_server.messages) == 1


@pytest.mark.databases("sqlite")
@pytest.mark.usefixtures("encrypted")
def test_a_server_on_the_network_must_encrypt(mailbox: MailServer) -> None:
    LetterFactory.create()
    deliver()
    assert mailbox.messages == []
    assert "STARTTLS" in (one().reason or "")


def test_a_claim_reads_only_the_e_mails_that_are_due(app: Flask, backend: str) -> None:
    gather(2000)
    LetterFactory.create()
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    assert len(queue.claim(20)) == 1
    event.remove(db.engine, "before_cursor_execute", note)
    how = "EXPLAIN" if backend == "postgres" else "EXPLAIN QUERY PLAN"
    for statement, parameters in asked:
        rows = db.session.connection().exec_driver_sql(f"{how} {statement}", parameters)
        plan = "\n".join(row[-1] for row in rows)
        assert not re.search("(SCAN|Seq Scan on) (letters|submissions|leads)", plan), plan
    db.session.rollback()
    assert len(asked) == 3
